"""Passwords for the screens: Argon2id hashes, made and checked outside the core (clause 9.10).

A hash takes some 64 MiB and tens of milliseconds on purpose; call both functions from a worker thread.
"""

from __future__ import annotations

from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

PASSWORD_LENGTH_MIN: Final = 12
PASSWORD_LENGTH_MAX: Final = 256

_HASHER: Final = PasswordHasher()
_NOBODY: Final = f"$argon2id$v=19$m=65536,t=3,p=4${'A' * 22}${'A' * 43}"
"""Checked where there is no hash, so that an unknown name takes as long as a wrong password."""


def hash_password(password: str) -> str:
    """Return the hash in its text form, with its salt and cost. Raises ValueError for a bad length."""
    if not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX:
        raise ValueError(f"a password has {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters")
    return _HASHER.hash(password)


def password_matches(known: str | None, password: str) -> bool:
    """Return whether the password has this hash; False for None, after the same work."""
    try:
        return _HASHER.verify(known or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
