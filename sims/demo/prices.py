"""Arithmetic on prices that the market's members share: ticks, basis points, the day's limits."""

from decimal import Decimal

from exchange.api.market import Contract

BASIS_POINTS = 10_000
TICKS_PER_CNY = 100


def ticks(price: str) -> int:
    """A price of the API ("13.44" CNY per lot-hour) as ticks of 0.01 CNY."""
    return int(Decimal(price) * TICKS_PER_CNY)


def text(price_ticks: int) -> str:
    """Ticks as the API writes a price."""
    return f"{price_ticks // TICKS_PER_CNY}.{price_ticks % TICKS_PER_CNY:02d}"


def shifted(price_ticks: int, basis_points: int) -> int:
    """A price moved by basis points, rounded half up to the tick."""
    return (price_ticks * (BASIS_POINTS + basis_points) * 2 + BASIS_POINTS) // (2 * BASIS_POINTS)


def within_limits(price_ticks: int, contract: Contract) -> int:
    """The price, or the nearest one that the contract's limits of the day allow."""
    return max(ticks(contract.price_low), min(ticks(contract.price_high), price_ticks))


def part(whole: int, percent: int) -> int:
    """A percentage of a whole, rounded half up."""
    return (whole * percent * 2 + 100) // 200
