"""`dongxi history`: fill, rebuild and look at the read models."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from exchange.history.follower import Follower, HistoryLocked
from exchange.history.mark import DurableMark, history_folder
from exchange.history.reader import progress_of
from exchange.history.replay import HistoryStopped
from exchange.history.store import latest
from exchange.journal import JournalError
from exchange.ops.log import LogLevel, log_to

EXIT_FAILED = 1
EXIT_USAGE = 2
NICENESS_STARTING = 5
NICENESS_FOLLOWING = 10
"""When processors are short the exchange comes first, and a start isn't put off for ever."""

app = typer.Typer(no_args_is_help=True, help="Fill, rebuild and look at the history (orders, trades, …).")

Data = Annotated[Path, typer.Option(help="Data directory.")]
DEFAULT_DATA = Path("var/demo")


@app.command()
def run(
    data: Data = DEFAULT_DATA,
    log_level: Annotated[LogLevel, typer.Option(help="What is logged.")] = "info",
    lifeline: Annotated[
        bool, typer.Option("--lifeline", help="End when standard input closes; `dongxi up` uses it.")
    ] = False,
) -> None:
    """Follow the journal and fill the history until Ctrl-C; `dongxi up` runs this by itself."""
    _existing(data)
    stop = _stopping()
    log_to(data / "log", log_level, "history")
    if lifeline:
        os.nice(NICENESS_STARTING)
        threading.Thread(target=_hold, args=(stop,), daemon=True).start()
    try:
        with Follower(data) as follower:
            follower.run(stop, on_open=partial(_stand_back, NICENESS_FOLLOWING) if lifeline else None)
    except (HistoryLocked, JournalError, OSError, sqlite3.Error) as error:
        raise _fail(str(error)) from None


@app.command()
def rebuild(data: Data = DEFAULT_DATA) -> None:
    """Build the history anew from the journal; the old one answers until the new one is complete."""
    _existing(data)
    if DurableMark(history_folder(data)).seq == 0:
        raise _fail("nothing is known to be durable yet; start the exchange once, which checks its journal")
    stop = _stopping()
    try:
        with Follower(data) as follower:
            seq = follower.catch_up(stop, rebuild=True)
    except HistoryLocked:
        Follower.want_rebuild(history_folder(data))
        typer.echo("The process that fills the history builds it anew; see `dongxi history status`.")
        return
    except HistoryStopped:
        raise _fail("stopped; the history stays as it was, and the next start builds it anew") from None
    except (JournalError, OSError, sqlite3.Error) as error:
        raise _fail(str(error)) from None
    typer.echo(f"The history is built up to seq {seq:,}.")


@app.command()
def status(data: Data = DEFAULT_DATA) -> None:
    """Print how far the history goes and what is in it."""
    _existing(data)
    folder = history_folder(data)
    durable = DurableMark(folder).seq
    path = latest(folder)
    if path is None:
        typer.echo(f"durable seq     {durable:>16,}\nThere is no complete history yet.")
        return
    try:
        progress = progress_of(path)
    except sqlite3.Error as error:
        raise _fail(f"{path}: {error}") from None
    for name, value in (
        ("durable seq", durable),
        ("as of seq", progress.as_of_seq),
        ("behind", max(0, durable - progress.as_of_seq)),
        ("orders", progress.orders),
        ("trades", progress.trades),
        ("ledger entries", progress.entries),
    ):
        typer.echo(f"{name:<16}{value:>16,}")
    typer.echo(f"{'file':<16}{path}")


def _stand_back(niceness: int) -> None:
    os.nice(max(0, niceness - os.nice(0)))


def _stopping() -> threading.Event:
    """Return what SIGINT and SIGTERM set."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _hold(stop: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):  # not through sys.stdin, whose lock would block the exit
        pass
    stop.set()


def _existing(data: Path) -> None:
    if not (data / "journal").is_dir():
        typer.echo(
            f"dongxi history: there is no journal in {data}; name a data directory with --data", err=True
        )
        raise typer.Exit(EXIT_USAGE)


def _fail(sentence: str) -> typer.Exit:
    typer.echo(f"dongxi history: {sentence}", err=True)
    return typer.Exit(EXIT_FAILED)
