"""Expiry into reservations, and the invoice of a delivery day (chapter 7). Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exchange.domain.money import half_up, largest_remainder


@dataclass(frozen=True, slots=True)
class Supply:
    """Lots that a provider has to deliver out of one certificate; `certificate_id` 0: out of none."""

    provider: int
    certificate_id: int
    lots: int


@dataclass(frozen=True, slots=True)
class Match:
    """Lots that a buyer receives from a provider, out of one certificate or (0) none."""

    buyer: int
    provider: int
    certificate_id: int
    lots: int


def match_shorts_to_longs(longs: Sequence[tuple[int, int]], supplies: Sequence[Supply]) -> list[Match]:
    """Match longs `(account, lots)` to supplies, all lots > 0 and of equal sum (clause 7.3).

    Buyers are served in ascending account; each takes from all supplies in proportion to what is left of
    them, by largest remainder, ties to the lower account, then certificate. Raises ValueError if the sums
    differ.
    """
    if sum(lots for _, lots in longs) != sum(supply.lots for supply in supplies):
        raise ValueError("longs and shorts differ")
    ordered = sorted(supplies, key=lambda supply: (supply.provider, supply.certificate_id))
    left = [supply.lots for supply in ordered]
    matches: list[Match] = []
    for buyer, lots in sorted(longs):
        taken = largest_remainder(lots, left)
        left = [before - part for before, part in zip(left, taken, strict=True)]
        matches += [
            Match(buyer, supply.provider, supply.certificate_id, part)
            for supply, part in zip(ordered, taken, strict=True)
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
