"""`dongxi journal`: look at a journal without changing it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
import typer

from exchange.commands.progress import progress_bar
from exchange.domain.calendar import local_datetime
from exchange.journal import Frame, FrameKind, JournalError
from exchange.journal import dump as frames_of
from exchange.journal import verify as verify_segments
from exchange.journal.reader import segment_paths
from exchange.service.frames import plain, unpack_rare
from exchange.service.replay import Compared, begin_at, from_the_first
from exchange.service.replay import replay as replay_journal
from exchange.service.warm import warm_up
from matching.api import InvariantViolation
from matching.records import COMMAND, CommandKind

EXIT_DAMAGED = 1
EXIT_USAGE = 2
app = typer.Typer(no_args_is_help=True, help="Look at a journal without changing it.")

Data = Annotated[Path, typer.Option(help="Data directory, or its journal folder.")]
DEFAULT_DATA = Path("var/demo")


@app.command()
def verify(data: Data = DEFAULT_DATA) -> None:
    """Check every byte and the hash chain; exit code 1 if anything is wrong."""
    frames = 0
    try:
        for report in verify_segments(_folder(data)):
            frames += report.frames
            span = f"seq {report.first_seq:,} to {report.next_seq - 1:,}" if report.frames else "no commands"
            typer.echo(f"{report.name}  {report.frames:>8,} frames  {span}  chain {report.chain.hex()[:16]}")
            if report.tail is not None:
                typer.echo(f"  incomplete tail of {report.tail.length} bytes from byte {report.tail.offset}")
    except (JournalError, OSError) as error:
        raise _damaged(error) from None
    typer.echo(f"{frames:,} frames are sound.")


@app.command()
def dump(
    data: Data = DEFAULT_DATA,
    from_seq: Annotated[int, typer.Option("--from", min=1, help="First seq.")] = 1,
    to_seq: Annotated[int | None, typer.Option("--to", min=1, help="Last seq.")] = None,
) -> None:
    """Print commands, one a line: seq, kind, and what it says. Key secrets are ciphertext and left out."""
    try:
        for frame in frames_of(_folder(data), from_seq, to_seq):
            for seq, text in _lines(frame):
                if seq >= from_seq and (to_seq is None or seq <= to_seq):
                    typer.echo(f"{seq:>12}  {text}")
    except (JournalError, OSError) as error:
        raise _damaged(error) from None


@app.command()
def replay(
    data: Data = DEFAULT_DATA,
    to_seq: Annotated[int | None, typer.Option("--to", min=1, help="Last seq; else all.")] = None,
    from_snapshot: Annotated[
        bool, typer.Option("--from-snapshot", help="Begin with the newest snapshot up to there.")
    ] = False,
) -> None:
    """Fold the journal into the state after a seq and print its hash; exit code 1 if anything is wrong.

    Every byte is checked, every invariant of the state at the end, and each snapshot on the way is compared.
    """
    folder = _folder(data)
    wrong: list[Compared] = []

    def compared(one: Compared) -> None:
        typer.echo(f"snapshot {one.path.name}  {one.wrong or 'equal'}")
        if one.wrong:
            wrong.append(one)

    try:
        warm_up()
        begin = begin_at(folder.parent, to_seq) if from_snapshot else from_the_first(folder.parent)
        core = begin.core
        with progress_bar("Replaying", _bytes_of(folder)) as progress:
            replay_journal(folder, core, begin.after, to_seq, compared=compared, progress=progress)
        core.check()
    except (JournalError, OSError, InvariantViolation) as error:
        raise _damaged(error) from None
    if to_seq is not None and core.seq < to_seq:
        typer.echo(f"dongxi journal: the journal ends with seq {core.seq:,}, before {to_seq:,}", err=True)
        raise typer.Exit(EXIT_DAMAGED)
    typer.echo(f"seq          {core.seq:,}")
    typer.echo(f"market time  {local_datetime(core.time_ns).isoformat() if core.seq else '-'}")
    typer.echo(f"state hash   {core.state_hash().hex()}")
    if wrong:
        raise typer.Exit(EXIT_DAMAGED)


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="New file; .parquet or .csv says the format.")],
    data: Data = DEFAULT_DATA,
    from_seq: Annotated[int, typer.Option("--from", min=1, help="First seq.")] = 1,
    to_seq: Annotated[int | None, typer.Option("--to", min=1, help="Last seq; else all.")] = None,
) -> None:
    """Write commands as a table, one row each, to a Parquet or CSV file. Key secrets are left out."""
    from exchange.service import export as exporting  # takes a moment to load, which the others needn't

    try:
        exporting.check_format(file)
    except exporting.UnknownFormatError as error:
        typer.echo(f"dongxi journal: {error}", err=True)
        raise typer.Exit(EXIT_USAGE) from None
    folder = _folder(data)
    try:
        with progress_bar("Exporting", _bytes_of(folder)) as progress:
            frames = frames_of(folder, from_seq, to_seq)
            rows = exporting.export(file, frames, from_seq, to_seq, progress)
    except (JournalError, OSError) as error:
        raise _damaged(error) from None
    typer.echo(f"{rows:,} commands are in {file}.")


def _bytes_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in segment_paths(folder))


def _damaged(error: Exception) -> Exception:
    if isinstance(error, BrokenPipeError):
        return error  # nobody reads on, as with `| head`: the program ends without a word
    typer.echo(f"dongxi journal: {error}", err=True)
    return typer.Exit(EXIT_DAMAGED)


def _lines(frame: Frame) -> list[tuple[int, str]]:
    if frame.kind is FrameKind.RARE:
        _, message = unpack_rare(frame.body)
        return [(frame.first_seq, msgspec.json.encode(plain(message)).decode())]
    lines = []
    for row in np.frombuffer(frame.body, COMMAND):
        shown = {name: int(row[name]) for name in COMMAND.names or () if name != "seq" and row[name]}
        shown.pop("kind", None)
        lines.append((int(row["seq"]), f"{CommandKind(int(row['kind'])).name} {shown}"))
    return lines


def _folder(data: Path) -> Path:
    inner = data / "journal"
    folder = inner if inner.is_dir() else data
    if not any(folder.glob("*.journal")):
        typer.echo(
            f"dongxi journal: there is no journal in {data}; name its data directory with --data", err=True
        )
        raise typer.Exit(EXIT_USAGE)
    return folder
