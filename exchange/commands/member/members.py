"""`dongxi members`: an operator takes members in and books their cash."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from exchange.api.access import Member, MemberAnswer
from exchange.api.answers import Done
from exchange.client import ExchangeClient, Profile
from exchange.client.profiles import profile_text, write_secret
from exchange.commands.member.session import AsJson, BaseUrl, ProfileName, Wrong, print_json, run, tell
from exchange.commands.member.shown import cny, fen_of, show, table

Name = Annotated[str, typer.Argument(help="The member's name.")]
Amount = Annotated[str, typer.Argument(help="CNY, such as 1250.50.")]
Kind = Literal["provider", "enterprise", "broker", "market-maker"]

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Operators: take members in, and book their cash."
)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="2 to 32 of a-z, 0-9 and -, starting with a letter.")],
    out: Annotated[Path, typer.Option(help="File to make for the member: its key, shown nowhere else.")],
    kind: Annotated[Kind, typer.Option(help="What it is.")] = "enterprise",
    cash: Annotated[str, typer.Option(help="What to book to its account at once, CNY.")] = "0",
    profile: ProfileName = None,
    base_url: BaseUrl = None,
) -> None:
    """Take in a member, approved, and write its first key to a file (mode 0600) to hand over.

    dongxi members add blue --cash 1000000 --out blue.toml
    """
    fen = fen_of(cash)

    async def take_in(client: ExchangeClient) -> MemberAnswer:
        _check_writable(out)
        made = await client.add_member(name, kind, state="approved")
        key = Profile(
            member=name,
            account=made.account,
            key_id=made.key_id,
            secret=made.secret,
            base_url=client.base_url,
        )
        write_secret(out, profile_text(key).encode()).replace(out)
        return made

    made = run("members add", take_in, profile, base_url)
    show(f"{name} is a member: {kind}, account {made.account}. Hand {out} over to it.")
    if fen:
        deposit(name, cash, profile, base_url)


def _check_writable(out: Path) -> None:
    """Raise Wrong if the key can't be written there: once the member is taken in it is told only once."""
    if out.exists():
        raise Wrong(f"{out} exists; name another file with --out")
    try:
        write_secret(out, b"").unlink()
    except OSError as error:
        raise Wrong(f"{out} can't be written ({error.strerror}); name another file with --out") from None


@app.command("list")
def list_(profile: ProfileName = None, base_url: BaseUrl = None, as_json: AsJson = False) -> None:
    """Show all members, what they are, whether they may trade, and their cash."""

    async def ask(client: ExchangeClient) -> list[Member]:
        return await client.members()

    found = run("members list", ask, profile, base_url)
    if as_json:
        print_json(found)
        return
    columns = ("member", "account", "kind", "state", "roles", "cash, CNY")
    rows = [(m.member, m.account, m.kind, m.state, ", ".join(m.roles), cny(m.cash_fen)) for m in found]
    show(table("Members", columns, rows, right=columns[-1:]))


@app.command()
def deposit(
    name: Name,
    amount: Amount,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Book cash that a member has paid in."""
    fen = fen_of(amount)
    done = run("members deposit", lambda client: client.deposit(name, fen), profile, base_url)
    tell(done, f"{cny(fen)} CNY are booked to {name}.", as_json=as_json)


@app.command()
def suspend(
    name: Name, profile: ProfileName = None, base_url: BaseUrl = None, as_json: AsJson = False
) -> None:
    """Suspend a member: its open orders are cancelled; only two operators let it trade again."""

    async def act(client: ExchangeClient) -> Done:
        return await client.set_member_state(name, "suspended")

    done = run("members suspend", act, profile, base_url)
    tell(done, f"{name} is suspended, and its open orders are cancelled.", as_json=as_json)
