"""What views show, and that they agree with one another."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from exchange.domain import messages as m
from exchange.domain import primary as p
from exchange.domain.contracts import PeriodKind
from exchange.service.tape import Tape
from exchange.service.views import Views
from matching.records import Side

SATURDAY, TUESDAY = "H100.GUIAN.261205", "H100.GUIAN.261208"


class Watched:
    """A market whose trades go to a tape, as in the exchange."""

    def __init__(self, market, capacity=100):
        self.market = market
        self.tape = Tape(capacity)
        self.views = Views(market.core, self.tape)

    def orders(self, *rows):
        applied = self.market.orders(*rows)
        self.tape.record(applied)
        return applied

    def trade(self, symbol, seller, buyer, lots, price):
        order = self.market.order
        sell = order(seller, symbol, Side.SELL, lots, price)
        self.orders(sell, order(buyer, symbol, Side.BUY, lots, price))


@pytest.fixture
def watched(market):
    market.open()
    return Watched(market)


def test_a_contract_shows_its_market(watched):
    order = watched.market.order
    watched.orders(order(1, TUESDAY, Side.SELL, 5, 1_210), order(2, TUESDAY, Side.BUY, 3, 1_190))
    watched.trade(TUESDAY, 3, 2, 2, 1_205)
    view = watched.views.contract(TUESDAY)
    assert (view.bid_price, view.bid_lots, view.ask_price, view.ask_lots) == (1_190, 3, 1_210, 5)
    assert (view.last_price, view.volume_lots, view.open_interest_lots) == (1_205, 2, 2)
    assert (view.reference_price, view.settled, view.active) == (1_200, False, True)
    assert view == next(v for v in watched.views.contracts() if v.contract.symbol == TUESDAY)
    book = watched.views.book(TUESDAY, 5)
    assert [(level.price, level.lots, level.orders) for level in book.bids] == [(1_190, 3, 1)]
    assert [(level.price, level.lots, level.orders) for level in book.asks] == [(1_210, 5, 1)]
    assert book.as_of_seq == watched.views.seq == watched.market.core.seq


def test_an_ended_contract_is_still_shown_but_not_traded(watched):
    watched.market.settle()
    views = watched.views
    assert views.contract(SATURDAY).active is False
    assert views.index(SATURDAY) is None
    assert views.book(SATURDAY).bids == ()
    assert SATURDAY in {view.contract.symbol for view in views.contracts(active=False)}
    assert SATURDAY not in {view.contract.symbol for view in views.contracts()}
    assert len(views.contracts(active=None)) == len(views.contracts()) + len(views.contracts(active=False))


def test_trades_and_fills_are_two_sides_of_one_tape(watched):
    for lots in (1, 2, 3):
        watched.trade(TUESDAY, 1, 2, lots, 1_200 + lots)
    watched.trade(SATURDAY, 1, 3, 4, 1_200)
    assert [trade.lots for trade in watched.views.trades(TUESDAY)] == [3, 2, 1]
    assert [trade.lots for trade in watched.views.trades(TUESDAY, limit=1)] == [3]
    assert [fill.lots for fill in watched.views.fills(1)] == [4, 3, 2, 1]
    assert {fill.side for fill in watched.views.fills(1)} == {"sell"}
    assert [fill.lots for fill in watched.views.fills(2, symbol=TUESDAY)] == [3, 2, 1]
    assert watched.views.fills(2, symbol=SATURDAY) == []
    fees = sum(fill.fee_fen for account in (1, 2, 3) for fill in watched.views.fills(account))
    assert fees == watched.views.money().house_cash_fen


def test_the_tape_forgets_the_oldest(market):
    market.open()
    watched = Watched(market, capacity=5)
    for lots in range(1, 9):
        watched.trade(TUESDAY, 1, 2, lots, 1_200)
    trades = watched.views.trades(TUESDAY)
    assert [trade.lots for trade in trades] == [8, 7, 6, 5, 4]
    assert [trade.trade_id for trade in trades] == [8, 7, 6, 5, 4]


def test_a_position_shows_what_the_day_would_bring(watched):
    watched.trade(TUESDAY, 1, 2, 2, 1_200)
    watched.trade(TUESDAY, 1, 3, 1, 1_210)
    (position,) = watched.views.positions(2)
    assert (position.lots, position.day_result_fen) == (2, 480)
    total = sum(p.day_result_fen for account in (1, 2, 3) for p in watched.views.positions(account))
    assert total == 0


def test_statements_chain_from_day_to_day(watched):
    market, views = watched.market, watched.views
    watched.trade(SATURDAY, 1, 2, 3, 1_210)
    market.settle()
    market.at(1, 0, date(2026, 12, 6))
    market.do(m.FinishDelivery(day=date(2026, 12, 5)))
    for account in range(4):
        closing = 0
        for ahead in range(4):
            statement = views.statement(account, market.friday + timedelta(days=ahead))
            assert statement.opening_cash_fen == closing
            closing = statement.closing_cash_fen
            assert closing == statement.opening_cash_fen + sum(line.amount_fen for line in statement.lines)
        assert closing == market.cash_of(account)  # clause 8.6


def test_money_adds_up(watched):
    watched.trade(TUESDAY, 1, 2, 3, 1_210)
    watched.market.do(m.Withdraw(member="coral", amount_fen=5))
    money = watched.views.money()
    assert money.deposits_fen - money.withdrawals_fen == money.cash_total_fen  # clause 8.5
    total = sum(member.cash_fen for member in watched.views.members()) + money.house_cash_fen
    assert total == money.cash_total_fen


def test_the_unknown_is_absent_not_an_error(watched):
    views = watched.views
    assert views.contract("H100.GUIAN.990101") is None
    assert views.book("nonsense") is None
    assert views.index("nonsense") is None
    assert views.contract_at(10**6) is None
    assert views.trades("nonsense") == []
    assert views.member("nobody") is None
    assert views.member_of(0) is None
    assert views.key("nobody") is None
    assert views.balance(99) is None
    assert views.positions(99) == views.fills(99) == views.capacity(99) == views.reservations(99) == []
    assert views.settlements() == []
    assert views.settled_day is None


def test_keys_and_capacity(watched):
    market, views = watched.market, watched.views
    market.do(m.AddKey(member="acme", key_id="k1", scopes=("read", "provide"), ciphertext=b"x"))
    assert (views.key("k1").account, views.key("k1").kind, views.key("k1").enabled) == (1, "provider", True)
    market.do(m.RevokeKey(key_id="k1"))
    assert views.key("k1").enabled is False
    days = {"first_day": date(2026, 12, 5), "last_day": date(2026, 12, 6)}
    posted = market.do(p.PostCapacity(account=1, grade="H100", hub="GUIAN", cards=3, **days))
    (view,) = views.capacity(1)
    assert (view.capacity_id, view.cards, view.withdrawn) == (posted.data["capacity_id"], 3, False)
    market.do(p.WithdrawCapacity(account=1, capacity_id=view.capacity_id))
    assert views.capacity()[0].withdrawn
    assert views.conversion() == []


def test_contracts_can_be_narrowed_and_paged(watched):
    views = watched.views
    days = views.contracts(grade="H100", hub="GUIAN", kind=PeriodKind.DAY)
    assert [view.contract.symbol for view in days] == [f"H100.GUIAN.2612{day:02d}" for day in range(5, 12)]
    assert views.contracts(hub="NOWHERE") == []
    pages, after = [], -1
    while page := views.contracts(kind=PeriodKind.WEEK, after=after, limit=3):
        pages += page
        after = page[-1].contract.index
    assert pages == views.contracts(kind=PeriodKind.WEEK)
    assert len(pages) == 8


def test_a_view_is_never_older_than_the_state(watched):
    """What is kept between calls must equal what a fresh look builds, whatever happens in between."""
    market, order = watched.market, watched.market.order

    def same():
        fresh = Views(market.core, watched.tape)
        assert watched.views.contracts(active=None) == fresh.contracts(active=None)

    same()
    watched.orders(order(1, TUESDAY, Side.SELL, 5, 1_210))
    same()
    watched.trade(TUESDAY, 1, 2, 2, 1_205)
    same()
    market.do(m.Halt(symbol=TUESDAY, halted=True))
    same()
    market.do(m.Deposit(member="acme", amount_fen=1))
    same()
    market.cancel(1, int(market.state.engine.open_orders(1)["order_id"][0]))
    same()
    market.settle()
    same()
