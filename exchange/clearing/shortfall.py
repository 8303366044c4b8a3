"""What a shortfall costs, how it is paid, and what insurance costs (clauses 7.7 to 7.9). Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exchange.domain.money import half_up, half_up_share, largest_remainder


@dataclass(frozen=True, slots=True)
class Compensation:
    """What a buyer is owed for card-hours that it didn't get, fen."""

    buy_in_fen: int
    damages_fen: int

    @property
    def total_fen(self) -> int:
        """Both together."""
        return self.buy_in_fen + self.damages_fen


def compensation(
    price_ticks: int, card_hours: int, cards_per_lot: int, buy_in_basis_points: int, damages_basis_points: int
) -> Compensation:
    """Return what a shortfall costs the provider (clause 7.7); the price is the final settlement price."""
    value = half_up(price_ticks * card_hours, cards_per_lot)
    return Compensation(half_up_share(value, buy_in_basis_points), half_up_share(value, damages_basis_points))


def cut(dues: Sequence[int], available: int) -> list[int]:
    """Return what each of `dues` gets out of `available`: all, or a share by largest remainder."""
    total = sum(dues)
    return list(dues) if total <= available else largest_remainder(max(0, available), dues)


def score(days: Sequence[tuple[int, int]]) -> int:
    """Return a reliability score in basis points of (reserved, delivered) card-hours by day, rounded down."""
    reserved = sum(day[0] for day in days)
    return sum(day[1] for day in days) * 10_000 // reserved if reserved else 10_000


def premium(invoiced_fen: int, score_basis_points: int, steps: Sequence[tuple[int, int]]) -> int:
    """Return the insurance premium on what a provider is paid (clause 7.9).

    `steps` are (least score, premium), both in basis points, falling scores.
    """
    rate = next((rate for least, rate in steps if score_basis_points >= least), 0)
    return half_up_share(invoiced_fen, rate)
