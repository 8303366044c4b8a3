"""API-key secrets: made outside the core, encrypted with AES-GCM under a master key, journaled as ciphertext
only.

The master key is a file of 32 bytes, readable by its owner alone, that lives outside the data directory: a
copy of the data directory opens no account.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
SECRET_BYTES = 32
_OTHERS = 0o077


class MasterKeyError(Exception):
    """The master key is missing, malformed, open to others, or not the one that encrypted the secrets."""


class MasterKey:
    """Encrypts and decrypts key secrets; the key id is authenticated with each."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def load(cls, path: Path) -> MasterKey:
        """Read the master key. Raises MasterKeyError, saying what to do."""
        try:
            key, mode = path.read_bytes(), path.stat().st_mode
        except FileNotFoundError:
            raise MasterKeyError(
                f"{path} is missing, and the journal holds secrets encrypted with it; restore the file "
                f"from where you keep it"
            ) from None
        if len(key) != KEY_BYTES:
            raise MasterKeyError(
                f"{path} has {len(key)} bytes instead of {KEY_BYTES}; restore the right file"
            )
        if mode & _OTHERS:
            raise MasterKeyError(f"{path} is open to other users; run: chmod 600 {path}")
        return cls(key)

    @classmethod
    def create(cls, path: Path) -> MasterKey:
        """Make a master key, mode 0600, durable before it returns. Raises FileExistsError rather than
        overwrite one.
        """
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = secrets.token_bytes(KEY_BYTES)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return cls(key)

    def encrypt(self, secret: bytes, key_id: str) -> bytes:
        """Return nonce ‖ ciphertext ‖ tag of a secret."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, key_id.encode())

    def decrypt(self, ciphertext: bytes, key_id: str) -> bytes:
        """Return the secret. Raises MasterKeyError if key, id and ciphertext don't belong together."""
        nonce, rest = ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, rest, key_id.encode())
        except InvalidTag:
            raise MasterKeyError(f"key {key_id} wasn't encrypted with this master key") from None


def new_secret() -> bytes:
    """Return 32 random bytes."""
    return secrets.token_bytes(SECRET_BYTES)


def new_key_id() -> str:
    """Return a key id: "k" and 16 hex digits."""
    return f"k{secrets.token_hex(8)}"
