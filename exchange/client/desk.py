"""Orders that are never in doubt for longer than they must be.

Each order gets a client order id before it is sent. If its answer is lost the desk sends the same order
again under the same id: the exchange does it once and gives its first answer again (clause 9.9). What is
known of an order only grows: answers, news of the account's channel and look-ups may come in any order.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from exchange.api import requests
from exchange.api.feed import FeedAccount
from exchange.api.history import HISTORY_PAGE_MAX, OwnHistoryQuery
from exchange.api.trading import OrderResult
from exchange.client.changes import OrderChange, changes
from exchange.client.errors import ExchangeError
from exchange.client.transport import backoff_s

if TYPE_CHECKING:
    from exchange.client.client import ExchangeClient

LATE_S = 60.0
"""A signed request is good within 30 s of the server's clock, which may itself be 30 s from ours: after this
long a copy that was lost on its way can't be taken any more."""

ENDED_KEPT = 10_000
"""Orders that have ended and are still known, newest first to stay."""


class OrderState(StrEnum):
    """Where an order is, as far as this side knows."""

    SENT = "sent"
    """Under way for the first time."""
    UNKNOWN = "unknown"
    """Its answer was lost: the exchange may or may not have it."""
    RESTING = "resting"
    """Taken; what hasn't traded waits in the book."""
    FILLED = "filled"
    CANCELLED = "cancelled"
    """Taken, and what hadn't traded was cancelled."""
    REFUSED = "refused"
    """Not taken; `refusal` says why."""
    NOT_TAKEN = "not taken"
    """It never arrived, and can't any more."""


ENDED = frozenset({OrderState.FILLED, OrderState.CANCELLED, OrderState.REFUSED, OrderState.NOT_TAKEN})


class Ticket(msgspec.Struct):
    """One order and what is known of it. Quantities in lots; `total` follows amendments, and cancels of
    a part of it.
    """

    order: requests.NewOrder
    sent_s: float
    """Monotonic time of the latest copy."""
    trading_day: str
    """An early bound: the market's day when it was first sent, or the one before."""
    state: OrderState = OrderState.SENT
    order_id: str | None = None
    total: int = 0
    filled: int = 0
    price: str | None = None
    """Where it rests; post-only may have slid it."""
    refusal: ExchangeError | None = None
    reason: str | None = None
    """Why what hadn't traded was cancelled."""
    lost: str | None = None
    """What became of the answer, while the outcome is unknown."""

    @property
    def client_order_id(self) -> str:
        """The id under which it was sent."""
        return self.order.client_order_id or ""

    @property
    def certain(self) -> str:
        """One sentence on what is certain, and what isn't."""
        said = {
            OrderState.SENT: "The order is under way; nothing is certain yet.",
            OrderState.UNKNOWN: (
                f"The order may or may not have been taken ({self.lost}). "
                f"It was sent under the client order id {self.client_order_id}: sent again under the same id "
                f"on the same trading day it is done once, however often it is sent."
            ),
            OrderState.RESTING: (
                f"The order {self.order_id} was taken: {self.filled} of {self.total} lots have traded, "
                f"the rest stands in the book."
            ),
            OrderState.FILLED: f"The order {self.order_id} was taken and all {self.total} lots have traded.",
            OrderState.CANCELLED: (
                f"The order {self.order_id} was taken: {self.filled} of {self.total} lots have traded, "
                f"the rest was cancelled{f' ({self.reason})' if self.reason else ''}."
            ),
            OrderState.REFUSED: f"The order was refused and nothing was done: {self.refusal}",
            OrderState.NOT_TAKEN: "The order never reached the exchange; nothing was done.",
        }
        return said[self.state]

    def taken(self, order_id: str, filled: int, state: OrderState) -> None:
        """Learn something; what is known already isn't unlearnt by news that are older."""
        self.order_id, self.lost = order_id, None
        self.filled = max(self.filled, filled)
        if self.state not in ENDED:
            self.state = OrderState.FILLED if self.filled >= self.total else state

    def answer_lost(self, why: str, now_s: float) -> None:
        """Learn that a copy got no answer until now (monotonic); the account's news may have told more."""
        self.sent_s = now_s
        if self.order_id is None:
            self.state, self.lost = OrderState.UNKNOWN, why

    def amended(self, open_quantity: int) -> None:
        """Learn a new quantity that is still open."""
        self.total = self.filled + open_quantity


def with_id(order: requests.NewOrder) -> requests.NewOrder:
    """The order under a client order id: its own, or a new one."""
    if order.client_order_id is not None:
        return order
    return msgspec.structs.replace(order, client_order_id=str(secrets.randbits(62) + 1))


class OrderDesk:
    """Sends orders of one client and follows them. Not more than one event loop may use it."""

    def __init__(
        self, client: ExchangeClient, *, patience_s: float = 30.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.tickets: dict[str, Ticket] = {}
        """By client order id."""
        self._client = client
        self._patience_s = patience_s
        self._clock = clock
        self._by_order: dict[str, Ticket] = {}

    async def submit(self, order: requests.NewOrder, *, trading_day: str | None = None) -> Ticket:
        """Sends an order, under a new client order id unless it has one, and returns when its outcome is
        certain, or `patience_s` after its answer was lost (then `UNKNOWN`; `resolve` goes on).

        `trading_day` is the market's as last heard of; it is asked for if absent, which takes a round trip.
        """
        order = with_id(order)
        day = trading_day or (await self._client.status()).trading_day
        ticket = Ticket(order=order, sent_s=self._clock(), trading_day=day, total=order.quantity)
        self._keep(ticket)
        await self._send(ticket)
        return await self.resolve(ticket) if ticket.state is OrderState.UNKNOWN else ticket

    async def resolve(self, ticket: Ticket) -> Ticket:
        """Asks until the outcome of an order is known, at most `patience_s` long: on the trading day on which
        it was sent by sending it again, later by looking it up. A refusal of what is sent again says nothing
        of the copy that was lost (the key may have no rate left, or no scope): once that can't arrive any
        more, the order is looked up too.
        """
        until_s, attempt = self._clock() + self._patience_s, 0
        while ticket.state is OrderState.UNKNOWN:
            try:
                same_day = (await self._client.status()).trading_day == ticket.trading_day
                if same_day:
                    await self._send(ticket)
                if ticket.state is OrderState.UNKNOWN and (self._too_late(ticket) or not same_day):
                    await self.look_up(ticket)
            except ExchangeError as error:  # nothing new; the order itself is in doubt as before
                ticket.lost = str(error)
            if ticket.state is not OrderState.UNKNOWN or self._clock() > until_s:
                break
            await asyncio.sleep(backoff_s(attempt))
            attempt += 1
        return ticket

    async def look_up(self, ticket: Ticket) -> Ticket:
        """Looks an order up by its client order id, in the book and then in the history, and sends nothing.

        That it isn't there says that it was not taken only if no copy of it can still arrive, and if the
        history is as new as the book. Raises ExchangeError if neither can be read.
        """
        too_late = self._too_late(ticket)
        seq = (await self._client.balances()).as_of_seq
        for found in await self._client.orders(ticket.order.symbol):
            if found.client_order_id == ticket.client_order_id:
                ticket.total = found.quantity
                self._taken(ticket, found.order_id, found.quantity - found.open_quantity, OrderState.RESTING)
                return ticket
        known = await self._client.history.status()
        if not await self._look_back(ticket) and too_late and known.as_of_seq >= seq:
            ticket.state = OrderState.NOT_TAKEN
        return ticket

    async def _look_back(self, ticket: Ticket) -> bool:
        """Go through all that was accepted from its day on; earlier the id may have been another's."""
        query = OwnHistoryQuery(
            symbol=ticket.order.symbol,
            side=ticket.order.side,
            from_time=f"{ticket.trading_day}T00:00:00+08:00",
            limit=HISTORY_PAGE_MAX,
        )
        async for found in self._client.history.each_order(query):
            if found.client_order_id == ticket.client_order_id:
                stands, ticket.reason = found.status == "open", found.reason
                ticket.total = found.filled_quantity + found.open_quantity if stands else found.quantity
                state = OrderState.RESTING if stands else OrderState.CANCELLED
                self._taken(ticket, found.order_id, found.filled_quantity, state)
                return True
        return False

    def _too_late(self, ticket: Ticket) -> bool:
        return self._clock() - ticket.sent_s > LATE_S

    async def cancel(self, ticket: Ticket) -> Ticket:
        """Cancels what is open of an order. A lost answer is cleared up by asking for the order again."""
        if ticket.state is OrderState.UNKNOWN:
            await self.resolve(ticket)
        if ticket.order_id is None or ticket.state in ENDED:
            return ticket
        for attempt in range(5):
            try:
                answer = await self._client.cancel(ticket.order_id)
            except ExchangeError as error:
                if not error.outcome_unknown:
                    return await self.look_up(ticket)  # it has ended by itself
                ticket.lost = str(error)
                await asyncio.sleep(backoff_s(attempt))
            else:
                ticket.reason = answer.order.reason
                self._taken(ticket, ticket.order_id, answer.order.filled_quantity, OrderState.CANCELLED)
                return ticket
        return ticket

    def follow(self, message: FeedAccount) -> list[Ticket]:
        """Takes in news of the account's channel; returns the orders of this desk that they are about."""
        changed: dict[str, Ticket] = {}
        for change in changes(message):
            named = (self.tickets.get(news.client_order_id or "") for news in change.news)
            ticket = next(filter(None, named), None) or self._by_order.get(change.order_id)
            if ticket is not None:
                changed[ticket.client_order_id] = ticket
                self._follow_change(ticket, change)
        return list(changed.values())

    def _follow_change(self, ticket: Ticket, change: OrderChange) -> None:
        amended, cancelled = change.told("amended"), change.told("cancelled")
        if amended is not None:
            ticket.amended(amended.open_quantity)
        if change.news:
            ticket.price = change.news[-1].price
        state, filled = OrderState.RESTING, 0
        if cancelled is not None:
            state, filled = self._follow_cancel(ticket, change, cancelled.reason)
        elif change.fills:
            filled = ticket.total - change.open_quantity
        self._taken(ticket, change.order_id, filled, state)

    def _follow_cancel(
        self, ticket: Ticket, change: OrderChange, reason: str | None
    ) -> tuple[OrderState, int]:
        """Take in that an order, or a part of it, was cancelled; returns its state and what has traded."""
        left = change.open_quantity
        if not left and ticket.state in ENDED:  # what had traded until its end is known
            return ticket.state, ticket.filled
        before = 0 if change.told("accepted") else ticket.filled
        lost = max(0, ticket.total - before - change.traded - left)
        filled = ticket.total - lost - left
        if not left:
            ticket.reason = reason
            return OrderState.CANCELLED, filled
        ticket.total -= lost
        return OrderState.RESTING, filled

    async def _send(self, ticket: Ticket) -> None:
        try:
            answer = await self._client.place(ticket.order)
        except asyncio.CancelledError:
            ticket.answer_lost("nobody waited for its answer", self._clock())
            raise
        except ExchangeError as error:
            if error.outcome_unknown:
                ticket.answer_lost(str(error), self._clock())
            elif not error.sent:  # says nothing of a copy that was lost before
                ticket.refusal = error
                if ticket.state is OrderState.SENT:
                    ticket.state = OrderState.NOT_TAKEN
            elif ticket.state is OrderState.SENT:
                ticket.state, ticket.refusal = OrderState.REFUSED, error
            else:  # says nothing of the copy that was lost
                ticket.lost = f"sent again it was refused: {error}"
            return
        self._answered(ticket, answer.order)

    def _answered(self, ticket: Ticket, result: OrderResult) -> None:
        ticket.price, ticket.reason = result.price, result.reason
        if result.open_quantity and ticket.order_id is None:  # less than was sent, if a part was cancelled
            ticket.total = result.filled_quantity + result.open_quantity
        self._taken(ticket, result.order_id, result.filled_quantity, OrderState(result.status))

    def _taken(self, ticket: Ticket, order_id: str, filled: int, state: OrderState) -> None:
        ticket.taken(order_id, filled, state)
        self._by_order[order_id] = ticket

    def _keep(self, ticket: Ticket) -> None:
        self.tickets[ticket.client_order_id] = ticket
        over = len(self.tickets) - ENDED_KEPT
        if over > 0:
            ended = (name for name, old in self.tickets.items() if old.state in ENDED)
            for name in list(islice(ended, over)):
                self._by_order.pop(self.tickets.pop(name).order_id or "", None)
