"""Settings: which source wins, and a sentence for everything that is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from exchange.config import Config, ConfigError, load_config

DONGXI = str(Path(sys.executable).with_name("dongxi"))


def written(folder: Path, text: str) -> Path:
    """A settings file."""
    file = folder / "settings.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_without_any_source_the_documented_defaults_hold() -> None:
    assert load_config(None, {}) == Config()


def test_flags_win_over_the_environment_and_the_environment_over_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, 'host = "10.0.0.1"\nport = 1001\nlog_level = "debug"\n')
    environment = {"DONGXI_HOST": "10.0.0.2", "DONGXI_PORT": "1002"}
    config = load_config(file, environment, {"port": 1003, "host": None, "data": None})
    assert (config.log_level, config.host, config.port) == ("debug", "10.0.0.2", 1003)
    assert config.data == Config().data


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("first_day = 2026-12-07", "first_day", date(2026, 12, 7)),
        ('first_day = "2026-12-07"', "first_day", date(2026, 12, 7)),
        ("metrics_to_anyone = true", "metrics_to_anyone", True),
        ("port = 0", "port", 0),
        ("snapshot_commands = 5000", "snapshot_commands", 5_000),
        ('durability = "os"', "durability", "os"),
    ],
)
def test_each_type_can_be_written_in_a_file(tmp_path: Path, text: str, name: str, value: object) -> None:
    assert getattr(load_config(written(tmp_path, text), {}), name) == value


def test_each_type_can_be_written_in_the_environment() -> None:
    config = load_config(
        None, {"DONGXI_FIRST_DAY": "2026-12-07", "DONGXI_METRICS_TO_ANYONE": "true", "DONGXI_PORT": "7"}
    )
    assert (config.first_day, config.metrics_to_anyone, config.port) == (date(2026, 12, 7), True, 7)


def test_an_unknown_setting_is_refused_wherever_it_comes_from(tmp_path: Path) -> None:
    file = written(tmp_path, "port = 1\nprot = 2\n")
    with pytest.raises(ConfigError, match=r"settings\.toml: unknown setting 'prot'.*port"):
        load_config(file, {})
    with pytest.raises(ConfigError, match=r"environment: unknown setting 'DONGXI_PROT'.*DONGXI_PORT"):
        load_config(None, {"DONGXI_PROT": "1"})
    with pytest.raises(ConfigError, match="command line: unknown setting 'prot'"):
        load_config(None, {}, {"prot": 1})


def test_variables_of_others_are_left_alone() -> None:
    assert (
        load_config(None, {"DONGXI_CACHE_DIR": "/tmp/compiled", "PORT": "1", "dongxi_port": "2"}) == Config()
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('port = "many"', ("`int`", "port")),
        ("port = true", ("`int`", "port")),
        ("port = 65536", ("65535", "port")),
        ("port = -1", (">= 0", "port")),
        ("data = 5", ("`str`", "data")),
        ('data = ""', (">= 1", "data")),
        ('durability = "never"', ("never", "durability")),
        ('log_level = "loud"', ("loud", "log_level")),
        ('metrics_to_anyone = "maybe"', ("`bool`", "metrics_to_anyone")),
        ('first_day = "2026-13-01"', ("first_day",)),
        ("[port]\nnumber = 1", ("`int`", "port")),
        ("port = ", ("is not TOML",)),
        ("port = 1\nport = 2", ("is not TOML",)),
    ],
)
def test_a_wrong_value_in_a_file_is_refused_and_named(
    tmp_path: Path, text: str, words: tuple[str, ...]
) -> None:
    file = written(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        load_config(file, {"DONGXI_PORT": "1"})
    for word in (str(file), *words):
        assert word in str(refused.value)


def test_a_wrong_value_is_blamed_on_its_source() -> None:
    with pytest.raises(ConfigError, match=r"the environment .*DONGXI_.*port"):
        load_config(None, {"DONGXI_PORT": "many"}, {"port": 5})
    with pytest.raises(ConfigError, match=r"the command line: .*65535.*port"):
        load_config(None, {}, {"port": 70_000})


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no settings file .*absent"):
        load_config(tmp_path / "absent.toml", {})
    with pytest.raises(ConfigError, match="can't be read: Is a directory"):
        load_config(tmp_path, {})
    (tmp_path / "latin.toml").write_bytes(b'host = "\xff"')
    with pytest.raises(ConfigError, match=r"latin\.toml is not TOML"):
        load_config(tmp_path / "latin.toml", {})


@pytest.mark.parametrize("keys", ["data", "data/keys", "data/../data/keys", "elsewhere/link"])
def test_keys_inside_the_data_are_refused(tmp_path: Path, keys: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/link").symlink_to(tmp_path / "data")
    with pytest.raises(ConfigError, match="lies inside the data directory"):
        load_config(None, {}, {"data": str(tmp_path / "data"), "keys": str(tmp_path / keys)})


def test_keys_lie_beside_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_config(None, {}, {"data": "var/x"}).keys_dir == Path("var/x-keys")
    assert load_config(None, {}, {"data": "var/x", "keys": "var/x-other"}).keys_dir == Path("var/x-other")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert load_config(None, {}, {"data": "."}).keys_dir.resolve() == (tmp_path / "here-keys").resolve()


@pytest.mark.parametrize("data", ["/", "a\0b"])
def test_a_data_directory_that_cannot_be_one_is_refused(data: str) -> None:
    with pytest.raises(ConfigError, match="name no directories of their own"):
        load_config(None, {}, {"data": data})


def test_a_certificate_and_its_key_belong_together() -> None:
    with pytest.raises(ConfigError, match="belong together"):
        load_config(None, {"DONGXI_TLS_KEY": "key.pem"})
    assert load_config(None, {}, {"tls_key": "key.pem", "tls_certificate": "chain.pem"}).tls


def test_the_exchange_gets_what_was_set(tmp_path: Path) -> None:
    config = load_config(None, {}, {"data": str(tmp_path / "d"), "durability": "os"})
    made = config.exchange(date(2026, 12, 4))
    assert (made.data_dir, made.master_key_file) == (tmp_path / "d", tmp_path / "d-keys/master.key")
    assert (made.durability, made.first_day) == ("os", date(2026, 12, 4))
    named = load_config(None, {}, {"first_day": "2026-12-07"}).exchange(date(2026, 12, 4))
    assert named.first_day == date(2026, 12, 7)


def up(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `dongxi up` in `folder` with these variables of its own."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("DONGXI_")}
    return subprocess.run(
        [DONGXI, "up", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=others | {"PYTHONUTF8": "1"} | variables,
        cwd=folder,
        timeout=60,
        check=False,
    )


def test_check_config_prints_every_setting_and_starts_nothing(tmp_path: Path) -> None:
    file = written(tmp_path, 'host = "::1"\nport = 1001\n')
    shown = up(tmp_path, "--config", str(file), "--data", "d", "--check-config", DONGXI_PORT="1002")
    assert (shown.returncode, shown.stderr) == (0, "")
    lines = dict(line.split(" = ", 1) for line in shown.stdout.splitlines())
    wanted: dict[str, Any] = msgspec.structs.asdict(Config()) | {"host": "::1", "port": 1002, "data": "d"}
    assert lines == {name: str(value) for name, value in wanted.items()}
    assert [path.name for path in tmp_path.iterdir()] == ["settings.toml"]


@pytest.mark.parametrize(
    ("arguments", "variables", "sentence"),
    [
        (("--port", "70000"), {}, "65535"),
        ((), {"DONGXI_PROT": "1"}, "unknown setting 'DONGXI_PROT'"),
        (("--config", "absent.toml"), {}, "there is no settings file absent.toml"),
        (("--data", "d", "--keys", "d/keys"), {}, "lies inside the data directory"),
    ],
)
def test_wrong_settings_end_the_program_with_2(
    tmp_path: Path, arguments: tuple[str, ...], variables: dict[str, str], sentence: str
) -> None:
    refused = up(tmp_path, *arguments, "--check-config", **variables)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("dongxi up: ")
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr
    assert list(tmp_path.iterdir()) == []
