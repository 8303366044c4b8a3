"""Keys of a scenario set from the command line: KEY=VALUE, and the lists of values of a sweep."""

from __future__ import annotations

import tomllib
from typing import Any, Final

from sims.scenario.refusal import ScenarioError

NAMED: Final = ("population", "shock")
"""Lists whose tables are told apart by their names."""


def split_values(text: str) -> list[str]:
    """Return the values of a sweep's KEY=A,B,C, by commas outside of brackets, braces and quotes."""
    values, depth, quoted = [""], 0, False
    for letter in text:
        quoted ^= letter == '"'
        if not quoted:
            depth += (letter in "[{") - (letter in "]}")
        if letter == "," and not depth and not quoted:
            values.append("")
        else:
            values[-1] += letter
    return values


def override(table: dict[str, Any], text: str) -> None:
    """Set one key. A population's or a shock's is population.NAME.KEY; population.NAME=off leaves it out.

    Raises ScenarioError.
    """
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ScenarioError(f"--set {text}: expected KEY=VALUE, such as fee.taker=3")
    *path, last = key.split(".")
    at: Any = table
    for number, step in enumerate(path):
        at = _inside(at, path[:number], step, text)
    if isinstance(at, list) and path[0] in NAMED and value == "off":
        at.remove(_named(at, last, text))
        return
    if not isinstance(at, dict):
        raise _no_place(path, text)
    at[last] = _literal(value)


def _inside(at: Any, path: list[str], step: str, text: str) -> Any:
    """Return what stands in the section or list at a path. Raises ScenarioError."""
    if isinstance(at, dict):
        return at.setdefault(step, [] if not path and step in NAMED else {})
    if isinstance(at, list) and path[0] in NAMED:
        return _named(at, step, text)
    raise _no_place(path, text)


def _no_place(path: list[str], text: str) -> ScenarioError:
    where = ".".join(path)
    if where in NAMED:
        return ScenarioError(f"--set {text}: {where} needs a name and a key, such as population.makers.count")
    return ScenarioError(f"--set {text}: {where} has no keys of its own; set it as a whole, {where}=…")


def _named(tables: list[Any], name: str, text: str) -> Any:
    """Return the table of a name. Raises ScenarioError."""
    by_name = {table["name"]: table for table in tables if has_name(table)}
    if name not in by_name:
        raise ScenarioError(f"--set {text}: no {name!r}; known: {', '.join(by_name)}")
    return by_name[name]


def has_name(table: Any) -> bool:
    """Return whether this is a table with a name."""
    return isinstance(table, dict) and isinstance(table.get("name"), str)


def _literal(text: str) -> Any:
    """Return a TOML value; what isn't one is a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
