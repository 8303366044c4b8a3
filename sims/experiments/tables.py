"""Parquet tables of finished runs, written a few runs at a time: a sweep's rows needn't fit into memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from sims.engine.rows import TABLES
from sims.experiments.disk import writing
from sims.experiments.job import Finished

RUNS_AT_ONCE: Final = 64
"""Runs whose rows are in memory together, and make a row group."""


def write_tables(directory: Path, worker: str, finished: Iterable[Finished]) -> None:
    """Write TABLE-WORKER.parquet of every table that has rows. Raises StoreError; then the tables that were
    there are left as they were.
    """
    runs = iter(finished)
    written = _Tables(directory, worker)
    try:
        while some := list(islice(runs, RUNS_AT_ONCE)):
            for table, rows in _rows(some).items():
                written.add(table, rows)
        written.put_in_place()
    finally:
        written.discard()


class _Tables:
    """Files that grow beside those of the same names, and take their places when they are whole."""

    def __init__(self, directory: Path, worker: str) -> None:
        self._directory = directory
        self._worker = worker
        self._writers: dict[Path, pq.ParquetWriter] = {}

    def add(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Add rows to a table."""
        if not rows:
            return
        path = self._directory / f"{table}-{self._worker}.parquet"
        group = pa.Table.from_pylist(rows)
        with writing(path):
            if path not in self._writers:
                self._writers[path] = pq.ParquetWriter(_beside(path), group.schema)
            self._writers[path].write_table(group)

    def put_in_place(self) -> None:
        """End the files, and let each replace the one before it."""
        for path, writer in self._writers.items():
            with writing(path):
                writer.close()
        for path in self._writers:
            with writing(path):
                _beside(path).replace(path)

    def discard(self) -> None:
        """Remove what didn't come to its place."""
        for path, writer in self._writers.items():
            with suppress(OSError):  # what a full disk didn't take it doesn't take now
                writer.close()
            _beside(path).unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.tmp")


def _rows(finished: Sequence[Finished]) -> dict[str, list[dict[str, Any]]]:
    """Return rows by table; each begins with variant and seed."""
    tables: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in finished:
        outcome = msgspec.to_builtins(one.outcome)
        key = {"variant": one.variant, "seed": one.outcome.seed}
        rows = {name: outcome.pop(name) for name in TABLES}
        tables["runs"].append(key | outcome | outcome.pop("metrics"))
        for name in TABLES:
            tables[name] += [key | row for row in rows[name]]
    return tables
