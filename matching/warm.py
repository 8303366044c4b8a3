"""Readying the compiled kernel: every entry point is called once on a small engine, before a real one exists.

So all compiling (or loading from the cache) happens at the start of a process, never in mid-market.
"""

from __future__ import annotations

from matching.api import MatchingEngine
from matching.records import (
    OrderType,
    Phase,
    Side,
    TimeInForce,
    amend,
    cancel,
    mass_cancel,
    new_order,
    publish_indicative,
)
from matching.spec import AccountSpec, EngineLimits, InstrumentSpec

SMALL = EngineLimits(
    max_instruments=1, max_accounts=2, max_orders=16, max_levels=64, max_holdings=4, max_refreshes=8
)
"""Limits of the engine that is exercised."""


def _trade(engine: MatchingEngine) -> None:
    """Call every kind of command."""
    for side in (Side.BUY, Side.SELL):
        engine.apply(new_order(account=0, instrument=0, side=side, quantity=2, price=20))
    engine.apply(
        new_order(account=1, instrument=0, side=Side.BUY, quantity=1, order_type=OrderType.STOP, trigger=25)
    )
    order_id = int(
        engine.apply(
            new_order(account=1, instrument=0, side=Side.BUY, quantity=3, price=15, tif=TimeInForce.GTC)
        )["order_id"][0]
    )
    engine.apply(amend(account=1, order_id=order_id, quantity=2))
    engine.apply(publish_indicative(instrument=0))
    engine.apply(cancel(account=1, order_id=order_id))
    engine.apply(mass_cancel(account=1))


def _control(engine: MatchingEngine) -> None:
    """Call every control operation, refused ones included."""
    engine.set_margins(0, 1, 1)
    engine.set_position_limit(0, 9)
    engine.rebase(0, 12, 48, 20)
    engine.adjust_equity(0, 1)
    engine.set_offset(0, 1)
    engine.set_position(0, 0, 1)
    engine.set_position(0, 1, 1)
    engine.set_phase(0, Phase.CLOSING_CALL)
    engine.end_of_day(1)
    engine.kill_account(1)
    engine.kill_market(cancel_orders=True)


def _look(engine: MatchingEngine) -> None:
    """Call every view."""
    engine.l1(0)
    engine.open_orders(0)
    engine.indicative(0)
    engine.position(0, 0)
    engine.positions(0)
    engine.orders(0)
    engine.depth(0, Side.BUY)
    engine.check()
    engine.restore(engine.snapshot())


def exercise(engine: MatchingEngine) -> None:
    """Call every entry point of an engine with the limits ``SMALL``."""
    engine.add_instrument(0, InstrumentSpec(10, 50, 20))
    for account in (0, 1):
        engine.set_account(account, AccountSpec(equity_fen=1_000_000))
    engine.set_phase(0, Phase.CONTINUOUS)
    _trade(engine)
    _control(engine)
    _look(engine)
    engine.remove_instrument(0)
