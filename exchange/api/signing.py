"""How a request is signed: HMAC-SHA256 over method, path, query, timestamp, nonce and body hash.

The signed text is six lines joined by a single newline, without one at the end:

    METHOD        upper case
    PATH          percent-encoded exactly as on the request line, without the query
    QUERY         what follows "?", exactly as sent; empty if there is none
    TIMESTAMP     milliseconds since the epoch, wall clock (never the market's clock), decimal
    NONCE         16 … 64 characters of A-Z a-z 0-9 - _, never used twice with one key
    SHA256(body)  lower-case hex; of the empty string if there is no body

The key of the HMAC is the 32 bytes of the secret, whose text form is 64 hex digits.
"""

import hashlib
import re
import secrets
import time

KEY_HEADER = "Dongxi-Key"
TIMESTAMP_HEADER = "Dongxi-Timestamp"
NONCE_HEADER = "Dongxi-Nonce"
SIGNATURE_HEADER = "Dongxi-Signature"

WINDOW_MS = 30_000
"""How far the signed timestamp may lie from the server's wall clock, either way."""

NONCE_PATTERN = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)
TIMESTAMP_PATTERN = re.compile(r"\d{13}", re.ASCII)
SIGNATURE_PATTERN = re.compile(r"[0-9a-f]{64}", re.ASCII)

_INNER_PAD = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD = bytes(byte ^ 0x5C for byte in range(256))


def signed_text(method: str, path: str, query: str, timestamp_ms: str, nonce: str, body: bytes) -> bytes:
    """The bytes that the signature covers."""
    lines = (method.upper(), path, query, timestamp_ms, nonce, hashlib.sha256(body).hexdigest())
    return "\n".join(lines).encode()


class Signer:
    """HMAC-SHA256 under one secret of at most 64 bytes, prepared: what RFC 2104 says of the key alone is
    hashed once.
    """

    def __init__(self, secret: bytes) -> None:
        padded = secret.ljust(hashlib.sha256().block_size, b"\0")
        self._inner = hashlib.sha256(padded.translate(_INNER_PAD))
        self._outer = hashlib.sha256(padded.translate(_OUTER_PAD))

    def signature(self, text: bytes) -> str:
        """Return the signature of `text` in lower-case hex."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text)
        outer.update(inner.digest())
        return outer.hexdigest()


def signed_headers(
    key_id: str,
    secret: bytes,
    method: str,
    target: str,
    body: bytes = b"",
    *,
    timestamp_ms: int | None = None,
    nonce: str | None = None,
) -> dict[str, str]:
    """The four headers that sign a request to `target` (path and query as they will be sent)."""
    path, _, query = target.partition("?")
    stamp = str(time.time_ns() // 1_000_000 if timestamp_ms is None else timestamp_ms)
    once = secrets.token_urlsafe(16) if nonce is None else nonce
    text = signed_text(method, path, query, stamp, once, body)
    return {
        KEY_HEADER: key_id,
        TIMESTAMP_HEADER: stamp,
        NONCE_HEADER: once,
        SIGNATURE_HEADER: Signer(secret).signature(text),
    }
