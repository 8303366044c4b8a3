"""What the engine is told: its own bounds, instruments, accounts. Plain frozen data."""

from __future__ import annotations

from dataclasses import dataclass

from matching.records import RejectCode


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """Bounds of one engine; memory for them is reserved at the start, and each has a reject code when it is
    reached.

    Memory is only touched as it is used: about 100 bytes an order, 32 a holding, 64 an account, and 84 a
    ladder level.
    """

    max_instruments: int = 4096
    """Instrument indices run from 0 to one less (INVALID_INSTRUMENT beyond)."""
    max_accounts: int = 16384
    """Account indices run from 0 to one less (INVALID_ACCOUNT, UNKNOWN_ACCOUNT beyond)."""
    max_orders: int = 1 << 20
    """Open orders of the whole engine (ENGINE_FULL beyond); at most 2^31 − 2."""
    max_levels: int = 4096
    """Prices between an instrument's limits, both included (TOO_MANY_LEVELS beyond); at most 2^18 − 3."""
    max_holdings: int = 1 << 18
    """Pairs of account and instrument that have ever had an order (TOO_MANY_HOLDINGS beyond)."""
    max_refreshes: int = 1 << 20
    """Reserve slices of all open icebergs together (TOO_MANY_REFRESHES beyond); clause 3.15."""


@dataclass(frozen=True, slots=True)
class InstrumentSpec:
    """An instrument as clause 3.1 states it; 0 switches a limit, the band or a margin off."""

    price_low: int
    """Lowest price of the day, ticks, ≥ 1."""
    price_high: int
    """Highest price of the day, ticks."""
    reference_price: int
    """The last settlement price, ticks, within the limits."""
    hub: int = 0
    """Hub index for mass cancels, 0 … 65534."""
    multiplier: int = 1
    """Hours of the delivery period: value in fen = ticks × multiplier × lots; 1 … 100 000."""
    max_order_size: int = 0
    """Lots of one order."""
    position_limit: int = 0
    """Lots of one account's worst-case position."""
    band_ticks: int = 0
    """Half-width of the dynamic band (clause 3.23), ticks."""
    margin_long_fen: int = 0
    """Initial margin of one long lot, fen."""
    margin_short_fen: int = 0
    """Initial margin of one short lot, fen."""

    def fault(self, max_levels: int) -> RejectCode:
        """Return why these terms can't be listed on ladders of ``max_levels`` prices, or
        ``RejectCode.NONE``."""
        sizes = (self.max_order_size, self.position_limit, self.band_ticks)
        margins = (self.margin_long_fen, self.margin_short_fen)
        sound = (
            1 <= self.price_low <= self.reference_price <= self.price_high < 1 << 24
            and 0 <= self.hub < 0xFFFF
            and 1 <= self.multiplier <= 100_000
            and all(0 <= size < 1 << 31 for size in sizes)
            and all(0 <= margin < 1 << 31 for margin in margins)
        )
        if not sound:
            return RejectCode.INVALID_INSTRUMENT
        if self.price_high - self.price_low + 1 > max_levels:
            return RejectCode.TOO_MANY_LEVELS
        return RejectCode.NONE


@dataclass(frozen=True, slots=True)
class AccountSpec:
    """What the engine checks orders of an account against; 0 switches a limit off."""

    enabled: bool = True
    """Whether the account may send new orders and amendments."""
    max_order_notional_fen: int = 0
    """Exposure price × lots × multiplier of one order, fen."""
    max_open_orders: int = 0
    """Open orders of the account over all instruments."""
    max_orders_per_second: int = 0
    """NEW and AMEND commands in one whole second of exchange time (clause 3.38)."""
    equity_fen: int = 0
    """Equity as clearing sets it, fen; may be negative."""
    offset_fen: int = 0
    """What the portfolio earns against the sum of single margins, fen."""
