"""What a site's agent signs: the exact bytes of attestations and meter readings, and Ed25519 over them.

Both sides build the bytes from the numbers that they have read, so no form of JSON can change them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_BYTES = 32
SIGNATURE_BYTES = 64


def attestation_bytes(
    site_id: int,
    sequence: int,
    capacity_id: int,
    measured_at_ns: int,
    cards: int,
    gflops: int,
    memory_gb: int,
) -> bytes:
    """Return what is signed of a benchmark (clause 10.2): decimal numbers, one a line."""
    return _lines(
        "dongxi-attestation-1", (site_id, sequence, capacity_id, measured_at_ns, cards, gflops, memory_gb)
    )


def readings_bytes(site_id: int, sequence: int, readings: Iterable[tuple[int, int, int]]) -> bytes:
    """Return what is signed of a batch of readings (clause 7.4): (reservation, hour start in ns, cards)."""
    numbers = [number for reading in readings for number in reading]
    return _lines("dongxi-readings-1", (site_id, sequence, *numbers))


def _lines(title: str, numbers: Iterable[int]) -> bytes:
    return "\n".join([title, *map(str, numbers), ""]).encode()


def is_public_key(key: bytes) -> bool:
    """Return whether the bytes can be an agent's public key."""
    return len(key) == KEY_BYTES


def verified(public_key: bytes, signature: bytes, signed: bytes) -> bool:
    """Return whether the signature is the key's over these bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


class AgentKey:
    """The private key of a site's agent."""

    def __init__(self, private_key: bytes) -> None:
        """Raises ValueError unless the private key has 32 bytes."""
        self._key = Ed25519PrivateKey.from_private_bytes(private_key)

    @classmethod
    def generate(cls) -> Self:
        """Return a new one."""
        return cls(Ed25519PrivateKey.generate().private_bytes_raw())

    @property
    def private_bytes(self) -> bytes:
        """The key itself, to be kept."""
        return self._key.private_bytes_raw()

    @property
    def public_bytes(self) -> bytes:
        """What the exchange is told."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, signed: bytes) -> bytes:
        """Return the signature over these bytes."""
        return self._key.sign(signed)
