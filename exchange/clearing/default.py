"""Default: who pays what a defaulter can't (clause 6.10). Pure functions over amounts in fen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from exchange.domain.money import BASIS_POINT, largest_remainder


class Layer(IntEnum):
    """A layer of the waterfall; the numbers are stable."""

    BROKER = 1
    OWN_FUND = 2
    HOUSE = 3
    MUTUAL_FUND = 4
    ASSESSMENT = 5
    UNCOVERED = 6

    @property
    def label(self) -> str:
        """The layer in words."""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True, slots=True)
class Payment:
    """What one account pays in one layer; UNCOVERED is what only the house is left to pay."""

    layer: Layer
    payer: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Means:
    """What there is to pay from, fen: by account, the house's own under `house`."""

    house: int
    broker: tuple[int, int] | None
    """Account and free cash of the broker whose client defaulted."""
    fund_owner: int
    """The member whose share of the fund goes first: the defaulter, or its broker."""
    fund: Mapping[int, int]
    """Contributions of members and, under the house's account, its capital tranche."""
    free_cash: Mapping[int, int]
    """Of members with a contribution."""


def waterfall(loss: int, means: Means, cap_basis_points: int) -> list[Payment]:
    """Return who pays `loss` (> 0), layer by layer, ascending account; the payments sum to it.

    The mutual fund pays in proportion to contributions. Members are assessed up to a share of what they had
    contributed and up to their free cash, in proportion to that. Both are split by largest remainder.
    """
    payments: list[Payment] = []

    def pay(layer: Layer, most: Mapping[int, int]) -> None:
        due = loss - sum(payment.amount_fen for payment in payments)
        payers = sorted(payer for payer, amount in most.items() if amount > 0)
        parts = largest_remainder(min(due, sum(most[payer] for payer in payers)), [most[p] for p in payers])
        payments.extend(Payment(layer, p, part) for p, part in zip(payers, parts, strict=True) if part)

    others = {a: fen for a, fen in means.fund.items() if a not in (means.house, means.fund_owner)}
    if means.broker is not None:
        pay(Layer.BROKER, {means.broker[0]: max(0, means.broker[1])})
    pay(Layer.OWN_FUND, {means.fund_owner: means.fund.get(means.fund_owner, 0)})
    pay(Layer.HOUSE, {means.house: means.fund.get(means.house, 0)})
    pay(Layer.MUTUAL_FUND, others)
    caps = {a: min(fen * cap_basis_points // BASIS_POINT, means.free_cash[a]) for a, fen in others.items()}
    pay(Layer.ASSESSMENT, caps)
    pay(Layer.UNCOVERED, {means.house: loss})
    return payments
