"""Sessions and closed days (clauses 4.4, 4.9, 4.10) and the closing auction (6.1) on the real core."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain import messages as m
from exchange.domain.calendar import local_datetime, moment_ns
from exchange.domain.clock import ManualClock
from exchange.domain.phases import MarketPhase as P
from exchange.domain.rejects import RejectCode
from exchange.domain.sessions import Sessions, SetSessions, Stretch
from exchange.service.bootstrap import SESSIONS
from exchange.service.day import DayDriver
from exchange.service.exchange import Exchange
from matching.records import RejectCode as KernelCode
from matching.records import Side, TimeInForce, new_order

FRIDAY = date(2026, 12, 4)
SYMBOL = "H100.GUIAN.2701"
SPLIT = Sessions(
    continuous=(Stretch(start=time(9), end=time(11, 30)), Stretch(start=time(13), end=time(14, 50))),
    margin_runs=(time(10, 30), time(12)),
)
"""The example of clause 4.9, and a margin run that falls into the break."""


def codes(market: Any, *rows: Any) -> set[int]:
    return set(market.orders(*rows).events["code"].tolist())


def at_close(market: Any, side: Side, lots: int, price: int, account: int) -> Any:
    index = market.state.contracts_by_symbol[SYMBOL].index
    return new_order(
        account=account,
        instrument=index,
        side=side,
        quantity=lots,
        price=price,
        tif=TimeInForce.AT_CLOSE,
    )


def settled(market: Any) -> tuple[int, int]:
    """Settle the day; return the contract's price and its rule's number."""
    market.settle()
    index = market.state.contracts_by_symbol[SYMBOL].index
    (row,) = market.state.settlements.rows[market.state.settlements.rows["contract"] == index]
    return int(row["price"]), int(row["rule"])


def test_the_closing_auction_makes_the_settlement_price(market: Any) -> None:
    """The example of clause 6.1: 1,202 from the last hour, 1,190 from the auction."""
    market.do(SetSessions(sessions=SESSIONS))
    market.open()
    market.at(14, 30)
    market.trade(SYMBOL, 1, 2, 5, 1_201)
    market.trade(SYMBOL, 1, 2, 1, 1_204)
    market.orders(at_close(market, Side.SELL, 1, 1_180, 1))  # parked until the call
    market.at(14, 55)
    market.do(m.SetPhase(phase=P.CLOSING_CALL))
    market.orders(market.order(2, SYMBOL, Side.BUY, 1, 1_190))
    assert market.lots(2, SYMBOL) == 6  # nothing trades in a call
    assert settled(market) == (1_190, 7)
    assert market.lots(2, SYMBOL) == 7
    market.core.check()


def test_without_a_trade_in_it_the_last_hour_counts(market: Any) -> None:
    market.do(SetSessions(sessions=SESSIONS))
    market.open()
    market.at(14, 30)
    market.trade(SYMBOL, 1, 2, 5, 1_201)
    market.do(m.SetPhase(phase=P.CLOSING_CALL))
    market.orders(market.order(2, SYMBOL, Side.BUY, 1, 1_190))
    assert settled(market) == (1_201, 1)


def test_what_the_closing_auction_leaves_may_be_locked(market: Any) -> None:
    """Clause 3.39 after the auction: 1 lot is sold at the limit, 2 more are wanted there."""
    market.do(SetSessions(sessions=SESSIONS))
    market.open()
    market.do(m.SetPhase(phase=P.CLOSING_CALL))
    limit = int(market.state.contract_row(market.state.contracts_by_symbol[SYMBOL].index)["price_high"])
    market.orders(at_close(market, Side.SELL, 1, limit, 1), market.order(2, SYMBOL, Side.BUY, 3, limit))
    assert settled(market) == (limit, 6)
    assert market.lots(2, SYMBOL) == 1


def test_a_day_keeps_the_sessions_with_which_it_was_opened(market: Any) -> None:
    market.open()
    market.do(SetSessions(sessions=SESSIONS))
    assert market.refused(m.SetPhase(phase=P.CLOSING_CALL)) is RejectCode.WRONG_PHASE
    market.do(m.SetPhase(phase=P.CLOSED))


def test_only_cancels_in_a_break(market: Any) -> None:
    market.do(SetSessions(sessions=SPLIT))
    market.open()
    resting = market.orders(market.order(1, SYMBOL, Side.SELL, 1, 1_201)).events
    market.do(m.SetPhase(phase=P.BREAK))
    assert codes(market, market.order(2, SYMBOL, Side.BUY, 1, 1_201)) == {KernelCode.MARKET_CLOSED}
    assert market.refused(m.SetPhase(phase=P.CLOSING_CALL)) is RejectCode.WRONG_PHASE
    market.do(m.Halt(symbol=SYMBOL, halted=True))
    market.do(m.SetPhase(phase=P.CONTINUOUS))
    assert codes(market, market.order(2, SYMBOL, Side.BUY, 1, 1_201)) == {KernelCode.HALTED}
    market.do(m.Halt(symbol=SYMBOL, halted=False))
    market.cancel(1, int(resting["order_id"][0]))
    market.do(m.SetPhase(phase=P.CLOSING_CALL))
    market.settle()
    market.core.check()


async def test_the_driver_goes_through_breaks_and_the_closing_call(config: Any) -> None:
    """The example of clause 4.9; what is due in the break is done after it."""
    exchange = await Exchange.open(config, ManualClock(moment_ns(FRIDAY, time(8))))
    rules = m.SetRules(
        products=(m.Product("H100", "GUIAN", 1),), closed_days=(), calendar_end=date(2029, 1, 1)
    )
    for message in (rules, SetSessions(sessions=SPLIT)):
        assert (await exchange.submit_rare(message)).ok
    done = []
    driving = DayDriver(
        exchange,
        exchange.clock,
        config,
        on_step=lambda what, at_ns: done.append((what, f"{local_datetime(at_ns):%H:%M}")),
    )
    while (due := driving.next_due()).at_ns <= moment_ns(FRIDAY, time(16)):
        exchange.clock.set(max(due.at_ns, exchange.clock.now_ns()))
        await driving.catch_up()
    window = exchange.views.day_window_ns
    await exchange.close()
    assert done == [
        ("open day", "08:30"),
        ("call", "08:55"),
        ("matched", "08:59"),
        ("continuous", "09:00"),
        ("margin run", "10:30"),
        ("break", "11:30"),
        ("continuous", "13:00"),
        ("margin run", "13:00"),
        ("closing-call", "14:50"),
        ("closed", "15:00"),
        ("settle", "15:30"),
    ]
    assert window == moment_ns(FRIDAY, time(13, 50))


FAULTS = {
    "open_day": {"open_day": time(8, 56)},
    "call": {"call": time(8, 59)},
    "continuous": {"continuous": ()},
    "close": {"close": time(14)},
    "margin_runs": {"margin_runs": (time(13, 30), time(10, 30))},
    "margin_deadline": {"margin_deadline": time(8)},
    "margin_auction": {"margin_auction": time(9, 30)},
    "buy_in": {"buy_in": time(16)},
    "call_minutes": {"call_minutes": -1},
    "settlement_window_minutes": {"settlement_window_minutes": 0},
}


@pytest.mark.parametrize("field", FAULTS)
def test_sessions_that_cannot_be(market: Any, field: str) -> None:
    result = market.send(SetSessions(sessions=Sessions(**FAULTS[field])))
    assert (result.code, result.detail) == (RejectCode.INVALID_SESSIONS, field)
    assert market.state.sessions == Sessions()


@given(st.lists(st.integers(9 * 60 + 1, 18 * 60), min_size=2, max_size=9, unique=True))
def test_any_sessions_are_steps_in_order_through_every_stretch(minutes: list[int]) -> None:
    """The last moment is the close; the others bound the stretches, the closing call begins at an odd one."""
    at = [time(minute // 60, minute % 60) for minute in sorted(minutes)]
    bounds = at[: len(at) // 2 * 2]
    stretches = tuple(Stretch(start=a, end=b) for a, b in zip(bounds[::2], bounds[1::2], strict=True))
    first = stretches[0].start
    sessions = Sessions(
        continuous=stretches,
        close=at[-1],
        settle=time(23),
        margin_runs=(),
        margin_deadline=first,
        buy_in=first,
        margin_auction=first,
    )
    steps = sessions.steps()
    phases = [phase for _, phase in steps]
    assert sessions.fault() == ""
    assert [moment for moment, _ in steps] == sorted(moment for moment, _ in steps)
    assert phases.count(P.CONTINUOUS) == len(stretches) == phases.count(P.BREAK) + 1
    assert (P.CLOSING_CALL in phases) == (len(at) % 2 == 1)
    assert phases[-1] is P.CLOSED


def test_closed_days_are_published_and_kept(market: Any) -> None:
    """The example of clause 4.10."""
    end = date(2028, 12, 31)
    thursday, carnival = date(2026, 12, 10), date(2027, 2, 12)

    def closing(*days: date) -> m.SetCalendar:
        return m.SetCalendar(closed_days=days, calendar_end=end)

    assert market.refused(closing(thursday)) is RejectCode.CALENDAR_FIXED
    assert market.refused(closing(carnival, thursday)) is RejectCode.INVALID_RULE
    assert market.refused(closing(carnival + timedelta(days=1))) is RejectCode.INVALID_RULE  # a Saturday
    market.do(closing(carnival))
    assert market.state.closed_days == {carnival}
    market.open()
    assert market.refused(closing(FRIDAY, carnival)) is RejectCode.CALENDAR_FIXED
    market.do(closing())
    market.core.check()
