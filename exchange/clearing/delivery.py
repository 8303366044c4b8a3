"""Expiry into reservations, and the invoice of a delivery day (chapter 7). Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.domain.money import half_up, largest_remainder


@dataclass(frozen=True, slots=True)
class Supply:
    """Lots that a provider has to deliver out of one certificate; `certificate_id` 0: out of none."""

    provider: int
    certificate_id: int
    lots: int


MATCH: Final = np.dtype(
    [
        ("buyer", "<i4"),
        ("provider", "<i4"),
        ("certificate", "<i4"),  # id; 0 for none
        ("lots", "<i8"),
    ]
)
"""Lots that a buyer receives from a provider, out of one certificate or none."""


def match_shorts_to_longs(longs: Sequence[tuple[int, int]], supplies: Sequence[Supply]) -> NDArray[Any]:
    """Match longs `(account, lots)` to supplies, all lots in 1 … 2^30 and of equal sum (clause 7.3).

    Buyers are served in ascending account; each takes from all supplies in proportion to what is left of
    them, by largest remainder, ties to the lower account, then certificate. Returns MATCH rows by buyer,
    provider, certificate. Raises ValueError if the sums differ.
    """
    if sum(lots for _, lots in longs) != sum(supply.lots for supply in supplies):
        raise ValueError("longs and shorts differ")
    ordered = sorted(supplies, key=lambda supply: (supply.provider, supply.certificate_id))
    providers = np.array([supply.provider for supply in ordered], np.int32)
    certificates = np.array([supply.certificate_id for supply in ordered], np.int32)
    left = np.array([supply.lots for supply in ordered], np.int64)
    found = [np.zeros(0, MATCH)]
    for buyer, lots in sorted(longs):
        taken = _largest_remainder(lots, left)
        left -= taken
        rows = np.flatnonzero(taken)
        matches = np.zeros(len(rows), MATCH)
        matches["buyer"], matches["lots"] = buyer, taken[rows]
        matches["provider"], matches["certificate"] = providers[rows], certificates[rows]
        found.append(matches)
    return np.frombuffer(bytearray().join(part.tobytes() for part in found), MATCH)


def _largest_remainder(total: int, weights: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return what `money.largest_remainder` does, for 1 ≤ total ≤ Σ weights and products below 2^63.

    The largest remainders are those above the smallest one that still counts, and of its equals the first.
    """
    quotas = total * weights
    whole = weights.sum()
    parts: NDArray[np.int64] = quotas // whole
    over = total - int(parts.sum())
    if over:
        remainders = quotas - parts * whole
        smallest = np.partition(remainders, len(remainders) - over)[len(remainders) - over]
        larger = remainders > smallest
        parts[larger] += 1
        parts[np.flatnonzero(remainders == smallest)[: over - np.count_nonzero(larger)]] += 1
    return parts


def invoice(price_ticks: int, cards_per_lot: int, card_hours: Sequence[int]) -> list[int]:
    """Return what each reservation of one contract pays, fen, for its delivered `card_hours` (clause 7.5).

    Together price × Σ card-hours ÷ cards per lot, half up; shared by card-hours with the largest remainder,
    ties to the earlier reservation.
    """
    total = half_up(price_ticks * sum(card_hours), cards_per_lot)
    return largest_remainder(total, card_hours)
