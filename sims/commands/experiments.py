"""`dongxi sim run`, `sweep`, `compare`, `scenarios`, `schema`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import msgspec
import orjson
import typer
from blake3 import blake3
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from sims.commands.live import LiveView
from sims.commands.shared import (
    ExecutorName,
    Out,
    Seeds,
    Set,
    Workers,
    fail,
    seeds_of,
    sentences,
    work_through,
)
from sims.engine.rows import Outcome
from sims.experiments.executors import executor_of
from sims.experiments.findings import PRICE_OF, Line, cells, lines, nothing_of
from sims.experiments.inference import chance, interval, readable
from sims.experiments.job import versions
from sims.experiments.plan import compare_plan, sweep_plan
from sims.experiments.report import write_report
from sims.experiments.seeds import SEED_LAST
from sims.experiments.store import Manifest, Store
from sims.scenario.load import load_scenario, plain, shipped
from sims.scenario.published import published

PRICES_SHOWN = 24
Name = Annotated[str, typer.Argument(metavar="SCENARIO", help="A shipped scenario, or a path to a .toml.")]


def scenarios() -> None:
    """List the scenarios that are shipped, and what each shows."""
    for name in shipped():
        scenario = load_scenario(name)
        typer.echo(f"{name}\n    {scenario.title}. {scenario.shows}")


def schema() -> None:
    """Print the JSON schema of scenario files.

    docs/scenario.schema.json is the same.
    """
    typer.echo(orjson.dumps(published(), option=orjson.OPT_INDENT_2).decode())


def run(
    scenario: Name,
    seed: Annotated[int, typer.Option(min=0, max=SEED_LAST)] = 1,
    overrides: Set = None,
    out: Out = None,
) -> None:
    """Run a scenario once; prints what it came to, and writes manifest, tables and report to --out."""
    with sentences():
        table = plain(load_scenario(scenario, overrides or ()))
        name = table["name"]
        store = Store(out or Path(f"sim-{name}-{seed}"), Manifest("run", {name: table}, {name: [seed]}))
        work_through(store)
    (one,) = store.finished()
    _show_outcome(one.outcome)
    reported(store)


def reproduce(
    directory: Annotated[Path, typer.Argument(help="Directory of a run, sweep or comparison.")],
    workers: Workers = None,
    executor: ExecutorName = "pool",
) -> None:
    """Run again what a manifest names, and compare with its state hashes and with the runs that are kept."""
    with sentences():
        runner = executor_of(executor, workers)
        store = Store(directory)
        kept = {one.key: _digest(one.outcome) for one in store.finished()}
        hashes = store.manifest.state_hashes
        jobs = [
            job for job in store.manifest.jobs() if job.key in kept or job.seed in hashes.get(job.variant, {})
        ]
        if not jobs:
            fail(f"{directory} holds no finished run to compare with")
        ours, made = versions(), store.manifest.versions
        if ours != made:
            typer.echo(f"Versions differ: it was made with {made}, these are {ours}.", err=True)
        view = LiveView(len(jobs), store.manifest.variants)
        with view, closing(runner.run(jobs)) as running:
            wrong = []
            for again in running:
                view.advance(again)
                digest, state_hash = _digest(again.outcome), again.outcome.state_hash
                same = kept.get(again.key, digest) == digest
                known = hashes.get(again.variant, {}).get(again.outcome.seed, state_hash)
                if not same or known != state_hash:
                    wrong.append(again.key)
    typer.echo(f"{len(jobs) - len(wrong)} of {len(jobs)} runs are the same to the bit.")
    if wrong:
        named = ", ".join(f"{variant} seed {seed}" for variant, seed in sorted(wrong)[:5])
        fail(f"not the same: {named}")


def sweep(
    scenario: Name,
    seeds: Seeds = "20",
    overrides: Set = None,
    out: Out = None,
    workers: Workers = None,
    executor: ExecutorName = "pool",
) -> None:
    """Run every combination of --set KEY=A,B,C under common seeds."""
    with sentences():
        runner = executor_of(executor, workers)
        manifest = sweep_plan(scenario, overrides or (), seeds_of(seeds))
        store = Store(out or Path(f"sweep-{Path(scenario).stem}"), manifest)
        work_through(store, runner)
    show_lines(lines(store.finished()))
    reported(store)


def compare(
    base: Annotated[str, typer.Argument(metavar="BASE")],
    candidate: Annotated[str, typer.Argument(metavar="CANDIDATE")],
    seeds: Seeds = "50",
    overrides: Set = None,
    both: Annotated[
        list[str] | None,
        typer.Option("--both", metavar="KEY=VALUE", help="Override a key of both scenarios."),
    ] = None,
    out: Out = None,
    workers: Workers = None,
    executor: ExecutorName = "pool",
) -> None:
    """Compare two scenarios under common seeds; --set holds for the candidate, --both for both.

    Differences are candidate − base with 95 % intervals; p is of a sign-flip test, each figure by itself.
    """
    with sentences():
        runner = executor_of(executor, workers)
        manifest = compare_plan(base, candidate, both or (), overrides or (), seeds_of(seeds))
        name = f"compare-{Path(base).stem}-{Path(candidate).stem}"
        store = Store(out or Path(name), manifest)
        work_through(store, runner)
    show_changes(lines(store.finished()))
    reported(store)


def reported(store: Store) -> None:
    """Write the report and say where it is."""
    with sentences():
        page = write_report(store)
    typer.echo(f"Results: {store.directory}, report: {page}")


def _digest(outcome: Outcome) -> bytes:
    """Return what an outcome is compared by, bit for bit, for less memory than it takes."""
    packed = msgspec.msgpack.encode(outcome)
    as_read = msgspec.msgpack.decode(packed, type=Outcome)  # a sum of nothing is 0, and is read as 0.0
    return blake3(msgspec.msgpack.encode(as_read)).digest()


def _show_outcome(outcome: Outcome) -> None:
    figures = Table("figure", "value", box=SIMPLE)
    for name, value in outcome.metrics.items():
        figures.add_row(name, readable(value))
    people = Table("population", "members", "surplus CNY", "bought", "at", "sold", "at", box=SIMPLE)
    for of in outcome.classes:
        bought, sold = (f"{lot_hours:,.0f}" for lot_hours in (of.bought, of.sold))
        prices = (f"{price:.2f}" for price in (of.bought_price, of.sold_price))
        people.add_row(
            of.population, str(of.members), f"{of.surplus:,.0f}", bought, next(prices), sold, next(prices)
        )
    console = Console()
    console.print(figures, people)
    console.print(f"{outcome.commands:,} commands, {outcome.events:,} events, {outcome.trades:,} trades")
    console.print(f"journal {outcome.journal_hash}\nstate   {outcome.state_hash}", highlight=False)


def show_lines(found: list[Line]) -> None:
    """Print each figure by variant."""
    variants = list(found[0].by_variant) if found else []
    table = Table("figure", *variants, box=SIMPLE)
    for line in _shown(found):
        table.add_row(line.name, *cells(line, variants))
    _print(table, found)


def show_changes(found: list[Line]) -> None:
    """Print each figure of base and candidate, and their paired difference."""
    table = Table("figure", "base", "candidate", "difference (95 %)", "p", "", box=SIMPLE)
    for line in _shown(found):
        if line.change is None:
            continue
        means = [readable(estimate.mean) for estimate in line.by_variant.values()]
        table.add_row(
            line.name, *means, interval(line.change.difference), chance(line.change.p_value), line.word
        )
    _print(table, found)


def _shown(found: list[Line]) -> list[Line]:
    """Return what there was anything of and fits into a terminal: of many goods prices by region must do; the
    report has each.
    """
    prices = sum(line.name.startswith(PRICE_OF) for line in found)
    return [
        line for line in found if line.seen and (prices <= PRICES_SHOWN or not line.name.startswith(PRICE_OF))
    ]


def _print(table: Table, found: list[Line]) -> None:
    console = Console()
    console.print(table)
    for sentence in nothing_of(found):
        console.print(sentence, highlight=False)
