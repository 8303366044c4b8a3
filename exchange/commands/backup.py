"""`dongxi backup` and `dongxi restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from exchange.commands.progress import progress_bar
from exchange.journal import JournalError
from exchange.journal.backup import back_up, read_manifest
from exchange.journal.backup import restore as restore_backup
from exchange.journal.reader import segment_paths
from exchange.journal.snapshots import snapshot_paths

EXIT_FAILED = 1
DEFAULT_DATA = Path("var/demo")

Data = Annotated[Path, typer.Option(help="Data directory.")]


def backup(
    target: Annotated[Path, typer.Argument(help="Directory to make; it must not exist, or be empty.")],
    data: Data = DEFAULT_DATA,
) -> None:
    """Copy journal and newest snapshot of a running or stopped exchange, checked, with a manifest of hashes.

    The master key isn't in it: keep a copy of it apart. Exit codes: 0, or 1 if it can't be taken.
    """
    paths = [*segment_paths(data / "journal"), *snapshot_paths(data / "snapshots")[:1]]
    try:
        with progress_bar("Copying", sum(path.stat().st_size for path in paths)) as progress:
            manifest = back_up(data, target, progress)
    except (JournalError, OSError) as error:
        raise _fail("backup", error) from None
    typer.echo(f"Backed up seq {manifest.first_seq:,} to {manifest.last_seq:,} of {data} to {target}.")
    typer.echo("The master key is not in it; keep a copy of the file master.key in another place.")


def restore(
    source: Annotated[Path, typer.Argument(help="Directory that `dongxi backup` made.")],
    data: Data = DEFAULT_DATA,
) -> None:
    """Make a data directory from a backup, which is checked against its manifest; refuses one that isn't
    empty.

    Exit codes: 0, or 1 if it can't be restored; then nothing is changed.
    """
    try:
        total = sum(file.size_bytes for file in read_manifest(source).files)
        with progress_bar("Restoring", total) as progress:
            manifest = restore_backup(source, data, progress)
    except (JournalError, OSError) as error:
        raise _fail("restore", error) from None
    typer.echo(f"Restored seq {manifest.first_seq:,} to {manifest.last_seq:,} to {data}.")
    typer.echo(f"Start it with `dongxi up --data {data}`; it needs the master key that it ran with (--keys).")


def _fail(command: str, error: Exception) -> typer.Exit:
    typer.echo(f"dongxi {command}: {error}", err=True)
    return typer.Exit(EXIT_FAILED)
