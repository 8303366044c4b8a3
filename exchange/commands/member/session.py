"""Whose key and which exchange a command speaks with, and how it says what went wrong.

Keys lie in `$XDG_CONFIG_HOME/dongxi/profiles/NAME.toml` (mode 0600), or in the variables of
`profile_from_environment`. Exit codes: 0; 1 the exchange refused or can't be reached and nothing was done;
2 usage; 3 the outcome is unknown; 130 Ctrl-C.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import typer

from exchange.client import (
    ExchangeClient,
    ExchangeError,
    Profile,
    load_profile,
    profile_from_environment,
)
from exchange.client.profiles import ENVIRONMENT

EXIT_REFUSED = 1
EXIT_USAGE = 2
EXIT_UNKNOWN = 3
EXIT_INTERRUPTED = 130
DEFAULT_URL = "http://127.0.0.1:8230"

ProfileName = Annotated[
    str | None,
    typer.Option(
        "--profile", envvar="DONGXI_PROFILE", help="Whose key; else the variables', else the default profile."
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option("--base-url", help=f"Address of the exchange; else the profile's, else {DEFAULT_URL}."),
]
ForClient = Annotated[
    str | None, typer.Option("--client", help="A broker's: on the account of this client of its own.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

R = TypeVar("R")

_TO_DO = {
    "BAD_SIGNATURE": "The key isn't known there, or its secret is another: `dongxi login` takes a new one.",
    "STALE_TIMESTAMP": "Set this machine's clock: it is more than 30 s from the exchange's.",
    "SCOPE_REQUIRED": "Ask the operator for a key with this scope.",
    "ADDRESS_NOT_ALLOWED": "The key is good only from other addresses; ask the operator.",
    "UNKNOWN_SYMBOL": "`dongxi markets` lists the contracts.",
    "PRICE_OUTSIDE_LIMITS": "`dongxi quote SYMBOL` shows today's limits.",
    "PROFILE_FIXED": "Name a later month: those of listed contracts stay; `dongxi markets` lists them.",
    "WRONG_PHASE": "`dongxi markets` shows the market's phase.",
    "UNKNOWN_CLIENT": "`dongxi broker clients` lists a broker's clients.",
    "UNKNOWN_FILL": "`dongxi fills` lists the account's fills of today.",
    "UNKNOWN_GIVE_UP": "`dongxi broker give-ups` lists those that the account made or was offered.",
    "UNKNOWN_PROGRAMME": "`dongxi vouchers report` lists the programmes.",
    "VOUCHER_BUDGET": "`dongxi vouchers report` shows what is left of the budget.",
}


class Wrong(Exception):
    """What the user asked for can't be; the sentence says why and what to do instead."""


def config_dir() -> Path:
    """Where the members' commands keep their profiles."""
    home = os.environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "dongxi"


def profiles_dir() -> Path:
    """Where the keys are."""
    return config_dir() / "profiles"


def default_profile() -> str | None:
    """The name of the profile that holds where none is named."""
    try:
        return (config_dir() / "default").read_text("utf-8").strip() or None
    except FileNotFoundError:
        return None


def find_profile(name: str | None) -> Profile | None:
    """The named profile, else the environment's, else the default one; None if there is none of them.

    Raises Wrong.
    """
    if name is None and any(variable in os.environ for variable in ENVIRONMENT.values()):
        try:
            return profile_from_environment()
        except ValueError as error:
            raise Wrong(str(error)) from None
    name = name or default_profile()
    if name is None:
        return None
    try:
        return load_profile(profiles_dir(), name)
    except (OSError, ValueError) as error:
        raise Wrong(f"{error}. `dongxi login` makes a profile.") from None


def run(
    command: str,
    work: Callable[[ExchangeClient], Awaitable[R]],
    profile_name: str | None,
    base_url: str | None,
    *,
    client: str | None = None,
    public: bool = False,
) -> R:
    """Do a command's work, as a broker on the account of its `client`; what goes wrong is said on stderr and
    ends the program.
    """

    async def connected() -> R:
        profile = find_profile(profile_name)
        if profile is None and not public:
            raise Wrong("no key: `dongxi login` takes one; see `dongxi login --help`")
        url = base_url or (profile.base_url if profile else DEFAULT_URL)
        async with ExchangeClient(url, profile, client=client, retries=3) as exchange:
            return await work(exchange)

    try:
        return asyncio.run(connected())
    except Wrong as wrong:
        typer.echo(f"dongxi {command}: {wrong}", err=True)
        raise typer.Exit(EXIT_USAGE) from None
    except ExchangeError as error:
        raise refused(command, error) from None
    except KeyboardInterrupt:
        typer.echo(f"dongxi {command}: stopped; what was under way may have been done. Look it up.", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None


def refused(command: str, error: ExchangeError) -> typer.Exit:
    """Say what happened, what is certain, and what to do."""
    typer.echo(f"dongxi {command}: {error}", err=True)
    if error.outcome_unknown:
        typer.echo("It is not certain whether it was done. Look it up before doing it again.", err=True)
        return typer.Exit(EXIT_UNKNOWN)
    typer.echo("Nothing was done.", err=True)
    hint = _TO_DO.get(error.code)
    if error.code == "CONNECTION_FAILED":
        hint = "Is the exchange up, and the address right? `--base-url` names another."
    if hint:
        typer.echo(hint, err=True)
    return typer.Exit(EXIT_REFUSED)


def print_json(value: Any) -> None:
    """Print an answer as indented JSON."""
    typer.echo(msgspec.json.format(msgspec.json.encode(value)).decode())


def tell(answer: Any, sentence: str, *, as_json: bool) -> None:
    """Print what a command did: the answer as JSON, or a sentence."""
    print_json(answer) if as_json else typer.echo(sentence)
