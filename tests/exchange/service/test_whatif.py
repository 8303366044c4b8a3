"""What a preview says is what then happens (clause 3.40): to the kernel's events, the cash and the margin."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.domain import messages as m
from exchange.domain.phases import MarketPhase
from exchange.service.whatif import trial_of
from matching.records import (
    EventKind,
    OrderFlag,
    OrderType,
    Records,
    Side,
    StpMode,
    TimeInForce,
    amend,
    cancel,
    new_order,
)

ACCOUNTS = (1, 2, 3)
RENUMBERED = ("seq", "order_id", "contra_id")
SMALL_CASH = 1_000_000
FRIDAY_NUMBER = 20_791
"""The first trading day, 4 December 2026, in days since 1970-01-01."""

Rng = np.random.Generator


def pick(rng: Rng, choices: Any) -> Any:
    return list(choices)[int(rng.integers(0, len(list(choices))))]


def limit(rng: Rng) -> int:
    return int(pick(rng, (0, 5_000)) if rng.random() < 0.02 else rng.integers(1_195, 1_206))


def terms(rng: Rng) -> dict[str, Any]:
    """What kind of order: mostly a limit order near the others."""
    kind = pick(rng, OrderType) if rng.random() < 0.3 else OrderType.LIMIT
    priced = kind in (OrderType.LIMIT, OrderType.STOP_LIMIT)
    trigger = 0
    if kind is OrderType.TRAILING_STOP:
        trigger = int(rng.integers(0, 4))
    elif kind in (OrderType.STOP, OrderType.STOP_LIMIT):
        trigger = limit(rng)
    return {"order_type": kind, "price": limit(rng) if priced else 0, "trigger": trigger}


def attributes(rng: Rng) -> dict[str, Any]:
    """At most one of them, mostly none."""
    if rng.random() < 0.6:
        return {}
    expiry = FRIDAY_NUMBER + int(rng.integers(-1, 5))
    return dict(
        pick(
            rng,
            (
                {"display": pick(rng, (1, 2, 500))},
                {"min_quantity": pick(rng, (1, 2, 500))},
                {"flags": pick(rng, OrderFlag)},
                {"stp": pick(rng, StpMode)},
                {"tif": pick(rng, TimeInForce)},
                {"tif": TimeInForce.GTD, "expiry_day": expiry},
            ),
        )
    )


def command(rng: Rng, market: Any, account: int) -> Records:
    """One command of an account; some name orders of others, or that no one has."""
    draw = rng.random()
    if draw < 0.75:
        contract = int(pick(rng, market.state.active_contracts()[:3]))
        quantity = int(rng.integers(100, 1_000) if rng.random() < 0.05 else rng.integers(1, 12))
        own = terms(rng) | attributes(rng)
        side = pick(rng, (Side.BUY, Side.SELL))
        return new_order(account=account, instrument=contract, side=side, quantity=quantity, **own)
    owner = account if rng.random() < 0.9 else pick(rng, ACCOUNTS)
    resting = market.state.engine.open_orders(owner)["order_id"].tolist()
    order_id = pick(rng, resting) if resting and rng.random() < 0.95 else 7
    if draw < 0.85:
        return cancel(account=account, order_id=order_id)
    changes = {"price": limit(rng)} if rng.random() < 0.7 else {"quantity": int(rng.integers(0, 500))}
    return amend(account=account, order_id=order_id, **changes)


TURNS = ("next phase", "halt", "resume", "resume", "suspend", "restore", "restore")


def turn(market: Any, what: str) -> None:
    """Change something around the orders; what isn't possible now changes nothing."""
    if what in ("halt", "resume"):
        first = market.state.contracts[market.state.active_contracts()[0]]
        market.send(m.Halt(symbol=first.symbol, halted=what == "halt"))
    elif what == "suspend":
        market.send(m.SetMemberState(name="coral", state="suspended"))
    elif what == "restore":
        if market.state.members["coral"].state == "suspended":
            market.restore("coral")
    elif market.state.day.phase is MarketPhase.CONTINUOUS:
        market.settle()
        market.day += timedelta(days=3 if market.day.weekday() == 4 else 1)
        market.call()
    else:
        day = market.state.day
        market.do(m.SetPhase(phase=day.sessions.steps()[day.steps][1]))


def plain(events: Records) -> list[tuple[Any, ...]]:
    """Events without ids; each order by its place among those that the events name.

    A refused cancel or amend names no contract: what its record happens to hold is left out.
    """
    names: dict[int, int] = {0: 0}
    columns = [name for name in events.dtype.names or () if name not in RENUMBERED]

    def rows() -> Iterator[tuple[Any, ...]]:
        for event in events:
            ids = (int(event["order_id"]), int(event["contra_id"]))
            if event["kind"] == EventKind.REJECTED:
                ids = (0, 0)
                event = event.copy()
                event["instrument"] = 0
            named = tuple(names.setdefault(order_id, len(names)) for order_id in ids)
            yield (int(event["seq"] - events["seq"][0]), *named, *(int(event[name]) for name in columns))

    return list(rows())


def check_block(market: Any, account: int, commands: Records) -> None:
    before = market.core.state_hash()
    tried = trial_of(market.state, account, commands, market.core.seq + 1).run()
    assert market.core.state_hash() == before
    cash, exposure = market.cash_of(account), market.state.engine.exposure(account)
    applied = market.orders(commands)
    assert plain(tried.events) == plain(applied.events)
    assert cash - market.cash_of(account) == tried.fees_fen
    after = market.state.engine.exposure(account)
    assert after.equity_fen - exposure.equity_fen == tried.after.equity_fen - tried.before.equity_fen
    assert (
        after.requirement_fen - exposure.requirement_fen
        == tried.after.requirement_fen - tried.before.requirement_fen
    )


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1))
def test_what_is_previewed_then_happens(market_type: type[Any], seed: int) -> None:
    rng = np.random.default_rng(seed)
    market = market_type()
    for name in ("blue", "coral"):
        market.do(m.Withdraw(member=name, amount_fen=market.cash - SMALL_CASH))
    market.call()
    for _ in range(150):
        trading = market.state.day.phase is MarketPhase.CONTINUOUS
        if rng.random() < (0.08 if trading else 0.3):
            turn(market, pick(rng, TURNS) if trading else "next phase")
        account = pick(rng, ACCOUNTS)
        rows = [command(rng, market, account) for _ in range(int(rng.integers(1, 6)))]
        check_block(market, account, np.concatenate(rows))
    market.core.check()
