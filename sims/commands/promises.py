"""`dongxi sim promises`: what was promised for such a market, and what is found."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from nodes.catalogue import load_catalogue
from sims.commands.shared import ExecutorName, Out, Seeds, Set, Workers, seeds_of, sentences, work_through
from sims.experiments.executors import executor_of
from sims.experiments.inference import Estimate
from sims.experiments.report import write_pages
from sims.experiments.store import Store
from sims.promises.verdicts import MARKET, Verdict, promises_plan, verdicts
from sims.scenario.load import scenario_of

TITLE = "What was promised, and what is found"


def promises(
    scenario: Annotated[str, typer.Option(metavar="SCENARIO", help="The market to measure on.")] = "national",
    seeds: Seeds = "10",
    overrides: Set = None,
    out: Out = None,
    workers: Workers = None,
    executor: ExecutorName = "pool",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, no table.")] = False,
) -> None:
    """Hold what was promised for a market of compute against the catalogue and the trace.

    Runs the market and three variants of it under common seeds; prints promised, found with a 95 % interval,
    and what drives it. Promises that aren't kept are results, not failures: the exit code is 0.
    """
    with sentences():
        runner = executor_of(executor, workers)
        manifest = promises_plan(scenario, overrides or (), seeds_of(seeds))
        store = Store(out or Path("promises"), manifest)
        work_through(store, runner)
        spec = scenario_of(manifest.variants[MARKET], MARKET)
        found = verdicts(store.finished(), spec, load_catalogue())
        rows, facts = rows_of(found), facts_of(found, len(manifest.seeds[MARKET]), spec.title)
        page = write_pages(store.directory / "promises", TITLE, facts, rows, [])
    if as_json:
        told = [{**asdict(verdict), "verdict": verdict.word} for verdict in found]
        typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    else:
        _show(rows, facts)
        typer.echo(f"Results: {store.directory}, page: {page}")


def rows_of(found: list[Verdict]) -> list[list[str]]:
    """Return the table, heading first: each promise, then the figures beside it."""
    rows = [["promise", "promised", "found [95 % interval]", ""]]
    for verdict in found:
        multiple = verdict.promised > 1
        written = f"{verdict.promised:g}×" if multiple else f"{verdict.promised:.0%}"
        rows.append([verdict.promise, written, told(verdict.found, multiple), verdict.word])
        rows += [[f"– {beside.what}", "", told(beside.found, multiple), ""] for beside in verdict.beside]
    return rows


def told(found: Estimate, multiple: bool) -> str:
    """Return a multiple, or a share in percent, with its interval if it is a sample's."""
    if found.mean != found.mean:
        return "not measured"
    write = "{:.2f}×" if multiple else "{:.1%}"
    if found.runs < 2:
        return write.format(found.mean)
    return f"{write.format(found.mean)} [{write.format(found.low)}, {write.format(found.high)}]"


def facts_of(found: list[Verdict], seeds: int, title: str) -> list[str]:
    """Return what is to be known of the table, and what drives each finding."""
    head = f"Measured on: {title}, {seeds} seeds. A figure without an interval is the catalogue's."
    return [head, *(f"{verdict.promise}: {verdict.drives}" for verdict in found)]


def _show(rows: list[list[str]], facts: list[str]) -> None:
    head, *body = rows
    table = Table(*head, box=SIMPLE)
    for row in body:
        table.add_row(*row)
    console = Console()
    console.print(table)
    for fact in facts:
        console.print(fact)
