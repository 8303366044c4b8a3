"""What a journal frame's body holds: command records, or the stamp and msgpack of one rare message."""

from __future__ import annotations

import struct
from typing import Any

import msgspec

from exchange.domain.messages import RareMessage, decode, encode

_TIME = struct.Struct("<q")
_SECRET = frozenset({"ciphertext", "hash"})


def pack_rare(time_ns: int, message: RareMessage) -> bytes:
    """Return the body of a rare frame: market time (int64, ns, little-endian), then the message."""
    return _TIME.pack(time_ns) + encode(message)


def unpack_rare(body: bytes | memoryview) -> tuple[int, RareMessage]:
    """Return (time_ns, message) of a rare frame's body. Raises msgspec.DecodeError for anything else."""
    (time_ns,) = _TIME.unpack_from(body)
    return time_ns, decode(memoryview(body)[_TIME.size :])


def well_formed(message: RareMessage) -> bool:
    """Return whether the message survives its own encoding: the journal must never hold what can't be
    read back.
    """
    try:
        return decode(encode(message)) == message
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError):
        return False


def plain(message: RareMessage) -> dict[str, Any]:
    """Return a message's fields as they may be shown: secrets, be they
    encrypted or hashed, are left out.
    """
    shown: dict[str, Any] = _without_secrets(msgspec.to_builtins(message))
    return shown


def _without_secrets(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: _without_secrets(part) for name, part in value.items() if name not in _SECRET}
