"""The program `dongxi` as a user meets it: the installed script, its output and its exit codes."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import socket
from importlib.metadata import entry_points, version
from pathlib import Path

import aiohttp
import pytest
from exchange_server import serving
from program import run, up

from exchange.cli import PANELS, as_command
from exchange.client import Profile, save_profile

SECRET = "ab" * 32


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of an exchange that was opened, served and closed."""
    folder = tmp_path_factory.mktemp("served")

    async def serve() -> None:
        async with serving(folder) as served:
            await served.admit("blue", "enterprise")

    asyncio.run(serve())
    return folder / "data"


@pytest.mark.parametrize(
    ("command", "purpose"),
    [
        ((), "trade, place and deliver compute"),
        (("hubs",), "delivery points"),
        (("journal",), "Look at a journal"),
        (("journal", "verify"), "Check every byte and the hash chain"),
        (("journal", "dump"), "Print commands, one a line"),
        (("sign",), "Print the headers that sign one request"),
        (("up",), "Start the exchange and serve until Ctrl-C"),
        (("version",), "Print the versions"),
    ],
)
def test_help_says_what_it_does(command: tuple[str, ...], purpose: str) -> None:
    shown = run(*command, "--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert purpose in shown.stdout
    assert "--help" in shown.stdout


def test_help_lists_every_command() -> None:
    listed = run("--help").stdout
    installed = {one.name for one in entry_points(group="dongxi.commands")}
    named = set(" ".join(PANELS.values()).split())
    assert set(re.findall(r"│ ([a-z][a-z-]*) ", listed)) == installed == named
    assert listed.index(" Providers ") < listed.index("│ capacity ") < listed.index(" Operators ")


def test_every_command_prints_json_if_asked() -> None:
    found = [one for one in entry_points(group="dongxi.commands") if one.name != "members"]
    commands = [as_command(one) for one in found if one.module.startswith("exchange.commands.member.")]
    each = [one for command in commands for one in getattr(command, "commands", {"": command}).values()]
    without = [one.name for one in each if not any("--json" in option.opts for option in one.params)]
    assert len(each) > 30
    assert sorted(without) == ["login", "trade"], "these two are for people alone"


@pytest.mark.parametrize("arguments", [("barter",), ("journal", "repair"), ("up", "--prot", "1"), ("sign",)])
def test_what_does_not_exist_or_is_absent_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    refused = run(*arguments)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "Usage: dongxi" in refused.stderr


def test_version_names_the_program_and_its_libraries() -> None:
    shown = run("version").stdout
    assert f"dongxi {version('dongxi')}, Python 3." in shown
    assert f"numba {version('numba')}" in shown


@pytest.mark.parametrize("why", ["no module of that kind", "a bracket [/red] in the reason"])
def test_a_broken_plug_in_is_named_and_disturbs_nothing(tmp_path: Path, why: str) -> None:
    (tmp_path / "broken_plug_in.py").write_text(f"raise RuntimeError({why!r})")
    info = tmp_path / "broken_plug_in-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-plug-in\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[dongxi.commands]\nbroken = broken_plug_in:main\n")
    place = {"PYTHONPATH": str(tmp_path)}
    sentence = f"dongxi broken: broken_plug_in:main does not load: {why}"

    failed = run("broken", **place)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert sentence in failed.stderr
    listed = run("--help", **place)
    assert listed.returncode == 0
    assert f"(does not load: {why})" in listed.stdout
    assert "Start the exchange" in listed.stdout
    other = run("version", **place)
    assert (other.returncode, other.stderr) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_up_serves_until_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    with up(tmp_path) as (process, url):
        async with aiohttp.ClientSession() as session, session.get(url + "/livez") as answer:
            assert (answer.status, await answer.json()) == (200, {"alive": True})
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
        assert (process.returncode, "Traceback" in said) == (0, False)
    assert (tmp_path / "data-keys/operator.toml").stat().st_mode & 0o777 == 0o600
    sound = run("journal", "verify", "--data", str(tmp_path / "data"))
    assert (sound.returncode, "are sound" in sound.stdout) == (0, True)


def test_a_port_in_use_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = run("up", "--data", str(tmp_path / "data"), "--port", port)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"can't listen on 127.0.0.1:{port}" in refused.stderr
    assert "choose another with --port" in refused.stderr


def test_a_data_directory_serves_one_process(tmp_path: Path) -> None:
    with up(tmp_path) as (process, _):
        refused = run("up", "--data", str(tmp_path / "data"), "--port", "0")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "is in use by another process; stop it first" in refused.stderr
        assert process.poll() is None


def test_a_data_directory_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    refused = run("up", "--data", str(tmp_path / "data"), "--port", "0")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert str(tmp_path / "data") in refused.stderr


async def test_signed_headers_are_accepted_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        keys = tmp_path / "profiles"
        save_profile(keys, await served.admit("blue", "enterprise"))
        await served.at(9, 30)
        body = (
            '{"symbol":"H100.GUIAN.261205","side":"buy","price":"11.85","quantity":2,"client_order_id":"1"}'
        )
        for how, stdin in ((body, b""), ("-", body.encode())):
            signing = ("sign", "--as", "blue", "--keys", str(keys), "post", "/v1/orders", how)
            shown = await asyncio.to_thread(run, *signing, stdin=stdin)
            assert (shown.returncode, shown.stderr) == (0, "")
            headers = dict(line.split(": ", 1) for line in shown.stdout.splitlines())
            assert headers["Content-Type"] == "application/json"
            status, answer = await served.raw("POST", "/v1/orders", body.encode(), headers=headers)
            assert (status, answer["order"]["status"]) == (200, "resting")  # type: ignore[index]
            status, answer = await served.raw("POST", "/v1/orders", body.encode(), headers=headers)
            assert (status, answer["error"]["code"]) == (401, "NONCE_REPLAYED")  # type: ignore[index]

        get = ("sign", "--as", "blue", "GET", "/v1/orders?limit=1")
        shown = await asyncio.to_thread(run, *get, DONGXI_KEYS=str(keys))
        headers = dict(line.split(": ", 1) for line in shown.stdout.splitlines())
        assert (await served.raw("GET", "/v1/orders?limit=1", headers=headers))[0] == 200


def test_sign_takes_any_bytes(tmp_path: Path) -> None:
    profile = Profile(member="blue", account="1", key_id="k", secret=SECRET, base_url="http://127.0.0.1:1")
    save_profile(tmp_path, profile)
    shown = run("sign", "--as", "blue", "--keys", str(tmp_path), "POST", "/v1/orders", b"\xff")
    assert (shown.returncode, shown.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--as", "nobody", "GET", "/v1/orders"), ("no profile of 'nobody'", "there are: blue", "--keys")),
        (("--as", "../blue", "GET", "/v1/orders"), ("'../blue' is not a member name",)),
        (("--as", "blue", "PUT", "/v1/orders"), ("'PUT' is not one of GET, POST, PATCH, DELETE",)),
        (("--as", "blue", "GET", "v1/orders"), ("'v1/orders' is not a path", "/v1/orders")),
        (("--as", "open", "GET", "/v1/orders"), ("open.toml can be read by others", "chmod 600")),
        (("--as", "short", "GET", "/v1/orders"), ("short.toml is not a profile", "secret")),
        (("--as", "latin", "GET", "/v1/orders"), ("latin.toml is not a profile",)),
    ],
)
def test_sign_says_what_is_wrong(tmp_path: Path, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    profile = Profile(member="blue", account="1", key_id="k", secret=SECRET, base_url="http://127.0.0.1:1")
    text = save_profile(tmp_path, profile).read_bytes()
    wrong = {"open": text, "short": text.replace(SECRET.encode(), b"hush"), "latin": text + b'x = "\xff"'}
    for name in {"open", "short", "latin"} & {arguments[1]}:
        (tmp_path / f"{name}.toml").write_bytes(wrong[name])
        (tmp_path / f"{name}.toml").chmod(0o644 if name == "open" else 0o600)
    refused = run("sign", *arguments, "--keys", str(tmp_path))
    assert (refused.returncode, refused.stdout) == (2, "")
    for word in words:
        assert word in refused.stderr
    assert "hush" not in refused.stderr


def test_a_sound_journal_is_verified_and_dumped(journal: Path) -> None:
    sound = run("journal", "verify", "--data", str(journal))
    assert (sound.returncode, sound.stderr) == (0, "")
    frames = int(sound.stdout.splitlines()[-1].split()[0].replace(",", ""))
    assert f"{frames:,} frames are sound." in sound.stdout
    assert "seq 1 to " in sound.stdout

    whole = run("journal", "dump", "--data", str(journal / "journal"))
    assert (whole.returncode, whole.stderr) == (0, "")
    lines = whole.stdout.splitlines()
    assert [int(line.split()[0]) for line in lines] == list(range(1, len(lines) + 1))
    assert '"blue"' in whole.stdout
    assert "ciphertext" not in whole.stdout
    part = run("journal", "dump", "--data", str(journal), "--from", "2", "--to", "3").stdout
    assert part.splitlines() == lines[1:3]


def test_damage_is_named_by_seq_and_byte(journal: Path, tmp_path: Path) -> None:
    shutil.copytree(journal / "journal", tmp_path / "journal")
    (segment,) = (tmp_path / "journal").glob("*.journal")
    data = bytearray(segment.read_bytes())
    second = data.index(b"DXF\n", data.index(b"DXF\n") + 1)
    data[second + 100] ^= 1
    segment.write_bytes(data)
    for command in ("verify", "dump"):
        found = run("journal", command, "--data", str(tmp_path))
        assert found.returncode == 1
        assert f"{segment.name}: damage at byte {second}, where seq 2 is expected" in found.stderr
    assert [line.split()[0] for line in found.stdout.splitlines()] == ["1"], "what came before is shown"


def test_an_incomplete_tail_is_reported_and_is_no_damage(journal: Path, tmp_path: Path) -> None:
    shutil.copytree(journal / "journal", tmp_path / "journal")
    (segment,) = (tmp_path / "journal").glob("*.journal")
    data = segment.read_bytes()
    last = data.rindex(b"DXF\n")
    segment.write_bytes(data[:-3])
    found = run("journal", "verify", "--data", str(tmp_path))
    assert found.returncode == 0
    assert f"incomplete tail of {len(data) - 3 - last} bytes from byte {last}" in found.stdout


@pytest.mark.parametrize("command", ["verify", "dump"])
def test_where_there_is_no_journal_none_is_called_sound(tmp_path: Path, command: str) -> None:
    for place in (tmp_path, tmp_path / "absent"):
        refused = run("journal", command, "--data", str(place))
        assert (refused.returncode, refused.stdout) == (2, "")
        assert f"there is no journal in {place}" in refused.stderr
