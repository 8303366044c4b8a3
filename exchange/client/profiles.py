"""Credential files: `KEYS_DIR/<member>.toml`, readable by their owner only (0600)."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec

MEMBER_PATTERN = re.compile(r"[a-z][a-z0-9-]{1,31}", re.ASCII)

ENVIRONMENT = {
    "member": "DONGXI_MEMBER",
    "key_id": "DONGXI_KEY_ID",
    "secret": "DONGXI_SECRET",
    "base_url": "DONGXI_BASE_URL",
}
"""The variables that make a profile."""


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One member's key. `secret` is 64 hex digits; it is left out of `repr` so that no log shows it."""

    member: str
    key_id: str
    secret: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    base_url: str
    account: str = ""
    """Empty where only the key is known."""

    def __repr__(self) -> str:
        return f"Profile(member={self.member!r}, account={self.account!r}, key_id={self.key_id!r}, secret=…)"

    @property
    def secret_bytes(self) -> bytes:
        """The secret as the HMAC key."""
        return bytes.fromhex(self.secret)


def profile_path(keys_dir: Path, member: str) -> Path:
    """Where the profile of `member` lies. Raises ValueError for a name that could leave the directory."""
    if MEMBER_PATTERN.fullmatch(member) is None:
        raise ValueError(
            f"{member!r} is not a member name: 2 to 32 of a-z, 0-9 and -, starting with a letter"
        )
    return keys_dir / f"{member}.toml"


def save_profile(keys_dir: Path, profile: Profile) -> Path:
    """Writes a profile beside its final name, renames it (it is never half there), returns its path."""
    path = profile_path(keys_dir, profile.member)
    keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_secret(path, profile_text(profile).encode()).replace(path)
    return path


def write_secret(path: Path, content: bytes) -> Path:
    """Writes a file of mode 0600 beside `path`, synced; returns its path, to rename or to link."""
    beside = path.with_suffix(f".{os.getpid()}.tmp")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return beside


def load_profile(keys_dir: Path, member: str) -> Profile:
    """Reads a profile.

    Raises FileNotFoundError (no such member here), PermissionError (others may read the file), ValueError.
    """
    path = profile_path(keys_dir, member)
    if not path.exists():
        names = sorted(found.stem for found in keys_dir.glob("*.toml"))
        raise FileNotFoundError(
            f"no profile of {member!r} in the directory {keys_dir}; there are: {', '.join(names) or 'none'}"
        )
    if path.stat().st_mode & 0o077:
        raise PermissionError(f"{path} can be read by others; run: chmod 600 {path}")
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Profile)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise ValueError(f"{path} is not a profile: {error}") from None


def profile_from_environment(environment: Mapping[str, str] | None = None) -> Profile:
    """Returns the key that the variables name. Raises ValueError: one of them is absent or wrong."""
    given = os.environ if environment is None else environment
    absent = [name for name in ENVIRONMENT.values() if not given.get(name)]
    if absent:
        raise ValueError(f"the environment names no key: {', '.join(absent)} not set")
    values = {field: given[name] for field, name in ENVIRONMENT.items()}
    try:
        return msgspec.convert(values, Profile)
    except msgspec.ValidationError:
        raise ValueError("DONGXI_SECRET is not a secret: 64 hex digits") from None


def profile_text(profile: Profile) -> str:
    """Returns the profile as a file holds it (TOML)."""
    # TOML's basic strings are JSON's, as far as the characters of these values go.
    encode = msgspec.json.encode
    lines = [f"{name} = {encode(value).decode()}" for name, value in msgspec.structs.asdict(profile).items()]
    return "\n".join(lines) + "\n"
