"""The offset that a portfolio earns, and the orders that take it away (clauses 5.5 and 5.11)."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from exchange.clearing.portfolio import reference
from exchange.domain import messages as m
from exchange.domain.rejects import RejectCode
from matching.records import EventKind, Side, amend, cancel
from matching.records import RejectCode as KernelCode

NEAR = "H100.GUIAN.261208"
FAR = "H100.GUIAN.261209"
LAST = "H100.GUIAN.261205"
RULES = m.SetMarginRules(
    calendar_basis_points=3_000,
    inter_hub_basis_points=4_000,
    buy_in_basis_points=200,
    damages_basis_points=100,
)


def exposure(market, account):
    return market.state.engine.exposure(account)


def net_requirement(market, account):
    of = exposure(market, account)
    return of.requirement_fen - of.offset_fen


def code(applied):
    """The reject code of the only command; None if it was taken."""
    refused = applied.events[applied.events["kind"] == EventKind.REJECTED]
    return KernelCode(int(refused["code"][0])) if len(refused) else None


def margined(market_type, rules, *symbols):
    """A market whose contracts are listed under these margin rules."""
    market = market_type(products=())
    market.do(rules)
    products = (m.Product("H100", "GUIAN", 1),)
    market.do(m.SetRules(products=products, closed_days=(), calendar_end=date(2027, 12, 31)))
    market.do(m.ListContracts(listings=tuple(m.Listing(symbol, 1_200) for symbol in symbols)))
    return market


@pytest.fixture
def spread(market_type):
    """Account 2 is long 10 near and short 10 far, both bought and sold from others, after a run."""
    market = margined(market_type, RULES, NEAR, FAR, LAST)
    market.open()
    market.trade(NEAR, seller=1, buyer=2, lots=10, price=1_200)
    market.trade(FAR, seller=2, buyer=3, lots=10, price=1_200)
    market.do(m.RunMargin())
    return market


def withdraw_all_but(market, name, account, fen):
    free = market.state.free_cash(account)
    market.do(m.Withdraw(member=name, amount_fen=free - fen))


def test_near_delivery_steps_set_the_margin_of_a_lot(market_type):
    steps = (m.MarginStep(0, 2_000), m.MarginStep(1, 1_000))
    rules = m.SetMarginRules(near_delivery=steps)
    market = margined(market_type, rules, LAST, "H100.GUIAN.261207", NEAR, FAR)
    margins = [market.state.contract_row(i)["scan"] for i in range(4)]
    assert margins == [5_760, 5_760, 2_880, 1_440]  # clause 5.5: value 28,800; 20 %, 20 %, 10 %, 5 %
    market.open()
    market.settle()
    assert market.state.contract_row(2)["scan"] == 5_760
    assert market.state.contract_row(3)["scan"] == 2_880


def test_a_calendar_spread_earns_an_offset(spread):
    """Clause 5.11: 14,400 + 23,040 on their own, 4,320 + 8,640 together."""
    assert exposure(spread, 2).requirement_fen == 14_400 + 23_040
    assert exposure(spread, 2).offset_fen == 24_480
    assert net_requirement(spread, 2) == 12_960
    spread.core.check()


def test_an_order_that_takes_a_leg_away_needs_the_margin_of_the_other(spread):
    withdraw_all_but(spread, "blue", 2, 8_000)
    sell = spread.order(2, NEAR, Side.SELL, 5, 1_200)
    applied = spread.orders(spread.order(3, NEAR, Side.BUY, 5, 1_200))
    assert code(applied) is None
    assert code(spread.orders(sell)) is None
    assert net_requirement(spread, 2) == 12_960 + 5_040
    assert spread.lots(2, NEAR) == 5
    before = spread.core.seq
    again = spread.orders(spread.order(2, NEAR, Side.SELL, 5, 1_200))
    assert code(again) is KernelCode.MARGIN  # 10,080 in all, 8,000 were free
    event = again.events[0]
    assert (event["seq"], event["quantity"], event["account"]) == (before + 1, 5, 2)
    assert code(spread.orders(spread.order(2, FAR, Side.BUY, 5, 1_200))) is None
    spread.core.check()


def test_a_refused_order_leaves_the_offset(spread):
    before = exposure(spread, 2)
    assert code(spread.orders(spread.order(2, NEAR, Side.SELL, 5, 9_999))) is KernelCode.PRICE_OUTSIDE_LIMITS
    assert exposure(spread, 2) == before


def test_amending_an_order_against_a_leg_is_an_order_against_it(spread):
    withdraw_all_but(spread, "blue", 2, 6_000)
    sell = spread.orders(spread.order(2, NEAR, Side.SELL, 5, 1_250))
    order_id = int(sell.events["order_id"][0])
    more = spread.orders(amend(account=2, order_id=order_id, quantity=10))
    assert code(more) is KernelCode.MARGIN
    assert code(spread.orders(amend(account=2, order_id=order_id, price=1_240))) is None
    assert code(spread.orders(amend(account=2, order_id=order_id, quantity=2))) is None
    assert code(spread.orders(cancel(account=2, order_id=order_id))) is None
    assert exposure(spread, 2).offset_fen == 24_480 - 5 * (1_008 + 1_440)  # rises at the next run only
    spread.do(m.RunMargin())
    assert exposure(spread, 2).offset_fen == 24_480


def test_one_frame_can_not_take_the_leg_and_use_the_offset(spread):
    """What was folded before an order in the same frame counts for it."""
    withdraw_all_but(spread, "blue", 2, 0)
    spread.orders(spread.order(3, NEAR, Side.BUY, 10, 1_200))
    applied = spread.orders(
        spread.order(2, NEAR, Side.SELL, 1, 1_200), spread.order(2, LAST, Side.BUY, 1, 1_200)
    )
    refused = applied.events[applied.events["kind"] == EventKind.REJECTED]
    assert refused["code"].tolist() == [KernelCode.MARGIN] * 2


def test_a_run_is_for_an_open_day(market):
    assert market.refused(m.RunMargin()) is RejectCode.WRONG_PHASE


@pytest.mark.parametrize(
    "rules",
    [
        m.SetMarginRules(calendar_basis_points=10_000, inter_hub_basis_points=5_001),
        m.SetMarginRules(calendar_basis_points=-1),
        m.SetMarginRules(roll_basis_points=10_001),
        m.SetMarginRules(buy_in_basis_points=4_000, damages_basis_points=1_001),
        m.SetMarginRules(buy_in_basis_points=-1, damages_basis_points=10),
        m.SetMarginRules(concentration_floor_fen=-1),
        m.SetMarginRules(near_delivery=(m.MarginStep(1, 900), m.MarginStep(0, 1_000))),
        m.SetMarginRules(near_delivery=(m.MarginStep(0, 900), m.MarginStep(1, 1_000))),
    ],
)
def test_rules_that_can_not_be(market, rules):
    assert market.refused(rules) is RejectCode.INVALID_RULE


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from((2, 3)),
        st.sampled_from((NEAR, FAR, LAST)),
        st.sampled_from((Side.BUY, Side.SELL)),
        st.integers(1, 12),
        st.sampled_from((1_195, 1_200, 1_205)),
        st.booleans(),
        st.booleans(),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ACTIONS, st.integers(0, 20_000))
@example([(2, FAR, Side.BUY, 1, 1_195, False, False), (2, NEAR, Side.SELL, 1, 1_200, True, False)], 86)
def test_nobody_falls_below_the_portfolio_requirement_by_trading(market_type, actions, free):
    """Two accounts hold a spread with `free` fen to spare; the first account takes the other side of what it
    is offered. Whatever trades, equity covers the netted requirement of the positions as they are.
    """
    market = margined(market_type, RULES, NEAR, FAR, LAST)
    market.open()
    for account, (bought, sold) in {2: (NEAR, FAR), 3: (FAR, NEAR)}.items():
        market.trade(bought, seller=1, buyer=account, lots=10, price=1_200)
        market.trade(sold, seller=account, buyer=1, lots=10, price=1_200)
    market.do(m.RunMargin())
    for name, account in (("blue", 2), ("coral", 3)):
        withdraw_all_but(market, name, account, free)
    for account, symbol, side, lots, price, taken, run in actions:
        if taken:
            market.orders(market.order(1, symbol, Side(1 - side), lots, price))
        market.orders(market.order(account, symbol, side, lots, price))
        if run:
            market.do(m.RunMargin())
        for each in (2, 3):
            needed = slow_requirement(market, each)
            assert net_requirement(market, each) >= needed - 12  # a fen or so of rounding a term
            assert exposure(market, each).equity_fen >= needed - 12
    market.core.check()


def slow_requirement(market, account):
    table = market.state.contract_table.rows
    terms = [
        reference.Terms(*(int(row[name]) for name in ("scan", "roll", "failure", "group", "grade", "hub")))
        for row in table
    ]
    rows = market.state.positions.rows
    held = {int(r["contract"]): int(r["lots"]) for r in rows[rows["account"] == account]}
    return reference.margin(held, terms, RULES, {}).requirement
