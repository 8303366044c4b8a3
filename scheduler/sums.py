"""What the answers of both models have in common: money in fen, and the certified gap."""

from typing import Protocol

from scheduler.types import NANO_PER_FEN


def fen(nano_cny: int) -> int:
    """Nano-CNY as fen, rounded half up."""
    return (2 * nano_cny + NANO_PER_FEN) // (2 * NANO_PER_FEN)


class _Money(Protocol):
    @property
    def cost_nano_cny(self) -> int: ...
    @property
    def reserved_value_nano_cny(self) -> int: ...
    @property
    def power_nano_cny(self) -> int: ...


class InFen:
    """Totals as they are shown."""

    __slots__ = ()

    @property
    def cost_fen(self: _Money) -> int:
        """New money in fen."""
        return fen(self.cost_nano_cny)

    @property
    def cost_with_reserved_fen(self: _Money) -> int:
        """New money plus the sunk price of the reserved cards used, in fen."""
        return fen(self.cost_nano_cny + self.reserved_value_nano_cny)

    @property
    def power_cost_fen(self: _Money) -> int:
        """The sites' electricity in fen."""
        return fen(self.power_nano_cny)


class _Bound(Protocol):
    @property
    def bound_nano_cny(self) -> int: ...


class _Valued(Protocol):
    @property
    def certificate(self) -> _Bound: ...
    @property
    def value_nano_cny(self) -> int: ...
    @property
    def lower_bound_nano_cny(self) -> int: ...
    @property
    def gap_nano_cny(self) -> int: ...
    @property
    def influenced_nano_cny(self) -> int: ...


class Proved:
    """A plan's value against its bound."""

    __slots__ = ()

    @property
    def gap_nano_cny(self: _Valued) -> int:
        """How much better the best plan could be at most."""
        return self.value_nano_cny - self.lower_bound_nano_cny

    @property
    def gap(self: _Valued) -> float:
        """The gap as a share of the money influenced; 0 for a proved optimum, ``inf`` without money."""
        return _share(self.gap_nano_cny, self.influenced_nano_cny)

    @property
    def certificate_gap(self: _Valued) -> float:
        """The gap that the certificate alone proves, which anyone can recompute; an exact search may know of
        a smaller one.
        """
        return _share(self.value_nano_cny - self.certificate.bound_nano_cny, self.influenced_nano_cny)


def _share(gap_nano_cny: int, money_nano_cny: int) -> float:
    if gap_nano_cny == 0:
        return 0.0
    return gap_nano_cny / money_nano_cny if money_nano_cny else float("inf")
