"""Writes the reference pages that the code knows best; `make docs` runs it, a test compares."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from exchange.api.codes import RequestCode
from exchange.domain.rejects import KERNEL_REJECTS, RejectCode
from exchange.gateway.app import ROUTES
from matching.records import (
    COMMAND,
    COMMAND_COLUMNS,
    EVENT,
    EVENT_COLUMNS,
    CancelReason,
    CommandKind,
    EventFlag,
    EventKind,
    OrderFlag,
    OrderType,
    Phase,
    Side,
    StpMode,
    TimeInForce,
)
from matching.records import RejectCode as KernelCode
from sims.experiments.effects import Effect
from sims.experiments.inference import interval, readable
from sims.scenario.claims import Claim
from sims.scenario.load import load_scenario, shipped
from sims.scenario.published import published
from sims.scenario.schema import Scenario

FOLDER: Final = Path(__file__).parent
_MADE: Final = "<!-- made by `make docs`; edit docs/build.py or the code it reads -->\n\n"
_ENUMS: Final = (
    CommandKind,
    Side,
    OrderType,
    TimeInForce,
    OrderFlag,
    StpMode,
    Phase,
    EventKind,
    EventFlag,
    CancelReason,
    KernelCode,
)


def records() -> str:
    """Return the page of the command and event records: every column with offset, type and meaning."""
    lines = [
        "# Records",
        "",
        "One layout for the wire, the journal and the kernel: little-endian, packed, no padding.",
        "What the values do is said in the [rulebook](rulebook.md), chapter 3.",
    ]
    for name, dtype, columns in (("Command", COMMAND, COMMAND_COLUMNS), ("Event", EVENT, EVENT_COLUMNS)):
        lines += [
            "",
            f"## {name}: {dtype.itemsize} bytes",
            "",
            "| offset | column | type | what |",
            "|---|---|---|---|",
        ]
        for column, kind, meaning in columns:
            offset = dtype.fields[column][1] if dtype.fields else 0
            lines.append(f"| {offset} | `{column}` | `{kind}` | {meaning} |")
    lines += ["", "## Values"]
    for enum in _ENUMS:
        about = (enum.__doc__ or "").strip().split("\n")[0]
        lines += ["", f"### {enum.__name__}", "", about, "", "| value | name |", "|---|---|"]
        lines += [f"| {member.value} | `{member.name}` |" for member in enum]
    return _page(lines)


def api() -> str:
    """Return the page of all endpoints and all codes of refusals."""
    lines = [
        "# Endpoints and codes",
        "",
        "What each takes and answers stands in `/openapi.json` and on the page `/docs`; how requests are",
        "signed, in the [protocol](protocol.md).",
        "",
        "| method | path | scope | what |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {route.method} | `{route.path}` | {route.scope or 'anyone'} | {route.summary} |"
        for route in ROUTES
    ]
    lines += [
        "",
        "WebSocket: `/v1/feed`. Server-Sent Events: `/v1/plans/{plan_id}/events` (scope read; by key, or "
        "by a session).",
        "",
        "## Refusals",
        "",
        "| code | status | what |",
        "|---|---|---|",
    ]
    known = {code.name: (code.status, code.meaning) for code in RequestCode}
    known |= {code.name: (code.status, code.sentence) for code in RejectCode}
    for kernel, said in KERNEL_REJECTS.items():
        known.setdefault(kernel.name, said)
    lines += [f"| `{name}` | {status} | {sentence} |" for name, (status, sentence) in sorted(known.items())]
    return _page(lines)


def commands() -> str:
    """Return the page of the command line: the help of every command."""
    lines = ["# Command line", ""]
    for name, text in _help_texts():
        lines += [f"## {f'dongxi {name}'.rstrip()}", "", "```text", text, "```", ""]
    return _page(lines[:-1])


def _help_texts() -> list[list[str]]:
    # in a process of its own: whether typer draws boxes is settled when it is imported
    done = subprocess.run(
        [sys.executable, "-m", "docs.help_texts"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"TYPER_USE_RICH": "0", "NO_COLOR": "1"},
        cwd=FOLDER.parent,
    )
    texts: list[list[str]] = json.loads(done.stdout)
    return texts


def _page(lines: list[str]) -> str:
    title, *rest = lines
    return f"{title}\n\n{_MADE}" + "\n".join(rest).lstrip("\n") + "\n"


def scenarios() -> str:
    """Return the page of the scenarios that are shipped: what each shows and why it could happen."""
    lines = [
        "# Scenarios",
        "",
        'What `dongxi sim run NAME` simulates. A file of one\'s own begins with `extends = "NAME"`; its keys',
        "are in the [JSON schema](scenario.schema.json), which `dongxi sim schema` prints and an editor can",
        "check a file against. What a scenario claims is measured with and",
        "without what it speaks of, under common seeds: `dongxi sim effects --seeds 20 --json` printed these",
        "tables. Changes have 95 % intervals, p is of the sign-flip test; what the",
        "[figures](simulations.md#figures) mean stands among the simulations.",
    ]
    measured = json.loads((FOLDER / "effects.json").read_text("utf-8"))
    for name in shipped():
        scenario = load_scenario(name)
        lines += [
            "",
            f"## {scenario.title}",
            "",
            f"`{name}`. {scenario.shows}",
            "",
            f"Why it is plausible: {scenario.plausible}",
            *_effects(scenario, [effect for effect in measured if effect["scenario"] == name]),
        ]
    return _page(lines)


def _effects(scenario: Scenario, measured: list[dict[str, Any]]) -> list[str]:
    """Return the table of what was measured of a scenario's claims."""
    if msgspec.convert([effect["claim"] for effect in measured], tuple[Claim, ...]) != scenario.claim:
        sys.exit(f"docs/effects.json isn't of {scenario.name}'s claims; dongxi sim effects measures them")
    rows = []
    for effect in measured:
        found = msgspec.convert(effect, Effect)
        means = f"{readable(found.without.mean)} | {readable(found.with_it.mean)}"
        told = f"{interval(found.change.difference)} | {found.change.p_value:.2g}"
        rows.append(f"| {found.claim.figure} | `{' '.join(found.claim.without)}` | {means} | {told} |")
    heading = ["", "| figure | compared with | there | here | change | p |", "|---|---|---|---|---|---|"]
    return [*heading, *rows] if rows else []


def scenario_schema() -> str:
    """Return the JSON schema of scenario files."""
    return json.dumps(published(), indent=2, ensure_ascii=False) + "\n"


PAGES: Final = {
    "records.md": records,
    "api.md": api,
    "commands.md": commands,
    "scenarios.md": scenarios,
    "scenario.schema.json": scenario_schema,
}
"""File name → what writes it."""


def main() -> None:
    """Write every page."""
    for name, write in PAGES.items():
        (FOLDER / name).write_text(write(), encoding="utf-8")
        print(f"docs/{name}")


if __name__ == "__main__":
    main()
