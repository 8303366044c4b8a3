"""An experiment's directory: a manifest, a line for each finished run, and tables made of the lines.

manifest.json            scenarios, seeds, versions: what makes every run again, bit for bit; at the end the
                         state hashes, too
finished-WORKER.jsonl    one line a run, written when it is finished; an incomplete last line is ignored
runs-WORKER.parquet      figures of each run                     ┐
classes-WORKER.parquet   each population's result                │
prices-WORKER.parquet    settlement prices                       │
flows-WORKER.parquet     traded by population and good           ├ one shard a worker and table, at the end
needs-WORKER.parquet     what enterprises needed, got and paid   │
hubs-WORKER.parquet      each hub's day                          │
deliveries-WORKER.parquet owed and delivered by hub and day      │
margin-WORKER.parquet    margin calls, close-outs and losses     ┘
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from io import FileIO
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from sims.experiments.differences import changed
from sims.experiments.disk import StoreError, writing
from sims.experiments.job import Finished, Job, versions
from sims.experiments.tables import write_tables

MANIFEST = "manifest.json"
DIFFERENCE_MAX: Final = 120
"""Characters of a difference that are shown."""

Key = tuple[str, int]
"""Variant and seed of a run."""


class _Run(msgspec.Struct, frozen=True):
    seed: int
    state_hash: str


class _Head(msgspec.Struct, frozen=True):
    """What tells a line from the others; the rest is skipped."""

    variant: str
    outcome: _Run


_head_of: Final = msgspec.json.Decoder(_Head).decode
_Line = TypeVar("_Line")
_finished_of: Final = msgspec.json.Decoder(Finished).decode


class Fork(msgspec.Struct, frozen=True):
    """What the candidate of a fork goes on with."""

    at_ns: int
    """Market time, ns since the epoch."""
    variant: str
    table: dict[str, Any]


class Manifest(msgspec.Struct, frozen=True):
    """What an experiment runs."""

    what: str
    """run, sweep, compare, effects, promises or fork."""
    variants: dict[str, dict[str, Any]]
    """Scenario tables by variant."""
    seeds: dict[str, list[int]]
    """By variant."""
    fork: Fork | None = None
    versions: dict[str, str] = msgspec.field(default_factory=versions)
    state_hashes: dict[str, dict[int, str]] = {}
    """Of each run that is finished, by variant and seed: what making it again must come to."""

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
            if manifest is not None and manifest != _begun(self.manifest):
                raise StoreError(
                    f"{directory} holds another experiment ({_difference(_begun(self.manifest), manifest)}); "
                    "name another directory with --out"
                )
        elif manifest is None:
            raise StoreError(f"{directory} holds no {MANIFEST}: it isn't an experiment's directory")
        else:
            with writing(path):
                directory.mkdir(parents=True, exist_ok=True)
            self._write(manifest)
        self._files: dict[str, FileIO] = {}

    def _write(self, manifest: Manifest) -> None:
        self.manifest = manifest
        path = self.directory / MANIFEST
        with writing(path):
            beside = path.with_name(f".{MANIFEST}.tmp")
            beside.write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
            beside.replace(path)

    def finished(self) -> Iterator[Finished]:
        """Yield what is finished, by variant and seed, one in memory at a time. Raises StoreError."""
        order = {variant: number for number, variant in enumerate(self.manifest.variants)}
        places = sorted(self._places().items(), key=lambda item: (order[item[0][0]], item[0][1]))
        for _, (shard, at, _) in places:
            with shard.open("rb") as file:
                file.seek(at)
                line = file.readline()
            yield _decoded(_finished_of, shard, at, line)

    def done(self) -> Set[Key]:
        """Return the keys of what is finished. Raises StoreError."""
        return self._places().keys()

    def left(self) -> list[Job]:
        """Return the jobs that aren't finished. Raises StoreError."""
        done = self.done()
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

    def complete(self) -> None:
        """Make the tables of every worker's lines, and enter state hashes in the manifest. Raises StoreError;
        whole files are left as they were.
        """
        for shard in self._shards():
            worker = shard.stem.removeprefix("finished-")
            runs = (_decoded(_finished_of, shard, at, line) for at, line in _lines(shard))
            write_tables(self.directory, worker, runs)
        hashes: dict[str, dict[int, str]] = {}
        for (variant, seed), (_, _, state_hash) in sorted(self._places().items()):
            hashes.setdefault(variant, {})[seed] = state_hash
        self._write(msgspec.structs.replace(self.manifest, state_hashes=hashes))

    def _places(self) -> dict[Key, tuple[Path, int, str]]:
        """Return where each finished run's line is, shard and first byte, and the run's state hash."""
        places = {}
        for shard in self._shards():
            for at, line in _lines(shard):
                head = _decoded(_head_of, shard, at, line)
                places[head.variant, head.outcome.seed] = shard, at, head.outcome.state_hash
        return places

    def _shards(self) -> list[Path]:
        return sorted(self.directory.glob("finished-*.jsonl"))


def _begun(manifest: Manifest) -> Manifest:
    """Return a manifest as it was before any run."""
    return msgspec.structs.replace(manifest, state_hashes={})


def _difference(there: Manifest, ours: Manifest) -> str:
    """Return the first key in which they differ, with both values if they are short."""
    tables = (msgspec.to_builtins(of) for of in (there, ours))
    found = next(changed(*tables))
    return found if len(found) <= DIFFERENCE_MAX else f"another {found.partition(' ')[0]}"


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


def _lines(shard: Path) -> Iterator[tuple[int, bytes]]:
    """Yield each whole line, and its first byte's place."""
    at = 0
    with shard.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield at, line
            at += len(line)


def _decoded(decode: Callable[[bytes], _Line], shard: Path, at: int, line: bytes) -> _Line:
    """Return what a line of a shard says; `at` is its first byte's place."""
    try:
        return decode(line)
    except msgspec.MsgspecError as error:
        with shard.open("rb") as file:
            number = file.read(at).count(b"\n") + 1
        fault = f"{shard}, line {number}: not a finished run ({error})"
        raise StoreError(f"{fault}; remove the line, and its run is made again") from error
