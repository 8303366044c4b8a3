"""Compiles everything before the first order: a miniature market lives a day on a scratch core.

The kernel's functions compile when they are first called, which takes tens of seconds on a machine that never
ran this version. That belongs to the start, not into a member's order.
"""

from __future__ import annotations

from datetime import date, time

import numpy as np

from exchange.domain import messages as m
from exchange.domain.calendar import moment_ns
from exchange.domain.phases import MarketPhase
from exchange.service.core import Core
from exchange.service.tape import Tape
from exchange.service.views import Views
from matching.engine import Engine
from matching.records import (
    Records,
    Side,
    amend,
    cancel,
    mass_cancel,
    new_order,
    publish_indicative,
)
from matching.spec import EngineLimits

_LIMITS = EngineLimits(
    max_instruments=64, max_levels=256, max_accounts=8, max_orders=64, max_holdings=256, max_refreshes=64
)
_DAY = date(2026, 12, 4)  # a Friday: the next day's contract expires in its settlement
_SYMBOLS = ("G.H.261205", "G.H.261208", "G.H.26W50")
_PRICE = 100


def warm_up() -> None:
    """Run every kind of command, every phase and every view once."""
    core = Core(Engine(_LIMITS))
    for message in _opening():
        _rare(core, message)
    _hot(core, _order(1, 0, Side.SELL), _order(2, 0, Side.BUY), publish_indicative(instrument=0))
    _rare(core, m.SetPhase(phase=MarketPhase.MATCHED))
    _rare(core, m.SetPhase(phase=MarketPhase.CONTINUOUS))
    for instrument in range(len(_SYMBOLS)):
        _hot(core, _order(1, instrument, Side.SELL), _order(2, instrument, Side.BUY))
    _hot(core, _order(1, 1, Side.SELL))
    resting = int(core.state.engine.open_orders(1)["order_id"][0])
    _look(core)
    _hot(core, amend(account=1, order_id=resting, quantity=2), cancel(account=1, order_id=resting))
    _hot(core, _order(1, 1, Side.SELL), mass_cancel(account=1), _order(1, 1, Side.SELL))
    _rare(core, m.Withdraw(member="a", amount_fen=1))
    _rare(core, m.SetPhase(phase=MarketPhase.CLOSED))
    _rare(core, m.SettleDay(day=_DAY))
    core.check()
    core.state_hash()


def _opening() -> list[m.RareMessage]:
    return [
        m.SetRules(products=(m.Product("G", "H", 1),), closed_days=(), calendar_end=_DAY),
        m.AddMember(name="a", kind="enterprise"),
        m.AddMember(name="b", kind="enterprise"),
        m.Deposit(member="a", amount_fen=10**9),
        m.Deposit(member="b", amount_fen=10**9),
        m.ListContracts(listings=tuple(m.Listing(symbol, _PRICE) for symbol in _SYMBOLS)),
        m.OpenDay(day=_DAY, settlement_window_ns=0),
        m.SetPhase(phase=MarketPhase.CALL),
    ]


def _order(account: int, instrument: int, side: Side) -> Records:
    return new_order(account=account, instrument=instrument, side=side, quantity=3, price=_PRICE)


def _rare(core: Core, message: m.RareMessage) -> None:
    core.apply_rare(core.seq + 1, moment_ns(_DAY, time(9)), message)


def _hot(core: Core, *rows: Records) -> None:
    commands = np.concatenate(rows)
    commands["seq"] = np.arange(core.seq + 1, core.seq + 1 + len(commands))
    commands["time_ns"] = moment_ns(_DAY, time(9))
    core.apply_hot(commands)


def _look(core: Core) -> None:
    views = Views(core, Tape(8))
    views.contracts()
    views.book(_SYMBOLS[1])
    for account in (1, 2):
        views.balance(account)
        views.open_orders(account)
        views.positions(account)
