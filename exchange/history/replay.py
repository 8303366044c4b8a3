"""The core over the journal's frames, and the fold of what they do, from where a history ends.

What is folded next needs only what the tables already have, so a start replays nothing but the core: from the
newest of the exchange's snapshots that isn't beyond the history, else from the first frame.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

import numpy as np
import structlog

from exchange.history.fold import Fold
from exchange.history.rows import ORDER, Ends
from exchange.history.store import Store
from exchange.history.tail import JournalTail
from exchange.journal import Frame, FrameKind, JournalDamage, Position
from exchange.journal.snapshots import SnapshotDamage, read_snapshot, snapshot_paths
from exchange.service.core import CORE_VERSION, LIMITS, Core, command_block
from exchange.service.frames import unpack_rare
from exchange.service.results import Applied
from exchange.service.sealed import unseal
from exchange.service.tape import Tape
from matching.engine import Engine
from matching.records import Records

_NOTHING: Final = Ends(0, 0, 0, np.zeros(0, ORDER))
_LOG = structlog.get_logger("history")


class HistoryStopped(Exception):
    """It was told to end while it caught up; the next start goes on."""


class Replay:
    """Stands where a history ends, in the journal (`tail`), in the core and in the fold."""

    def __init__(self, core: Core, tail: JournalTail, ends: Ends) -> None:
        self.tail = tail
        self._core = core
        self._fold = Fold(ends, core.state, core.time_ns)

    @classmethod
    def from_the_first_frame(cls, data_dir: Path) -> Self:
        """Return one for a history with nothing in it."""
        return cls(Core(Engine(LIMITS)), _tail(data_dir), _NOTHING)

    @classmethod
    def where_it_ends(
        cls, data_dir: Path, store: Store, durable_seq: int, stop: threading.Event
    ) -> Self | None:
        """Return one that stands where `store` ends; None if the journal doesn't lead there.

        What was stored was durable then, so frames up to there may be read whatever the mark says now.
        Raises JournalDamage, JournalVersion, HistoryStopped.
        """
        core, tail = _begin(data_dir, store.position)
        try:
            while frames := tail.read(store.seq):
                check(stop)
                for frame in frames:
                    _apply(core, frame)
        except JournalDamage:
            tail.close()
            if durable_seq >= store.seq:
                raise
            return None  # the machine crashed, and the end of the journal with it
        ends = store.ends()
        if tail.position != store.position or ends.entries != len(core.state.ledger.rows):
            tail.close()
            return None
        return cls(core, tail, ends)

    def write(self, store: Store, frames: Sequence[Frame]) -> None:
        """Apply frames and add what they did to `store`."""
        for frame in frames:
            self._fold.apply(*_apply(self._core, frame), self._core.state)
        last = frames[-1]
        store.write(self._fold.take(), Position(last.first_seq + last.count, last.chain))


def check(stop: threading.Event) -> None:
    """Raise HistoryStopped once `stop` is set."""
    if stop.is_set():
        raise HistoryStopped


def _begin(data_dir: Path, end: Position) -> tuple[Core, JournalTail]:
    """Return a core that isn't beyond `end`, and the journal where it stands."""
    tail = _tail(data_dir)
    for path in snapshot_paths(data_dir / "snapshots"):
        core = _sealed(path, end, tail)
        if core is not None:
            return core, tail
    tail.close()
    return Core(Engine(LIMITS)), _tail(data_dir)


def _sealed(path: Path, end: Position, tail: JournalTail) -> Core | None:
    """Return a snapshot's core, `tail` standing there; None if it doesn't serve."""
    try:
        header, arrays = read_snapshot(path)
        position = Position(header.seq + 1, header.chain)
        if position.next_seq > end.next_seq or not tail.seek(position):
            return None
        return unseal(header, arrays, Engine(LIMITS), Tape(1))
    except (SnapshotDamage, JournalDamage, ValueError) as error:
        _LOG.warning("snapshot not used", path=str(path), why=str(error))
        return None


def _apply(core: Core, frame: Frame) -> tuple[Applied, Records | None]:
    if frame.kind is FrameKind.HOT:
        commands = command_block(frame.body)
        return core.apply_hot(commands), commands
    return core.apply_rare(frame.first_seq, *unpack_rare(frame.body)), None


def _tail(data_dir: Path) -> JournalTail:
    return JournalTail(data_dir / "journal", CORE_VERSION)
