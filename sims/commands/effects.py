"""`dongxi sim effects`: whether the scenarios do what their pages say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import orjson
import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from sims.commands.shared import ExecutorName, Out, Seeds, Set, Workers, seeds_of, sentences, work_through
from sims.experiments.effects import Effect, effects_plan
from sims.experiments.effects import effects as found_of
from sims.experiments.executors import executor_of
from sims.experiments.inference import chance, interval, readable
from sims.experiments.store import Store
from sims.scenario.load import shipped

EXIT_NOT_FOUND = 1


def effects(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="SCENARIO", help="Those to test; all if missing.")
    ] = None,
    seeds: Seeds = "20",
    overrides: Set = None,
    out: Out = None,
    workers: Workers = None,
    executor: ExecutorName = "pool",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, no table.")] = False,
) -> None:
    """Test what scenarios claim: each with and without what it speaks of, under common seeds.

    A claim holds if the figure moves as it says and the sign-flip test rejects chance; exit code 1 if one
    doesn't. --set holds for all.
    """
    with sentences():
        runner = executor_of(executor, workers)
        plan = effects_plan(names or shipped(), overrides or (), seeds_of(seeds))
        store = Store(out or Path("effects"), plan.manifest)
        work_through(store, runner)
        found = found_of(plan, store.finished())
    if as_json:
        told = [{**msgspec.to_builtins(effect), "holds": effect.holds} for effect in found]
        typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    else:
        _show(found)
        typer.echo(f"Results: {store.directory}")
    failed = sum(not effect.holds for effect in found)
    if failed:
        typer.echo(f"dongxi sim: {failed} of {len(found)} claims aren't borne out.", err=True)
        raise typer.Exit(EXIT_NOT_FOUND)


def _show(found: list[Effect]) -> None:
    table = Table("scenario", "figure", "claim", "without", "with", "change (95 %)", "p", "", box=SIMPLE)
    for effect in found:
        means = (readable(of.mean) for of in (effect.without, effect.with_it))
        table.add_row(
            effect.scenario,
            effect.claim.figure,
            effect.claim.moves,
            *means,
            interval(effect.change.difference),
            chance(effect.change.p_value),
            "ok" if effect.holds else "[red]no[/red]",
        )
    Console().print(table)
