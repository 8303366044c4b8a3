"""Following a subject through the journal: each frame is applied to a core, and what it did is told."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchange.audit.contractlife import ContractLife
from exchange.audit.pen import Pen
from exchange.audit.records import Record, What
from exchange.audit.subject import Scope
from exchange.audit.words import event_words, fill_words, name_of, says, sender_of
from exchange.clearing.fees import fees_of
from exchange.domain import delivering as d
from exchange.domain import messages as m
from exchange.journal import Frame, FrameKind
from exchange.service.core import Core, command_block
from exchange.service.frames import plain
from exchange.service.replay import apply_frame
from exchange.service.results import Applied
from matching.api import InvariantViolation
from matching.records import EventKind, Records, Side

_ORDER_EVENTS = (
    EventKind.ACCEPTED,
    EventKind.REJECTED,
    EventKind.CANCELLED,
    EventKind.AMENDED,
    EventKind.TRIGGERED,
    EventKind.ACCOUNT,
)
_WHAT: dict[EventKind, What] = {EventKind.ACCEPTED: "order", EventKind.REJECTED: "refusal"}


class Trail:
    """Stands in the journal where `core` does, which has seen `trades` trades; `chain` is the hash there."""

    def __init__(self, core: Core, scope: Scope, trades: int, chain: bytes) -> None:
        self.core = core
        self._scope = scope
        self._trades = trades
        self._senders: dict[int, str] = {}
        """By account, the key or session that its orders come by from here on."""
        self._pen = Pen(core.state, chain)
        self._life = ContractLife(core.state, scope, self._pen)

    def take(self, frame: Frame) -> Iterator[Record]:
        """Apply a frame and yield what it did to the subject, in order."""
        self._pen.turn_to(frame)
        if frame.kind is FrameKind.HOT:
            yield from self._hot(command_block(frame.body))
        else:
            yield from self._rare(apply_frame(self.core, frame))

    def _hot(self, commands: Records) -> Iterator[Record]:
        """Apply commands; those that matter one by one, so that the margin after each can be told."""
        apart = self._scope.told_apart(commands)
        cuts = [0, *(cut for at in apart for cut in (at, at + 1)), len(commands)]
        for begin, end in pairwise(cuts):
            if begin == end:
                continue
            piece = commands[begin:end]
            applied = self.core.apply_hot(piece)
            yield from self._events(applied, piece)

    def _rare(self, applied: Applied) -> Iterator[Record]:
        message, result = applied.message, applied.result
        if message is None or result is None:
            raise InvariantViolation(f"the rare frame {applied.first_seq} came without its message")
        pen = self._pen
        pen.seq, pen.time_ns = applied.first_seq, applied.time_ns
        pen.who, pen.by = sender_of(self.core.state, message), message.by
        if isinstance(message, m.NoteRequests):
            self._senders.update((sender.account, sender.by) for sender in message.senders)
        if self._concerns(message):
            text = type(message).__name__ + ("" if result.ok else f", refused: {result.sentence}")
            yield pen.record("message", text, message=plain(message))
        yield from self._events(applied, None)
        if result.ok:
            yield from self._life.after(message)

    def _concerns(self, message: m.RareMessage) -> bool:
        """Whether a message is about the subject: its accounts, or a reservation that its fills led to."""
        if self._scope.orders is None:
            names = {name_of(self.core.state, account) for account in self._scope.accounts}
            return says(message, self._scope.accounts, names)
        reservations = self._scope.reservations
        delivering = self.core.state.delivering
        match message:
            case m.MeterReadings():
                return any(reading.reservation_id in reservations for reading in message.readings)
            case d.NominateWorkload() | d.OpenDispute():
                return message.reservation_id in reservations
            case d.WithdrawNomination(nomination_id=number) if 0 < number <= len(delivering.nominations):
                return delivering.nominations[number - 1].terms.reservation_id in reservations
            case d.DecideDispute(dispute_id=number) if 0 < number <= len(delivering.disputes):
                return delivering.disputes[number - 1].opened.reservation_id in reservations
        return False

    def _events(self, applied: Applied, commands: Records | None) -> Iterator[Record]:
        """Yield the events of the subject among those of a piece of the journal."""
        events = applied.events
        trades = np.cumsum(events["kind"] == EventKind.TRADE) + self._trades
        self._trades = int(trades[-1]) if len(trades) else self._trades
        alone = commands is not None and len(commands) == 1
        for at in self._mine(events):
            event = events[at]
            if commands is not None:
                command = commands[int(event["seq"]) - applied.first_seq]
                self._pen.seq, self._pen.time_ns = int(event["seq"]), int(command["time_ns"])
                account = int(command["account"])
                self._pen.who, self._pen.by = (
                    name_of(self.core.state, account),
                    self._senders.get(account, ""),
                )
            if event["kind"] == EventKind.TRADE:
                yield from self._fills(events[at : at + 1], int(trades[at]), alone)
            else:
                yield self._order_event(event, alone)

    def _mine(self, events: Records) -> NDArray[np.intp]:
        """Return which events are the subject's, by place."""
        told = np.isin(events["kind"], _ORDER_EVENTS)
        trade = events["kind"] == EventKind.TRADE
        if self._scope.orders is None:
            accounts = list(self._scope.accounts)
            own, other = np.isin(events["account"], accounts), np.isin(events["contra_account"], accounts)
        else:
            orders = list(self._scope.orders)
            own, other = np.isin(events["order_id"], orders), np.isin(events["contra_id"], orders)
        return np.flatnonzero((told & own) | (trade & (own | other)))

    def _order_event(self, event: Any, alone: bool) -> Record:
        account, contract = int(event["account"]), int(event["instrument"])
        what = _WHAT.get(EventKind(int(event["kind"])), "change")
        known = contract if 0 <= contract < len(self.core.state.contracts) else -1
        margin = self._pen.margin(account) if alone and what == "order" else None
        return self._pen.record(what, event_words(event), account, known, margin=margin)

    def _fills(self, trade: Records, trade_id: int, alone: bool) -> Iterator[Record]:
        """Yield the sides of a trade that are the subject's."""
        state, event = self.core.state, trade[0]
        if self._scope.trade_id not in (None, trade_id):
            return
        index, lots, price = (int(event[name]) for name in ("instrument", "quantity", "price"))
        fees = fees_of(trade, state.contract_table.rows["hours"][[index]], state.fee_rates[-1])
        bought = event["side"] == Side.BUY
        for maker, (order, owner) in enumerate((("order_id", "account"), ("contra_id", "contra_account"))):
            account, order_id = int(event[owner]), int(event[order])
            if account not in self._scope.accounts or not self._traces(order_id):
                continue
            buys = bool(bought) != bool(maker)
            fee = int(fees[maker][0])
            self._life.fill(trade_id, account, index, lots if buys else -lots, price)
            margin = self._pen.margin(account) if alone else None
            text = fill_words(event, trade_id, bool(maker), order_id, buys, fee)
            yield self._pen.record("fill", text, account, index, amount_fen=-fee, margin=margin)

    def _traces(self, order_id: int) -> bool:
        return self._scope.orders is None or order_id in self._scope.orders
