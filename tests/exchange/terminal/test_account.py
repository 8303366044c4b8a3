"""Snapshots and news of an account amount to the account, however they cross: against replaying all of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import example, given, settings
from hypothesis import strategies as st
from terminal_market import HOURS, NOON, SYMBOL, contract

from exchange.api.feed import FeedAccount, FillNews, OrderNews
from exchange.api.formats import price_text
from exchange.api.money import Balances
from exchange.api.trading import Fill, Fills, Order, Orders
from exchange.terminal.state.account import Account
from exchange.terminal.state.quotes import quote_of

FEE_FEN = 3


@dataclass
class Truth:
    """An exchange with one account and everything that it ever said, one message a command."""

    messages: list[FeedAccount] = field(default_factory=list)
    fills: list[tuple[int, FillNews]] = field(default_factory=list)
    open: dict[str, OrderNews] = field(default_factory=dict)
    past: list[dict[str, tuple[int, str]]] = field(default_factory=lambda: [{}])
    """Open lots and side of the orders that stood, by seq."""

    @property
    def seq(self) -> int:
        return len(self.messages)

    def place(self, side: str, lots: int, price: int, at_once: int) -> None:
        """An order of which some trades at once."""
        order_id = str(1000 + self.seq)
        new = self._news(order_id, side, "accepted", price, lots)
        fills = [self._fill(new, min(at_once, lots))] if at_once else []
        self._say([new], fills)

    def fill(self, place: int, lots: int) -> None:
        order = self._pick(place)
        if order is not None:
            self._say([], [self._fill(order, min(lots, order.open_quantity))])

    def end(self, place: int, left: int) -> None:
        """A cancel, perhaps of a part; or an amendment to another quantity."""
        order = self._pick(place)
        if order is not None:
            event = "cancelled" if left < order.open_quantity else "amended"
            self._say([self._changed(order, event, left)], [])

    def orders_now(self) -> Orders:
        found = [self._standing(one) for one in self.open.values()]
        return Orders(orders=found, as_of_seq=self.seq)

    def fills_now(self) -> Fills:
        found = [
            Fill(
                fill_id=str(number),
                order_id=news.order_id,
                symbol=SYMBOL,
                side=news.side,
                price=news.price,
                quantity=news.quantity,
                liquidity="maker",
                fee_fen=FEE_FEN,
                time=NOON,
            )
            for number, (_, news) in enumerate(self.fills)
        ]
        return Fills(fills=found[::-1], as_of_seq=self.seq)

    def position(self) -> int:
        return sum(one.quantity if one.side == "buy" else -one.quantity for _, one in self.fills)

    def profit_fen(self, mark: int) -> int:
        """Each lot from its own price to the mark, less its fees."""
        moved = sum(
            (1 if one.side == "buy" else -1)
            * one.quantity
            * (mark * HOURS - round(float(one.price) * 100) * HOURS)
            for _, one in self.fills
        )
        return moved - FEE_FEN * len(self.fills)

    def _pick(self, place: int) -> OrderNews | None:
        orders = list(self.open.values())
        return orders[place % len(orders)] if orders else None

    def _say(self, orders: list[OrderNews], fills: list[FillNews]) -> None:
        for order in orders:
            self.open[order.order_id] = order
        for fill in fills:
            self.fills.append((self.seq + 1, fill))
            self.open[fill.order_id] = self._changed(self.open[fill.order_id], "accepted", fill.open_quantity)
        self.open = {name: one for name, one in self.open.items() if one.open_quantity}
        self.past.append({one.order_id: (one.open_quantity, one.side) for one in self.open.values()})
        positions = {SYMBOL: self.position()}
        self.messages.append(FeedAccount(self.seq + 1, orders, fills, 0, 0, 0, positions))

    def _news(self, order_id: str, side: str, event: str, price: int, left: int) -> OrderNews:
        return OrderNews(
            self.seq + 1,
            order_id,
            None,
            SYMBOL,
            side,
            event,
            price_text(price),
            left,
            None,  # type: ignore[arg-type]
        )

    def _changed(self, order: OrderNews, event: str, left: int) -> OrderNews:
        price = round(float(order.price) * 100)
        return self._news(order.order_id, order.side, event, price, left)

    def _fill(self, order: OrderNews, lots: int) -> FillNews:
        left = order.open_quantity - lots
        return FillNews(
            self.seq + 1, order.order_id, SYMBOL, order.side, order.price, lots, left, "maker", FEE_FEN
        )

    def _standing(self, one: OrderNews) -> Order:
        return Order(
            order_id=one.order_id,
            client_order_id=None,
            symbol=SYMBOL,
            side=one.side,
            type="limit",
            price=one.price,
            trigger_price=None,
            trailing_offset=None,
            quantity=one.open_quantity,
            open_quantity=one.open_quantity,
            shown_quantity=one.open_quantity,
            display_quantity=None,
            time_in_force="day",
            expiry_day=None,
            post_only=None,
            reduce_only=False,
            self_trade_prevention="none",
            group=0,
        )


class Reader:
    """An account that hears late, reads snapshots meanwhile, and sometimes misses what was said."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self.account = Account()
        self.heard = 0
        self.missed = False
        self.read = 0
        """What the orders of the latest snapshot are as of."""
        self.reading: list[Orders | Fills] | None = None

    def hear(self, count: int) -> None:
        for message in self.truth.messages[self.heard : self.heard + count]:
            self.account.follow(message, message.positions, NOON)
            self.heard += 1

    def miss(self) -> None:
        """The connection was gone for too long; a snapshot that was being read is no good."""
        self.heard, self.missed, self.reading = self.truth.seq, True, None

    def read_on(self) -> None:
        """The next step of reading a snapshot: begin, orders, fills, take over."""
        if self.reading is None:
            self.account.expect_snapshot()
            self.reading = []
        elif len(self.reading) < 2:
            self.reading.append(self.truth.fills_now() if self.reading else self.truth.orders_now())
        else:
            orders, fills = self.reading
            assert isinstance(orders, Orders)
            assert isinstance(fills, Fills)
            self.account.load(orders, fills, "2026-12-03")
            self.reading, self.missed, self.read = None, False, orders.as_of_seq

    def read_all(self) -> None:
        """Read a snapshot to its end."""
        self.read_on()
        while self.reading is not None:
            self.read_on()

    def check(self) -> None:
        """The orders are those of the latest that was heard or read, unless something was missed."""
        standing = {one.order_id: (one.open_lots, one.side) for one in self.account.orders.values()}
        assert self.missed or standing == self.truth.past[max(self.heard, self.read)]


numbers = st.integers(0, 5)
sides = st.sampled_from(["buy", "sell"])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("place"), sides, st.integers(1, 6), st.integers(1180, 1190), st.integers(0, 3)),
        st.tuples(st.just("fill"), numbers, st.integers(1, 4)),
        st.tuples(st.just("end"), numbers, numbers),
        st.tuples(st.just("hear"), st.integers(1, 3)),
        st.tuples(st.just("read_on")),
        st.tuples(st.just("read_all")),
        st.tuples(st.just("miss")),
    ),
    max_size=40,
)


@given(steps)
@example([("place", "buy", 2, 1180, 0), ("end", 0, 0), ("read_all",), ("hear", 1)])
@example([("place", "buy", 2, 1180, 1), ("read_all",), ("hear", 1)])
@settings(max_examples=60, deadline=None)
def test_snapshots_and_news_amount_to_the_account(taken: list[tuple[object, ...]]) -> None:
    truth = Truth()
    reader = Reader(truth)
    for name, *given_values in taken:
        getattr(truth if name in ("place", "fill", "end") else reader, str(name))(*given_values)
        reader.check()
    while reader.missed or reader.reading is not None:
        reader.read_on()
    reader.hear(truth.seq)
    account = reader.account
    reader.check()
    told = [(fill.order_id, fill.lots, fill.price) for fill in reversed(account.fills)]
    assert told == [(one.order_id, one.quantity, round(float(one.price) * 100)) for _, one in truth.fills]
    account.positions = {SYMBOL: truth.position()}
    quote = quote_of(contract())
    quote.last = 1187
    assert account.profit_fen(SYMBOL, quote) == truth.profit_fen(1187)


def test_what_is_left_of_a_market_to_limit_order_stands_where_it_traded() -> None:
    account = Account()
    new = OrderNews(1, "7", None, SYMBOL, "buy", "accepted", "0.00", 10, None)
    fill = FillNews(1, "7", SYMBOL, "buy", "11.90", 6, 4, "taker", FEE_FEN)
    account.follow(FeedAccount(1, [new], [fill], 0, 0, 0, {SYMBOL: 6}), {SYMBOL: 6}, NOON)
    assert [(one.price, one.open_lots) for one in account.orders.values()] == [(1190, 4)]


def test_a_trade_and_a_cut_of_one_command_leave_the_lesser() -> None:
    account = Account()
    ours = ("7", None, SYMBOL, "buy")
    new = OrderNews(1, *ours, "accepted", "11.90", 10, None)
    cut = OrderNews(1, *ours, "cancelled", "11.90", 5, "SELF_TRADE")
    fill = FillNews(1, "7", SYMBOL, "buy", "11.90", 3, 7, "taker", FEE_FEN)
    account.follow(FeedAccount(1, [new, cut], [fill], 0, 0, 0, {SYMBOL: 3}), {SYMBOL: 3}, NOON)
    assert [one.open_lots for one in account.orders.values()] == [5]


def test_older_news_dont_undo_the_money_of_a_snapshot() -> None:
    account = Account()
    paid_in = Balances(
        account="1",
        cash_fen=900,
        delivery_hold_fen=0,
        margin_fen=100,
        available_fen=800,
        withdrawable_fen=800,
        as_of_seq=10,
    )
    account.load_money(paid_in, [], 10)
    account.follow(FeedAccount(8, [], [], 500, 100, 400, {}), {}, NOON)
    assert (account.cash_fen, account.available_fen, account.seq) == (900, 800, 10)


def test_what_was_held_at_the_last_settlement_is_counted_from_its_price() -> None:
    account = Account()
    account.positions = {SYMBOL: 5}
    quote = quote_of(contract())
    assert account.profit_fen(SYMBOL, quote) == 0, "there is no trade yet"
    quote.last = quote.reference + 10
    assert account.profit_fen(SYMBOL, quote) == 5 * 10 * HOURS
