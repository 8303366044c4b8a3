"""`dongxi sim fork` and `replay`: one market, gone on with in two ways."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from exchange.commands.progress import progress_bar
from exchange.journal import JournalDamage, JournalVersion
from exchange.journal.reader import segment_paths
from sims.commands.experiments import reported, show_changes, show_lines
from sims.commands.shared import ExecutorName, Out, Set, Workers, fail, sentences, work_through
from sims.experiments.executors import executor_of
from sims.experiments.findings import lines
from sims.experiments.plan import fork_plan
from sims.experiments.store import Store
from sims.experiments.whatif import Replayed, RuleError, parse_rules, replay_under

SHOWN = 10


def fork(
    directory: Annotated[Path, typer.Argument(metavar="RUN", help="Directory of a run or a sweep.")],
    at: Annotated[str, typer.Option("--at", metavar="DAY@TIME", help="When, such as 1@10:30.")],
    overrides: Set = None,
    variant: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which one, if there are several.")
    ] = None,
    out: Out = None,
    workers: Workers = None,
    executor: ExecutorName = "pool",
) -> None:
    """Go on from a moment of a run both ways: as it was, and with rules or shocks changed by --set.

    Up to that moment both are the run, bit for bit.
    """
    with sentences():
        runner = executor_of(executor, workers)
        manifest = fork_plan(Store(directory).manifest, at, overrides or (), variant)
        store = Store(out or directory.with_name(f"{directory.name}-fork"), manifest)
        work_through(store, runner)
    found = lines(store.finished())
    if any(line.change for line in found):
        show_changes(found)
    else:
        show_lines(found)
    reported(store)


def replay(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Data directory of an exchange.")],
    overrides: Set = None,
) -> None:
    """Replay a live market's journal under changed rules, beside itself; the directory is only read.

    Members are taken to have sent the same commands. Rules: fee.maker, fee.taker, limit.daily, margin.scan,
    in basis points, from the first day on.
    """
    journal = data / "journal" if (data / "journal").is_dir() else data
    size = sum(path.stat().st_size for path in segment_paths(journal))
    if not size:
        fail(f"{data} holds no journal: expected the data directory of an exchange")
    try:
        with progress_bar("Replaying twice", size) as progress:
            found = replay_under(journal, parse_rules(overrides or []), progress)
    except (RuleError, JournalDamage, JournalVersion) as error:
        fail(str(error))
    _show(found)


def _show(found: Replayed) -> None:
    table = Table("", "was", "would be", box=SIMPLE)
    sides = (found.was, found.would)
    table.add_row("trades", *(f"{side.trades:,}" for side in sides))
    table.add_row("lots", *(f"{side.lots:,}" for side in sides))
    table.add_row("the exchange's cash, CNY", *(f"{side.house_cny:,.2f}" for side in sides))
    table.add_row("margin calls open", *(str(len(side.core.state.calls)) for side in sides))
    for code in sorted(found.was.rejected.keys() | found.would.rejected.keys()):
        table.add_row(f"rejected: {code}", *(f"{side.rejected[code]:,}" for side in sides))
    for what in sorted(found.was.refused.keys() | found.would.refused.keys()):
        table.add_row(f"refused: {what}", *(f"{side.refused[what]:,}" for side in sides))
    before, after = (side.gains() for side in sides)
    changed = sorted(before, key=lambda name: -abs(after[name] - before[name]))[:SHOWN]
    for name in changed:
        if after[name] != before[name]:
            table.add_row(f"{name}, CNY", f"{before[name]:,.2f}", f"{after[name]:,.2f}")
    console = Console()
    console.print(table)
    same = "the same" if found.was.core.state_hash() == found.would.core.state_hash() else "not the same"
    console.print(f"{found.commands:,} commands; the two states are {same}.")
