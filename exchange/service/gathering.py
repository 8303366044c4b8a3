"""What waits to be stamped: the parts of submitters, and what is journaled of signed requests with them."""

from __future__ import annotations

from typing import Any, Final

from exchange.domain.messages import NoteRequests, OrderNote, Sender
from exchange.domain.rejects import RejectCode
from exchange.service.nonces import nonce_entry
from exchange.service.parts import Part, RowsPart, RowsTell

NOTED_MAX: Final = 4_096
"""Nonces that wait for a command to go with; with as many they go alone."""
ENOUGH: Final = 1_024
"""From as many commands on a frame is made while the journal is still busy with those before."""


class Gathering:
    """Filled by submitters, emptied by the sequencer. `commands` counts those of all parts."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.commands = 0
        self._nonces: list[bytes] = []
        self._orders: list[OrderNote] = []
        self._senders: list[Sender] = []
        self._sender_of: dict[int, str] = {}

    @property
    def due(self) -> bool:
        """Whether there is something to make frames of."""
        return bool(self.parts) or self.noted_enough

    @property
    def noted_enough(self) -> bool:
        """Whether no more nonces should wait."""
        return len(self._nonces) >= NOTED_MAX

    def add(self, part: Part, commands: int) -> None:
        """Take a part with so many commands."""
        self.parts.append(part)
        self.commands += commands

    def add_row(self, row: tuple[int, ...], token: Any, tell: RowsTell, most: int) -> None:
        """Take one command, side by side with at most `most` of the same submitter."""
        last = self.parts[-1] if self.parts else None
        if not isinstance(last, RowsPart) or last.tell != tell or len(last) >= most:
            last = RowsPart(tell)
            self.parts.append(last)
        last.rows.append(row)
        last.tokens.append(token)
        self.commands += 1

    def note_request(self, nonce: bytes, timestamp_ms: int) -> None:
        """See `Exchange.note_request`."""
        self._nonces.append(nonce_entry(nonce, timestamp_ms))

    def note_order(self, account: int, client_id: int, digest: bytes) -> None:
        """See `Exchange.note_order`."""
        self._orders.append(OrderNote(account, client_id, digest))

    def is_sender(self, account: int, by: str) -> bool:
        """Return whether it was noted last that `by` gives the account's commands."""
        return self._sender_of.get(account) == by

    def note_sender(self, account: int, by: str) -> None:
        """See `Exchange.note_sender`; what was gathered before is taken out before."""
        self._sender_of[account] = by
        self._senders.append(Sender(account, by))

    def take(self) -> tuple[list[Part], NoteRequests | None]:
        """Return all parts and what is to be journaled before them, and begin anew."""
        note = None
        if self._nonces or self._orders or self._senders:
            nonces, orders, senders = b"".join(self._nonces), tuple(self._orders), tuple(self._senders)
            note = NoteRequests(nonces=nonces, orders=orders, senders=senders)
            self._nonces, self._orders, self._senders = [], [], []
        parts, self.parts, self.commands = self.parts, [], 0
        return parts, note

    def refuse(self, code: RejectCode) -> None:
        """Tell every submitter that nothing is known to be done, and forget the parts."""
        for part in self.parts:
            part.refuse(code)
        self.parts, self.commands = [], 0
