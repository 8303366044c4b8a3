"""`dongxi certificates`: an operator certifies what the sites' agents have attested (clause 10.3)."""

from __future__ import annotations

from typing import Annotated

import typer

from exchange.api.answers import Done
from exchange.api.primary import Certificate, Certification
from exchange.client import ExchangeClient
from exchange.commands.member.capacity import certificates_table
from exchange.commands.member.session import AsJson, BaseUrl, ProfileName, print_json, run, tell
from exchange.commands.member.shown import moment, show, table

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Operators: certify attested capacity (clause 10.3)."
)


@app.command("list")
def list_(profile: ProfileName = None, base_url: BaseUrl = None, as_json: AsJson = False) -> None:
    """Show what is posted, how many cards of it may be certified now, and what is certified."""

    async def ask(client: ExchangeClient) -> tuple[Certification, list[Certificate]]:
        return await client.primary.certification(), await client.primary.all_certificates()

    posted, issued = run("certificates list", ask, profile, base_url)
    if as_json:
        print_json({"capacity": posted.capacity, "certificates": issued})
        return
    columns = (
        "capacity",
        "account",
        "site",
        "grade",
        "hub",
        "cards",
        "attested",
        "GFLOPS",
        "may be certified",
    )
    rows = [
        (
            one.capacity_id,
            one.account,
            one.site,
            one.grade,
            one.hub,
            one.cards,
            one.attested and moment(one.attested.measured_at),
            one.attested and f"{one.attested.gflops:,}",
            one.may_be_certified,
        )
        for one in posted.capacity
    ]
    show(table("Posted capacity", columns, rows, right=("cards", "GFLOPS", "may be certified")))
    show(_rule(posted))
    if issued:
        show(certificates_table(issued))


@app.command()
def issue(
    capacity_id: Annotated[str, typer.Argument(help="The post, as `dongxi certificates list` names it.")],
    cards: Annotated[int, typer.Argument(min=1, help="How many of its cards.")],
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Certify attested cards: what is sold of them needs no full margin.

    dongxi certificates issue 12 16
    """

    async def act(client: ExchangeClient) -> str | None:
        return await client.primary.certify(capacity_id, cards)

    made = run("certificates issue", act, profile, base_url)
    told = f"Certificate {made}: {cards} cards of capacity {capacity_id}."
    tell({"certificate_id": made}, told, as_json=as_json)


@app.command()
def revoke(
    certificate_id: Annotated[str, typer.Argument(help="As `dongxi certificates list` names it.")],
    reason: Annotated[str, typer.Option(help="Why; it stays on record.")],
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """End a certificate; what it delivers already stays owed (clause 10.6)."""

    async def act(client: ExchangeClient) -> Done:
        return await client.primary.revoke(certificate_id, reason)

    done = run("certificates revoke", act, profile, base_url)
    tell(done, f"The certificate {certificate_id} is revoked: {reason}.", as_json=as_json)


@app.command("by-hand")
def by_hand(
    on: Annotated[
        bool, typer.Option("--on/--off", help="On: each waits for an operator; off: issued at once.")
    ] = True,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Let each certificate wait for an operator, or let good attestations certify at once."""

    async def act(client: ExchangeClient) -> Certification:
        return await client.primary.set_certification(at_once=not on)

    found = run("certificates by-hand", act, profile, base_url)
    tell({"at_once": found.at_once}, _rule(found), as_json=as_json)


def _rule(found: Certification) -> str:
    return (
        "Good attestations certify at once." if found.at_once else "Each certificate waits for an operator."
    )
