"""Why a scenario is refused: key, what is wrong with it, and what is allowed there."""

from __future__ import annotations

import re
from typing import Any, Final

from msgspec import inspect

from sims.scenario.schema import Scenario

_AT: Final = re.compile(r" - at `\$\.?(.*)`$")
_STEP: Final = re.compile(r"[^.\[\]]+")
_SUCH_AS: Final = {
    "Invalid RFC3339 encoded date": "expected a date such as 2026-12-07",
    "Invalid RFC3339 encoded time": "expected a time such as 10:30:00",
}


class ScenarioError(ValueError):
    """What is wrong with a scenario: file, key, and what is allowed."""


def sentence(message: str, table: dict[str, Any]) -> str:
    """Return msgspec's message on a scenario's table with the key first, and with what is known where names
    are chosen from.
    """
    found = _AT.search(message)
    steps = _STEP.findall(found[1]) if found else []
    what = _AT.sub("", message)
    what = _SUCH_AS.get(what, what.replace("Object contains unknown field", "unknown key"))
    known = _known(steps, table) if what.startswith(("unknown key", "Invalid")) else []
    told = f"{what}; known: {', '.join(known)}" if known else what
    return f"{_key(steps, table)}: {told}" if steps else told


def _key(steps: list[str], table: dict[str, Any]) -> str:
    """Return a key as --set takes it: of tables that have names by these, of others by number."""
    key, at = "", table
    for step in steps:
        at = _inside(at, step)
        name = at.get("name") if isinstance(at, dict) else None
        told = f".{name}" if isinstance(name, str) and step.isdecimal() else f"[{step}]"
        key += told if step.isdecimal() else f".{step}"
    return key.removeprefix(".")


def _inside(at: Any, step: str) -> Any:
    if isinstance(at, list):
        return at[int(step)]
    return at.get(step) if isinstance(at, dict) else None


def _known(steps: list[str], table: dict[str, Any]) -> list[str]:
    """Return the keys of a section, or the values that a key can have if they are few."""
    kind, at = inspect.type_info(Scenario), table
    for step in steps:
        if isinstance(kind, inspect.VarTupleType):
            kind = kind.item_type
        elif step == "kind":
            return sorted(str(of.tag) for of in _structs(kind))
        else:
            (struct,) = (of for of in _structs(kind) if of.tag is None or of.tag == at.get("kind"))
            kind = next(of.type for of in struct.fields if of.name == step)
        if isinstance(kind, inspect.Metadata):
            kind = kind.type
        at = _inside(at, step)
    if isinstance(kind, inspect.LiteralType):
        return [str(value) for value in kind.values]
    chosen = [struct for struct in _structs(kind) if struct.tag in (None, at.get("kind"))]
    keys = {of.name for struct in chosen for of in struct.fields}
    return sorted(keys | {str(struct.tag_field) for struct in chosen if struct.tag_field})


def _structs(kind: inspect.Type) -> list[inspect.StructType]:
    of = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    return [one for one in of if isinstance(one, inspect.StructType)]
