"""Client order ids of orders that came over HTTP or WebSocket: what each order was, and what became of it.

Sent again with the same body an order gets its first answer again, also after a restart (clause 9.9); so
what the answer is made of is state: the record's digest and the events that the order caused. Only orders
that were noted just before them (`NoteRequests`) are looked for: those of the binary gateway cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any, Final

import msgspec
import numpy as np

from exchange.service.hot import first_from
from matching.records import EVENT, CommandKind, EventKind, Records

CLIENT_ORDERS_MAX: Final = 1 << 18
"""Ids remembered at once; beyond it the oldest are forgotten. Part of the rules: state depends on it."""

Key = tuple[int, int]
"""Account and client order id."""


class ClientOrder(msgspec.Struct):
    """An order under its client order id. `seq` is 0 until it was applied."""

    digest: bytes
    seq: int = 0
    order_id: int = 0
    events: bytes = b""
    """The EVENT records that it caused when it came."""

    def records(self) -> Records:
        """Return the events (dtype EVENT), read-only."""
        return np.frombuffer(self.events, EVENT)


def order_digest(command: Any) -> bytes:
    """Return 16 bytes that stand for a NEW record without its seq and time."""
    copy = command.copy()
    copy["seq"] = copy["time_ns"] = 0
    return blake2b(copy.tobytes(), digest_size=16).digest()


class ClientOrders:
    """What is remembered, oldest first."""

    def __init__(self) -> None:
        self._orders: dict[Key, ClientOrder] = {}
        self._waiting: set[Key] = set()

    def get(self, account: int, client_id: int) -> ClientOrder | None:
        """Return the order that was applied under this id."""
        found = self._orders.get((account, client_id))
        return found if found is not None and found.seq else None

    def note(self, account: int, client_id: int, digest: bytes) -> None:
        """Expect an order; one that was applied under this id stays what it is."""
        if self.get(account, client_id) is None:
            self._orders[account, client_id] = ClientOrder(digest)
            self._waiting.add((account, client_id))
            while len(self._orders) > CLIENT_ORDERS_MAX:
                oldest = next(iter(self._orders))
                self._drop(oldest)

    def collect(self, commands: Records, events: Records) -> None:
        """Find the expected orders among applied commands. A rejected one leaves its id free."""
        if not self._waiting:
            return
        for at in np.flatnonzero((commands["kind"] == CommandKind.NEW) & (commands["client_id"] != 0)):
            command = commands[at]
            key = (int(command["account"]), int(command["client_id"]))
            if key not in self._waiting or self._orders[key].digest != order_digest(command):
                continue
            seq = int(command["seq"])
            own = events[first_from(events, seq) : first_from(events, seq + 1)]
            accepted = own[own["kind"] == EventKind.ACCEPTED]
            if not len(accepted):
                self._drop(key)
                continue
            self._waiting.discard(key)
            order = self._orders[key]
            order.seq, order.order_id, order.events = seq, int(accepted["order_id"][0]), own.tobytes()

    def accounts(self) -> list[int]:
        """Return the accounts that have ids here, ascending."""
        return sorted({account for account, _ in self._orders})

    def forget(self, open_order_ids: Iterable[int]) -> None:
        """End the trading day: only orders that are still open keep their ids."""
        kept = set(open_order_ids)
        for key in [key for key, order in self._orders.items() if order.order_id not in kept]:
            self._drop(key)

    def plain(self) -> Iterator[tuple[int, int, ClientOrder, bool]]:
        """Yield everything, for the state hash and snapshots."""
        for key, order in self._orders.items():
            yield *key, order, key in self._waiting

    def restore(self, orders: Iterable[tuple[int, int, ClientOrder, bool]]) -> None:
        """Take over what `plain` gave; for a fresh one."""
        for account, client_id, order, waiting in orders:
            self._orders[account, client_id] = order
            if waiting:
                self._waiting.add((account, client_id))

    def _drop(self, key: Key) -> None:
        del self._orders[key]
        self._waiting.discard(key)
