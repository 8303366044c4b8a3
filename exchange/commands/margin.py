"""`dongxi margin`: where an account's margin comes from."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from exchange.api.money import MarginExplained, MarginLine
from exchange.client import ExchangeClient, ExchangeError
from exchange.client.profiles import load_profile
from exchange.commands.sign import DEFAULT_KEYS

EXIT_FAILED = 1
EXIT_USAGE = 2

app = typer.Typer(no_args_is_help=True, help="Show where an account's margin comes from.")


@app.callback()
def _group() -> None:
    """Keep `explain` a sub-command while it is the only one."""


@app.command()
def explain(
    account: Annotated[str, typer.Argument(help="A member, or BROKER/CLIENT.")],
    keys: Annotated[
        Path, typer.Option(help="Directory of the profiles.", envvar="DONGXI_KEYS")
    ] = DEFAULT_KEYS,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Print where every fen of an account's margin comes from, asked of the running exchange with the
    member's own key.
    """
    member, _, client = account.partition("/")
    try:
        profile = load_profile(keys, member)
    except FileNotFoundError as error:
        raise _fail(f"{error}; name another directory with --keys", EXIT_USAGE) from None
    except (OSError, ValueError) as error:
        raise _fail(str(error), EXIT_USAGE) from None

    async def ask() -> MarginExplained:
        async with ExchangeClient(profile.base_url, profile, client=client or None, retries=1) as asked:
            return await asked.explain_margin()

    try:
        answer = asyncio.run(ask())
    except ExchangeError as error:
        raise _fail(str(error), EXIT_FAILED) from None
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(answer)).decode())
        return
    console = Console()
    console.print(
        _table("Portfolio margin of the positions as they are", answer.portfolio, answer.portfolio_fen)
    )
    console.print(_table("What orders are checked against", answer.gate, answer.margin_fen))
    console.print(
        f"equity {answer.equity_fen:,} fen, free {answer.available_fen:,} fen, seq {answer.as_of_seq:,}"
    )


def _table(title: str, lines: list[MarginLine], total: int) -> Table:
    table = Table(title=title, show_footer=True, title_justify="left")
    table.add_column("clause")
    table.add_column("for", footer="sum")
    table.add_column("how", overflow="fold")
    table.add_column("fen", footer=f"{total:,}", justify="right", no_wrap=True)
    for line in lines:
        table.add_row(line.clause, line.what, line.how, f"{line.amount_fen:,}")
    return table


def _fail(sentence: str, code: int) -> typer.Exit:
    typer.echo(f"dongxi margin: {sentence}", err=True)
    return typer.Exit(code)
