"""Connects the state to the exchange: two streams in, snapshots beside them, orders and cancels out.

One stream carries all tops, the market's phase and the account's news for as long as the terminal runs; the
other the book, trades and candles of the chosen contract, and is replaced with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Final

from exchange.api.feed import Channel, FeedAccount, FeedOrders, FeedOrdersDelta, FeedStatus, FeedWelcome
from exchange.api.history import Interval
from exchange.api.requests import NewOrder
from exchange.client import (
    AccountMissed,
    ExchangeClient,
    ExchangeError,
    Interrupted,
    OrderDesk,
    OrderState,
    Stream,
)
from exchange.client import Ticket as OrderTicket
from exchange.client.desk import ENDED, with_id
from exchange.terminal.snapshots import Snapshots
from exchange.terminal.state.account import Working
from exchange.terminal.state.model import TradingModel
from exchange.terminal.state.tape import INTERVALS

PATIENCE_S: Final = 5.0
"""How long one attempt to clear an order up lasts; there is another after it."""
CALLS_S: Final = 15.0
"""How often margin calls are looked for."""
CANDLES: Final[dict[Interval, Channel]] = {
    "1m": "candles_1m",
    "5m": "candles_5m",
    "1h": "candles_1h",
    "1d": "candles_1d",
}
SHARE_S: Final = 0.02
"""After this long of messages without a pause keys and the screen get their turn."""


class Link:
    """See the module. Everything runs in one event loop, that of the screen."""

    def __init__(
        self, client: ExchangeClient, model: TradingModel, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.desk = OrderDesk(client, patience_s=PATIENCE_S)
        self._client, self._model, self._clock = client, model, clock
        self._own = client.profile is not None
        self._contract: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._welcomed = False
        self._market = Stream(client, ["l1", "status"], ["*"], own=self._own)
        self._snapshots = Snapshots(client, model, self._market.market, clock)
        self._streams = [self._market]

    async def run(self) -> None:
        """Follow the market until cancelled, or until the exchange refuses for good."""
        try:
            async with self._market:
                if self._own:
                    self._begin(self._watch_calls())
                else:
                    self._begin(self._snapshots.load())
                async for message in _in_turn(self._market):
                    self._heard(message)
        except ExchangeError as error:
            self._model.refuse(error.code, error.message, self._clock())

    def look(self) -> None:
        """Take in how the connections and the orders under way stand; the screen asks some times a second."""
        for name, out in list(self._model.outgoing.items()):
            ticket = self.desk.tickets.get(name)
            if ticket is not None and ticket.state is OrderState.UNKNOWN and not out.unknown:
                self._model.outcome(ticket, self._clock())
        down = next((stream.down for stream in self._streams if stream.down is not None), None)
        self._model.look(down, self._clock())

    def choose(self, symbol: str) -> None:
        """Turn to a contract."""
        self._model.choose(symbol)
        self._follow(symbol)

    def next_interval(self) -> None:
        """Turn the chart to the next length of candles."""
        place = INTERVALS.index(self._model.chart.interval) + 1
        self._model.show_interval(INTERVALS[place % len(INTERVALS)])
        if self._model.symbol is not None:
            self._follow(self._model.symbol)

    def send(self, order: NewOrder) -> bool:
        """Send an order, and see to it until its outcome is certain; False if it isn't sent at all."""
        if self._may_send():
            order = with_id(order)
            self._model.sent(order)
            self._begin(self._see_through(order))
            return True
        return False

    def cancel(self, orders: list[Working]) -> None:
        """Cancel own orders."""
        if self._may_send():
            for order in orders:
                self._begin(self._cancel(order))

    def cancel_all(self) -> None:
        """Cancel every own order, in all contracts."""
        if self._may_send():
            self._begin(self._cancel_all())

    def in_doubt(self) -> list[OrderTicket]:
        """The orders whose outcome isn't certain."""
        return [ticket for ticket in self.desk.tickets.values() if ticket.state is OrderState.UNKNOWN]

    async def close(self) -> None:
        """End everything; what is under way is left as it is."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _may_send(self) -> bool:
        model = self._model
        if not self._own:
            model.log(self._clock(), "order", model.say("no_key"), grave=True)
        elif not model.connection.may_send:
            model.log(self._clock(), "order", model.say("not_sent"), grave=True, ring=True)
        return self._own and model.connection.may_send

    def _follow(self, symbol: str) -> None:
        if self._contract is not None:
            self._contract.cancel()
        self._contract = self._begin(self._follow_contract(symbol))

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _heard(self, message: object) -> None:
        model, now_s = self._model, self._clock()
        if isinstance(message, Interrupted):
            self.look()
        if isinstance(message, FeedAccount):
            for ticket in self.desk.follow(message):
                model.outcome(ticket, now_s)
            model.follow_account(message, self._market.account.positions, now_s)
            return
        before = model.phase, model.trading_day
        model.follow(message, now_s)
        turned = isinstance(message, FeedStatus) and before[0] and before != (model.phase, model.trading_day)
        missed = isinstance(message, Interrupted) and not message.complete
        # news of the account come from its welcome on: only a snapshot that is read after it misses nothing
        welcome = isinstance(message, FeedWelcome) and not self._welcomed
        if welcome or missed or turned or isinstance(message, AccountMissed):
            self._welcomed = True
            self._begin(self._snapshots.load())

    async def _follow_contract(self, symbol: str) -> None:
        model = self._model
        channels: list[Channel] = ["l3", "trades", "indicative"]
        channels.append(CANDLES[model.chart.interval])
        stream = Stream(self._client, channels, [symbol])
        self._streams.append(stream)
        past = self._begin(self._snapshots.load_past(symbol))
        try:
            async with stream:
                async for message in _in_turn(stream):
                    if isinstance(message, FeedOrders | FeedOrdersDelta):
                        model.follow_book(stream.market.orders.get(symbol), self._clock())
                    else:
                        if isinstance(message, Interrupted):
                            self.look()
                            past = self._begin(self._snapshots.load_past(symbol))
                        model.follow(message, self._clock())
        except ExchangeError as error:
            model.log(self._clock(), "note", str(error), grave=True)
        finally:
            past.cancel()
            self._streams.remove(stream)

    async def _see_through(self, order: NewOrder) -> None:
        """Send, and go on asking until the outcome is certain."""
        model = self._model
        try:
            ticket = await self.desk.submit(order, trading_day=model.trading_day or None)
        except ExchangeError as error:  # the trading day couldn't be asked for: nothing was sent
            model.outgoing.pop(order.client_order_id or "", None)
            model.log(self._clock(), "order", f"{model.order_text(order)}: {error}", grave=True, ring=True)
            return
        model.outcome(ticket, self._clock())
        while ticket.state not in ENDED and ticket.state is not OrderState.RESTING:
            await self.desk.resolve(ticket)
            model.outcome(ticket, self._clock())

    async def _cancel(self, order: Working) -> None:
        with self._told():
            await self._client.cancel(order.order_id)

    async def _cancel_all(self) -> None:
        with self._told():
            answer = await self._client.cancel_all()
            self._model.log(self._clock(), "order", self._model.say("cancelled_some", answer.cancelled))

    async def _watch_calls(self) -> None:
        while True:
            with contextlib.suppress(ExchangeError):  # the streams say how things stand
                self._model.set_calls(await self._client.margin_calls(), self._clock())
            await asyncio.sleep(CALLS_S)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """What is refused of a cancel is told in the log, or that it is in doubt for want of an answer."""
        model = self._model
        try:
            yield
        except ExchangeError as error:
            text = model.say("cancel_doubt", error) if error.outcome_unknown else str(error)
            model.log(self._clock(), "order", text, grave=True)


async def _in_turn(stream: Stream) -> AsyncIterator[object]:
    """The stream's messages; after a stretch of many, others get their turn."""
    began = time.monotonic()
    async for message in stream:
        yield message
        if time.monotonic() - began > SHARE_S:
            await asyncio.sleep(0)
            began = time.monotonic()
