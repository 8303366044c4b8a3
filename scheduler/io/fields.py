"""The fields of one row, each taken once as its type; what is wrong is noted and the rest still read.

A value may come as its JSON type or, from CSV and Kubernetes annotations, as text.
"""

import math
from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from scheduler.io.faults import Faults
from scheduler.io.tables import Row

TEXT_MAX: Final = 253
"""Longest text: what a Kubernetes name may have."""
NUMBER_MAX: Final = 10**15
"""Beyond it a number is a slip, and one such as 1e999999999 would take hours to make an integer of."""
TIME: Final = "like 2026-12-04T20:00:00+08:00"
_TRUTHS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Fields:
    """Typed access to one row. ``wrong`` says whether any field was faulty; ``key`` names the row."""

    def __init__(self, row: Row, faults: Faults, key: str = "") -> None:
        self.row = row
        self.key = key
        self.wrong = False
        self._faults = faults
        if row.broken is not None:
            self.fault(*row.broken)

    def fault(self, name: str, message: str) -> None:
        """Note what is wrong with a field."""
        self.wrong = True
        self._faults.add(self.row.where, self.key, name, message)

    def known(self, names: Collection[str]) -> None:
        """Refuse columns that mean nothing here: most often a misspelt name."""
        for name in self.row.values:
            if name not in names:
                self.fault(str(name), f"no such field; known: {', '.join(names)}")

    def has(self, name: str) -> bool:
        """Whether the row gives this field."""
        return name in self.row.values

    def text(self, name: str, default: str | None = "") -> str:
        """A text without line breaks; a default of None makes the field required."""
        value = self._given(name, default)
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int):
            self.fault(name, f"{value!r} is not a text")
            return ""
        text = str(value).strip()
        if not text.isprintable() or len(text) > TEXT_MAX:
            self.fault(
                name, f"{text[:40]!r} has line breaks or control characters, or over {TEXT_MAX} letters"
            )
            return ""
        if default is None and not text:
            self.fault(name, "it must not be empty")
        return text

    def choice(self, name: str, allowed: Collection[str], default: str) -> str:
        """One of the allowed texts, in any case."""
        value = self.text(name, default).lower()
        if value not in allowed:
            self.fault(name, f"{value!r} is none of {', '.join(allowed)}")
            return default
        return value

    def decimal(self, name: str, default: str | None, least: str = "0", most: str = "1000000000") -> Decimal:
        """A finite number within bounds, exact as written; a default of None makes it required."""
        value = self._given(name, default)
        number = Decimal(0) if value is None else self.number(name, value)
        if value is not None and not Decimal(least) <= number <= Decimal(most):
            self.fault(name, f"{value} is outside {least} … {most}")
            return Decimal(default or least)
        return number

    def number(self, name: str, value: Any) -> Decimal:
        """A value as a finite decimal of at most `NUMBER_MAX`, or 0 with a fault noted."""
        number = _finite(value)
        if number is None:
            self.fault(name, f"{_shown(value)} is not a finite number")
        elif not -NUMBER_MAX <= number <= NUMBER_MAX:
            self.fault(name, f"{_shown(value)} is too large for a number")
        else:
            return number
        return Decimal(0)

    def integer(self, name: str, default: int | None, least: int, most: int) -> int:
        """A whole number within bounds."""
        value = self._given(name, default)
        if value is None:
            return least
        number = self.number(name, value)
        if number != number.to_integral_value():
            self.fault(name, f"{_shown(value)} is not a whole number")
            return least
        if not least <= number <= most:
            self.fault(name, f"{_shown(value)} is outside {least} … {most}")
            return least
        return int(number)

    def truth(self, name: str, default: bool) -> bool:
        """Yes or no: true/false, yes/no, 1/0."""
        value = self._given(name, default)
        found = value if isinstance(value, bool) else _TRUTHS.get(str(value).strip().lower())
        if found is None:
            self.fault(name, f"{_shown(value)} is neither true nor false")
            return default
        return found

    def hours_from(self, name: str, start: datetime, zero: datetime) -> Decimal | None:
        """A moment as hours after ``start``: a number of hours after ``zero``, or a text that is an RFC 3339
        time with offset.
        """
        if not self.has(name):
            return None
        value = self.row.values[name]
        moment = value if isinstance(value, datetime) else _moment(value)
        if moment is None and _finite(value) is None:
            self.fault(name, f"{_shown(value)} is neither hours after the plan's start nor a time {TIME}")
            return None
        if moment is None:
            return self.number(name, value) + Decimal((zero - start).total_seconds()) / 3600
        if moment.tzinfo is None:
            self.fault(name, f"{value} has no offset; write it {TIME}")
            return None
        return Decimal((moment - start).total_seconds()) / 3600

    def pairs(self, name: str) -> Mapping[str, Decimal]:
        """Names with numbers: an object, or a text such as ``A100=2 CPU64=0.5``."""
        value = self.row.values.get(name, {})
        if isinstance(value, str):
            parts = [part.partition("=") for part in value.replace(",", " ").replace(";", " ").split()]
            if not all(left and sign and right for left, sign, right in parts):
                self.fault(name, f"{value!r}: expected pairs such as A100=2 CPU64=0.5")
                return {}
            if len({left for left, _, _ in parts}) < len(parts):
                self.fault(name, f"{value!r} names something twice")
            value = {left: right for left, _, right in parts}
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            self.fault(name, f"{_shown(value)}: expected names with numbers")
            return {}
        return {key: self.number(f"{name}.{key}", inner) for key, inner in value.items()}

    def _given(self, name: str, default: Any) -> Any:
        value = self.row.values.get(name, default)
        if value is None:
            self.fault(name, "it is missing")
        return value


def _finite(value: Any) -> Decimal | None:
    """The number that a value is, exact as written; None for what is none, NaN and infinities."""
    if not isinstance(value, Decimal | int | float | str) or isinstance(value, bool):
        return None
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _moment(value: Any) -> datetime | None:
    """The time that a text is; what is a number is none."""
    if not isinstance(value, str) or _finite(value) is not None:
        return None
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        return None


def _shown(value: Any) -> str:
    text = "NaN" if isinstance(value, float) and math.isnan(value) else repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
