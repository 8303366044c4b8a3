"""What vouchers pay of an invoice (clause 11.3). Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from exchange.domain.money import BASIS_POINT


def most_of(invoiced: int, share_basis_points: int) -> int:
    """Return the most that one voucher pays of an invoice, fen, rounded down."""
    return invoiced * share_basis_points // BASIS_POINT


def drawn(invoiced: int, purses: Sequence[tuple[int, int]]) -> list[int]:
    """Return what each of `purses` (fen left, share in basis points) pays of an invoice, in their order.

    Each pays what it has, no more than its share, and no more than is left of the invoice.
    """
    paid = []
    left = invoiced
    for has, share in purses:
        paid.append(min(has, most_of(invoiced, share), left))
        left -= paid[-1]
    return paid
