"""`dongxi journal`: look at a journal without changing it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
import typer

from exchange.journal import Frame, FrameKind, JournalError
from exchange.journal import dump as frames_of
from exchange.journal import verify as verify_segments
from exchange.service.frames import unpack_rare
from matching.records import COMMAND, CommandKind

EXIT_DAMAGED = 1
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
        typer.echo(f"dongxi journal: {error}", err=True)
        raise typer.Exit(EXIT_DAMAGED) from None
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
        typer.echo(f"dongxi journal: {error}", err=True)
        raise typer.Exit(EXIT_DAMAGED) from None


def _lines(frame: Frame) -> list[tuple[int, str]]:
    if frame.kind is FrameKind.RARE:
        _, message = unpack_rare(frame.body)
        fields = {name: value for name, value in msgspec.to_builtins(message).items() if name != "ciphertext"}
        return [(frame.first_seq, msgspec.json.encode(fields).decode())]
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
        raise typer.Exit(2)
    return folder
