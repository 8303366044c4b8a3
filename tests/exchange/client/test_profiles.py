"""Credential files: whole, private, and refused in a sentence when they are anything else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from exchange.client import Profile, load_profile, save_profile

PROFILE = Profile(
    member="blue-1", account="7", key_id='k"\\é', secret="0f" * 32, base_url="http://127.0.0.1:8230"
)


def test_a_profile_comes_back_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    keys = tmp_path / "deep" / "keys"
    before = os.umask(0)
    try:
        path = save_profile(keys, PROFILE)
    finally:
        os.umask(before)
    assert (path.stat().st_mode & 0o777, keys.stat().st_mode & 0o777) == (0o600, 0o700)
    assert load_profile(keys, "blue-1") == PROFILE
    assert PROFILE.secret_bytes == b"\x0f" * 32


def test_a_profile_replaces_the_one_before_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = save_profile(tmp_path, PROFILE)
    path.chmod(0o644)
    changed = Profile(
        member="blue-1", account="8", key_id="k", secret="aa" * 32, base_url="https://dongxi.example"
    )
    save_profile(tmp_path, changed)
    assert load_profile(tmp_path, "blue-1") == changed
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in tmp_path.iterdir()] == ["blue-1.toml"]


def test_a_secret_is_in_no_repr() -> None:
    assert PROFILE.secret not in repr(PROFILE)
    assert "blue-1" in repr(PROFILE)


@pytest.mark.parametrize(
    "name", ["", "b", "Blue", "../blue", "/etc/passwd", "a/b", "a" * 33, "blü", "1a", "a\n"]
)
def test_a_name_that_could_leave_the_directory_is_refused(tmp_path: Path, name: str) -> None:
    wrong = Profile(member=name, account="1", key_id="k", secret="aa" * 32, base_url="")
    for call in (lambda: load_profile(tmp_path, name), lambda: save_profile(tmp_path, wrong)):
        with pytest.raises(ValueError, match="is not a member name: 2 to 32 of a-z"):
            call()
    assert list(tmp_path.iterdir()) == []


def test_an_absent_profile_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no profile of 'blue' in .*there are: none") as refused:
        load_profile(tmp_path / "absent", "blue")
    assert str(tmp_path) in str(refused.value)
    save_profile(tmp_path, PROFILE)
    with pytest.raises(FileNotFoundError, match="there are: blue-1"):
        load_profile(tmp_path, "blue")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o622])
def test_a_profile_that_others_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = save_profile(tmp_path, PROFILE)
    path.chmod(mode)
    with pytest.raises(PermissionError, match=f"can be read by others; run: chmod 600 {path}"):
        load_profile(tmp_path, "blue-1")


@pytest.mark.parametrize(
    ("found", "replaced", "word"),
    [
        (b"0f" * 32, b"0f" * 31, "secret"),
        (b"0f" * 32, b"xy" * 32, "secret"),
        (b'"7"', b"7", "account"),
        (b"key_id", b"kid", "kid"),
        (b"base_url =", b"base_url", "line"),
        (b"blue-1", b"\xff", "utf-8"),
    ],
)
def test_what_is_not_a_profile_is_named(tmp_path: Path, found: bytes, replaced: bytes, word: str) -> None:
    path = save_profile(tmp_path, PROFILE)
    path.write_bytes(path.read_bytes().replace(found, replaced))
    with pytest.raises(ValueError, match="is not a profile: ") as refused:
        load_profile(tmp_path, "blue-1")
    assert str(path) in str(refused.value)
    assert word in str(refused.value)
