"""Sessions: a client's numbered commands, which go on when it connects again."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final, Protocol

from exchange.api.binary import Answer, AnswerKind
from exchange.domain.rejects import RejectCode

SESSIONS_MAX: Final = 4_096
"""Sessions remembered; beyond it the one that was idle longest is forgotten."""
_BLOCK: Final = AnswerKind.BLOCK
BLOCKS_MAX: Final = 8_192
"""Latest blocks of a session that are told again after a reconnect."""


class Listening(Protocol):
    """The connection that a session has now."""

    def tell_block(self, block: Answer) -> None:
        """Send that a block is durable."""

    def tell_lost(self) -> None:
        """Say that nothing is acknowledged any more."""


class Session:
    """What is known of one session of one account: how many commands were taken, and what became of them."""

    def __init__(self, account: int, observe: Callable[[float], None]) -> None:
        self.account = account
        self.taken = 0
        self.connection: Listening | None = None
        self._answered = 0
        self._sent_at: deque[float] = deque()
        self._blocks: deque[Answer] = deque(maxlen=BLOCKS_MAX)
        self._observe = observe

    @property
    def in_flight(self) -> int:
        """Blocks that wait to be durable."""
        return len(self._sent_at)

    def take(self, commands: int) -> None:
        """Note that the exchange took a block of so many commands."""
        self.taken += commands
        self._sent_at.append(time.perf_counter())

    def blocks_after(self, seq: int) -> list[Answer]:
        """Return the blocks that end after `seq` and are still remembered, oldest first."""
        return [block for block in self._blocks if block.seq + block.count - 1 > seq]

    def durable(self, first_seq: int, count: int, time_ns: int) -> None:
        """See `BlockOwner`."""
        block = Answer(kind=_BLOCK, seq=first_seq, number=self._answered + 1, count=count, time_ns=time_ns)
        self._answered += count
        self._blocks.append(block)
        if self.connection is not None:
            self.connection.tell_block(block)
        self._observe(time.perf_counter() - self._sent_at.popleft())

    def lost(self, code: RejectCode) -> None:
        """See `BlockOwner`."""
        self._sent_at.popleft()
        if self.connection is not None:
            self.connection.tell_lost()


class Sessions:
    """All sessions that are remembered, by account and the client's number."""

    def __init__(self, observe: Callable[[float], None], maximum: int = SESSIONS_MAX) -> None:
        self._maximum = maximum
        self._observe = observe
        self._known: OrderedDict[tuple[int, int], Session] = OrderedDict()

    def get(self, account: int, number: int) -> tuple[Session, bool]:
        """Return a session, made if need be, and whether it was known."""
        key = (account, number)
        known = key in self._known
        session = self._known.setdefault(key, Session(account, self._observe))
        self._known.move_to_end(key)
        if len(self._known) > self._maximum:
            self._forget_one()
        return session, known

    def _forget_one(self) -> None:
        for key, session in self._known.items():
            if session.connection is None and not session.in_flight:
                del self._known[key]
                return
