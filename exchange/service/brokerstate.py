"""Brokers' part of the state: agreed commissions, the revenue split, give-ups."""

from __future__ import annotations

from typing import Literal

import msgspec

from exchange.domain.brokerage import OfferGiveUp, SetRevenueSplit
from exchange.domain.money import half_up_share


class Rate(msgspec.Struct, frozen=True):
    """A commission: a share of value, an amount a lot, or both."""

    basis_points: int = 0
    fen_per_lot: int = 0

    def of(self, value_fen: int, lots: int) -> int:
        """Return the commission on a day's trading in one contract, fen (clause 8.13)."""
        return half_up_share(value_fen, self.basis_points) + self.fen_per_lot * lots


class Commission(msgspec.Struct):
    """What a client pays its broker: one rate until a day, another from then on."""

    account: int
    """The client's."""
    rate: Rate
    from_day: int
    """First calendar day of `rate`, days since 1970-01-01."""
    before: Rate = Rate()

    def on(self, day: int) -> Rate:
        """Return the rate of a trading day (days since 1970-01-01)."""
        return self.rate if day >= self.from_day else self.before


class GiveUp(msgspec.Struct):
    """A fill that was offered to another account; its id is its place in the list + 1."""

    offer: OfferGiveUp
    day: int
    """Trading day of the fill, days since 1970-01-01; the offer ends with it."""
    taker: int
    """Account."""
    state: Literal["offered", "accepted", "declined", "withdrawn", "lapsed"] = "offered"

    @property
    def signed_lots(self) -> int:
        """The lots as a position, bought positive."""
        return self.offer.lots if self.offer.side == "buy" else -self.offer.lots


class Brokerage(msgspec.Struct):
    """What clauses 8.13 to 8.15 keep."""

    split: SetRevenueSplit = SetRevenueSplit(provider=0, broker=0, platform=1)
    """An exchange that was told nothing keeps its fees."""
    commissions: list[Commission] = []
    """In the order in which they were first agreed."""
    give_ups: list[GiveUp] = []

    def commission(self, account: int) -> Commission | None:
        """Return what was agreed for an account."""
        return next((agreed for agreed in self.commissions if agreed.account == account), None)

    def of_day(self, day: int) -> list[GiveUp]:
        """Return the give-ups of a trading day (days since 1970-01-01), latest first."""
        found = []
        for give_up in reversed(self.give_ups):
            if give_up.day != day:
                break
            found.append(give_up)
        return found
