"""What every benchmark prints and writes: one table, and with ``--json`` one object."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Result:
    """One figure: of a case, with its unit, and what it was aimed at, if anything."""

    case: str
    metric: str
    value: float
    unit: str
    better: Literal["higher", "lower"]
    target: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        return self.value >= self.target if self.better == "higher" else self.value <= self.target


def arguments(
    description: str, argv: Sequence[str] | None = None, parts: Sequence[str] = ()
) -> argparse.Namespace:
    """Parse what every benchmark takes: ``--json FILE`` and ``--quick``; ``--only PART`` if it has parts."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results to FILE")
    parser.add_argument("--quick", action="store_true", help="smaller runs, 30 seconds at most")
    if parts:
        parser.add_argument("--only", choices=parts, help="run this part only")
    return parser.parse_args(argv)


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return {"cpu": model, "cores": os.cpu_count(), "system": f"{platform.system()} {platform.release()}"}


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of Python and of the named packages that are installed."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def commit() -> str | None:
    """Return the commit that is measured, with a plus if files differ from it; None outside a repository."""
    try:
        asked = ("git", "describe", "--always", "--dirty=+", "--abbrev=12")
        told = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return told.stdout.strip()


def gathered(results: Iterable[Result]) -> list[Result]:
    """Return the results of a long run; each is told on stderr as it comes."""
    found = []
    for result in results:
        print(
            f"{result.case}  {result.metric}  {result.value:,.3f} {result.unit}", file=sys.stderr, flush=True
        )
        found.append(result)
    return found


def show(title: str, results: Sequence[Result], notes: Sequence[str] = ()) -> None:
    """Print the table."""
    table = Table("case", "metric", "value", "unit", "target", "met", title=title)
    for name in ("value", "target"):
        next(column for column in table.columns if column.header == name).justify = "right"
    for result in results:
        target = "" if result.target is None else f"{result.target:g}"
        met = {None: "", True: "yes", False: "no"}[result.met]
        unit = f"{result.unit} {result.note}".strip()
        table.add_row(result.case, result.metric, f"{result.value:,.3f}", unit, target, met)
    console = Console()
    console.print(table)
    for note in notes:
        console.print(f"· {note}", markup=False)


def write(path: Path | None, results: Sequence[Result], packages: Sequence[str]) -> None:
    """Write the results to a file, if one is named."""
    if path is None:
        return
    body = {
        "machine": machine(),
        "versions": versions("dongxi", *packages),
        "commit": commit(),
        "results": [{**asdict(result), "met": result.met} for result in results],
    }
    path.write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")
