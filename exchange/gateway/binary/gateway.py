"""The binary gateway as a whole: who is connected, who gets which events, who waits for room."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import structlog
from numpy.typing import NDArray

from exchange.api.binary import SIGNED_METHOD, SIGNED_PATH, SIGNED_SIZE, CloseCode, Logon
from exchange.api.codes import RequestRefused
from exchange.api.signing import KEY_HEADER, NONCE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER
from exchange.domain.rejects import RejectCode
from exchange.gateway.auth import Authenticator
from exchange.gateway.binary.connection import Connection
from exchange.gateway.binary.select import NOBODY, events_by_slot, warm_up
from exchange.gateway.binary.sessions import Sessions
from exchange.gateway.rates import UNLIMITED, RateLimit, Rates
from exchange.ops.metrics import Metrics
from exchange.service.core import LIMITS
from exchange.service.exchange import Exchange
from exchange.service.results import Applied
from exchange.service.slab import Slab
from matching.records import EVENT, Records, mass_cancel

GATEWAY: Final = "binary"
BEAT_S: Final = 0.05
_LOG = structlog.get_logger("gateway")


@dataclass(frozen=True, slots=True)
class BinaryLimits:
    """Bounds of the gateway."""

    connections_max: int = 64
    unread_bytes_max: int = 16 << 20
    """What may wait for a client that doesn't read; beyond it the connection is cut."""
    logons: RateLimit = UNLIMITED
    """How often a key may log on."""


class _Nobody:
    """Owns the cancels of connections that are gone."""

    def durable(self, first_seq: int, count: int, time_ns: int) -> None:
        """See `BlockOwner`."""

    def lost(self, code: RejectCode) -> None:
        """See `BlockOwner`."""


class BinaryGateway:
    """Serves command records over TCP. `start` it, `stop` it before the exchange drains."""

    def __init__(
        self, exchange: Exchange, metrics: Metrics | None = None, limits: BinaryLimits | None = None
    ) -> None:
        self.exchange = exchange
        self.limits = limits or BinaryLimits()
        self.stalled: deque[Connection] = deque()
        """Connections with commands that the exchange had no room for, the longest waiting first."""
        self.at_end_of_stream: set[Connection] = set()
        """Stalled ones whose client sends no more."""
        self.ending: set[Connection] = set()
        """Ending ones that were answered in this turn."""
        self._metrics = metrics or Metrics()
        self._authenticator = Authenticator(exchange, rates=Rates(self.limits.logons))
        self._sessions = Sessions(self._observe)
        self._connections: set[Connection] = set()
        self._slots: NDArray[np.int32] = np.full(LIMITS.max_accounts, NOBODY, np.int32)
        self._by_slot: list[list[Connection]] = []
        self._room = Slab(EVENT)
        self._cancels: deque[tuple[Records, str]] = deque()
        """With the key whose connection ended."""
        self._server: asyncio.Server | None = None
        self._heart: asyncio.Task[None] | None = None
        self._end_subscription: Callable[[], None] | None = None
        self._metrics.gauge(
            "dongxi_binary_connections", "Connections of the binary gateway.", lambda: len(self._connections)
        )
        self._metrics.gauge(
            "dongxi_binary_stalled", "Connections that wait for room.", lambda: len(self.stalled)
        )
        self._quiet = asyncio.Event()
        """No connection and no cancel is left."""

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> tuple[str, int]:
        """Listen and return the address; raises OSError."""
        await asyncio.to_thread(warm_up)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self), host, port, ssl=tls)
        self._end_subscription = self.exchange.subscribe(self._on_applied)
        self._heart = asyncio.create_task(self._beat())
        bound = self._server.sockets[0].getsockname()
        return str(bound[0]), int(bound[1])

    async def stop(self) -> None:
        """Take no more, close every connection once it is answered, and stop listening. Idempotent.

        Orders to be cancelled on disconnect are; the exchange must not drain before.
        """
        if self._server is None:
            return
        self._server.close()
        for connection in tuple(self._connections):
            connection.end(CloseCode.STOPPING)
        self._note_quiet()
        await self._quiet.wait()
        if self._heart is not None:
            self._heart.cancel()
        if self._end_subscription is not None:
            self._end_subscription()
        self._server = None

    # -- what connections ask

    def admit(self, connection: Connection) -> bool:
        """Remember a new connection; False if there are too many."""
        self._connections.add(connection)
        return len(self._connections) <= self.limits.connections_max and self.exchange.failure is None

    def authenticate(self, connection: Connection, logon: Logon, raw: bytes) -> int | CloseCode:
        """Return the account that a logon of these bytes is for, or why not."""
        headers = {
            KEY_HEADER: logon.key_id,
            TIMESTAMP_HEADER: str(logon.timestamp_ms),
            NONCE_HEADER: logon.nonce.hex(),
            SIGNATURE_HEADER: raw[SIGNED_SIZE:].hex(),
        }
        try:
            caller = self._authenticator.check(
                headers, SIGNED_METHOD, SIGNED_PATH, "", raw[:SIGNED_SIZE], "trade", connection.peer
            )
        except RequestRefused as refused:
            self._metrics.refused(GATEWAY, refused.code)
            _LOG.info("logon refused", gateway=GATEWAY, code=refused.code, peer=connection.peer)
            known = CloseCode.__members__
            return known.get(refused.code, CloseCode.LOGON_REFUSED)
        _LOG.info("logon", gateway=GATEWAY, account=caller.account, key=caller.key_id, peer=connection.peer)
        return caller.account

    def join(self, connection: Connection, account: int, number: int) -> bool:
        """Give a connection its session, which from now on tells it, and return whether it was known; an
        older connection gives way.
        """
        session, known = self._sessions.get(account, number)
        older, session.connection, connection.session = session.connection, connection, session
        if isinstance(older, Connection):
            older.session = None
            older.end(CloseCode.REPLACED)
            older.finish_if_answered()  # it may have been ending already, waiting for what is now told here
        self._number_accounts()
        return known

    def held(self, account: int, after_seq: int) -> list[Records] | None:
        """Return the account's events after a seq, as they were sent; None if some are forgotten."""
        frames = self.exchange.events_since(after_seq)
        if frames is None:
            return None
        slots = np.full(len(self._slots), NOBODY, np.int32)
        slots[account] = 0
        return [events_by_slot(events, slots, 1, self._room, after_seq)[0] for events in frames]

    def forget(self, connection: Connection) -> None:
        """A connection is gone."""
        if connection.reason is CloseCode.TOO_SLOW:
            self._metrics.dropped(GATEWAY)
        self._connections.discard(connection)
        self.at_end_of_stream.discard(connection)
        self.ending.discard(connection)
        session = connection.session
        if session is not None and session.connection is connection:
            session.connection = None
        self._number_accounts()
        self._note_quiet()
        if connection.key_id:
            _LOG.info("connection ended", gateway=GATEWAY, key=connection.key_id, why=connection.reason.name)

    @property
    def connections(self) -> int:
        """How many connections there are, those included that aren't logged on."""
        return len(self._connections)

    def connected(self, account: int) -> int:
        """Return how many connections an account has."""
        return sum(
            connection.session is not None and connection.session.account == account
            for connection in self._connections
        )

    def cancel_orders(self, account: int, by: str, group: int) -> None:
        """Cancel an account's orders of a group for a key, now or when there is room."""
        self._cancels.append((mass_cancel(account=account, group=group), by))
        self._submit_cancels()

    # -- what the exchange tells

    def _on_applied(self, applied: Applied) -> None:
        if len(applied.events) and self._by_slot:
            shares = events_by_slot(applied.events, self._slots, len(self._by_slot), self._room)
            for share, connections in zip(shares, self._by_slot, strict=True):
                for connection in connections if len(share) else ():
                    connection.tell_events(share)
        if applied.message is not None:
            self._check_keys()
        if self._cancels:
            self._submit_cancels()
        for _ in range(len(self.stalled)):
            self._proceed(self.stalled.popleft())
        if self.ending:
            for connection in tuple(self.ending):
                connection.finish_if_answered()
            self.ending.clear()
        for connections in self._by_slot:
            for connection in connections:
                connection.flush()

    def _proceed(self, connection: Connection) -> None:
        connection.proceed()
        if connection in self.at_end_of_stream and connection not in self.stalled:
            self.at_end_of_stream.discard(connection)
            connection.at_end_of_stream()

    def _check_keys(self) -> None:
        """After a rare command: close the connections whose key is no longer good."""
        for connection in tuple(self._connections):
            if connection.key_id:
                key = self.exchange.views.key(connection.key_id)
                if key is None or not key.enabled:
                    connection.end(CloseCode.KEY_ENDED)

    def _submit_cancels(self) -> None:
        while self._cancels:
            cancel, by = self._cancels[0]
            account = int(cancel["account"][0])
            self.exchange.note_sender(account, by)
            code = self.exchange.submit_block(cancel, account, _NOBODY)
            if code is RejectCode.BUSY:
                return
            self._cancels.popleft()
        self._note_quiet()

    def _note_quiet(self) -> None:
        if self._connections or self._cancels:
            self._quiet.clear()
        else:
            self._quiet.set()

    def _number_accounts(self) -> None:
        """Give every account with a connection a slot."""
        by_account: dict[int, list[Connection]] = {}
        for connection in self._connections:
            session = connection.session
            if session is not None and session.connection is connection:
                by_account.setdefault(session.account, []).append(connection)
        self._slots.fill(NOBODY)
        self._slots[list(by_account)] = range(len(by_account))
        self._by_slot = list(by_account.values())

    def _observe(self, seconds: float) -> None:
        self._metrics.requested(GATEWAY, "block", 200, seconds)

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(BEAT_S)
            for connection in tuple(self._connections):
                connection.beat(loop.time())


_NOBODY: Final = _Nobody()
