"""Days of trading through the core: worked examples of chapters 4 to 8, recomputed."""

from __future__ import annotations

from datetime import date, time, timedelta

import numpy as np
import pytest

from exchange.clearing.ledger import LedgerKind
from exchange.domain import messages as m
from exchange.domain import primary as p
from exchange.domain.calendar import NS_PER_HOUR, moment_ns
from exchange.domain.phases import MarketPhase
from exchange.domain.proposals import Decide, Propose, RestoreMember
from exchange.domain.rejects import RejectCode as DomainCode
from exchange.service.tape import Tape
from exchange.service.views import Views
from exchange.service.viewtypes import LedgerLine
from matching.records import EventKind, RejectCode, Side, TimeInForce

SATURDAY_H100 = "H100.GUIAN.261205"
TUESDAY_H100 = "H100.GUIAN.261208"
WEEK_T4 = "T4.SHANGHAI-EDGE.26W50"
MONDAY_T4 = "T4.SHANGHAI-EDGE.261207"
WEDNESDAY_T4 = "T4.SHANGHAI-EDGE.261209"


@pytest.fixture
def views(market):
    return Views(market.core, Tape(100))


def test_fee_of_the_taker_goes_to_the_house(market) -> None:
    market.open()
    market.trade(SATURDAY_H100, seller=1, buyer=2, lots=1, price=1_201)
    assert market.cash_of(2) == market.cash - 6  # clause 8.1
    assert market.cash_of(1) == market.cash
    assert market.cash_of(0) == 6
    market.core.check()


def test_a_settlement_asks_for_the_room_that_its_cascades_take_and_no_more(market_type) -> None:
    """Clause 6.4: of the week's seven days five are listed on the Friday before it."""
    listed = len(market_type().state.contracts)
    full, room = market_type(max_instruments=listed + 1), market_type(max_instruments=listed + 2)
    for market in (full, room):
        market.open()
        market.trade(WEEK_T4, seller=1, buyer=2, lots=1, price=1_200)
        market.at(15, 0)
        market.do(m.SetPhase(phase=MarketPhase.CLOSED))
    settle = m.SettleDay(day=full.day)
    assert full.refused(settle) is DomainCode.CONTRACT_LIMIT
    room.do(settle)
    assert room.lots(2, "T4.SHANGHAI-EDGE.261213") == 1
    idle = market_type(max_instruments=listed)
    idle.open()
    idle.settle()
    assert idle.state.day.phase is MarketPhase.SETTLED


def test_the_call_auction_is_free_and_trades_at_one_price(market) -> None:
    market.call()
    applied = market.orders(
        market.order(1, SATURDAY_H100, Side.SELL, 5, 1_190),
        market.order(2, SATURDAY_H100, Side.BUY, 3, 1_210),
    )
    assert not (applied.events["kind"] == EventKind.TRADE).any()  # clause 4.4
    market.at(8, 59)
    market.do(m.SetPhase(phase=MarketPhase.MATCHED))
    assert market.lots(2, SATURDAY_H100) == 3
    assert market.lots(1, SATURDAY_H100) == -3
    assert market.cash_of(0) == 0  # clause 8.1
    market.core.check()


def test_no_orders_between_the_match_and_the_opening_nor_before_the_call(market) -> None:
    for step in (lambda: None, market.open, market.settle):
        step()
        if market.state.day.phase is not MarketPhase.CONTINUOUS:
            applied = market.orders(market.order(1, TUESDAY_H100, Side.SELL, 1, 1_200))
            assert applied.events["kind"].tolist() == [EventKind.REJECTED]


def test_settlement_takes_the_last_hour(market, views) -> None:
    market.open()
    market.at(13, 59)
    market.trade(TUESDAY_H100, 1, 2, lots=100, price=1_300)
    market.at(14, 0)
    market.trade(TUESDAY_H100, 1, 2, lots=5, price=1_201)
    market.trade(TUESDAY_H100, 1, 3, lots=1, price=1_204)
    market.settle()
    settled = {s.symbol: s for s in views.settlements()}
    assert (settled[TUESDAY_H100].price, settled[TUESDAY_H100].rule) == (1_202, "last hour")  # clause 6.1
    assert settled[SATURDAY_H100].rule == "previous"
    assert settled[TUESDAY_H100].open_interest_lots == 106
    low, high = (views.contract(TUESDAY_H100).price_low, views.contract(TUESDAY_H100).price_high)
    assert (low, high) == (1_082, 1_322)  # clause 4.5
    assert views.contract(TUESDAY_H100).margin_long_fen == 1_443  # clause 5.1: 1442.4 up
    assert views.balance(2).margin_fen == 105 * 1_443


def test_variation_margin_in_cash(market, views) -> None:
    market.open()
    market.trade(TUESDAY_H100, 1, 2, lots=2, price=1_200)
    market.at(14, 30)
    market.trade(TUESDAY_H100, 3, 2, lots=1, price=1_210)
    market.settle()
    fee = 12 + 6  # 2 basis points of 57,600 and of 29,040, half up
    assert market.cash_of(2) == market.cash + 480 - fee  # clause 6.2
    assert market.cash_of(1) == market.cash - 480
    assert market.cash_of(3) == market.cash
    statement = views.statement(2, market.friday)
    assert statement.opening_cash_fen == 0  # clause 8.6
    assert statement.closing_cash_fen == market.cash_of(2)
    assert LedgerLine("variation margin", TUESDAY_H100, 480) in statement.lines
    assert LedgerLine("fee", TUESDAY_H100, -fee) in statement.lines
    market.core.check()


def test_a_position_held_overnight_is_marked_from_its_last_settlement(market, views):
    market.open()
    market.at(14, 0)
    market.trade(TUESDAY_H100, 1, 2, lots=2, price=1_210)
    market.settle()
    market.day = date(2026, 12, 7)
    for delivered in (5, 6):
        market.at(1, 0, date(2026, 12, delivered + 1))
        market.do(m.FinishDelivery(day=date(2026, 12, delivered)))
    market.open()
    market.at(14, 0)
    market.trade(TUESDAY_H100, 1, 3, lots=1, price=1_250)
    market.settle()
    lines = views.statement(2, market.day).lines
    assert lines == (LedgerLine("variation margin", TUESDAY_H100, 24 * 2 * 40),)  # clause 6.2
    (reservation,) = views.reservations(2)
    assert reservation.price == 1_250
    market.core.check()


def test_a_week_cascades_into_its_days_at_the_same_value(market, views) -> None:
    market.open()
    market.at(14, 0)
    market.trade(WEEK_T4, 1, 2, lots=5, price=1_200)
    market.trade(MONDAY_T4, 3, 2, lots=1, price=1_230)
    market.trade(WEDNESDAY_T4, 1, 3, lots=2, price=1_250)
    paid = market.cash_of(2)
    market.settle()
    # clause 6.4: week settled at 1200, days at their own prices on the same day
    gain = 24 * (5 * (1_230 - 1_200) + 5 * (1_250 - 1_200))
    assert market.cash_of(2) == paid + gain
    assert market.lots(2, WEDNESDAY_T4) == 5
    assert market.lots(2, "T4.SHANGHAI-EDGE.261213") == 5  # was not listed: 9 days ahead
    assert views.contract("T4.SHANGHAI-EDGE.261213").reference_price == 1_200
    assert views.contract(WEEK_T4).active is False
    monday = [r for r in views.reservations(2, date(2026, 12, 7)) if r.symbol == MONDAY_T4]
    assert sorted((r.provider, r.lots) for r in monday) == [(1, 5), (3, 1)]  # clause 7.3
    fees = [line.amount_fen for line in views.statement(0, market.friday).lines if line.kind == "fee"]
    assert sum(fees) == market.cash_of(0)
    market.core.check()


def test_a_settlement_enters_fees_first_and_what_ends_before_what_goes_on(market) -> None:
    """Clause 6.3."""
    market.open()
    market.at(14, 0)
    for buyer, price in ((2, 1_200), (3, 1_210)):
        market.trade(WEEK_T4, 1, buyer, lots=5, price=price)
    market.trade(MONDAY_T4, 3, 2, lots=1, price=1_230)
    market.settle()
    rows = market.state.ledger.rows
    rows = rows[rows["seq"] == market.core.seq]
    fees = rows["kind"] == LedgerKind.FEE
    assert fees[: fees.sum()].all() and 0 < fees.sum() < len(rows)
    marked = rows["contract"][~fees].tolist()
    week, monday = (market.state.contracts_by_symbol[symbol].index for symbol in (WEEK_T4, MONDAY_T4))
    assert marked.index(week) < marked.index(monday)
    assert week not in marked[marked.index(monday) :]


def test_a_month_cascades_whole(market_type) -> None:
    market = market_type(day=date(2026, 12, 31))  # a Thursday; January begins on Friday
    market.open()
    market.trade("H100.GUIAN.2701", 1, 2, lots=3, price=1_200)
    market.trade("H100.GUIAN.2702", 1, 2, lots=1, price=1_200)
    market.settle()
    rows = market.state.positions.rows
    days = rows[(rows["account"] == 2) & (rows["lots"] == 3)]
    assert len(days) == 30  # January 1st has become a reservation
    assert len(market.state.reservations.rows) == 1
    market.core.check()


def test_a_quarter_becomes_its_months_and_the_first_one_its_days(market_type) -> None:
    market = market_type(day=date(2026, 12, 31))
    market.open()
    market.at(14, 0)
    market.trade("H100.GUIAN.27Q1", 1, 2, lots=2, price=1_100)
    market.trade("H100.GUIAN.2702", 1, 3, lots=1, price=1_200)
    market.trade("H100.GUIAN.2701", 3, 2, lots=1, price=1_150)
    paid = market.cash_of(2)
    market.settle()
    views = Views(market.core, Tape(100))

    def settled(period: str) -> int:
        return views.contract(f"H100.GUIAN.{period}").reference_price

    assert (settled("27Q1"), settled("2701"), settled("2702")) == (1_100, 1_150, 1_200)
    # clause 6.4: what came in at the parent's price is marked to the part's own
    months = 744 * (1_150 - 1_100) + 672 * (1_200 - 1_100) + 744 * (settled("2703") - 1_100)
    days = sum(24 * (settled(f"2701{day:02d}") - 1_150) for day in range(1, 32))
    assert market.cash_of(2) == paid + 2 * months + 3 * days
    assert market.lots(2, "H100.GUIAN.2702") == 2
    assert market.lots(2, "H100.GUIAN.2703") == 2
    assert market.lots(2, "H100.GUIAN.270115") == 3
    assert views.contract("H100.GUIAN.27Q1").active is False
    assert [row["lots"] for row in market.state.reservations.rows if row["buyer"] == 2] == [2, 1]
    market.core.check()


def test_delivery_is_invoiced_at_the_settlement_price_and_nobody_pays_twice(market, views) -> None:
    market.open()
    market.trade(SATURDAY_H100, 1, 2, lots=2, price=1_200)
    market.at(14, 0)
    market.trade(SATURDAY_H100, 3, 2, lots=1, price=1_210)
    market.settle()
    balance = views.balance(2)
    assert balance.delivery_hold_fen == 3 * 24 * 1_210  # clause 5.3
    assert balance.equity_fen == balance.cash_fen - balance.delivery_hold_fen
    (first,) = [r for r in views.reservations(1) if r.provider == 1]
    market.at(0, 30, date(2026, 12, 6))
    readings = tuple(m.Reading(first.reservation_id, first.start_ns + h * NS_PER_HOUR, 2) for h in range(23))
    market.do(m.MeterReadings(account=1, readings=readings))
    before = market.cash_of(2)
    market.at(1, 0, date(2026, 12, 6))
    market.do(m.FinishDelivery(day=date(2026, 12, 5)))
    assert market.cash_of(2) == before - 46 * 1_210  # clause 7.5
    assert views.balance(2).delivery_hold_fen == 0
    first, second = views.reservations(2)
    assert (first.invoiced_fen, first.shortfall_card_hours) == (46 * 1_210, 2)  # clause 7.6
    assert (second.invoiced_fen, second.shortfall_card_hours) == (0, 24)
    # clause 7.5: what account 2 paid in all for 46 card-hours of provider 1 is its own price
    fees = sum(line.amount_fen for line in views.statement(2, market.friday).lines if line.kind == "fee")
    margin = 2 * 24 * 10
    assert market.cash - market.cash_of(2) == 46 * 1_210 - margin - fees
    market.core.check()


def test_eight_card_lots_are_metered_in_cards(market, views) -> None:
    market.open()
    market.trade(MONDAY_T4, 1, 2, lots=1, price=1_201)
    market.settle()
    (reservation,) = views.reservations(2)
    assert reservation.cards == 8
    market.at(1, 0, date(2026, 12, 6))
    market.do(m.FinishDelivery(day=date(2026, 12, 5)))
    market.at(1, 0, date(2026, 12, 7))
    market.do(m.FinishDelivery(day=date(2026, 12, 6)))
    market.at(12, 0, date(2026, 12, 7))
    market.do(m.MeterReadings(account=1, readings=(m.Reading(1, reservation.start_ns, 3),)))
    market.at(1, 0, date(2026, 12, 8))
    market.do(m.FinishDelivery(day=date(2026, 12, 7)))
    assert views.reservations(2)[0].invoiced_fen == 450  # 1201 × 3 ÷ 8 = 450.375
    market.core.check()


def test_day_orders_expire_and_others_stay_within_the_new_limits(market) -> None:
    market.open()
    stays = market.order(1, TUESDAY_H100, Side.SELL, 1, 1_300)
    stays["tif"] = TimeInForce.GTC
    falls = market.order(3, TUESDAY_H100, Side.BUY, 1, 1_081)
    falls["tif"] = TimeInForce.GTC
    market.orders(stays, falls, market.order(1, TUESDAY_H100, Side.SELL, 1, 1_310))
    market.at(14, 0)
    market.trade(TUESDAY_H100, 1, 2, lots=1, price=1_290)
    market.settle()
    left = market.state.engine.open_orders(1)
    assert left["price"].tolist() == [1_300]  # clause 4.6
    assert len(market.state.engine.open_orders(3)) == 0  # clause 4.5: below 1,161


def test_conversion_counts_first_sales_once(market, views) -> None:
    days = {"first_day": date(2026, 12, 8), "last_day": date(2026, 12, 8)}
    market.do(p.PostCapacity(account=1, grade="H100", hub="GUIAN", cards=10, **days))
    market.open()
    market.trade(TUESDAY_H100, 1, 2, lots=4, price=1_200)
    market.trade(TUESDAY_H100, 2, 1, lots=3, price=1_200)
    market.trade(TUESDAY_H100, 1, 2, lots=3, price=1_200)
    (row,) = views.conversion()  # clause 7.2
    assert (row.posted_card_hours, row.sold_card_hours) == (240, 96)
    market.trade(TUESDAY_H100, 1, 2, lots=20, price=1_200)
    assert views.conversion()[0].sold_card_hours == 240


def test_a_halt_stops_one_contract(market) -> None:
    market.open()
    market.do(m.Halt(symbol=TUESDAY_H100, halted=True))  # clause 4.7
    halted = market.orders(market.order(1, TUESDAY_H100, Side.SELL, 1, 1_200))
    assert halted.events["kind"].tolist() == [EventKind.REJECTED]
    market.trade(SATURDAY_H100, 1, 2, 1, 1_200)
    market.do(m.Halt(symbol=TUESDAY_H100, halted=False))
    market.trade(TUESDAY_H100, 1, 2, 1, 1_200)


def test_an_order_beyond_the_equity_is_refused(market) -> None:
    market.do(m.Withdraw(member="blue", amount_fen=market.cash - 10 * 1_440))
    market.open()
    eleven = market.orders(market.order(2, TUESDAY_H100, Side.BUY, 11, 1_200))
    assert eleven.events["code"].tolist() == [RejectCode.MARGIN]  # clauses 5.1 and 5.2
    ten = market.orders(market.order(2, TUESDAY_H100, Side.BUY, 10, 1_200))
    assert ten.events["kind"][0] == EventKind.ACCEPTED
    one_more = market.orders(market.order(2, SATURDAY_H100, Side.SELL, 1, 1_200))
    assert one_more.events["code"].tolist() == [RejectCode.MARGIN]
    market.do(m.Deposit(member="blue", amount_fen=1_440))
    assert market.orders(market.order(2, SATURDAY_H100, Side.SELL, 1, 1_200)).events["kind"][0] == 1


def test_a_suspended_member_may_only_cancel(market) -> None:
    market.open()
    resting = market.orders(market.order(1, TUESDAY_H100, Side.SELL, 1, 1_250))
    market.do(m.SetMemberState(name="acme", state="suspended"))  # clause 5.4
    assert market.state.engine.open_orders(1).size == 0
    refused = market.orders(market.order(1, TUESDAY_H100, Side.SELL, 1, 1_250))
    assert refused.events["code"].tolist() == [RejectCode.ACCOUNT_DISABLED]
    cancelled = market.cancel(1, int(resting.events["order_id"][0]))
    assert cancelled.events["code"].tolist() == [RejectCode.UNKNOWN_ORDER]
    assert market.refused(m.SetMemberState(name="acme", state="approved")).name == "SECOND_OPERATOR_NEEDED"
    for name in ("first", "second"):
        market.do(m.AddMember(name=name, kind="operator", roles=("risk",)))
    number = market.do(Propose(operator=4, action=RestoreMember("acme"))).data["proposal_id"]
    assert market.refused(Decide(operator=4, proposal_id=number, approve=True)).name == "SAME_OPERATOR"
    market.do(Decide(operator=5, proposal_id=number, approve=True))
    market.trade(TUESDAY_H100, 1, 2, 1, 1_200)


def test_a_withdrawal_leaves_what_is_held(market, views) -> None:
    market.open()
    market.trade(SATURDAY_H100, 1, 2, lots=10, price=1_200)
    free = views.balance(2).available_fen
    assert free == market.cash - 10 * 1_440 - 58  # clause 8.4: margin, and the fee of 57.6
    too_much = market.refused(m.Withdraw(member="blue", amount_fen=free + 1))
    assert too_much.name == "INSUFFICIENT_CASH"
    market.do(m.Withdraw(member="blue", amount_fen=free))
    assert views.balance(2).available_fen == 0
    market.settle()
    assert views.balance(2).available_fen == 10 * 1_440 - 10 * 1_200 * 24
    market.core.check()


def test_many_days_in_a_row_conserve_money(market_type) -> None:
    market = market_type()
    rng = np.random.default_rng(7)
    day = market.day
    window = time(14, 0)
    for _ in range(6):
        market.day = day
        if market.state.day.trading_day is not None:
            market.at(8, 30, day)
            while market.state.day.delivered_day < day - timedelta(days=2):
                market.do(m.FinishDelivery(day=market.state.day.delivered_day + timedelta(days=1)))
        market.open()
        active = [market.state.contracts[i] for i in market.state.active_contracts()]
        for _ in range(40):
            contract = active[rng.integers(len(active))]
            seller, buyer = rng.permutation([1, 2, 3])[:2]
            row = market.state.contract_row(contract.index)
            price = int(rng.integers(row["price_low"], row["price_high"] + 1))
            market.trade(contract.symbol, int(seller), int(buyer), int(rng.integers(1, 9)), price)
            if rng.random() < 0.3:
                market.now_ns = max(market.now_ns, moment_ns(day, window))
        market.settle()
        market.core.check()
        day += timedelta(days=1 if day.weekday() < 4 else 3)
    kinds = set(market.state.ledger.rows["kind"].tolist())
    assert kinds == {LedgerKind.DEPOSIT, LedgerKind.FEE, LedgerKind.VARIATION_MARGIN}
