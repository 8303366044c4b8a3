"""Settlement prices of hours, neighbours and limits, and what follows a locked day (clauses 6.1 and 6.5)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from exchange.domain import messages as m
from exchange.domain.calendar import next_trading_day
from exchange.service.tape import Tape
from exchange.service.views import Views
from matching.records import Side

MONTH = "H100.GUIAN.2702"
LADDER = m.SetMarginRules(lock_limit_basis_points=300, lock_margin_basis_points=200)


def rule_of(market, symbol):
    of = next(s for s in Views(market.core, Tape(10)).settlements() if s.symbol == symbol)
    return of.price, of.rule


def figures(market, symbol):
    row = market.state.contract_row(market.state.contracts_by_symbol[symbol].index)
    value = int(row["reference"]) * int(row["hours"])
    return int(row["price_low"]), int(row["price_high"]), round(100 * int(row["scan"]) / value)


def next_day(market):
    """Deliver what is due and go to the next trading day's continuous trading."""
    following = next_trading_day(market.day, frozenset())
    for ahead in range((following - market.day).days):
        delivered = market.day + timedelta(days=ahead)
        if delivered > market.state.day.delivered_day:
            market.at(1, 0, delivered + timedelta(days=1))
            market.do(m.FinishDelivery(day=delivered))
    market.day = following
    market.open()


def test_three_days_locked_widen_limits_and_margin(market):
    """Clause 6.5, and back to normal on the first day that isn't locked."""
    market.do(LADDER)
    market.open()
    found = []
    for price in (1_320, 1_491, 1_729):
        market.orders(market.order(2, MONTH, Side.BUY, 1, price))
        market.settle()
        assert rule_of(market, MONTH) == (price, "limit")
        found.append(figures(market, MONTH))
        next_day(market)
    assert found == [(1_149, 1_491, 15), (1_253, 1_729, 18), (1_401, 2_057, 21)]
    market.orders(market.order(2, MONTH, Side.BUY, 1, 2_057))
    market.settle()
    assert figures(market, MONTH)[2] == 21  # a fourth day widens nothing
    next_day(market)
    market.trade(MONTH, 1, 2, 1, 2_000)
    market.settle()
    assert figures(market, MONTH) == (1_800, 2_200, 5)
    market.core.check()


def test_the_latest_hour_with_a_trade_counts(market):
    market.open()
    for hour, price in ((10, 1_300), (11, 1_190), (11, 1_191)):
        market.at(hour, 30)
        market.trade(MONTH, 1, 2, 1, price)
    market.settle()
    assert rule_of(market, MONTH) == (1_191, "earlier hour")  # clause 6.1: 1,190.5 up


def test_a_frame_that_lies_on_both_sides_of_an_hour(market):
    market.open()
    index = market.state.contracts_by_symbol[MONTH].index
    market.at(10, 59)
    market.trade(MONTH, 1, 2, 3, 1_300)
    market.at(11, 0)
    market.trade(MONTH, 1, 2, 1, 1_200)
    row = market.state.contract_row(index)
    assert (row["window_hour"], row["window_lots"]) == (-3, 1)


@pytest.mark.parametrize(("least", "told"), [(2, (1_212, "model")), (3, (1_200, "previous"))])
def test_neighbours_move_what_did_not_trade(market, least, told):
    """Two other months go up by 1 %; clause 6.1."""
    market.do(m.SetMarginRules(model_neighbours=least))
    market.open()
    for symbol in ("H100.GUIAN.2703", "H100.GUIAN.2704"):
        market.trade(symbol, 1, 2, 1, 1_212)
    market.settle()
    assert rule_of(market, MONTH) == told
    assert rule_of(market, "T4.SHANGHAI-EDGE.2702") == (1_200, "previous")
    assert rule_of(market, f"H100.GUIAN.{date(2026, 12, 8):%y%m%d}") == (1_200, "previous")
    market.core.check()
