"""An experiment's directory: a manifest, a line for each finished run, and tables made of the lines.

manifest.json            scenarios, seeds, versions: what makes every run again, bit for bit
finished-WORKER.jsonl    one line a run, written when it is finished; an incomplete last line is ignored
runs-WORKER.parquet      figures of each run                     ┐
classes-WORKER.parquet   each population's result                │
prices-WORKER.parquet    settlement prices                       │
flows-WORKER.parquet     traded by population and good           ├ one shard a worker and table, at the end
needs-WORKER.parquet     what enterprises needed, got and paid   │
hubs-WORKER.parquet      each hub's day                          │
margin-WORKER.parquet    margin calls, close-outs and losses     ┘
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from sims.engine.rows import TABLES
from sims.experiments.job import Finished, Job, versions

MANIFEST = "manifest.json"


class StoreError(Exception):
    """A directory that holds something else, is damaged, or can't be written; the sentence names the file."""


@contextmanager
def writing(what: Path) -> Iterator[None]:
    """Turn what the system refuses, such as for a full disk, into a StoreError that names the file."""
    try:
        yield
    except OSError as error:
        kept = "finished runs are kept; make room and give the same command again"
        raise StoreError(f"{what} can't be written ({error.strerror or error}); {kept}") from error


class Fork(msgspec.Struct, frozen=True):
    """What the candidate of a fork goes on with."""

    at_ns: int
    """Market time, ns since the epoch."""
    variant: str
    table: dict[str, Any]


class Manifest(msgspec.Struct, frozen=True):
    """What an experiment runs."""

    what: str
    """run, sweep, compare or fork."""
    variants: dict[str, dict[str, Any]]
    """Scenario tables by variant."""
    seeds: dict[str, list[int]]
    """By variant."""
    fork: Fork | None = None
    versions: dict[str, str] = msgspec.field(default_factory=versions)

    def jobs(self) -> list[Job]:
        """Return all jobs, seed by seed, so that an experiment that is stopped has whole pairs."""
        tables = {name: msgspec.json.encode(table) for name, table in self.variants.items()}
        longest = max(len(seeds) for seeds in self.seeds.values())
        return [
            Job(variant, seeds[at], tables[variant], *self._then(variant))
            for at in range(longest)
            for variant, seeds in self.seeds.items()
            if at < len(seeds)
        ]

    def _then(self, variant: str) -> tuple[bytes, int]:
        if self.fork is None or self.fork.variant != variant:
            return b"", 0
        return msgspec.json.encode(self.fork.table), self.fork.at_ns


class Store:
    """Opens or begins a directory. Raises StoreError if another experiment is in it."""

    def __init__(self, directory: Path, manifest: Manifest | None = None) -> None:
        self.directory = directory
        path = directory / MANIFEST
        if path.exists():
            self.manifest = _manifest_of(path)
            if manifest is not None and manifest != self.manifest:
                raise StoreError(
                    f"{directory} holds another experiment (other scenario, seeds or versions); "
                    "name another directory with --out"
                )
        elif manifest is None:
            raise StoreError(f"{directory} holds no {MANIFEST}: it isn't an experiment's directory")
        else:
            self.manifest = manifest
            with writing(path):
                directory.mkdir(parents=True, exist_ok=True)
                beside = directory / f".{MANIFEST}.tmp"
                beside.write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
                beside.replace(path)
        self._files: dict[str, FileIO] = {}

    def finished(self) -> list[Finished]:
        """Return what is finished, by variant and seed."""
        found = [one for shard in self._shards() for one in _read(shard)]
        order = {variant: number for number, variant in enumerate(self.manifest.variants)}
        unique = {one.key: one for one in found}
        return sorted(unique.values(), key=lambda one: (order[one.variant], one.outcome.seed))

    def left(self) -> list[Job]:
        """Return the jobs that aren't finished."""
        done = {one.key for one in self.finished()}
        return [job for job in self.manifest.jobs() if job.key not in done]

    def keep(self, one: Finished) -> None:
        """Write a line; it survives this process. Raises StoreError; the lines before it are safe."""
        shard = self.directory / f"finished-{one.worker}.jsonl"
        with writing(shard):
            if one.worker not in self._files:
                self._files[one.worker] = _opened(shard)
            left = memoryview(msgspec.json.encode(one) + b"\n")
            while left:  # a disk that is nearly full takes a part, and refuses the next
                left = left[self._files[one.worker].write(left) :]

    def close(self) -> None:
        """Close the lines' files; `keep` opens them again."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def make_tables(self) -> None:
        """Make the tables of every worker's lines. Raises StoreError; whole tables are left as they were."""
        for shard in self._shards():
            worker = shard.stem.removeprefix("finished-")
            for table, rows in _tables(_read(shard)).items():
                if rows:
                    _write_table(pa.Table.from_pylist(rows), self.directory / f"{table}-{worker}.parquet")

    def _shards(self) -> list[Path]:
        return sorted(self.directory.glob("finished-*.jsonl"))


def _opened(shard: Path) -> FileIO:
    """Open a shard to write on behind its last whole line: a kill or a full disk may leave half of one."""
    file = FileIO(shard, "a+")
    file.seek(0)
    file.truncate(file.readall().rfind(b"\n") + 1)
    return file


def _manifest_of(path: Path) -> Manifest:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreError(f"{path} can't be read: {error}") from error


def _read(shard: Path) -> Iterator[Finished]:
    with shard.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            try:
                yield msgspec.json.decode(line, type=Finished)
            except msgspec.MsgspecError as error:
                fault = f"{shard}, line {number}: not a finished run ({error})"
                raise StoreError(f"{fault}; remove the line, and its run is made again") from error


def _write_table(table: pa.Table, path: Path) -> None:
    """Replace a table by a whole one, or leave it."""
    beside = path.with_name(f".{path.name}.tmp")
    try:
        with writing(path):
            pq.write_table(table, beside)
            beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _tables(finished: Iterator[Finished]) -> dict[str, list[dict[str, Any]]]:
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
