"""The sixteen scenarios of the SPAN form (clause 5.6).

Seven price moves, each with volatility up and down, and two extreme moves of two scan ranges of which 35 %
counts. A future has no volatility: each pair gives one figure. The form is kept so that options, when they
come, change the pricing of a scenario and not the list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

WHOLE: Final = 300
"""Denominator of a factor: thirds of a scan range, times per cent."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A move of the price and of its volatility, and how much of the loss counts."""

    price_thirds: int
    """Thirds of the scan range, up positive."""
    volatility: Literal["up", "down"]
    covered_percent: int

    @property
    def factor(self) -> int:
        """What a long position of one scan range gains, in 1 / `WHOLE` of the range."""
        return self.price_thirds * self.covered_percent

    @property
    def label(self) -> str:
        """The scenario in words."""
        extreme = "" if self.covered_percent == _ALL else f", {self.covered_percent} % of it"
        return f"price {self.price_thirds:+d}/3 of the range{extreme}, volatility {self.volatility}"


_ALL: Final = 100
_EXTREME: Final = 35

SCENARIOS: Final = (
    *(
        Scenario(thirds, volatility, _ALL)
        for thirds in (0, 1, -1, 2, -2, 3, -3)
        for volatility in ("up", "down")
    ),
    Scenario(6, "up", _EXTREME),
    Scenario(-6, "up", _EXTREME),
)
"""Scenario 1 is the first."""
