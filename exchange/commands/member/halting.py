"""`dongxi proposals`, `dongxi halt` and `dongxi resume`: an operator's hand on the market."""

from __future__ import annotations

from typing import Annotated

import typer

from exchange.api.operating import Halted, Proposal
from exchange.client import ExchangeClient
from exchange.commands.member.members import Amount, Name
from exchange.commands.member.session import AsJson, BaseUrl, ProfileName, Wrong, print_json, run, tell
from exchange.commands.member.shown import ZONE, cny, fen_of, moment, show, table

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Operators: what needs two of them (clause 8.11)."
)


@app.command("list")
def pending(profile: ProfileName = None, base_url: BaseUrl = None, as_json: AsJson = False) -> None:
    """Show what operators proposed, newest first."""

    async def ask(client: ExchangeClient) -> list[Proposal]:
        return await client.proposals()

    found = run("proposals list", ask, profile, base_url)
    if as_json:
        print_json(found)
        return
    columns = ("id", "kind", "member", "CNY", "why", "by", "expires", "decided")
    rows = [
        (p.proposal_id, p.kind, p.member, cny(p.amount_fen), p.reason, p.proposed_by, moment(p.expires), by)
        for p, by in ((one, _fate(one)) for one in found)
    ]
    show(table(f"Proposals; times are {ZONE}", columns, rows, right=("CNY",)))


def _fate(proposal: Proposal) -> str | None:
    if proposal.decided_by is None:
        return None
    return f"{'approved' if proposal.approved else 'rejected'} by {proposal.decided_by}"


@app.command()
def cash(
    name: Name,
    amount: Amount,
    reason: Annotated[str, typer.Option(help="Why; it stays on record.")],
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Propose a correction of a member's cash, which another operator decides on.

    dongxi proposals cash --reason "a fee was booked twice" -- blue -12.30
    """
    fen = fen_of(amount)

    async def propose(client: ExchangeClient) -> Proposal:
        return await client.propose_cash(name, fen, reason)

    made = run("proposals cash", propose, profile, base_url)
    told = f"Proposal {made.proposal_id} waits for another operator until {moment(made.expires)} {ZONE}."
    tell(made, told, as_json=as_json)


@app.command()
def decide(
    proposal_id: Annotated[str, typer.Argument(help="As `dongxi proposals list` names it.")],
    approve: Annotated[bool, typer.Option("--approve/--reject", help="What you decide.")],
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Approve or reject what another operator proposed."""

    async def act(client: ExchangeClient) -> Proposal:
        for one in await client.proposals():
            if one.proposal_id == proposal_id:
                return await client.decide(one, approve)
        raise Wrong(f"there is no proposal {proposal_id}; `dongxi proposals list` shows them")

    decided = run("proposals decide", act, profile, base_url)
    tell(decided, f"Proposal {decided.proposal_id} is {_fate(decided)}.", as_json=as_json)


Symbol = Annotated[str | None, typer.Argument(help="Contract; all if neither it nor a hub is named.")]
Hub = Annotated[str | None, typer.Option(help="All contracts of this hub.")]


def halt(
    symbol: Symbol = None,
    hub: Hub = None,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Halt a contract, a hub or the whole market: no orders, no trades; cancels go on (clause 4.7).

    dongxi halt --hub GUIAN
    """
    _set_halted(True, symbol, hub, profile, base_url, as_json=as_json)


def resume(
    symbol: Symbol = None,
    hub: Hub = None,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Let what was halted trade again."""
    _set_halted(False, symbol, hub, profile, base_url, as_json=as_json)


def _set_halted(
    halted: bool,
    symbol: str | None,
    hub: str | None,
    profile: str | None,
    base_url: str | None,
    *,
    as_json: bool,
) -> None:
    async def act(client: ExchangeClient) -> Halted:
        return await client.halt(
            halted, symbol=symbol.upper() if symbol else None, hub=hub.upper() if hub else None
        )

    done = run("halt" if halted else "resume", act, profile, base_url)
    tell(done, f"{done.contracts} contract(s) {'are halted' if halted else 'trade again'}.", as_json=as_json)
