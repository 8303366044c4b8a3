"""`dongxi sim`: the operator's laboratory."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import orjson
import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from sims.classics.checks import FULL, PARTS, QUICK, Check
from sims.commands.branches import fork, replay
from sims.commands.effects import effects
from sims.commands.experiments import compare, reproduce, run, scenarios, schema, sweep
from sims.commands.promises import promises

EXIT_OUTSIDE = 1
app = typer.Typer(no_args_is_help=True, help="Market simulations on the exchange's own matching engine.")


for command in (run, sweep, compare, effects, fork, replay, reproduce, promises, scenarios, schema):
    app.command()(command)


@app.command()
def validate(
    quick: Annotated[
        bool, typer.Option("--quick", help="Small samples: a look in fifteen seconds, no proof.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Another sample.")] = 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead of a table.")
    ] = False,
) -> None:
    """Reproduce published results of market simulation on this engine; exit code 1 if one is off its band.

    Each line names paper, ours, the band and why the band is as wide as it is.
    """
    checks: list[Check] = []
    errors = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("", total=None)
        for name, part in PARTS.items():
            progress.update(task, description=f"Simulating: {name}")
            checks += part(QUICK if quick else FULL, seed)
    if as_json:
        rows = [{**asdict(check), "holds": check.holds} for check in checks]
        found = {"seed": seed, "quick": quick, "checks": rows}
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    else:
        Console().print(_table(checks))
    outside = sum(not check.holds for check in checks)
    if outside:
        typer.echo(f"dongxi sim: {outside} of {len(checks)} results lie outside their bands.", err=True)
        raise typer.Exit(EXIT_OUTSIDE)


def _table(checks: list[Check]) -> Table:
    table = Table(box=SIMPLE)
    for name in ("source", "what", "paper", "ours", "band", ""):
        table.add_column(name, justify="right" if name in ("paper", "ours", "band") else "left")
    for check in checks:
        band = f"{check.low:.2f} … {check.high:.2f}"
        mark = "ok" if check.holds else "[red]outside[/red]"
        table.add_row(check.source, check.what, f"{check.paper:.2f}", f"{check.ours:.2f}", band, mark)
    return table
