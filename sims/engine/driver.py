"""The exchange's own day driver on a simulated market, which lists only what a scenario trades."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from exchange.domain.contracts import Symbol
from exchange.service.day import DayDriver
from nodes.catalogue import Catalogue
from sims.engine.market import SimMarket
from sims.scenario.schema import Scenario


@dataclass(frozen=True, slots=True)
class _Beginning:
    """A scenario's first day."""

    first_day: date


class SimDriver(DayDriver):
    """Lists contracts of the scenario's periods, no further ahead than it says."""

    def __init__(self, market: SimMarket, scenario: Scenario, catalogue: Catalogue) -> None:
        super().__init__(market, market.clock, _Beginning(scenario.first_day), catalogue=catalogue)
        self._scenario = scenario

    def lists(self, symbol: Symbol, day: date) -> bool:
        """Return whether the scenario trades it."""
        ahead = (symbol.period.first - day).days
        return symbol.period.kind.value in self._scenario.periods and ahead <= self._scenario.days_ahead
