"""Rows of a JSON, CSV or Parquet file, each with its place, before anything is made of them.

JSON: an array of objects, an object with the table's name as key, or one object a line (``.jsonl``).
CSV: UTF-8 with a header line; an empty cell is an absent value. Parquet: nulls are absent values.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from scheduler.io.faults import FaultyInput, FileFault, Where

FILE_BYTES_MAX = 2 * 1024**3
"""A file beyond it is refused: reading would take the machine's memory."""
BATCH_ROWS = 65_536
CSV_CELL_MAX = 1_000_000
SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv", ".parquet")


class Row(NamedTuple):
    """One row: where it stands and its values by column; absent values are left out.

    ``broken`` (field, message) says that this row could not be read, so that the others still can.
    """

    where: Where
    values: Mapping[str, Any]
    broken: tuple[str, str] | None = None


def read_table(path: Path, table: str) -> Iterator[Row]:
    """The rows of a file, its format told by its suffix.

    ``table`` is the key under which a JSON object may hold the rows. Raises `FaultyInput` for a file that
    cannot be read, has another suffix or is not of its format.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise refused(path, f"its name must end in one of {', '.join(SUFFIXES)}")
    content = read_bytes(path)
    if suffix == ".csv":
        return _csv_rows(path, content)
    if suffix == ".parquet":
        return _parquet_rows(path, content)
    return _json_rows(path, content, table) if suffix == ".json" else _json_lines(path, content)


def read_bytes(path: Path) -> bytes:
    """A file's content; raises `FaultyInput` when it is not there, not readable or too large."""
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise refused(path, f"it is larger than {FILE_BYTES_MAX} bytes")
        return path.read_bytes()
    except OSError as error:
        raise refused(path, error.strerror or str(error)) from error


def refused(path: Path, message: str, row: int = 0, unit: str = "row") -> FaultyInput:
    """The refusal of a whole file."""
    return FaultyInput([FileFault(Where(path.name, unit, row), "", "", message)])


def rows_of(name: str, items: object) -> Iterator[Row]:
    """Rows of decoded JSON: a list of objects. Raises `FaultyInput`."""
    if not isinstance(items, list):
        raise FaultyInput([FileFault(Where(name, "row", 0), "", "", "expected an array of objects")])
    for number, item in enumerate(items, 1):
        where = Where(name, "row", number)
        yield _row(where, item)


def _row(where: Where, item: object) -> Row:
    if not isinstance(item, dict):
        return Row(where, {}, ("", f"expected an object, not {_kind(item)}"))
    return Row(where, {key: value for key, value in item.items() if value is not None})


def _kind(value: object) -> str:
    names = {list: "an array", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


def _json_rows(path: Path, content: bytes, table: str) -> Iterator[Row]:
    try:
        decoded = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise refused(path, f"not JSON: {error}", error.lineno, "line") from error
    if isinstance(decoded, dict):
        if table not in decoded:
            raise refused(path, f"expected an array of objects, or an object with the key {table!r}")
        decoded = decoded[table]
    return rows_of(path.name, decoded)


def _json_lines(path: Path, content: bytes) -> Iterator[Row]:
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        where = Where(path.name, "line", number)
        try:
            yield _row(where, orjson.loads(line))
        except orjson.JSONDecodeError as error:
            yield Row(where, {}, ("", f"not JSON: {error}"))


def _csv_rows(path: Path, content: bytes) -> Iterator[Row]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refused(path, f"not UTF-8: {error.reason} at byte {error.start}") from error
    csv.field_size_limit(CSV_CELL_MAX)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _expect_header(path, header)
        for cells in reader:
            if not any(cells):
                continue
            yield _csv_row(Where(path.name, "line", reader.line_num), header, cells)
    except csv.Error as error:
        raise refused(path, f"not CSV: {error}", reader.line_num, "line") from error


def _csv_row(where: Where, header: list[str], cells: list[str]) -> Row:
    if len(cells) != len(header):
        return Row(where, {}, ("", f"{len(cells)} cells under a header of {len(header)}"))
    values = {name: value for name, cell in zip(header, cells, strict=True) if (value := cell.strip())}
    return Row(where, values)


def _expect_header(path: Path, header: list[str]) -> None:
    if not any(header):
        raise refused(path, "no header line that names the columns", 1, "line")
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise refused(path, f"the header names {', '.join(map(repr, repeated))} more than once", 1, "line")


def _parquet_rows(path: Path, content: bytes) -> Iterator[Row]:
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        number = 0
        for batch in file.iter_batches(BATCH_ROWS):
            for item in batch.to_pylist():
                number += 1
                values = {key: _plain(value) for key, value in item.items() if value is not None}
                yield Row(Where(path.name, "row", number), values)
    except (pa.ArrowException, OSError) as error:
        raise refused(path, f"not a Parquet file that can be read: {error}") from error


def _plain(value: Any) -> Any:
    """A map column comes as pairs, a struct with nulls for what a row does not have."""
    if isinstance(value, list) and value and all(isinstance(item, tuple) for item in value):
        return dict(value)
    if isinstance(value, dict):
        return {key: inner for key, inner in value.items() if inner is not None}
    return value
