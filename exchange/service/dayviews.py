"""Views of the rules of the market, and of the steps of its trading day."""

from __future__ import annotations

from datetime import date

from exchange.domain.listing import SetListingRules
from exchange.domain.messages import Product, SetMarginRules, SetRules
from exchange.domain.profiles import LoadProfiles
from exchange.domain.regimes import Regime
from exchange.domain.sessions import Sessions
from exchange.service.coreviews import CoreViews


class DayViews(CoreViews):
    """What was set for the market, and how far its day is."""

    def products(self) -> tuple[Product, ...]:
        """Return every grade × hub that is delivered."""
        return tuple(self._state.products.values())

    @property
    def closed_days(self) -> frozenset[date]:
        """Weekdays without trading."""
        return self._state.closed_days

    @property
    def rules(self) -> SetRules:
        """Products, calendar, margin, limits and fees as last set."""
        return self._state.rules

    @property
    def listing(self) -> SetListingRules:
        """What is listed when a trading day opens."""
        return self._state.listing

    @property
    def load_profiles(self) -> LoadProfiles:
        """Every hub's peak and valley hours; don't write."""
        return self._state.load_profiles

    def regimes(self) -> list[Regime]:
        """Return the pricing regimes that were ever set, by grade and hub."""
        return [self._state.regimes[key] for key in sorted(self._state.regimes)]

    @property
    def sessions(self) -> Sessions:
        """The sessions of the days to come."""
        return self._state.sessions

    @property
    def day_sessions(self) -> Sessions:
        """The sessions of the open day, or of the last one."""
        return self._state.day.sessions

    @property
    def day_steps(self) -> int:
        """How many phases of the open day have begun."""
        return self._state.day.steps

    @property
    def day_window_ns(self) -> int:
        """When the open day's last hour of continuous trading begins (clause 6.1)."""
        return self._state.day.settlement_window_ns

    @property
    def standing_due(self) -> bool:
        """Whether the open day's standing sales aren't in the book yet (clause 10.8)."""
        return bool(self._state.primary.standing) and not self._state.day.standing_placed

    @property
    def margin_runs(self) -> int:
        """How many margin runs the open day has had (clause 5.11)."""
        return self._state.day.margin_runs

    @property
    def margin_rules(self) -> SetMarginRules:
        """What margin is computed from, as last set; the defaults if it never was."""
        return self._state.margin_rules

    @property
    def delivered_day(self) -> date | None:
        """The last delivery day that is finished; None before the first trading day."""
        return self._state.day.delivered_day
