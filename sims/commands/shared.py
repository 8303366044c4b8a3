"""What the commands of `dongxi sim` share: options, errors, the progress bar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from sims.experiments.executors import Executor, ExecutorError
from sims.experiments.seeds import parse_seeds
from sims.experiments.store import Store, StoreError
from sims.scenario.load import ScenarioError

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


def work_through(store: Store, runner: Executor) -> None:
    """Run what is left of an experiment, with a progress bar on stderr.

    Ctrl-C stops it: what is finished is kept, tables included, and the same command goes on.
    """
    left = store.left()
    try:
        with _progress(len(left)) as advance:
            for one in runner.run(left):
                store.keep(one)
                advance()
    except KeyboardInterrupt:
        store.close()
        done, total = len(store.finished()), len(store.manifest.jobs())
        where = f"{done} of {total} runs are in {store.directory}"
        typer.echo(f"Stopped: {where}; the same command goes on.", err=True)
        raise typer.Exit(EXIT_STOPPED) from None
    finally:
        store.close()


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """Show rate and time left while the block runs; yields what is called for each finished run."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    times = (TextColumn("{task.fields[rate]}"), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, *times, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Simulating", total=total, rate="")

        def advance() -> None:
            speed = bar.tasks[0].speed
            bar.update(task, advance=1, rate=f"{speed:.1f} runs/s" if speed else "")

        yield advance
