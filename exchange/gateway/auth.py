"""Who sends a request: signature, time window, replay, scope (rulebook chapter 9, `exchange.api.signing`)."""

from __future__ import annotations

import hmac
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from exchange.api.codes import RequestCode, RequestRefused, refuse
from exchange.api.signing import (
    KEY_HEADER,
    NONCE_HEADER,
    NONCE_PATTERN,
    SIGNATURE_HEADER,
    SIGNATURE_PATTERN,
    TIMESTAMP_HEADER,
    TIMESTAMP_PATTERN,
    WINDOW_MS,
    Signer,
    signed_text,
)
from exchange.domain.messages import NoteRequests
from exchange.gateway.networks import allowed
from exchange.gateway.rates import UNLIMITED, Rates
from exchange.service.exchange import Exchange
from exchange.service.nonces import nonce_digest
from exchange.service.results import Applied
from exchange.service.viewtypes import KeyView

NONCES_MAX = 1_000_000
"""Nonces remembered at once; beyond it signed requests are refused with NONCE_MEMORY_FULL."""

KEY_ID_MAX: Final = 64
KEYS_MAX: Final = 4_096
"""Keys that are ready at hand."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The member behind a signed request."""

    member: str
    account: int
    kind: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    key_id: str


@dataclass(frozen=True, slots=True)
class _Known:
    """A key as it is until the next rare command, and whom it stands for."""

    key: KeyView | None
    signer: Signer
    caller: Caller


_STRANGER: Final = _Known(None, Signer(bytes(32)), Caller("", 0, "", (), (), ""))
"""An unknown key's: its requests take as long as others'."""


class NonceMemory:
    """Nonces seen within the window, oldest first. Bounded by `NONCES_MAX`."""

    def __init__(self, maximum: int = NONCES_MAX) -> None:
        self._maximum = maximum
        self._seen: set[bytes] = set()
        self._order: deque[tuple[int, bytes]] = deque()

    def remember(self, nonce: bytes, now_ms: int) -> RequestCode | None:
        """Take note of a nonce at `now_ms`; returns why not: NONCE_REPLAYED or NONCE_MEMORY_FULL."""
        while self._order and self._order[0][0] < now_ms:
            self._seen.discard(self._order.popleft()[1])
        if nonce in self._seen:
            return RequestCode.NONCE_REPLAYED
        if len(self._order) >= self._maximum:
            return RequestCode.NONCE_MEMORY_FULL
        self._seen.add(nonce)
        # a timestamp may lie ahead by the window and is good until the window after it
        self._order.append((now_ms + 2 * WINDOW_MS, nonce))
        return None


class Authenticator:
    """Checks signed requests against the exchange's keys.

    Nonces of requests that change something are journaled, and those of the journal are known from the start.
    Those of reads aren't: timestamps from before the server's start are refused, so that a read which the
    server before it has seen isn't answered again.
    """

    def __init__(
        self, exchange: Exchange, now_ms: Callable[[], int] | None = None, rates: Rates | None = None
    ) -> None:
        self._exchange = exchange
        self._rates = rates or Rates(UNLIMITED)
        self._now_ms = now_ms or (lambda: time.time_ns() // 1_000_000)
        self._start_ms = self._now_ms()
        self._nonces = NonceMemory()
        for nonce, _ in exchange.views.nonces():
            self._nonces.remember(nonce, self._start_ms)
        self._signer = lru_cache(maxsize=KEYS_MAX)(self._made_signer)
        self._known: dict[str, _Known] = {}
        exchange.subscribe(self._on_applied)

    def check(
        self,
        headers: Mapping[str, str],
        method: str,
        path: str,
        query: str,
        body: bytes,
        scope: str,
        peer: str | None,
    ) -> Caller:
        """Return who signed the request that came from the address `peer`.

        Raises RequestRefused: AUTHENTICATION_REQUIRED, STALE_TIMESTAMP, BAD_SIGNATURE, ADDRESS_NOT_ALLOWED,
        NONCE_REPLAYED, NONCE_MEMORY_FULL, RATE_LIMIT, SCOPE_REQUIRED.
        """
        key_id, stamp, nonce, given = _signing_headers(headers)
        now_ms = self._now_ms()
        self._check_time(int(stamp), now_ms)
        known = self._known.get(key_id) or self._look_up(key_id)
        wanted = known.signer.signature(signed_text(method, path, query, stamp, nonce, body))
        matches = hmac.compare_digest(wanted, given)
        key = known.key
        if key is None or not key.enabled or not matches:
            raise refuse(
                RequestCode.BAD_SIGNATURE,
                "The key is unknown or revoked, or the signature does not match the request; "
                "`dongxi sign` shows how a request is signed.",
            )
        if not allowed(key.networks, peer):
            raise refuse(
                RequestCode.ADDRESS_NOT_ALLOWED,
                f"This key may not be used from {peer or 'an unknown address'}; ask the operator for one "
                "that may.",
            )
        digest = nonce_digest(key_id, nonce)
        self._check_nonce(digest, now_ms)
        self._rates.spend(key_id)
        if scope not in key.scopes:
            raise refuse(
                RequestCode.SCOPE_REQUIRED,
                f"This needs a key with the scope {scope!r}; this key has {', '.join(key.scopes)}.",
            )
        if method != "GET" and scope != "read":
            self._exchange.note_request(digest, int(stamp))
        return known.caller

    def spend(self, caller: Caller) -> None:
        """Count one more request of a caller who was checked before. Raises RequestRefused RATE_LIMIT."""
        self._rates.spend(caller.key_id)

    def _check_time(self, stamp_ms: int, now_ms: int) -> None:
        if stamp_ms < self._start_ms or abs(stamp_ms - now_ms) > WINDOW_MS:
            raise refuse(
                RequestCode.STALE_TIMESTAMP,
                f"The timestamp {stamp_ms} is not within {WINDOW_MS // 1000} s of the server's clock "
                f"({now_ms}), or older than its start; sign with the wall clock and send at once.",
            )

    def _check_nonce(self, nonce: bytes, now_ms: int) -> None:
        code = self._nonces.remember(nonce, now_ms)
        if code is RequestCode.NONCE_REPLAYED:
            raise refuse(code, "This key has used this nonce before; make a new one for each request.")
        if code is not None:
            raise refuse(code, f"{code.meaning} Send the request again in a minute.")

    def _look_up(self, key_id: str) -> _Known:
        key = self._exchange.views.key(key_id)
        if key is None:
            return _STRANGER
        caller = Caller(key.member, key.account, key.kind, key.roles, key.scopes, key_id)
        if len(self._known) >= KEYS_MAX:
            self._known.clear()
        known = self._known[key_id] = _Known(key, self._signer(key), caller)
        return known

    def _on_applied(self, applied: Applied) -> None:
        """Look keys up again after whatever may have changed one, its member or its roles."""
        if applied.message is not None and not isinstance(applied.message, NoteRequests):
            self._known.clear()

    def _made_signer(self, key: KeyView) -> Signer:
        return Signer(self._exchange.secret_of(key))


def _signing_headers(headers: Mapping[str, str]) -> tuple[str, str, str, str]:
    key_id = headers.get(KEY_HEADER, "")
    stamp = headers.get(TIMESTAMP_HEADER, "")
    nonce = headers.get(NONCE_HEADER, "")
    given = headers.get(SIGNATURE_HEADER, "")
    whole = (
        0 < len(key_id) <= KEY_ID_MAX
        and TIMESTAMP_PATTERN.fullmatch(stamp)
        and NONCE_PATTERN.fullmatch(nonce)
        and SIGNATURE_PATTERN.fullmatch(given)
    )
    if not whole:
        raise _unsigned(key_id, stamp, nonce, given)
    return key_id, stamp, nonce, given


def _unsigned(key_id: str, stamp: str, nonce: str, given: str) -> RequestRefused:
    """Return the refusal that names what is absent or malformed."""
    wrong = [
        name
        for name, good in (
            (KEY_HEADER, 0 < len(key_id) <= KEY_ID_MAX),
            (TIMESTAMP_HEADER, TIMESTAMP_PATTERN.fullmatch(stamp)),
            (NONCE_HEADER, NONCE_PATTERN.fullmatch(nonce)),
            (SIGNATURE_HEADER, SIGNATURE_PATTERN.fullmatch(given)),
        )
        if not good
    ]
    return refuse(
        RequestCode.AUTHENTICATION_REQUIRED,
        f"This request must be signed; absent or malformed: {', '.join(wrong)}.",
    )
