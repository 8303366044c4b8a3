"""`dongxi vouchers`: operators open programmes, issuers give vouchers, holders see theirs (chapter 11)."""

from __future__ import annotations

from typing import Annotated

import typer

from exchange.api.vouchers import OpenProgramme, Programme, Voucher, Vouchers
from exchange.client import ExchangeClient
from exchange.commands.member.session import (
    AsJson,
    BaseUrl,
    ForClient,
    ProfileName,
    Wrong,
    print_json,
    run,
    tell,
)
from exchange.commands.member.shown import cny, fen_of, show, table

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Compute vouchers: programmes, who holds what, what was spent and what expired.",
)

AMOUNTS = ("issued", "spent", "expired", "left")
"""What becomes of a voucher: the first is the sum of the others."""


@app.command("open")
def open_(
    issuer: Annotated[str, typer.Argument(help="The member whose free cash is set aside.")],
    name: Annotated[str, typer.Argument(help="What the programme is called.")],
    budget: Annotated[str, typer.Option(help="What is set aside, CNY.")],
    share: Annotated[float, typer.Option(min=0.01, max=100, help="Percent of an invoice, at most.")],
    until: Annotated[str, typer.Option(help="Last delivery day, such as 2026-12-31.")],
    hub: Annotated[list[str] | None, typer.Option(help="Only at this hub; again for more [all].")] = None,
    grade: Annotated[list[str] | None, typer.Option(help="Only of this grade; again for more [all].")] = None,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Open a programme: an operator's with the role treasury.

    dongxi vouchers open city "GUIAN 30 %" --budget 500000 --share 30 --until 2026-12-31 --hub GUIAN
    """
    terms = OpenProgramme(
        issuer=issuer,
        name=name,
        budget_fen=fen_of(budget),
        share_basis_points=round(share * 100),
        last_day=until,
        hubs=[one.upper() for one in hub or ()],
        grades=[one.upper() for one in grade or ()],
    )

    async def ask(exchange: ExchangeClient) -> str:
        return await exchange.vouchers.open_programme(terms)

    number = run("vouchers open", ask, profile, base_url)
    tell(
        {"programme_id": number},
        f"Programme {number} is open: {cny(terms.budget_fen)} CNY of {issuer} are set aside.",
        as_json=as_json,
    )


@app.command()
def issue(
    programme_id: Annotated[str, typer.Argument(help="As `dongxi vouchers report` names it.")],
    member: Annotated[str, typer.Argument(help="Who gets them.")],
    amount: Annotated[str, typer.Argument(help="How much, CNY.")],
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Give a member vouchers of a programme of your own.

    dongxi vouchers issue 1 blue 600.00
    """
    amount_fen = fen_of(amount)

    async def ask(exchange: ExchangeClient) -> str:
        return await exchange.vouchers.issue(programme_id, member, amount_fen)

    number = run("vouchers issue", ask, profile, base_url)
    tell(
        {"voucher_id": number},
        f"{member} has {cny(amount_fen)} CNY more on voucher {number}.",
        as_json=as_json,
    )


@app.command("list")
def list_(
    for_client: ForClient = None,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show the account's vouchers, and each movement on them."""

    async def ask(exchange: ExchangeClient) -> tuple[Vouchers, list[Programme]]:
        return await exchange.vouchers.mine(), await exchange.vouchers.programmes()

    held, known = run("vouchers list", ask, profile, base_url, client=for_client)
    if as_json:
        print_json(held)
        return
    programmes = {one.programme_id: one for one in known}
    rows = [
        (
            one.voucher_id,
            of.name,
            of.issuer,
            f"{of.share_basis_points / 100:g} %",
            of.last_day,
            *_amounts(one),
        )
        for one in held.vouchers
        for of in (programmes[one.programme_id],)
    ]
    columns = ("voucher", "programme", "issuer", "pays at most", "until", *AMOUNTS)
    moved = [
        (line.day, line.voucher_id, line.kind, line.reservation_id, cny(line.amount_fen))
        for line in held.lines
    ]
    lines = ("day", "voucher", "what", "reservation", "CNY")
    show(
        table("Vouchers, CNY", columns, rows, right=columns[3:]),
        table("What moved", lines, moved, right=("CNY",)),
    )


def _amounts(of: Programme | Voucher) -> tuple[str, ...]:
    return tuple(cny(fen) for fen in (of.issued_fen, of.spent_fen, of.expired_fen, of.outstanding_fen))


@app.command()
def report(
    programme_id: Annotated[str | None, typer.Argument(help="Only this programme.")] = None,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show the programmes: budget, issued, spent, expired and left; an ended one gave the rest back.

    What isn't spent expires by itself when a programme's last day is finished (clause 11.4).
    """

    async def ask(exchange: ExchangeClient) -> list[Programme]:
        known = await exchange.vouchers.programmes()
        found = [one for one in known if programme_id in (None, one.programme_id)]
        if programme_id is not None and not found:
            there = ", ".join(one.programme_id for one in known) or "none"
            raise Wrong(f"there is no programme {programme_id!r}; there are: {there}")
        return found

    found = run("vouchers report", ask, profile, base_url)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one.programme_id,
            one.name,
            one.issuer,
            f"{', '.join(one.grades) or 'all'} at {', '.join(one.hubs) or 'all hubs'}",
            f"{one.share_basis_points / 100:g} %",
            f"{one.last_day}{', ended' if one.ended else ''}",
            cny(one.budget_fen),
            *_amounts(one),
        )
        for one in found
    ]
    columns = ("programme", "name", "issuer", "pays for", "at most", "until", "budget", *AMOUNTS)
    show(table("Voucher programmes, CNY", columns, rows, right=("at most", "budget", *AMOUNTS)))
