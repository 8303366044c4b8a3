"""Reading scenarios: files that extend one another, overrides from the command line, and checks by name."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import time
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import msgspec

from nodes.catalogue import Catalogue, load_catalogue
from nodes.types import UnknownName
from sims.scenario import populations, shocks
from sims.scenario.claims import Claim
from sims.scenario.hours import sessions_of
from sims.scenario.schema import Fee, Fund, Goods, Limit, Margin, Scenario, Sessions

_NAMED: Final = ("population", "shock")
"""Lists whose tables are told apart by their names."""
_SECTIONS: Final = {
    "claim": Claim,
    "fee": Fee,
    "fund": Fund,
    "goods": Goods,
    "limit": Limit,
    "margin": Margin,
    "sessions": Sessions,
    "": Scenario,
}
_AT: Final = re.compile(r" - at `\$\.?(.*)`$")


class ScenarioError(ValueError):
    """What is wrong with a scenario: file, key, and what is allowed."""


def shipped() -> list[str]:
    """Return the names of the scenarios that come with the package."""
    names = (path.name for path in _folder().iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def load_scenario(name: str, overrides: Iterable[str] = ()) -> Scenario:
    """Return a scenario: one that is shipped, by name, or a file, by path; overrides are KEY=VALUE.

    Raises ScenarioError.
    """
    table = _read(name, ())
    for override in overrides:
        _override(table, override)
    return _checked(table, name)


def overridden(table: dict[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """Return a copy of a table with overrides KEY=VALUE. Raises ScenarioError."""
    copy: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(table))
    for override in overrides:
        _override(copy, override)
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
    if name in seen:
        raise ScenarioError(f"{name}: extends itself ({' → '.join((*seen, name))})")
    path = Path(name)
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
    parent = table.pop("extends", None)
    if parent is None:
        return table
    if not isinstance(parent, str):
        raise ScenarioError(f"{name}: extends must name one scenario")
    beside = str(path.parent / parent) if parent.endswith(".toml") else parent
    return _merged(_read(beside, (*seen, name)), table)


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Return `base` with the keys of `over`; sections are merged, named tables by name."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            result[key] = _merged(old, value)
        elif key in _NAMED and isinstance(value, list) and isinstance(old, list):
            result[key] = _merged_by_name(old, value)
        else:
            result[key] = value
    return result


def _merged_by_name(base: list[Any], over: list[Any]) -> list[Any]:
    tables = {table.get("name"): table for table in base}
    for table in over:
        name = table.get("name")
        tables[name] = _merged(tables[name], table) if name in tables else table
    return list(tables.values())


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


def _override(table: dict[str, Any], text: str) -> None:
    """Set one key. A population's or a shock's is population.NAME.KEY; population.NAME=off leaves it out."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ScenarioError(f"--set {text}: expected KEY=VALUE, such as fee.taker=3")
    *path, last = key.split(".")
    at: Any = table
    for step in path:
        if isinstance(at, list):
            at = _named(at, step, text)
        else:
            at = at.setdefault(step, [] if step in _NAMED else {})
    if isinstance(at, list) and path[-1] in _NAMED and value == "off":
        at.remove(_named(at, last, text))
        return
    if not isinstance(at, dict):
        where = ".".join(path)
        raise ScenarioError(f"--set {text}: {where} needs a name and a key, such as population.makers.count")
    at[last] = _literal(value)


def _named(tables: list[Any], name: str, text: str) -> Any:
    """Return the table of a name. Raises ScenarioError."""
    for table in tables:
        if table.get("name") == name:
            return table
    known = ", ".join(table.get("name", "?") for table in tables)
    raise ScenarioError(f"--set {text}: no {name!r}; known: {known}")


def _literal(text: str) -> Any:
    """Return a TOML value; what isn't one is a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _checked(table: dict[str, Any], source: str) -> Scenario:
    try:
        scenario = msgspec.convert(table, Scenario)
    except msgspec.ValidationError as error:
        raise ScenarioError(f"{source}: {_sentence(str(error), table)}") from error
    for key, fault in _faults(scenario, load_catalogue()):
        raise ScenarioError(f"{source}: {key}: {fault}")
    return scenario


def _sentence(message: str, table: dict[str, Any]) -> str:
    """Return msgspec's message with the key first and, for an unknown key, those that are known."""
    found = _AT.search(message)
    key = found[1] if found else ""
    what = _AT.sub("", message)
    if "unknown field" in what:
        known = ", ".join(sorted(_fields(key, table)))
        what = f"{what.replace('Object contains unknown field', 'unknown key')}; known: {known}"
    return f"{key}: {what}" if key else what


def _fields(key: str, table: dict[str, Any]) -> tuple[str, ...]:
    """Return the keys of the section at a key such as `fee` or `shock[2]`."""
    section, _, rest = key.partition("[")
    if section not in _NAMED:
        return _SECTIONS.get(section, Scenario).__struct_fields__
    kind = table[section][int(rest.rstrip("]"))].get("kind")
    known: Any = populations.Population if section == "population" else shocks.Shock
    one = next(part for part in known.__args__ if part.__struct_config__.tag == kind)
    return ("kind", *one.__struct_fields__)


def _faults(scenario: Scenario, catalogue: Catalogue) -> Iterable[tuple[str, str]]:
    """Yield what a schema can't say: names that don't exist, days that don't come."""
    grades = [grade for part in scenario.goods for grade in part.grades]
    hubs = [hub for part in scenario.goods for hub in part.hubs]
    yield from _unknown("goods.grades", grades, list(catalogue.grades))
    yield from _unknown("goods.hubs", hubs, list(catalogue.hubs))
    told = scenario.sessions
    if (told.break_from is None) != (told.break_until is None):
        yield "sessions.break_from", "a break has both break_from and break_until"
    fault = sessions_of(told).fault()
    if fault:
        yield "sessions", f"{fault} doesn't fit a day of 09:00 to 15:00"
    names = [spec.name for spec in scenario.population]
    yield from _repeated("population", names)
    yield from _repeated("shock", [shock.name for shock in scenario.shock])
    for spec in scenario.population:
        at = f"population.{spec.name}"
        if isinstance(spec, populations.Provider):
            yield from _unknown(f"{at}.hubs", spec.hubs, hubs)
        elif isinstance(spec, populations.Buyer):
            yield from _cities(f"{at}.cities", spec.cities, catalogue)
        if isinstance(spec, populations.Planner) and "day" not in scenario.periods:
            yield f"{at}.kind", 'it trades days; periods has no "day"'
    for shock in scenario.shock:
        at = f"shock.{shock.name}"
        if shock.day > scenario.days:
            yield f"{at}.day", f"the scenario has {scenario.days} days"
        until: time | None = getattr(shock, "until", None)
        if until is not None and until <= shock.at:
            yield f"{at}.until", f"must be after {shock.at}"
        yield from _unknown(f"{at}.hub", [shock.hub] if hasattr(shock, "hub") else [], hubs)
        yield from _unknown(f"{at}.hubs", getattr(shock, "hubs", ()), hubs)
        yield from _unknown(f"{at}.grade", [shock.grade] if hasattr(shock, "grade") else [], grades)
        if isinstance(shock, shocks.ProviderDefault):
            providers = [spec.name for spec in scenario.population if isinstance(spec, populations.Provider)]
            yield from _unknown(f"{at}.population", [shock.population], providers)


def _unknown(key: str, named: Sequence[str], known: list[str]) -> Iterable[tuple[str, str]]:
    for name in named:
        if name not in known:
            yield key, f"no {name!r} here; known: {', '.join(dict.fromkeys(known))}"


def _repeated(key: str, names: list[str]) -> Iterable[tuple[str, str]]:
    for name, times in Counter(names).items():
        if times > 1:
            yield f"{key}.{name}", "the name is used twice"


def _cities(key: str, cities: Sequence[str], catalogue: Catalogue) -> Iterable[tuple[str, str]]:
    for city in cities:
        try:
            catalogue.edge_pool_of(city)
        except UnknownName as error:
            yield key, str(error)
