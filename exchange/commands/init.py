"""`dongxi init`: make an exchange with two operators, and show each one's key once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from exchange.client.profiles import MEMBER_PATTERN
from exchange.commands.offline import (
    EXIT_USAGE,
    RefusedHere,
    failed,
    journaled,
    on_stopped,
    profile_shown,
    settings_of,
)
from exchange.config import Config
from exchange.service.bootstrap import OPERATOR, OPERATOR_ROLES, journal_rules, new_operator
from exchange.service.exchange import Exchange


def init(
    config: Annotated[Path | None, typer.Option(help="Settings file (TOML).")] = None,
    data: Annotated[str | None, typer.Option(help="Data directory to make: journal and log.")] = None,
    keys: Annotated[str | None, typer.Option(help="Directory of the master key [DATA-keys].")] = None,
    first: Annotated[str, typer.Option(help="Name of the first operator.")] = "first-operator",
    second: Annotated[str, typer.Option(help="Name of the second operator.")] = "second-operator",
) -> None:
    """Make an exchange with two operators: what needs two people needs both (clause 8.11).

    Prints each operator's key once, as a profile file for its owner to keep. Makes the master key, which
    encrypts the keys' secrets, in the keys directory; keep a copy of it apart from backups of the data.
    `dongxi up` with the same settings then starts the exchange.

    Exit codes: 0, 1 if there is an exchange already or it can't be made, 2 for wrong settings or names.
    """
    _check_names(first, second)
    settings = settings_of("init", config, data, keys)
    _check_keys(settings)

    async def begin(exchange: Exchange) -> list[str]:
        _check_empty(exchange)
        await journal_rules(exchange)
        return [await _operator(exchange, settings, name) for name in (first, second)]

    shown = on_stopped("init", settings, begin)
    typer.echo(
        f"An exchange is in {settings.data_dir}/, its master key in "
        f"{settings.master_key_file}: keep a copy of it apart from backups of the data.\n"
        "The operators' keys are shown this once; give each to its owner, who saves it with mode 0600:"
    )
    for name, text in zip((first, second), shown, strict=True):
        typer.echo(f"\n# {name}.toml\n{text.rstrip()}")


def _check_names(first: str, second: str) -> None:
    for name in (first, second):
        if MEMBER_PATTERN.fullmatch(name) is None or name == OPERATOR:
            raise failed(
                "init",
                f"{name!r} can't be an operator's name here: 2 to 32 of a-z, 0-9 and -, starting with a "
                f"letter, and not {OPERATOR!r}, which `dongxi up` gives to the operator that it makes itself",
                EXIT_USAGE,
            )
    if first == second:
        raise failed("init", "two operators need two names", EXIT_USAGE)


def _check_keys(settings: Config) -> None:
    """A master key without its data is another exchange's, or all that is left of this one."""
    if settings.master_key_file.exists() and not (settings.data_dir / "journal").exists():
        raise failed(
            "init",
            f"{settings.master_key_file} exists, but no exchange in {settings.data_dir}; if it belongs to "
            "another exchange name another directory with --keys, and if the data was lost use "
            "`dongxi restore`",
            1,
        )


def _check_empty(exchange: Exchange) -> None:
    members = exchange.views.members()
    if not members:
        return
    operators = [member.name for member in members if member.kind == "operator"]
    raise RefusedHere(
        f"there is an exchange in {exchange.config.data_dir} already, with {len(members)} members; its "
        f"operators are {', '.join(operators)}. Start it with `dongxi up`, replace a lost key with "
        "`dongxi operator key NAME`, or name another directory with --data"
    )


async def _operator(exchange: Exchange, settings: Config, name: str) -> str:
    message, secret = new_operator(exchange, name, OPERATOR_ROLES)
    data = await journaled(exchange, message)
    if message.key is None:
        raise AssertionError("an operator without a key")
    return profile_shown(settings, name, data["account"], message.key.key_id, secret)
