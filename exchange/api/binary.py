"""The binary session's own bytes: logon, session records, reasons of a close (docs/protocol.md).

What a client sends comes in units of 72 bytes: a logon of two units, then COMMAND records or session
requests, told apart by the kind at byte 66. What it gets are records of 64 bytes: EVENT records or session
records, told apart by the kind at byte 60. All numbers are little-endian.
"""

from __future__ import annotations

import struct
from enum import IntEnum, IntFlag
from typing import Final

import msgspec

MAGIC: Final = b"DXLOGON1"
LOGON_SIZE: Final = 144
SIGNED_SIZE: Final = 112
"""Bytes of a logon that its signature covers: all before it."""
REQUEST_SIZE: Final = 72
ANSWER_SIZE: Final = 64
REQUEST_KIND_AT: Final = 66
ANSWER_KIND_AT: Final = 60
MAKER: Final = 0x80
"""Bit of a TRADE record's flags: the account's order was the resting one."""
NO_RESEND: Final = -1
HEARTBEAT_MS_MIN: Final = 100
HEARTBEAT_MS_MAX: Final = 60_000
SIGNED_METHOD: Final = "LOGON"
SIGNED_PATH: Final = "/binary"

_LOGON: Final = struct.Struct("<8s32sQ16sQqIHB25x")
_ANSWER: Final = struct.Struct("<qQqqiI20xBBBB")
_REQUEST: Final = struct.Struct("<66xB5x")


class LogonFlag(IntFlag):
    """What a logon asks for."""

    NONE = 0
    CANCEL_ON_DISCONNECT = 1
    """When the connection ends, however it ends, cancel the orders of `group` (0: all of the account)."""


class RequestKind(IntEnum):
    """Kinds of a client's records that aren't commands."""

    HEARTBEAT = 224
    LOGOUT = 225


class AnswerKind(IntEnum):
    """Kinds of the server's records that aren't events."""

    WELCOME = 224
    """The logon was accepted: `seq` as of now, `number` of the next command, `account`, `heartbeat_ms`;
    `code` is 1 if the session goes on from an earlier connection.
    """
    BLOCK = 225
    """`count` commands from `number` on are durable; they have the seqs from `seq` on, at `time_ns`."""
    HEARTBEAT = 226
    """Nothing else was to be sent: `seq` as of now, `number` of the next command."""
    RESENT = 227
    """The resend is over: `count` records came, and live ones follow from after `seq`. With `code` 1 none
    came, since older ones than after `seq` aren't held any more: look the account up (resync needed).
    """
    CLOSE = 228
    """The last record: `code` says why (CloseCode)."""


class CloseCode(IntEnum):
    """Why the server closes a connection; the numbers are stable."""

    LOGGED_OUT = 1
    MALFORMED_LOGON = 2
    BAD_SIGNATURE = 3
    STALE_TIMESTAMP = 4
    NONCE_REPLAYED = 5
    SCOPE_REQUIRED = 6
    LOGON_REFUSED = 7
    LOGON_TIMEOUT = 8
    TOO_MANY_CONNECTIONS = 9
    UNKNOWN_KIND = 10
    OPERATOR_ONLY = 11
    INCOMPLETE_RECORD = 12
    HEARTBEAT_MISSED = 13
    TOO_SLOW = 14
    REPLACED = 15
    KEY_ENDED = 16
    STOPPING = 17
    NOT_ACKNOWLEDGING = 18

    @property
    def sentence(self) -> str:
        """What happened and what to do."""
        return _SENTENCES[self]


_SENTENCES: Final = {
    CloseCode.LOGGED_OUT: "The client logged out; everything before was answered.",
    CloseCode.MALFORMED_LOGON: "The first 144 bytes are not a logon: its magic, key, group, heartbeat or "
    "flags are wrong.",
    CloseCode.BAD_SIGNATURE: "The key is unknown or revoked, or the signature does not match the logon.",
    CloseCode.STALE_TIMESTAMP: "The logon's timestamp is not within 30 s of the server's clock, or older "
    "than the server's start.",
    CloseCode.NONCE_REPLAYED: "This key has used this nonce before; make a new one for each logon.",
    CloseCode.SCOPE_REQUIRED: "The key lacks the scope trade.",
    CloseCode.LOGON_REFUSED: "The key may not log on from here or now.",
    CloseCode.LOGON_TIMEOUT: "No complete logon came in time.",
    CloseCode.TOO_MANY_CONNECTIONS: "The gateway serves as many connections as it may; try later.",
    CloseCode.UNKNOWN_KIND: "A record has a kind that no client sends; the records before it were taken.",
    CloseCode.OPERATOR_ONLY: "A record's kind is for the operator only; the records before it were taken.",
    CloseCode.INCOMPLETE_RECORD: "The stream ended within a record; the records before it were taken.",
    CloseCode.HEARTBEAT_MISSED: "Nothing came from the client for three heartbeats.",
    CloseCode.TOO_SLOW: "The client does not read fast enough; log on again and ask for what is missing.",
    CloseCode.REPLACED: "The same session logged on again; this connection gives way.",
    CloseCode.KEY_ENDED: "The key was revoked.",
    CloseCode.STOPPING: "The exchange is shutting down; log on again after its restart.",
    CloseCode.NOT_ACKNOWLEDGING: "The journal could not be written: the outcome of commands without an "
    "answer is unknown until the exchange was restarted.",
}


class Logon(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks for with its first 144 bytes."""

    key_id: str
    timestamp_ms: int
    nonce: bytes
    """16 bytes, new for each logon."""
    session: int
    """Chosen by the client, 0 … 2^64 − 1; the same one again goes on with its command numbers."""
    after_seq: int = NO_RESEND
    """Resend what concerns the account after this seq; NO_RESEND for nothing."""
    heartbeat_ms: int = 5_000
    group: int = 0
    flags: int = LogonFlag.NONE


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One session record of the server; `AnswerKind` says which fields mean what."""

    kind: int
    seq: int = 0
    number: int = 0
    count: int = 0
    time_ns: int = 0
    account: int = 0
    heartbeat_ms: int = 0
    code: int = 0


def pack_logon(logon: Logon) -> bytes:
    """Return the 112 bytes of a logon that are signed; 32 bytes of signature follow them."""
    return _LOGON.pack(
        MAGIC,
        logon.key_id.encode("ascii"),
        logon.timestamp_ms,
        logon.nonce,
        logon.session,
        logon.after_seq,
        logon.heartbeat_ms,
        logon.group,
        logon.flags,
    )


def unpack_logon(raw: bytes) -> Logon | None:
    """Return the logon in these 112 bytes; None if they aren't one, padding included."""
    magic, key, stamp, nonce, session, after_seq, heartbeat_ms, group, flags = _LOGON.unpack(raw)
    key_id = key.rstrip(b"\0")
    if magic != MAGIC or not key_id.isascii() or not key_id.decode("ascii", "replace").isalnum():
        return None
    if not HEARTBEAT_MS_MIN <= heartbeat_ms <= HEARTBEAT_MS_MAX or flags & ~LogonFlag.CANCEL_ON_DISCONNECT:
        return None
    logon = Logon(
        key_id=key_id.decode("ascii"),
        timestamp_ms=stamp,
        nonce=nonce,
        session=session,
        after_seq=after_seq,
        heartbeat_ms=heartbeat_ms,
        group=group,
        flags=flags,
    )
    return logon if pack_logon(logon) == raw and after_seq >= NO_RESEND else None


def pack_answer(answer: Answer) -> bytes:
    """Return the 64 bytes of a session record."""
    return _ANSWER.pack(
        answer.seq,
        answer.number,
        answer.count,
        answer.time_ns,
        answer.account,
        answer.heartbeat_ms,
        answer.kind,
        0,
        answer.code,
        0,
    )


def unpack_answer(raw: bytes | memoryview) -> Answer:
    """Return the session record in these 64 bytes."""
    seq, number, count, time_ns, account, heartbeat_ms, kind, _, code, _ = _ANSWER.unpack(raw)
    return Answer(
        kind=kind,
        seq=seq,
        number=number,
        count=count,
        time_ns=time_ns,
        account=account,
        heartbeat_ms=heartbeat_ms,
        code=code,
    )


def pack_request(kind: RequestKind) -> bytes:
    """Return the 72 bytes of a client's heartbeat or logout."""
    return _REQUEST.pack(kind)
