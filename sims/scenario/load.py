"""Reading scenarios: files that extend one another, and overrides from the command line."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from nodes.catalogue import load_catalogue
from sims.scenario.faults import faults
from sims.scenario.overrides import NAMED, has_name, override
from sims.scenario.refusal import ScenarioError, sentence
from sims.scenario.schema import Scenario


def shipped() -> list[str]:
    """Return the names of the scenarios that come with the package."""
    names = (path.name for path in _folder().iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def load_scenario(name: str, overrides: Iterable[str] = ()) -> Scenario:
    """Return a scenario: one that is shipped, by name, or a file, by path; overrides are KEY=VALUE.

    Raises ScenarioError.
    """
    table = _read(name, ())
    for text in overrides:
        override(table, text)
    return _checked(table, name)


def overridden(table: dict[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """Return a copy of a table with overrides KEY=VALUE. Raises ScenarioError."""
    copy: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(table))
    for text in overrides:
        override(copy, text)
    return msgspec.to_builtins(copy)  # type: ignore[no-any-return]


def scenario_of(table: dict[str, Any], source: str) -> Scenario:
    """Return the scenario of a whole table, such as a manifest keeps. Raises ScenarioError."""
    return _checked(table, source)


def plain(scenario: Scenario) -> dict[str, Any]:
    """Return the table that `scenario_of` takes; only TOML's and JSON's types."""
    table: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(scenario))
    return table


def _folder() -> Any:
    return files("sims").joinpath("scenarios")


def _read(name: str, seen: tuple[str, ...]) -> dict[str, Any]:
    """Return a file's table over that of the file it extends."""
    path = Path(name)
    known_as = str(path.resolve()) if name.endswith(".toml") else name
    if known_as in seen:
        raise ScenarioError(f"{name}: extends itself ({' → '.join((*seen, known_as))})")
    if name.endswith(".toml"):
        source: Any = path
    elif name in shipped():
        source = _folder().joinpath(f"{name}.toml")
    else:
        known = ", ".join(shipped())
        raise ScenarioError(f"no scenario {name!r}; known: {known}, or a path that ends in .toml")
    try:
        table = tomllib.loads(source.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ScenarioError(f"{name}: {error}") from error
    for key in NAMED:
        for number, one in enumerate(_listed(table, key)):
            if not has_name(one):
                raise ScenarioError(f"{name}: {key}[{number}]: expected a table with a name")
    parent = table.pop("extends", None)
    if parent is None:
        return table
    if not isinstance(parent, str):
        raise ScenarioError(f"{name}: extends must name one scenario")
    beside = str(path.parent / parent) if parent.endswith(".toml") else parent
    return _merged(_read(beside, (*seen, known_as)), table)


def _listed(table: dict[str, Any], key: str) -> list[Any]:
    """Return the tables of a list; none if it is something else, which the schema refuses."""
    tables = table.get(key)
    return tables if isinstance(tables, list) else []


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Return `base` with the keys of `over`; sections are merged, named tables by name."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            result[key] = _merged(old, value)
        elif key in NAMED and isinstance(value, list) and isinstance(old, list):
            result[key] = _merged_by_name(old, value)
        else:
            result[key] = value
    return result


def _merged_by_name(base: list[Any], over: list[Any]) -> list[Any]:
    tables = {table["name"]: table for table in base}
    for table in over:
        name = table["name"]
        tables[name] = _merged(tables[name], table) if name in tables else table
    return list(tables.values())


def _checked(table: dict[str, Any], source: str) -> Scenario:
    try:
        scenario = msgspec.convert(table, Scenario)
    except msgspec.ValidationError as error:
        raise ScenarioError(f"{source}: {sentence(str(error), table)}") from error
    for key, fault in faults(scenario, load_catalogue()):
        raise ScenarioError(f"{source}: {key}: {fault}")
    return scenario
