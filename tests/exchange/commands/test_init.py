"""`dongxi init` and `dongxi operator` as a user meets them, and the exchange that they leave behind."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import msgspec
import pytest
from program import run, up

from exchange.client import ExchangeClient, ExchangeError, Profile


def directories(folder: Path) -> tuple[str, ...]:
    return ("--data", str(folder / "data"))


def profiles(shown: str) -> dict[str, Profile]:
    """The profiles that a command printed, by name."""
    texts = [text for text in re.split(r"^# .*$", shown, flags=re.MULTILINE) if "key_id" in text]
    start = re.compile(r"^member = ", re.MULTILINE)
    found = [
        msgspec.convert(tomllib.loads(text[at.start() :]), Profile)
        for text in texts
        if (at := start.search(text)) is not None
    ]
    return {profile.member: profile for profile in found}


def init(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return run("init", *directories(folder), *more)


def secrets_in(folder: Path, profile: Profile) -> list[Path]:
    """Files that hold the profile's secret, as text or as bytes."""
    return [
        path
        for path in folder.rglob("*")
        if path.is_file()
        and (profile.secret.encode() in (held := path.read_bytes()) or profile.secret_bytes in held)
    ]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of an exchange with two operators, and what the command said."""
    folder = tmp_path_factory.mktemp("made")
    done = init(folder, "--first", "chen", "--second", "wang")
    assert (done.returncode, done.stderr) == (0, "")
    return folder, done.stdout


@pytest.fixture
def made(tmp_path: Path, original: tuple[Path, str]) -> dict[str, Profile]:
    """The two profiles; a copy of the exchange is in `tmp_path`."""
    folder, said = original
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    return profiles(said)


async def test_an_exchange_with_two_operators_starts_and_both_keys_are_good(
    tmp_path: Path, made: dict[str, Profile]
) -> None:
    assert list(made) == ["chen", "wang"]
    master = tmp_path / "data-keys/master.key"
    assert master.stat().st_mode & 0o777 == 0o600
    assert [path for profile in made.values() for path in secrets_in(tmp_path, profile)] == []
    with up(tmp_path) as (_, address):
        async with (
            ExchangeClient(address, made["chen"], retries=0) as chen,
            ExchangeClient(address, made["wang"], retries=0) as wang,
        ):
            await chen.add_member("blue", "enterprise", state="approved")
            proposal = await chen.propose_cash("blue", 500, "was forgotten")
            with pytest.raises(ExchangeError, match="SAME_OPERATOR"):
                await chen.decide(proposal, True)
            await wang.decide(proposal, True)
            assert [member.cash_fen for member in await chen.members()] == [0, 0, 500]
    assert not (tmp_path / "data-keys/operator.toml").exists()
    assert [path for profile in made.values() for path in secrets_in(tmp_path, profile)] == []


def test_what_is_there_is_never_made_again(tmp_path: Path, made: dict[str, Profile]) -> None:
    again = init(tmp_path)
    assert (again.returncode, again.stdout) == (1, "")
    for words in ("already", "chen, wang", "dongxi operator key", "--data"):
        assert words in again.stderr
    demonstration = run("up", "--demo", "--once", "--port", "0", *directories(tmp_path))
    assert demonstration.returncode == 1
    assert "name another directory with --data" in demonstration.stderr
    elsewhere = run("init", "--data", str(tmp_path / "other"), "--keys", str(tmp_path / "data-keys"))
    assert elsewhere.returncode == 1
    assert "another exchange" in elsewhere.stderr
    assert not (tmp_path / "other/journal").exists()


@pytest.mark.parametrize("names", [("a b", "wang"), ("chen", "chen"), ("operator", "wang"), ("chen", "")])
def test_names_that_cannot_be_are_refused_before_anything_is_made(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    refused = init(tmp_path, "--first", names[0], "--second", names[1])
    assert (refused.returncode, refused.stdout) == (2, "")
    assert list(tmp_path.iterdir()) == []


async def test_operators_are_added_and_lost_keys_replaced(tmp_path: Path, made: dict[str, Profile]) -> None:
    added = run("operator", "add", "zhao", "--role", "risk", *directories(tmp_path))
    assert (added.returncode, added.stderr) == (0, "")
    again = run("operator", "add", "zhao", *directories(tmp_path))
    assert again.returncode == 1
    assert "exists" in again.stderr
    replaced = run("operator", "key", "wang", *directories(tmp_path))
    assert replaced.returncode == 0
    zhao, wang = profiles(added.stdout)["zhao"], profiles(replaced.stdout)["wang"]
    with up(tmp_path) as (_, address):
        running = run("operator", "key", "wang", *directories(tmp_path))
        assert running.returncode == 1
        assert "data" in running.stderr
        async with (
            ExchangeClient(address, zhao, retries=0) as risk,
            ExchangeClient(address, wang, retries=0) as new,
            ExchangeClient(address, made["wang"], retries=0) as old,
        ):
            with pytest.raises(ExchangeError, match="BAD_SIGNATURE"):
                await old.members()
            with pytest.raises(ExchangeError, match="ROLE_REQUIRED"):
                await risk.deposit("chen", 5)
            roles = {member.member: member.roles for member in await new.members()}
            assert roles["zhao"] == ["risk"]


def test_operator_commands_say_what_is_wrong(tmp_path: Path, made: dict[str, Profile]) -> None:
    where = directories(tmp_path)
    for arguments, code, words in (
        (("add", "ZHAO", *where), 2, "not a name"),
        (("add", "zhao", "--role", "king", *where), 2, "market, risk, treasury, admin"),
        (("key", "nobody", *where), 1, "chen, wang"),
        (("key", "chen", "--data", str(tmp_path / "none")), 1, "dongxi init"),
        (("password", "nobody", *where), 1, "chen, wang"),
    ):
        refused = run("operator", *arguments, stdin=b"correct horse battery\n")
        assert (refused.returncode, refused.stdout) == (code, "")
        assert words in refused.stderr
    short = run("operator", "password", "chen", *where, stdin=b"short\n")
    assert short.returncode == 2
    assert "12" in short.stderr


def test_a_password_is_set_and_nowhere_to_be_read(tmp_path: Path, made: dict[str, Profile]) -> None:
    """Clause 9.10."""
    done = run("operator", "password", "chen", *directories(tmp_path), stdin=b"correct horse battery\n")
    assert (done.returncode, done.stderr) == (0, "")
    held = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(b"correct horse battery" in data for data in held)
    assert any(b"$argon2id$" in data for data in held)
    dumped = run("journal", "dump", *directories(tmp_path)).stdout
    assert "SetPassword" in dumped
    assert "argon2" not in dumped
