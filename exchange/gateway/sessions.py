"""Sessions of people at the screens, in memory only: a restart ends them all (clause 9.11)."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

SESSIONS_MAX: Final = 4_096
SESSIONS_A_MEMBER_MAX: Final = 8
"""A member's ninth session ends its oldest."""
IDLE_S: Final = 1_800
LIFE_S: Final = 12 * 3_600
_TOKEN_BYTES: Final = 32


@dataclass(slots=True)
class Session:
    """Who is logged in. It ends with the password that opened it."""

    member: str
    password_hash: str
    csrf_token: str
    began: float
    used: float


class Sessions:
    """Open sessions by the hash of their token: what is in memory opens nothing."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._open: OrderedDict[bytes, Session] = OrderedDict()
        """In the order in which they began."""

    def open(self, member: str, password_hash: str) -> tuple[str, Session] | None:
        """Return a new session's token and the session; None if there are as many as may be."""
        now = self._now()
        self._forget_ended(now)
        own = [digest for digest, session in self._open.items() if session.member == member]
        for digest in own[: max(0, len(own) - SESSIONS_A_MEMBER_MAX + 1)]:
            del self._open[digest]
        if len(self._open) >= SESSIONS_MAX:
            return None
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        session = Session(member, password_hash, secrets.token_urlsafe(_TOKEN_BYTES), now, now)
        self._open[_digest(token)] = session
        return token, session

    def find(self, token: str) -> Session | None:
        """Return the session of a token, used now; None if there is none or it is over."""
        session = self.look(token)
        if session is None:
            self.close(token)
            return None
        session.used = self._now()
        return session

    def look(self, token: str) -> Session | None:
        """Return the session of a token without using it; None if there is none or it is over."""
        session = self._open.get(_digest(token))
        return None if session is None or _over(session, self._now()) else session

    def close(self, token: str) -> None:
        """End a session; one that doesn't exist is ended already."""
        self._open.pop(_digest(token), None)

    def _forget_ended(self, now: float) -> None:
        for digest in [digest for digest, session in self._open.items() if _over(session, now)]:
            del self._open[digest]


def _over(session: Session, now: float) -> bool:
    return now - session.used > IDLE_S or now - session.began > LIFE_S


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
