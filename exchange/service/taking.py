"""Orders that the exchange itself enters for an account: at once at any price within the day's limits."""

from __future__ import annotations

from exchange.service.state import Stamp, State
from matching.records import EventKind, OrderFlag, Records, Side, StpMode, TimeInForce, new_order

LOTS_MAX = 1 << 20
"""Most that one order may have."""


def taking_order(
    state: State,
    account: int,
    contract: int,
    signed_lots: int,
    stamp: Stamp,
    flags: OrderFlag = OrderFlag.NONE,
) -> Records:
    """Return an immediate-or-cancel order for lots (bought positive) at the day's outermost price.

    It cancels the account's own orders that it meets: nobody sets the price of what others may have to pay.
    """
    row, buying = state.contract_row(contract), signed_lots > 0
    return new_order(
        account=account,
        instrument=contract,
        side=Side.BUY if buying else Side.SELL,
        quantity=min(abs(signed_lots), LOTS_MAX),
        price=int(row["price_high" if buying else "price_low"]),
        tif=TimeInForce.IOC,
        flags=flags,
        stp=StpMode.CANCEL_RESTING,
        seq=stamp.seq,
        time_ns=stamp.time_ns,
    )


def trades_of(events: Records) -> Records:
    """Return the trades of one command's order among its `events`: not those of stops that it triggered."""
    own = events["order_id"] == events["order_id"][:1]
    trades: Records = events[own & (events["kind"] == EventKind.TRADE)]
    return trades
