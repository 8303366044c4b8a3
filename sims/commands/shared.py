"""What the commands of `dongxi sim` share: options, errors, working through an experiment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from sims.commands.live import LiveView
from sims.experiments.disk import StoreError, alone
from sims.experiments.executors import Executor, Serial
from sims.experiments.job import ExecutorError
from sims.experiments.seeds import parse_seeds
from sims.experiments.store import Store
from sims.scenario.refusal import ScenarioError

EXIT_WRONG = 2
EXIT_STOPPED = 130

Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key; may be repeated.")
]
Seeds = Annotated[str, typer.Option("--seeds", help="How many, or which: 200, 1-100, 3,5,8-12.")]
Out = Annotated[Path | None, typer.Option("--out", help="Directory of results; what it lacks is run.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Processes; all cores if missing.")]
ExecutorName = Annotated[str, typer.Option("--executor", help="pool, serial or ray.")]


def fail(message: str) -> NoReturn:
    """End with a sentence and the code for wrong input."""
    typer.echo(f"dongxi sim: {message}", err=True)
    raise typer.Exit(EXIT_WRONG)


@contextmanager
def sentences() -> Iterator[None]:
    """Turn what a person can put right into a sentence."""
    try:
        yield
    except (ScenarioError, StoreError, ExecutorError) as error:
        fail(str(error))


def seeds_of(text: str) -> list[int]:
    """Return the seeds of an option."""
    try:
        return parse_seeds(text)
    except ValueError as error:
        fail(str(error))


def work_through(store: Store, runner: Executor | None = None) -> None:
    """Run what is left of an experiment, shown on stderr; in this process, wake by wake, without a runner.

    Ctrl-C stops it: what is finished is kept, tables included, and the same command goes on.
    """
    with alone(store.directory):
        _work(store, runner)


def _work(store: Store, runner: Executor | None) -> None:
    left = store.left()
    view = LiveView(len(left), store.manifest.variants)
    running = (runner or Serial(view.watch)).run(left)
    try:
        with closing(store), view, closing(running):
            for one in running:
                store.keep(one)
                view.advance(one)
    except KeyboardInterrupt:
        store.complete()
        done, total = len(store.done()), len(store.manifest.jobs())
        where = f"{done} of {total} runs are in {store.directory}"
        typer.echo(f"Stopped: {where}; the same command goes on.", err=True)
        raise typer.Exit(EXIT_STOPPED) from None
    store.complete()
