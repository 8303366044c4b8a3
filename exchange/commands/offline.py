"""Commands on the data directory of an exchange that isn't running: settings, opening, what can go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import typer

from exchange.client.profiles import Profile, profile_text
from exchange.config import Config, ConfigError, load_config
from exchange.domain.calendar import day_of
from exchange.domain.clock import WallClock
from exchange.domain.messages import RareMessage
from exchange.journal import JournalError
from exchange.service.bootstrap import BootstrapError
from exchange.service.exchange import Exchange
from exchange.service.secrets import MasterKeyError

EXIT_FAILED = 1
EXIT_USAGE = 2
T = TypeVar("T")


class RefusedHere(Exception):
    """The command can't do this; the sentence says why and what to do."""


def settings_of(command: str, config: Path | None, data: str | None, keys: str | None) -> Config:
    """Return the settings; wrong ones end the command with exit code 2."""
    try:
        return load_config(config, flags={"data": data, "keys": keys})
    except ConfigError as error:
        raise failed(command, str(error), EXIT_USAGE) from None


def on_stopped(command: str, settings: Config, work: Callable[[Exchange], Awaitable[T]]) -> T:
    """Open the exchange, do the work, close it; what goes wrong ends the command with exit code 1."""

    async def run() -> T:
        exchange = await Exchange.open(settings.exchange(day_of(WallClock().now_ns())), WallClock())
        try:
            return await work(exchange)
        finally:
            await exchange.close()

    try:
        return asyncio.run(run())
    except (JournalError, MasterKeyError, BootstrapError, RefusedHere, OSError) as error:
        raise failed(command, str(error), EXIT_FAILED) from None


async def journaled(exchange: Exchange, message: RareMessage) -> dict[str, Any]:
    """Submit a message and return what it gives. Raises RefusedHere."""
    result = await exchange.submit_rare(msgspec.structs.replace(message, by="command line"))
    if not result.ok:
        raise RefusedHere(result.sentence)
    return dict(result.data or {})


def profile_shown(settings: Config, member: str, account: int, key_id: str, secret: bytes) -> str:
    """Return a new key as the text of a profile file, for its owner to save."""
    scheme, host = "https" if settings.tls else "http", settings.host
    profile = Profile(
        member=member,
        account=str(account),
        key_id=key_id,
        secret=secret.hex(),
        base_url=f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.port}",
    )
    return profile_text(profile)


def failed(command: str, sentence: str, code: int) -> typer.Exit:
    """Say what was wrong and return the exit to raise."""
    typer.echo(f"dongxi {command}: {sentence}", err=True)
    return typer.Exit(code)
