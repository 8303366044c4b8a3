"""The plan file: problem and plan in one JSON document, so that anyone can check one against the other."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from scheduler.anyplan import AnyPlan, AnyProblem
from scheduler.carbon import FrontRow
from scheduler.constraints import ConstraintPrice
from scheduler.horizon.plan import HorizonPlan
from scheduler.horizon.types import HorizonProblem
from scheduler.io.codec import NotOfType, from_plain, to_plain
from scheduler.io.running import Begun
from scheduler.io.tables import read_bytes, refused
from scheduler.plan import Plan
from scheduler.types import Problem

FORMAT: Final = "dongxi-plan-1"
MODELS: Final = {"one slot": (Problem, Plan), "many slots": (HorizonProblem, HorizonPlan)}


@dataclass(frozen=True, eq=False, slots=True)
class PlanFile:
    """A plan with the problem that it answers; the plan starts at ``start``.

    ``constraint_prices`` and ``front`` are there where they were asked for. ``begun`` is what had begun
    before, ``zero`` the start of the first of a row of plans, which hours in their files count from.
    """

    start: datetime
    problem: AnyProblem
    plan: AnyPlan
    constraint_prices: tuple[ConstraintPrice, ...] = ()
    front: tuple[FrontRow, ...] = ()
    begun: tuple[Begun, ...] = ()
    zero: datetime | None = None


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
    (model,) = (name for name, kinds in MODELS.items() if isinstance(file.problem, kinds[0]))
    return {
        "format": FORMAT,
        "model": model,
        "start": file.start.isoformat(),
        "problem": to_plain(file.problem, MODELS[model][0]),
        "plan": to_plain(file.plan, MODELS[model][1]),
        "constraint_prices": to_plain(file.constraint_prices, tuple[ConstraintPrice, ...]),
        "front": to_plain(file.front, tuple[FrontRow, ...]),
        "begun": to_plain(file.begun, tuple[Begun, ...]),
        "zero": (file.zero or file.start).isoformat(),
    }


def is_plan(path: Path) -> bool:
    """Whether a file is a plan file rather than a table. Raises `FaultyInput` where it cannot be read."""
    if path.suffix.lower() != ".json":
        return False
    content = read_bytes(path)
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and "format" in document


def read_plan(path: Path) -> PlanFile:
    """Read a plan file. Raises `FaultyInput` for what is none."""
    content = read_bytes(path)
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise refused(path, f"not JSON: {error}") from error
    return of_document(path, document)


def of_document(path: Path, document: Any) -> PlanFile:
    """The plan file of plain JSON values. Raises `FaultyInput`."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise refused(path, f"not a plan file: its format is not {FORMAT!r}")
    if document.get("model") not in MODELS:
        raise refused(path, f"not a plan file: its model is none of {', '.join(MODELS)}")
    problem, plan = MODELS[document["model"]]
    try:
        return PlanFile(
            start=from_plain(document.get("start"), datetime),
            problem=from_plain(document.get("problem"), problem),
            plan=from_plain(document.get("plan"), plan),
            constraint_prices=from_plain(document.get("constraint_prices"), tuple[ConstraintPrice, ...]),
            front=from_plain(document.get("front"), tuple[FrontRow, ...]),
            begun=from_plain(document.get("begun"), tuple[Begun, ...]),
            zero=from_plain(document.get("zero"), datetime),
        )
    except NotOfType as error:
        raise refused(path, f"not a plan file: {error}") from error
