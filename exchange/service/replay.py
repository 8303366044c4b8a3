"""Folding a journal into a state without opening it for writing: what was the market after a command?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from exchange.journal import Frame, FrameKind, JournalVersion, Position, frames_after
from exchange.journal.snapshots import SnapshotDamage, read_snapshot, snapshot_paths, snapshot_seq
from exchange.service.core import CORE_VERSION, LIMITS, Core, command_block
from exchange.service.frames import unpack_rare
from exchange.service.results import Applied
from exchange.service.sealed import unseal
from exchange.service.tape import Tape
from matching.engine import Engine


@dataclass(frozen=True, slots=True)
class Compared:
    """A snapshot that the replay came past, and what is wrong with it; None if nothing is."""

    path: Path
    wrong: str | None


def apply_frame(core: Core, frame: Frame, to_seq: int | None = None) -> Applied:
    """Apply a frame, or of a hot one only what isn't after `to_seq`."""
    if frame.kind is FrameKind.RARE:
        return core.apply_rare(frame.first_seq, *unpack_rare(frame.body))
    commands = command_block(frame.body)
    return core.apply_hot(commands if to_seq is None else commands[: to_seq - frame.first_seq + 1])


def replay(
    journal: Path,
    core: Core,
    after: Position,
    to_seq: int | None = None,
    *,
    compared: Callable[[Compared], None],
    progress: Callable[[int], None],
) -> None:
    """Apply a journal after a position, up to `to_seq` or to its end.

    Each snapshot beside it that is come past is compared with the state. `progress` is called with bytes of
    journal. Raises JournalDamage, JournalVersion.
    """
    waiting = {snapshot_seq(path): path for path in snapshot_paths(journal.parent / "snapshots")}
    for frame in frames_after(journal, after, CORE_VERSION):
        if to_seq is not None and frame.first_seq > to_seq:
            return
        apply_frame(core, frame, to_seq)
        progress(len(frame.body))
        if core.seq in waiting:
            compared(_compared(waiting[core.seq], core, frame))


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where a fold may begin: a core, the journal's position, and how many trades there were before it."""

    core: Core
    after: Position
    trades: int


def from_the_first(data: Path) -> Beginning:
    """Return the earliest place from which all of the journal can be folded: its first frame, or, if an older
    program wrote the beginning, the oldest sound snapshot after that.

    Raises JournalDamage, JournalVersion.
    """
    journal = data / "journal"
    try:
        next(frames_after(journal, Position(), CORE_VERSION), None)
    except JournalVersion:
        for path in reversed(snapshot_paths(data / "snapshots")):
            found = _unsealed(path)
            with suppress(JournalVersion):
                if found is not None:
                    next(frames_after(journal, found.after, CORE_VERSION), None)
                    return found
        raise
    return _nothing()


def begin_at(data: Path, to_seq: int | None) -> Beginning:
    """Return the newest sound snapshot that isn't after `to_seq`, else an empty core."""
    for path in snapshot_paths(data / "snapshots"):
        if to_seq is None or snapshot_seq(path) <= to_seq:
            found = _unsealed(path)
            if found is not None:
                return found
    return _nothing()


def _nothing() -> Beginning:
    return Beginning(Core(Engine(LIMITS)), Position(), 0)


def _unsealed(path: Path) -> Beginning | None:
    tape = Tape(1)
    try:
        header, arrays = read_snapshot(path)
        core = unseal(header, arrays, Engine(LIMITS), tape)
    except (SnapshotDamage, ValueError):
        return None
    return Beginning(core, Position(header.seq + 1, header.chain), tape.trades)


def _compared(path: Path, core: Core, frame: Frame) -> Compared:
    try:
        header, _ = read_snapshot(path)
    except SnapshotDamage as damage:
        return Compared(path, damage.what)
    if header.chain != frame.chain:
        return Compared(path, "it is of another journal")
    if header.core_version == CORE_VERSION and header.state_hash != core.state_hash():
        return Compared(path, "its state isn't the one that the replay comes to")
    return Compared(path, None)
