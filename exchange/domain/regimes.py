"""Pricing regimes: how far prices of a grade at a hub are free (clauses 4.11 to 4.14)."""

from __future__ import annotations

from typing import Literal

import msgspec

from exchange.domain.message import Part

RegimeKind = Literal["market", "guided", "cost-floor", "voucher"]
"""Free prices; a government-guided band; no price below cost; one price, which vouchers may pay in full."""

TICKS_MAX = 1 << 19
REASON_MAX = 200


class Regime(Part, frozen=True, kw_only=True):
    """The regime of one grade at one hub. Ticks per lot-hour; 0 is no bound."""

    grade: str
    hub: str
    kind: RegimeKind
    floor_ticks: int = 0
    ceiling_ticks: int = 0

    def sound(self) -> bool:
        """Return whether the bounds are those that the kind has."""
        floor, ceiling = self.floor_ticks, self.ceiling_ticks
        if not (0 <= floor <= TICKS_MAX and 0 <= ceiling <= TICKS_MAX):
            return False
        return {
            "market": floor == ceiling == 0,
            "guided": 1 <= floor < ceiling,
            "cost-floor": floor >= 1 and ceiling == 0,
            "voucher": 1 <= floor == ceiling,
        }[self.kind]

    def limits(self, low: int, high: int, reference: int) -> tuple[int, int]:
        """Return a day's limits (ticks) within the band; `reference` always stays within them.

        A reference price outside the band may only come nearer to it (clause 4.12).
        """
        if self.floor_ticks:
            low = max(low, min(self.floor_ticks, reference))
        if self.ceiling_ticks:
            high = min(high, max(self.ceiling_ticks, reference))
        return low, high

    def bounds(self, price: int) -> bool:
        """Return whether a price is one of the band's ends."""
        return price in (self.floor_ticks, self.ceiling_ticks)


class SetRegime(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="set-regime"):
    """Sets a grade's regime at a hub from the next settlement on."""

    regime: Regime
    reason: str
