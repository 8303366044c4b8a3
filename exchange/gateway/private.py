"""The account's own channel of the WebSocket feed: logon, order entry, orders, fills, positions, margin.

Orders of all messages that arrive in one turn of the event loop are submitted as one block an account.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from exchange.api import feed as wire
from exchange.api.answers import Problem
from exchange.api.binary import MAKER
from exchange.api.codes import RequestCode, RequestRefused, refuse
from exchange.api.formats import price_text
from exchange.api.signing import KEY_HEADER, NONCE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER
from exchange.api.trading import BatchResult
from exchange.domain.rejects import RejectCode
from exchange.gateway.auth import Authenticator, Caller
from exchange.gateway.binary.select import NOBODY, events_by_slot
from exchange.gateway.orders import CANCEL_REASONS, Outcome, records_of
from exchange.gateway.repeats import submit_once
from exchange.gateway.screens import Browser, Screens
from exchange.ops.metrics import Metrics
from exchange.service.core import LIMITS
from exchange.service.exchange import Exchange
from exchange.service.results import Applied, columns
from exchange.service.slab import Slab
from exchange.service.viewtypes import Liquidity
from matching.records import EVENT, EventFlag, EventKind, Records, mass_cancel

GATEWAY: Final = "websocket"
IN_FLIGHT_MAX: Final = 256
"""Messages with orders that may wait for durability on one connection; more are refused with BUSY."""
RESENT_MAX: Final = 4_096
"""Orders and fills that a resumed channel may begin with; more ask for a resync."""
CANCEL_WAIT_S: Final = 0.02

_COLUMNS: Final = columns(
    EVENT,
    "kind",
    "seq",
    "order_id",
    "client_id",
    "price",
    "quantity",
    "remaining",
    "instrument",
    "side",
    "code",
    "flags",
)
_TRADE, _CANCELLED = int(EventKind.TRADE), int(EventKind.CANCELLED)
_ORDER_EVENTS: Final[dict[int, Literal["accepted", "amended", "triggered", "cancelled"]]] = {
    int(EventKind.ACCEPTED): "accepted",
    int(EventKind.AMENDED): "amended",
    int(EventKind.TRIGGERED): "triggered",
    int(EventKind.CANCELLED): "cancelled",
}


class Listener(Protocol):
    """A connection of the feed."""

    caller: Caller | None
    cancel_on_disconnect: bool
    in_flight: int
    browser: Browser
    """Where it comes from."""
    watching: bool
    """Whether a page of the exchange opened it for a session."""

    def tell(self, message: wire.FeedMessage) -> None:
        """Send a message."""


class PrivateChannels:
    """Everything that only an account's own connections may do and see."""

    def __init__(
        self, exchange: Exchange, authenticator: Authenticator, screens: Screens, metrics: Metrics
    ) -> None:
        self._exchange = exchange
        self._metrics = metrics
        self._authenticator = authenticator
        self._screens = screens
        self._slots: NDArray[np.int32] = np.full(LIMITS.max_accounts, NOBODY, np.int32)
        self._by_slot: list[tuple[int, list[Listener]]] = []
        self._room = Slab(EVENT)
        self._gathered: dict[tuple[int, str], list[_Entry]] = {}
        """By account and key."""
        self._tasks: set[asyncio.Task[None]] = set()

    def log_on(self, listener: Listener, asked: wire.Logon) -> None:
        """Open the channel. Raises RequestRefused as `Authenticator.check`, or INVALID_FIELD if it is
        open.
        """
        _check_closed(listener)
        headers = {
            KEY_HEADER: asked.key,
            TIMESTAMP_HEADER: asked.timestamp,
            NONCE_HEADER: asked.nonce,
            SIGNATURE_HEADER: asked.signature,
        }
        caller = self._authenticator.check(
            headers, "LOGON", "/v1/feed", "", b"", "read", listener.browser.peer
        )
        listener.cancel_on_disconnect = asked.cancel_on_disconnect
        self._open(listener, caller, asked.after_seq)

    def log_on_session(self, listener: Listener, asked: wire.LogonSession) -> None:
        """Open the channel for a page of the exchange, until its session ends. Raises RequestRefused as
        `Screens.watcher`, or INVALID_FIELD if it is open.
        """
        _check_closed(listener)
        caller = self._screens.watcher(listener.browser, asked.csrf_token)
        listener.watching = True
        self._open(listener, caller, asked.after_seq)

    def _open(self, listener: Listener, caller: Caller, after_seq: int | None) -> None:
        """Welcome the listener; what concerns the account comes to it from now on."""
        listener.caller = caller
        account, seq = caller.account, self._exchange.views.seq
        held = [] if after_seq is None else self._held(account, after_seq)
        listener.tell(wire.FeedWelcome(seq=seq, account=str(account), resync=held is None))
        positions = {view.symbol: view.lots for view in self._exchange.views.positions(account)}
        listener.tell(self._account(account, held or [], positions))
        for known, listeners in self._by_slot:
            if known == account:
                listeners.append(listener)
                return
        self._slots[account] = len(self._by_slot)
        self._by_slot.append((account, [listener]))

    def leave(self, listener: Listener) -> None:
        """The connection is gone; cancel the account's orders if that was asked for."""
        if listener.caller is None:
            return
        account = listener.caller.account
        for known, listeners in self._by_slot:
            if known == account and listener in listeners:
                listeners.remove(listener)
        self._by_slot = [entry for entry in self._by_slot if entry[1]]
        self._slots.fill(NOBODY)
        self._slots[[known for known, _ in self._by_slot]] = range(len(self._by_slot))
        if listener.cancel_on_disconnect:
            self._start(self._cancel_orders(account, listener.caller.key_id))

    async def stop(self) -> None:
        """Return when everything that was begun is done."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def enter(self, listener: Listener, asked: wire.Orders) -> None:
        """Take orders. Raises RequestRefused: AUTHENTICATION_REQUIRED, SCOPE_REQUIRED, BUSY, RATE_LIMIT."""
        caller = listener.caller
        if caller is None:
            raise refuse(RequestCode.AUTHENTICATION_REQUIRED, "Log on before sending orders.", "op")
        if "trade" not in caller.scopes:
            raise refuse(RequestCode.SCOPE_REQUIRED, "Orders need a key with the scope 'trade'.")
        if listener.in_flight >= IN_FLIGHT_MAX:
            raise RequestRefused(RejectCode.BUSY.name, RejectCode.BUSY.status, RejectCode.BUSY.sentence)
        self._authenticator.spend(caller)
        listener.in_flight += 1
        if not self._gathered:
            asyncio.get_running_loop().call_soon(self._flush)
        entry = _Entry(self._exchange, caller.account, listener, asked, self._metrics)
        self._gathered.setdefault((caller.account, caller.key_id), []).append(entry)

    def on_applied(self, applied: Applied) -> None:
        """Tell each account what concerns it."""
        if not self._by_slot or not len(applied.events):
            return
        shares = events_by_slot(applied.events, self._slots, len(self._by_slot), self._room)
        for share, (account, listeners) in zip(shares, self._by_slot, strict=True):
            if not len(share):
                continue
            message = self._account(account, [share], self._traded(account, share))
            for listener in listeners:
                listener.tell(message)

    # -- orders in

    def _flush(self) -> None:
        gathered, self._gathered = self._gathered, {}
        for (account, by), entries in gathered.items():
            for block in _blocks(entries, self._exchange.config.frame_commands_max):
                self._start(self._submit(account, by, block))

    async def _submit(self, account: int, by: str, entries: list[_Entry]) -> None:
        commands = np.concatenate([entry.commands for entry in entries])
        found: Iterator[Outcome] = iter(())
        if len(commands):
            try:
                found = iter(await submit_once(self._exchange, account, by, commands))
            except RequestRefused as whole:
                found = iter([whole] * len(commands))
        for entry in entries:
            entry.answer(found, self._exchange.views.seq)

    async def _cancel_orders(self, account: int, by: str) -> None:
        while True:
            self._exchange.note_sender(account, by)
            result = await self._exchange.submit_hot(mass_cancel(account=account), account)
            if result.code is not RejectCode.BUSY:
                return
            await asyncio.sleep(CANCEL_WAIT_S)

    def _start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- news out

    def _held(self, account: int, after_seq: int) -> list[Records] | None:
        frames = self._exchange.events_since(after_seq)
        if frames is None:
            return None
        slots = np.full(len(self._slots), NOBODY, np.int32)
        slots[account] = 0
        parts = [events_by_slot(events, slots, 1, self._room, after_seq)[0] for events in frames]
        return parts if sum(map(len, parts)) <= RESENT_MAX else None

    def _traded(self, account: int, events: Records) -> dict[str, int]:
        """Return the positions in the contracts that the events trade."""
        contracts = set(events["instrument"][events["kind"] == EventKind.TRADE].tolist())
        if not contracts:
            return {}
        views = self._exchange.views
        symbols = {views.symbol(contract) for contract in contracts}
        held = {view.symbol: view.lots for view in views.positions(account) if view.symbol in symbols}
        return dict.fromkeys(symbols, 0) | held

    def _account(self, account: int, parts: list[Records], positions: dict[str, int]) -> wire.FeedAccount:
        views = self._exchange.views
        balance = views.balance(account)
        if balance is None:
            raise AssertionError(f"account {account} signed and has no balance")
        orders: list[wire.OrderNews] = []
        fills: list[wire.FillNews] = []
        for part in parts:
            for row in part.view(_COLUMNS).tolist():
                self._sort(row, orders, fills)
        return wire.FeedAccount(
            seq=views.seq,
            orders=orders,
            fills=fills,
            cash_fen=balance.cash_fen,
            margin_fen=balance.margin_fen,
            available_fen=balance.available_fen,
            positions=positions,
        )

    def _sort(self, row: tuple[int, ...], orders: list[wire.OrderNews], fills: list[wire.FillNews]) -> None:
        """Put one event (a tuple of `_COLUMNS`) where it belongs; some are no news."""
        kind, seq, order_id, client_id, price, quantity, remaining, instrument, side, code, flags = row
        if kind == _TRADE:
            liquidity = _liquidity(flags)
            fill = wire.FillNews(
                seq=seq,
                order_id=str(order_id),
                symbol=self._exchange.views.symbol(instrument),
                side="sell" if side else "buy",
                price=price_text(price),
                quantity=quantity,
                open_quantity=remaining,
                liquidity=liquidity,
                fee_fen=self._exchange.views.fee_fen(seq, instrument, price * quantity, liquidity),
            )
            fills.append(fill)
        elif kind in _ORDER_EVENTS:
            order = wire.OrderNews(
                seq=seq,
                order_id=str(order_id),
                client_order_id=str(client_id) if client_id else None,
                symbol=self._exchange.views.symbol(instrument),
                side="sell" if side else "buy",
                event=_ORDER_EVENTS[kind],
                price=price_text(price),
                open_quantity=remaining,
                reason=CANCEL_REASONS[code] if kind == _CANCELLED else None,
            )
            orders.append(order)


def _check_closed(listener: Listener) -> None:
    if listener.caller is not None:
        raise refuse(RequestCode.INVALID_FIELD, "This connection has logged on already.", "op")


def _liquidity(flags: int) -> Liquidity:
    if flags & EventFlag.UNCROSS:
        return "auction"
    return "maker" if flags & MAKER else "taker"


class _Entry:
    """One message with orders: what is well formed of it as rows, and the rest refused in place."""

    def __init__(
        self, exchange: Exchange, account: int, listener: Listener, asked: wire.Orders, metrics: Metrics
    ) -> None:
        self._began = time.perf_counter()
        self._metrics = metrics
        self._listener = listener
        self._asked = asked
        self.commands, _, self._refused = records_of(exchange, account, asked.items)

    def answer(self, found: Iterator[Outcome], seq: int) -> None:
        """Send the results; `found` yields those of `rows`."""
        refused = self._refused
        outcomes = (refused[at] if at in refused else next(found) for at in range(len(self._asked.items)))
        results = [self._result(outcome) for outcome in outcomes]
        self._listener.in_flight -= 1
        self._listener.tell(wire.FeedResults(id=self._asked.id, seq=seq, results=results))
        self._metrics.requested(GATEWAY, "orders", 200, time.perf_counter() - self._began)

    def _result(self, outcome: Outcome) -> BatchResult:
        if isinstance(outcome, RequestRefused):
            self._metrics.refused(GATEWAY, outcome.code)
            problem = Problem(code=outcome.code, message=outcome.message, field=outcome.field)
            return BatchResult(error=problem)
        return BatchResult(order=outcome)


def _blocks(entries: list[_Entry], commands_max: int) -> Iterator[list[_Entry]]:
    """Yield runs of entries that fit into one block each."""
    block: list[_Entry] = []
    size = 0
    for entry in entries:
        if block and size + len(entry.commands) > commands_max:
            yield block
            block, size = [], 0
        block.append(entry)
        size += len(entry.commands)
    yield block
