"""Expiry into reservations, and the invoice of a delivery day (chapter 7). Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exchange.domain.money import half_up, largest_remainder


@dataclass(frozen=True, slots=True)
class Match:
    """Lots that a buyer receives from a provider."""

    buyer: int
    provider: int
    lots: int


def match_shorts_to_longs(longs: Sequence[tuple[int, int]], shorts: Sequence[tuple[int, int]]) -> list[Match]:
    """Match `(account, lots)` of longs and shorts, both > 0 and of equal sum (clause 7.3).

    Buyers are served in ascending account; each takes from all providers in proportion to what these still
    have to deliver, by largest remainder, ties to the lower account. Raises ValueError if the sums differ.
    """
    if sum(lots for _, lots in longs) != sum(lots for _, lots in shorts):
        raise ValueError("longs and shorts differ")
    providers = sorted(shorts)
    left = [lots for _, lots in providers]
    matches: list[Match] = []
    for buyer, lots in sorted(longs):
        taken = largest_remainder(lots, left)
        left = [before - part for before, part in zip(left, taken, strict=True)]
        matches += [
            Match(buyer, provider, part)
            for (provider, _), part in zip(providers, taken, strict=True)
            if part > 0
        ]
    return matches


def invoice(price_ticks: int, cards_per_lot: int, card_hours: Sequence[int]) -> list[int]:
    """Return what each reservation of one contract pays, fen, for its delivered `card_hours` (clause 7.5).

    Together price × Σ card-hours ÷ cards per lot, half up; shared by card-hours with the largest remainder,
    ties to the earlier reservation.
    """
    total = half_up(price_ticks * sum(card_hours), cards_per_lot)
    return largest_remainder(total, card_hours)
