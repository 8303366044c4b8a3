"""The plan file: problem and plan in one JSON document, so that anyone can check the one against the other."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from scheduler.io.codec import NotOfType, from_plain, to_plain
from scheduler.io.tables import read_bytes, refused
from scheduler.plan import Plan
from scheduler.types import Problem

FORMAT: Final = "dongxi-plan-1"
ONE_SLOT: Final = "one slot"


@dataclass(frozen=True, eq=False, slots=True)
class PlanFile:
    """A plan with the problem that it answers; the plan starts at ``start``."""

    start: datetime
    problem: Problem
    plan: Plan


def write_plan(path: Path, file: PlanFile) -> None:
    """Write a plan file, beside its name first, so that it is never half there."""
    write_text(path, json.dumps(to_document(file), ensure_ascii=False, allow_nan=False, indent=1))


def write_text(path: Path, text: str) -> None:
    """Write a file beside its name and rename it."""
    beside = path.with_name(f".{path.name}.tmp")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def to_document(file: PlanFile) -> dict[str, Any]:
    """The document as plain JSON values."""
    return {
        "format": FORMAT,
        "model": ONE_SLOT,
        "start": file.start.isoformat(),
        "problem": to_plain(file.problem, Problem),
        "plan": to_plain(file.plan, Plan),
    }


def read_plan(path: Path) -> PlanFile:
    """Read a plan file. Raises `FaultyInput` for what is none."""
    try:
        document = json.loads(read_bytes(path))
    except (ValueError, RecursionError) as error:
        raise refused(path, f"not JSON: {error}") from error
    return of_document(path, document)


def of_document(path: Path, document: Any) -> PlanFile:
    """The plan file of plain JSON values. Raises `FaultyInput`."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise refused(path, f"not a plan file: its format is not {FORMAT!r}")
    try:
        return PlanFile(
            start=from_plain(document.get("start"), datetime),
            problem=from_plain(document.get("problem"), Problem),
            plan=from_plain(document.get("plan"), Plan),
        )
    except NotOfType as error:
        raise refused(path, f"not a plan file: {error}") from error
