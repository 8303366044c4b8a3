"""Reading the catalogue's tidy tables strictly: a wrong file is refused with its name, row and column."""

import csv
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from importlib.resources.abc import Traversable
from typing import Any, NoReturn, TypeVar

E = TypeVar("E", bound=StrEnum)


class CatalogueError(ValueError):
    """A data file of the catalogue is wrong; the sentence says where, what was found and what is allowed."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table. ``place`` names it in errors: file and line, or file and key."""

    place: str
    cells: Mapping[str, Any]

    def refuse(self, column: str, expected: str) -> NoReturn:
        """Raise `CatalogueError` about this column."""
        raise CatalogueError(f"{self.place}: {column} is {self.cells[column]!r}, expected {expected}")

    def text(self, column: str) -> str:
        """A cell that must not be empty."""
        value = self.cells[column]
        if not isinstance(value, str) or not value.strip() or value != value.strip():
            self.refuse(column, "a text without spaces around it")
        return value

    def text_or_empty(self, column: str) -> str:
        """A cell that may be empty."""
        return self.text(column) if self.cells[column] != "" else ""

    def number(self, column: str, low: float, high: float) -> float:
        """A finite number in ``low..high``, both included."""
        try:
            value = float(self.cells[column])
        except (TypeError, ValueError):
            self.refuse(column, "a number")
        if not math.isfinite(value) or not low <= value <= high:
            self.refuse(column, f"a number in {low:g}..{high:g}")
        return value

    def integer(self, column: str, low: int, high: int) -> int:
        """A whole number in ``low..high``, both included."""
        value = self.number(column, low, high)
        if value != int(value):
            self.refuse(column, "a whole number")
        return int(value)

    def choice(self, column: str, kind: type[E]) -> E:
        """A member of an enumeration, by its value."""
        try:
            return kind(self.cells[column])
        except ValueError:
            self.refuse(column, "one of " + ", ".join(kind))

    def one_of(self, column: str, allowed: Mapping[str, object]) -> str:
        """A name that another table has."""
        value = self.text(column)
        if value not in allowed:
            self.refuse(column, "one of " + ", ".join(allowed))
        return value

    def day(self, column: str) -> date:
        """A date as YYYY-MM-DD."""
        try:
            return date.fromisoformat(self.cells[column])
        except (TypeError, ValueError):
            self.refuse(column, "a date YYYY-MM-DD")


def read_csv(folder: Traversable, name: str, columns: str) -> list[Row]:
    """All rows, at least one, of a CSV file whose header is ``columns`` (names separated by spaces)."""
    expected = columns.split()
    lines = list(csv.reader(folder.joinpath(name).read_text("utf-8").splitlines()))
    if not lines or lines[0] != expected:
        raise CatalogueError(f"{name}: the header is {lines[0] if lines else []}, expected {expected}")
    rows = [_row(name, number, expected, cells) for number, cells in enumerate(lines[1:], 2)]
    if not rows:
        raise CatalogueError(f"{name}: no row")
    return rows


def _row(name: str, number: int, columns: list[str], cells: list[str]) -> Row:
    if len(cells) != len(columns):
        raise CatalogueError(f"{name} line {number}: {len(cells)} cells, expected {len(columns)}")
    return Row(f"{name} line {number}", dict(zip(columns, cells, strict=True)))


def read_toml(folder: Traversable, name: str) -> dict[str, Any]:
    """A whole TOML file. Raises `CatalogueError` where it does not parse."""
    try:
        return tomllib.loads(folder.joinpath(name).read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{name}: {error}") from error


def expect_keys(place: str, table: Any, required: str, optional: str = "") -> Row:
    """A TOML table as a row; raises `CatalogueError` on a missing or unknown key, naming the allowed ones."""
    if not isinstance(table, dict):
        raise CatalogueError(f"{place}: expected a table with {required}")
    needed, known = set(required.split()), set(f"{required} {optional}".split())
    for problem, keys in (("unknown", set(table) - known), ("missing", needed - set(table))):
        if keys:
            raise CatalogueError(
                f"{place}: {problem} key {', '.join(sorted(keys))}; allowed: {', '.join(sorted(known))}"
            )
    return Row(place, table)


def index(rows: list[Row], column: str) -> dict[str, Row]:
    """Rows by a column that must be unique."""
    found: dict[str, Row] = {}
    for row in rows:
        key = row.text(column)
        if key in found:
            row.refuse(column, f"a value not yet used in {found[key].place}")
        found[key] = row
    return found
