"""The program's settings: one frozen struct, filled from file, then environment, then command line."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from exchange.ops.log import LogLevel
from exchange.service.config import ExchangeConfig

ENVIRONMENT_PREFIX = "DONGXI_"
OTHER_VARIABLES = frozenset(
    {
        "DONGXI_CACHE_DIR",
        "DONGXI_PROFILE",
        "DONGXI_MEMBER",
        "DONGXI_KEY_ID",
        "DONGXI_SECRET",
        "DONGXI_BASE_URL",
    }
)
"""Variables of the prefix that are no settings of the exchange: `matching.jit` reads the first, members'
commands the others.
"""


class ConfigError(Exception):
    """A setting is unknown or wrong; the sentence names it, where it came from, and what is allowed."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that can be set. Each field's note is its documentation."""

    data: Annotated[str, Meta(min_length=1, description="data directory: journal and log")] = "var/dongxi"
    keys: Annotated[
        str,
        Meta(description="directory of the master key and the profiles; empty: the data directory + -keys"),
    ] = ""
    host: Annotated[str, Meta(description="address to listen on")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535, description="port to listen on; 0: any free one")] = 8230
    binary_port: Annotated[
        int, Meta(ge=-1, le=65_535, description="port of the binary gateway; 0: any free one; -1: none")
    ] = -1
    binary_connections: Annotated[
        int, Meta(ge=1, le=4_096, description="most connections of the binary gateway at once")
    ] = 64
    key_rate: Annotated[
        int, Meta(ge=0, le=1_000_000, description="requests a second that a key may make; 0: any number")
    ] = 1_000
    key_burst: Annotated[
        int, Meta(ge=1, le=1_000_000, description="requests that a key may make at once")
    ] = 2_000
    durability: Annotated[
        Literal["sync", "os"],
        Meta(description="when a command is acknowledged: after its sync, or after its write"),
    ] = "sync"
    snapshot_commands: Annotated[
        int,
        Meta(
            ge=1_000,
            le=1_000_000_000,
            description="commands between snapshots: a start replays at most so many",
        ),
    ] = 1_000_000
    tls_certificate: Annotated[
        str, Meta(description="PEM file of the certificate chain; with it the server speaks HTTPS only")
    ] = ""
    tls_key: Annotated[str, Meta(description="PEM file of the certificate's private key")] = ""
    log_level: Annotated[
        LogLevel, Meta(description="what is logged: debug also logs requests that only read")
    ] = "info"
    metrics_to_anyone: Annotated[
        bool, Meta(description="show /metrics to other machines too, not only to this one")
    ] = False
    history: Annotated[
        bool, Meta(description="run the process that fills the history beside the exchange")
    ] = True
    fine_listing: Annotated[
        str,
        Meta(
            pattern=r"^([A-Z0-9]+\.[A-Z0-9-]+(,[A-Z0-9]+\.[A-Z0-9-]+)*)?$",
            description="products of which a fresh exchange also lists hours, peak and valley: "
            "GRADE.HUB, separated by commas",
        ),
    ] = "H100.GUIAN"
    first_day: Annotated[
        date | None,
        Meta(description="first trading day of a fresh exchange; unset: today, with --demo 2026-12-04"),
    ] = None

    @property
    def tls(self) -> bool:
        """Whether the server speaks HTTPS."""
        return bool(self.tls_certificate)

    @property
    def data_dir(self) -> Path:
        """The data directory."""
        return Path(self.data)

    @property
    def keys_dir(self) -> Path:
        """Where keys are kept, never inside the data: a copy of the data opens no account."""
        if self.keys:
            return Path(self.keys)
        data = self.data_dir if self.data_dir.name else self.data_dir.resolve()  # "." has no name to add to
        return data.with_name(data.name + "-keys")

    @property
    def master_key_file(self) -> Path:
        """The master key, which encrypts the secrets in the journal."""
        return self.keys_dir / "master.key"

    def exchange(self, first_day: date) -> ExchangeConfig:
        """Return the settings of the exchange itself; `first_day` holds where none is set."""
        return ExchangeConfig(
            data_dir=self.data_dir,
            master_key_file=self.master_key_file,
            first_day=self.first_day or first_day,
            fine_listing=tuple(filter(None, self.fine_listing.split(","))),
            durability=self.durability,
            snapshot_commands=self.snapshot_commands,
        )


def load_config(
    file: Path | None, environment: Mapping[str, str] | None = None, flags: Mapping[str, Any] | None = None
) -> Config:
    """Return the settings of `file` (TOML), overridden by `DONGXI_…` variables, then by `flags` not None.

    Raises ConfigError.
    """
    merged = {} if file is None else _from_file(file)
    merged |= _from_environment(os.environ if environment is None else environment)
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    _convert(given, "the command line")
    config = _convert(merged | given, "the settings")
    _check_directories(config)
    if bool(config.tls_certificate) != bool(config.tls_key):
        raise ConfigError("tls_certificate and tls_key belong together; set both, or neither for plain HTTP")
    return config


def _check_directories(config: Config) -> None:
    try:
        data, keys = config.data_dir.resolve(), config.keys_dir.resolve()
    except (ValueError, OSError) as error:  # "/" has no name to add to; a zero byte is in no path
        raise ConfigError(
            f"data = {config.data!r} and keys = {config.keys!r} name no directories of their own: {error}"
        ) from None
    if keys.is_relative_to(data):
        raise ConfigError(
            f"keys = {config.keys_dir} lies inside the data directory {config.data_dir}; a copy of the "
            "data would hold the secrets. Choose a directory outside it."
        )


def _from_file(file: Path) -> dict[str, Any]:
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"there is no settings file {file}") from None
    except OSError as error:
        raise ConfigError(f"the settings file {file} can't be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not TOML: {error}") from None
    _convert(found, str(file))
    return found


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    names = {ENVIRONMENT_PREFIX + field.name.upper(): field.name for field in msgspec.structs.fields(Config)}
    given = {name: value for name, value in environment.items() if name.startswith(ENVIRONMENT_PREFIX)}
    unknown = sorted(set(given) - set(names) - OTHER_VARIABLES)
    if unknown:
        raise ConfigError(f"the environment: unknown setting {unknown[0]!r}; there are: {', '.join(names)}")
    found = {names[name]: value for name, value in given.items() if name in names}
    _convert(found, f"the environment ({ENVIRONMENT_PREFIX}…)")
    return found


def _convert(values: Mapping[str, Any], source: str) -> Config:
    known = [field.name for field in msgspec.structs.fields(Config)]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ConfigError(f"{source}: unknown setting {unknown[0]!r}; there are: {', '.join(known)}")
    try:
        return msgspec.convert(dict(values), Config, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{source}: {error}") from None
