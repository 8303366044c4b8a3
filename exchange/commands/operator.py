"""`dongxi operator`: operators, their keys and passwords, made on the exchange's machine while it is stopped.

Whoever can run these has the data and the master key, and so could be any operator anyway; over the network
nobody makes an operator or another operator's key (clause 8.12).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from exchange.api.requests import Role
from exchange.client.profiles import MEMBER_PATTERN
from exchange.commands.offline import (
    EXIT_FAILED,
    EXIT_USAGE,
    RefusedHere,
    failed,
    journaled,
    on_stopped,
    profile_shown,
    settings_of,
)
from exchange.config import Config
from exchange.domain.messages import AddKey, RevokeKey, SetPassword
from exchange.service.bootstrap import OPERATOR_ROLES, OPERATOR_SCOPES, new_operator
from exchange.service.exchange import Exchange
from exchange.service.passwords import hash_password
from exchange.service.secrets import new_key_id, new_secret

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Make operators, their keys and passwords on the exchange's machine, while it is stopped.",
)
ConfigFile = Annotated[Path | None, typer.Option("--config", help="Settings file (TOML).")]
Data = Annotated[str | None, typer.Option(help="Data directory: journal and log.")]
Keys = Annotated[str | None, typer.Option(help="Directory of keys and profiles [DATA-keys].")]
Name = Annotated[str, typer.Argument(help="The operator's name.")]


@app.command()
def add(
    name: Name,
    role: Annotated[
        list[str] | None, typer.Option(help="market, risk, treasury or admin; again for more [all].")
    ] = None,
    config: ConfigFile = None,
    data: Data = None,
    keys: Keys = None,
) -> None:
    """Admit another operator and print its first key, once.

    Exit codes: 0, 1 if it can't be done, 2 for wrong settings, names or roles.
    """
    if MEMBER_PATTERN.fullmatch(name) is None:
        sentence = f"{name!r} is not a name: 2 to 32 of a-z, 0-9 and -, starting with a letter"
        raise failed("operator", sentence, EXIT_USAGE)
    roles = _roles(role)
    settings = settings_of("operator", config, data, keys)
    _check_there(settings)

    async def admit(exchange: Exchange) -> str:
        message, secret = new_operator(exchange, name, roles)
        given = await journaled(exchange, message)
        if message.key is None:
            raise AssertionError("an operator without a key")
        return profile_shown(settings, name, given["account"], message.key.key_id, secret)

    typer.echo(on_stopped("operator", settings, admit).rstrip())


@app.command()
def key(name: Name, config: ConfigFile = None, data: Data = None, keys: Keys = None) -> None:
    """Replace an operator's keys by a new one and print it, once.

    Exit codes: 0, 1 if it can't be done, 2 for wrong settings.
    """
    settings = settings_of("operator", config, data, keys)
    _check_there(settings)

    async def replace(exchange: Exchange) -> str:
        account = _account(exchange, name)
        old = [known for known in exchange.views.api_keys() if known.member == name and known.enabled]
        secret, key_id = new_secret(), new_key_id()
        ciphertext = exchange.encrypt_secret(secret, key_id)
        await journaled(
            exchange, AddKey(member=name, key_id=key_id, scopes=OPERATOR_SCOPES, ciphertext=ciphertext)
        )
        for known in old:
            await journaled(exchange, RevokeKey(key_id=known.key_id))
        return profile_shown(settings, name, account, key_id, secret)

    typer.echo(on_stopped("operator", settings, replace).rstrip())


@app.command()
def password(name: Name, config: ConfigFile = None, data: Data = None, keys: Keys = None) -> None:
    """Set the password that an operator logs in to the screens with: asked twice, or read from stdin's
    first line.

    Exit codes: 0, 1 if it can't be done, 2 for wrong settings or a password of a bad length.
    """
    settings = settings_of("operator", config, data, keys)
    _check_there(settings)
    if sys.stdin.isatty():
        given = typer.prompt("New password", hide_input=True, confirmation_prompt=True)
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    try:
        hashed = hash_password(given)
    except ValueError as error:
        raise failed("operator", str(error), EXIT_USAGE) from None

    async def change(exchange: Exchange) -> None:
        _account(exchange, name)
        await journaled(exchange, SetPassword(member=name, hash=hashed))

    on_stopped("operator", settings, change)
    typer.echo(f"{name} has a new password.")


def _roles(given: list[str] | None) -> tuple[Role, ...]:
    wanted = tuple(dict.fromkeys(given or OPERATOR_ROLES))
    unknown = [role for role in wanted if role not in OPERATOR_ROLES]
    if unknown:
        raise failed(
            "operator", f"there is no role {unknown[0]!r}; there are: {', '.join(OPERATOR_ROLES)}", EXIT_USAGE
        )
    return tuple(role for role in OPERATOR_ROLES if role in wanted)


def _check_there(settings: Config) -> None:
    if not (settings.data_dir / "journal").is_dir():
        raise failed(
            "operator",
            f"there is no exchange in {settings.data_dir}; name its directory with --data, or make one with "
            "`dongxi init`",
            EXIT_FAILED,
        )


def _account(exchange: Exchange, name: str) -> int:
    operators = {of.name: of.account for of in exchange.views.members() if of.kind == "operator"}
    if name not in operators:
        raise RefusedHere(f"there is no operator {name!r}; there are: {', '.join(operators) or 'none'}")
    return operators[name]
