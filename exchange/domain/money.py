"""Arithmetic of fen: rounding half up and sharing by largest remainder (clauses 1.3 and 1.4). Integers
only.
"""

from __future__ import annotations

from collections.abc import Sequence

BASIS_POINT = 10_000
"""Basis points in one whole."""


def half_up(numerator: int, denominator: int) -> int:
    """Return numerator / denominator (numerator ≥ 0, denominator > 0) rounded to the nearest integer,
    halves up.
    """
    return (2 * numerator + denominator) // (2 * denominator)


def half_up_share(amount: int, basis_points: int) -> int:
    """Return `basis_points` of `amount` (≥ 0), halves up."""
    return half_up(amount * basis_points, BASIS_POINT)


def ceiling_share(amount: int, basis_points: int) -> int:
    """Return `basis_points` of `amount` (≥ 0), rounded up."""
    return -(-amount * basis_points // BASIS_POINT)


def largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` (≥ 0) in proportion to `weights` (≥ 0, not all 0); the parts sum to `total` exactly.

    Each part is its quota rounded down; what is left goes one by one to the largest remainders, ties to the
    earlier weight (clause 1.4: callers order the weights by account). Raises ValueError if nothing has a
    weight but total > 0.
    """
    whole = sum(weights)
    if whole == 0:
        if total:
            raise ValueError("no weight to share by")
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts
