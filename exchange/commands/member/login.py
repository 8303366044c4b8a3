"""`dongxi login`: keep a member's key on this machine, readable by its owner only."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from exchange.client import ExchangeClient, Profile, save_profile
from exchange.client.profiles import MEMBER_PATTERN, profile_path
from exchange.commands.member.session import (
    DEFAULT_URL,
    EXIT_USAGE,
    Wrong,
    config_dir,
    default_profile,
    find_profile,
    profiles_dir,
    run,
)
from exchange.commands.member.shown import cny, show, table


def login(
    member: Annotated[str | None, typer.Argument(help="The member; a profile is named after it.")] = None,
    key_file: Annotated[
        Path | None, typer.Option("--file", help="Profile file that the operator handed over.")
    ] = None,
    key_id: Annotated[str | None, typer.Option(help="The key's id, where there is no file.")] = None,
    base_url: Annotated[
        str | None, typer.Option(help=f"Address of the exchange; else the file's, else {DEFAULT_URL}.")
    ] = None,
    show_all: Annotated[bool, typer.Option("--list", help="Show the profiles that are here.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Delete the member's profile from here.")] = False,
) -> None:
    """Keep a member's key here, after asking the exchange whether it is good, and make it the default.

    The secret is asked for, or read from stdin, and never taken from the command line, where others could
    see it.

        dongxi login --file blue.toml

        dongxi login blue --key-id k0123456789abcdef --base-url https://dongxi.example

        dongxi login blue        (a profile that is here already becomes the default)
    """
    if show_all:
        _show_all()
        return
    try:
        if forget:
            _forget(member)
            return
        profile = _given(member, key_file, key_id, base_url)
    except Wrong as wrong:
        typer.echo(f"dongxi login: {wrong}", err=True)
        raise typer.Exit(EXIT_USAGE) from None

    async def ask(_: ExchangeClient) -> tuple[str, int]:
        async with ExchangeClient(profile.base_url, profile, retries=1) as asked:
            money = await asked.balances()
            return money.account, money.available_fen

    account, available_fen = run("login", ask, None, profile.base_url, public=True)
    path = save_profile(profiles_dir(), msgspec.structs.replace(profile, account=account))
    (config_dir() / "default").write_text(profile.member + "\n", "utf-8")
    typer.echo(
        f"Logged in as {profile.member} (account {account}) at {profile.base_url}; "
        f"{cny(available_fen)} CNY are free.\nThe key is in {path}, readable by you only."
    )


def _given(member: str | None, key_file: Path | None, key_id: str | None, base_url: str | None) -> Profile:
    if key_file is not None:
        profile = _read(key_file)
        return msgspec.structs.replace(profile, base_url=base_url or profile.base_url)
    if member is None or MEMBER_PATTERN.fullmatch(member) is None:
        raise Wrong("name the member, such as `dongxi login blue`, or its file with --file")
    if key_id is None:
        if not profile_path(profiles_dir(), member).exists():
            raise Wrong(f"there is no profile of {member} yet: give --file, or --key-id and the secret")
        known = find_profile(member)
        if known is None:
            raise AssertionError("a profile that exists is found")
        return msgspec.structs.replace(known, base_url=base_url or known.base_url)
    secret = typer.prompt("Secret (64 hex digits)", hide_input=True, err=True).strip()
    try:
        return msgspec.convert(
            {"member": member, "key_id": key_id, "secret": secret, "base_url": base_url or DEFAULT_URL},
            Profile,
        )
    except msgspec.ValidationError:
        raise Wrong("the secret isn't 64 hex digits") from None


def _read(path: Path) -> Profile:
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Profile)
    except OSError as error:
        raise Wrong(f"{path} can't be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise Wrong(f"{path} is not a profile: {error}") from None


def _forget(member: str | None) -> None:
    if member is None:
        raise Wrong("name the member whose profile to delete")
    try:
        profile_path(profiles_dir(), member).unlink()
    except (FileNotFoundError, ValueError) as error:
        raise Wrong(f"there is no profile of {member}: {error}") from None
    if default_profile() == member:
        (config_dir() / "default").unlink()
    typer.echo(f"The profile of {member} is gone from here; the key itself is good until it is revoked.")


def _show_all() -> None:
    names = sorted(path.stem for path in profiles_dir().glob("*.toml"))
    if not names:
        typer.echo("There is no profile here yet: dongxi login --help")
        return
    profiles = [find_profile(name) for name in names]
    rows = [
        ("*" if known.member == default_profile() else "", known.member, known.account, known.base_url)
        for known in profiles
        if known is not None
    ]
    show(table("Profiles; * is the default", ("", "member", "account", "exchange"), rows))
