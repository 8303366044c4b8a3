"""The journal as a table for other programs: one row a command, as Parquet or CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, Protocol

import msgspec
import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet

from exchange.journal import Frame, FrameKind
from exchange.service.core import command_block
from exchange.service.frames import plain, unpack_rare
from matching.records import COMMAND, CommandKind, Records

_ROWS: Final = 1 << 16
_COLUMNS: Final = tuple(name for name in COMMAND.names or () if name not in ("seq", "time_ns", "kind"))
_NAMES: Final = {int(kind): kind.name for kind in CommandKind}

SCHEMA: Final = pa.schema(
    [
        pa.field("seq", pa.int64(), nullable=False),
        pa.field("time_ns", pa.int64(), nullable=False),
        pa.field("command", pa.string(), nullable=False),
        *(pa.field(name, pa.from_numpy_dtype(COMMAND[name])) for name in _COLUMNS),
        pa.field("message", pa.string()),
    ]
)
"""Seq, market time, the command's name; the columns of a command record, null in rare messages; a rare
message as JSON, null in command records.
"""


class _Sink(Protocol):
    def write_table(self, table: pa.Table) -> None: ...

    def close(self) -> None: ...


class UnknownFormatError(ValueError):
    """The file's suffix names no format; the sentence says which there are."""


def check_format(path: Path) -> None:
    """Raise UnknownFormatError unless `path` ends in .parquet or .csv."""
    if path.suffix not in (".parquet", ".csv"):
        raise UnknownFormatError(f"{path.name}: name a file that ends in .parquet or .csv")


def export(
    path: Path, frames: Iterable[Frame], first: int, last: int | None, progress: Callable[[int], None]
) -> int:
    """Write commands `first` to `last` of the frames to a new file, beside first; return how many.

    `progress` is called with bytes of journal. Raises UnknownFormatError, FileExistsError, OSError, and what
    the frames raise; then there is no file.
    """
    check_format(path)
    if path.exists():
        raise FileExistsError(f"{path} exists already; name a new file")
    beside = path.with_name(f".{path.name}.unfinished")
    rows = 0
    try:
        sink: _Sink = (
            parquet.ParquetWriter(beside, SCHEMA, compression="zstd")
            if path.suffix == ".parquet"
            else csv.CSVWriter(beside, SCHEMA)
        )
        try:
            for table in _tables(frames, first, last, progress):
                sink.write_table(table)
                rows += len(table)
        finally:
            sink.close()
        beside.rename(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return rows


def _tables(
    frames: Iterable[Frame], first: int, last: int | None, progress: Callable[[int], None]
) -> Iterator[pa.Table]:
    """Gather what the frames hold into tables of a size that is worth a row group."""
    gathered: list[pa.Table] = []
    rows = 0
    for frame in frames:
        progress(len(frame.body))
        table = _rare(frame) if frame.kind is FrameKind.RARE else _hot(frame, first, last)
        gathered.append(table)
        rows += len(table)
        if rows >= _ROWS:
            yield pa.concat_tables(gathered).combine_chunks()
            gathered, rows = [], 0
    if gathered:
        yield pa.concat_tables(gathered).combine_chunks()


def _hot(frame: Frame, first: int, last: int | None) -> pa.Table:
    begin = max(0, first - frame.first_seq)
    end = None if last is None else last - frame.first_seq + 1
    commands: Records = command_block(frame.body)[begin:end]
    columns = [
        pa.array(np.ascontiguousarray(commands["seq"]).astype(np.int64)),
        pa.array(np.ascontiguousarray(commands["time_ns"]).astype(np.int64)),
        pa.array([_NAMES.get(kind, str(kind)) for kind in commands["kind"].tolist()], pa.string()),
        *(pa.array(np.ascontiguousarray(commands[name])) for name in _COLUMNS),
        pa.nulls(len(commands), pa.string()),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def _rare(frame: Frame) -> pa.Table:
    time_ns, message = unpack_rare(frame.body)
    row = {
        "seq": frame.first_seq,
        "time_ns": time_ns,
        "command": type(message).__name__,
        "message": msgspec.json.encode(plain(message)).decode(),
    }
    return pa.Table.from_pylist([row], schema=SCHEMA)
