"""`dongxi audit`: where a trade, an order or an account's fen come from, and whether the record is sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from exchange.audit.records import Record, Trace
from exchange.audit.soundness import Verdict, verify_all
from exchange.audit.subject import Subject, SubjectNotFound
from exchange.audit.tracing import trace as traced
from exchange.commands.progress import progress_bar
from exchange.journal import JournalError
from exchange.journal.reader import segment_paths
from exchange.service.warm import warm_up
from matching.api import InvariantViolation

EXIT_FAILED = 1
EXIT_USAGE = 2
DEFAULT_DATA = Path("var/demo")
CHAIN_SHOWN = 12
"""Hex digits of a hash in the table; JSON has them all."""

app = typer.Typer(no_args_is_help=True, help="Trace what happened, and check that the record is sound.")

Data = Annotated[Path, typer.Option(help="Data directory of a running or stopped exchange, or a backup.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def trace(
    subject: Annotated[
        str, typer.Argument(help="Number of a trade or an order, or a member, or BROKER/CLIENT.")
    ],
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Print the chain of journal records of a trade, an order or an account: who, when, what it did, and the
    hash of its frame; from the order through fill, margin, settlement and delivery to the statement.

    The journal is read and applied anew; nothing is taken from anywhere else. Exit codes: 0, 1 if the
    journal is damaged or knows no such subject, 2 without a journal.
    """
    _existing(data)
    try:
        warm_up()
        with progress_bar("Tracing", _bytes_of(data)) as progress:
            found = traced(data, Subject(subject), progress)
    except (JournalError, SubjectNotFound, OSError) as error:
        raise _fail(str(error)) from None
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
        return
    Console().print(_table(found))


@app.command()
def verify(data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """Check every byte and the hash chain, apply all commands anew, and compare with every snapshot and, in
    a backup, the manifest.

    Exit codes: 0 if all is sound, 1 if anything is wrong, 2 without a journal.
    """
    _existing(data)
    try:
        warm_up()
        with progress_bar("Verifying", _bytes_of(data)) as progress:
            verdict = verify_all(data, progress)
    except (JournalError, InvariantViolation, OSError) as error:
        raise _fail(str(error)) from None
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(verdict)).decode())
    else:
        _say(verdict)
    for sentence in verdict.wrong:
        typer.echo(f"dongxi audit: {sentence}", err=True)
    if verdict.wrong:
        raise typer.Exit(EXIT_FAILED)


def _say(verdict: Verdict) -> None:
    lines = (
        ("journal", f"{verdict.segments} segments, {verdict.frames:,} frames: every byte is sound"),
        ("commands", f"seq {verdict.first_seq:,} to {verdict.last_seq:,}"),
        ("hash chain", verdict.chain),
        ("applied anew", f"from seq {verdict.folded_from_seq:,}: every invariant holds"),
        ("state hash", verdict.state_hash),
        ("snapshots", f"{verdict.snapshots} compared with the state"),
        ("manifest", "compared" if verdict.manifest else "none, it isn't a backup"),
    )
    for name, text in lines:
        typer.echo(f"{name:<13} {text}")


def _table(found: Trace) -> Table:
    since = "" if found.from_seq == 1 else f" from seq {found.from_seq:,}"
    table = Table(
        title=f"{found.subject}: {len(found.records)} records{since} up to seq {found.as_of_seq:,}",
        title_justify="left",
    )
    for name in ("seq", "market time", "who", "by", "what", "account", "contract"):
        table.add_column(name, no_wrap=name in ("seq", "market time"))
    table.add_column("", overflow="fold")
    table.add_column("fen", justify="right", no_wrap=True)
    table.add_column("hash chain", no_wrap=True)
    for record in found.records:
        table.add_row(
            f"{record.seq}",
            record.at[:19].replace("T", " "),
            record.who,
            record.by,
            record.what,
            record.account,
            record.contract,
            _text(record),
            "" if record.amount_fen is None else f"{record.amount_fen:,}",
            record.frame.chain[:CHAIN_SHOWN],
        )
    return table


def _text(record: Record) -> str:
    parts = [record.text]
    if record.share_fen is not None:
        parts.append(f"of it by these fills {record.share_fen:,}")
    if record.margin is not None and record.what in ("order", "fill"):
        needed = record.margin.requirement_fen - record.margin.offset_fen
        parts.append(f"margin now {needed:,} of an equity of {record.margin.equity_fen:,}")
    return "; ".join(parts)


def _existing(data: Path) -> None:
    if not segment_paths(data / "journal"):
        raise _fail(
            f"there is no journal in {data}; name a data directory or a backup with --data", EXIT_USAGE
        )


def _bytes_of(data: Path) -> int:
    return sum(path.stat().st_size for path in segment_paths(data / "journal"))


def _fail(sentence: str, code: int = EXIT_FAILED) -> typer.Exit:
    typer.echo(f"dongxi audit: {sentence}", err=True)
    return typer.Exit(code)
