"""How things stand with the exchange, in one of a few states, and since when."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

QUIET_S: Final = 8.0
"""The exchange says something every 5 s; after this long what is shown is no longer called live."""

KEY_CODES: Final = frozenset(
    {"BAD_SIGNATURE", "AUTHENTICATION_REQUIRED", "NOT_LOGGED_IN", "ADDRESS_NOT_ALLOWED", "SCOPE_REQUIRED"}
)
"""Refusals that say that this key isn't, or is no longer, good here."""


class State(StrEnum):
    """Where the connection stands."""

    CONNECTING = "connecting"
    """Nothing was heard yet."""
    LIVE = "live"
    STALE = "stale"
    """What is shown is of before; it comes back by itself."""
    WRONG_KEY = "wrong key"
    """The exchange doesn't take this key; it never did."""
    EXPIRED = "session expired"
    """The exchange took this key and does so no longer."""
    REFUSED = "refused"
    """The exchange refuses for a reason that trying again doesn't cure."""


ENDED: Final = frozenset({State.WRONG_KEY, State.EXPIRED, State.REFUSED})


class Connection:
    """The state, by what is heard and by time (monotonic seconds, given by the caller)."""

    def __init__(self, now_s: float) -> None:
        self.state = State.CONNECTING
        self.why = ""
        self.since_s = now_s
        self._heard_s = now_s
        self._was_live = False
        self._down: str | None = None

    @property
    def may_send(self) -> bool:
        """Whether orders may go out: only while what is shown is live."""
        return self.state is State.LIVE

    @property
    def ended(self) -> bool:
        """Whether it won't come back by itself."""
        return self.state in ENDED

    def heard(self, now_s: float) -> bool:
        """A message came; returns whether that changes the state."""
        self._heard_s = now_s
        self._was_live = self._was_live or self._down is None
        return self._judge(now_s)

    def looked(self, down: str | None, now_s: float) -> bool:
        """Take in why one of the connections is gone, if one is (`Stream.down`), and how long nothing came;
        returns whether that changes the state.
        """
        self._down = down
        return self._judge(now_s)

    def _judge(self, now_s: float) -> bool:
        if self.ended:
            return False
        if not self._was_live:
            self.why = self._down or self.why
            return False
        if self._down is not None or now_s - self._heard_s > QUIET_S:
            return self._turn(State.STALE, self._down or f"nothing came for {QUIET_S:g} s", now_s)
        return self._turn(State.LIVE, "", now_s)

    def refused(self, code: str, message: str, now_s: float) -> bool:
        """The exchange refused for good."""
        if code in KEY_CODES:
            return self._turn(State.EXPIRED if self._was_live else State.WRONG_KEY, message, now_s)
        return self._turn(State.REFUSED, message, now_s)

    def _turn(self, state: State, why: str, now_s: float) -> bool:
        changed = state is not self.state
        if changed:
            self.since_s = now_s
        self.state, self.why = state, why
        return changed
