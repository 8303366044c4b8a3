"""Plain data for strategy tests: contracts and orders as the API would answer them."""

from datetime import date, datetime, timedelta
from typing import Literal

from exchange.api.market import Contract
from exchange.api.trading import Order

Part = Literal["hour", "peak", "valley"]
PARTS: dict[Part | None, tuple[str, int, int]] = {
    "hour": ("base", 12, 13),
    "peak": ("peak", 10, 18),
    "valley": ("valley", 0, 8),
}
"""Profile, first hour and the hour after the last one."""


def contract(
    hub: str = "GUIAN",
    grade: str = "L20",
    kind: str = "day",
    first: date = date(2026, 12, 5),
    last: date | None = None,
    *,
    reference: str = "16.00",
    ask: str | None = None,
    ask_lots: int = 0,
    last_trading_day: date = date(2026, 12, 4),
    cards_per_lot: int = 8,
    part: Part | None = None,
) -> Contract:
    """One contract with limits of 10 % around its reference price; a part of a day if one is named."""
    end = last or first
    whole = f"{grade}.{hub}.{kind}{first:%y%m%d}"
    profile, begin, stop = PARTS.get(part, ("base", 0, 24 * ((end - first).days + 1)))
    start = datetime.fromisoformat(f"{first}T00:00:00+08:00")
    ticks = int(reference.replace(".", ""))
    return Contract(
        symbol=f"{whole}-{part}" if part else whole,
        grade=grade,
        hub=hub,
        kind="hour" if part == "hour" else kind,  # type: ignore[arg-type]
        profile=profile,  # type: ignore[arg-type]
        delivery_start=(start + timedelta(hours=begin)).isoformat(),
        delivery_end=(start + timedelta(hours=stop)).isoformat(),
        hours=stop - begin,
        cards_per_lot=cards_per_lot,
        last_trading_day=last_trading_day.isoformat(),
        tick="0.01",
        price_low=f"{ticks * 9 // 10 / 100:.2f}",
        price_high=f"{ticks * 11 // 10 / 100:.2f}",
        reference_price=reference,
        settlement_price=None,
        last_price=None,
        bid=None,
        bid_lots=0,
        ask=ask,
        ask_lots=ask_lots,
        margin_long_fen=0,
        margin_short_fen=0,
        active=True,
        halted=False,
    )


def order(symbol: str, price: str, lots: int, order_id: str = "1") -> Order:
    """One resting sell order."""
    return Order(
        order_id=order_id,
        client_order_id=None,
        symbol=symbol,
        side="sell",
        type="limit",
        price=price,
        trigger_price=None,
        trailing_offset=None,
        quantity=lots,
        open_quantity=lots,
        shown_quantity=lots,
        display_quantity=None,
        time_in_force="day",
        expiry_day=None,
        post_only=None,
        reduce_only=False,
        self_trade_prevention="cancel_taking",
        group=0,
    )
