"""A start goes on from the exchange's snapshots, also over a change of the core's version."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest
from history_days import Days, slow_history, stored

from exchange.history.follower import Follower
from exchange.history.mark import DurableMark, history_folder
from exchange.history.store import latest
from exchange.journal import Frame, FrameKind, JournalDamage, JournalVersion, OsFiles, dump
from exchange.journal.format import GENESIS, SegmentHeader, encode_frame, encode_segment_header
from exchange.journal.reader import segment_name, segment_paths
from exchange.journal.snapshots import snapshot_paths, write_snapshot
from exchange.service.core import CORE_VERSION, LIMITS, Core, command_block
from exchange.service.frames import unpack_rare
from exchange.service.sealed import seal
from exchange.service.tape import Tape
from matching.engine import Engine

NEVER = threading.Event()
Rows = dict[str, list[tuple[int, ...]]]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Frame], Rows]:
    """A data directory with a journal, its frames, and the slow history of all of it."""
    folder = tmp_path_factory.mktemp("lived")
    days = Days(seed=8)
    days.live(3, orders=60)
    last = days.write(folder)
    return folder, list(dump(folder / "journal")), slow_history(folder / "journal", last).rows()


def take_snapshot(folder: Path, frames: list[Frame]) -> int:
    """Write the snapshot that an exchange takes after these frames; return its seq."""
    core = Core(Engine(LIMITS))
    for frame in frames:
        if frame.kind is FrameKind.HOT:
            core.apply_hot(command_block(frame.body))
        else:
            core.apply_rare(frame.first_seq, *unpack_rare(frame.body))
    header, arrays = seal(core, Tape(8), frames[-1].chain)
    write_snapshot(folder / "snapshots", OsFiles(), header, arrays, keep=3)
    return core.seq


def catch_up(folder: Path, seq: int) -> int:
    DurableMark(history_folder(folder)).seq = seq
    with Follower(folder) as follower:
        return follower.catch_up(NEVER)


def last_of(frames: list[Frame]) -> int:
    return frames[-1].first_seq + frames[-1].count - 1


def begun(lived: tuple[Path, list[Frame], Rows], folder: Path) -> tuple[list[Frame], Rows]:
    """Put the journal into `folder`, with snapshots at two fifths and at its end, a history between."""
    source, frames, rows = lived
    shutil.copytree(source / "journal", folder / "journal")
    take_snapshot(folder, frames[: 2 * len(frames) // 5])
    take_snapshot(folder, frames)
    middle = last_of(frames[: 3 * len(frames) // 5])
    assert catch_up(folder, middle) == middle
    return frames, rows


def test_what_comes_before_the_snapshot_is_not_read(lived, tmp_path: Path) -> None:
    frames, rows = begun(lived, tmp_path)
    first = latest(history_folder(tmp_path))
    earlier = [path for path in segment_paths(tmp_path / "journal") if int(path.stem) < last_of(frames) // 4]
    assert len(earlier) > 1
    for path in earlier[:-1]:
        path.unlink()
    assert catch_up(tmp_path, last_of(frames)) == last_of(frames)
    assert latest(history_folder(tmp_path)) == first
    assert stored(history_folder(tmp_path)) == (last_of(frames), rows)


def test_without_a_sound_snapshot_the_whole_journal_is_replayed(lived, tmp_path: Path) -> None:
    frames, rows = begun(lived, tmp_path)
    for path in snapshot_paths(tmp_path / "snapshots"):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    assert catch_up(tmp_path, last_of(frames)) == last_of(frames)
    assert stored(history_folder(tmp_path)) == (last_of(frames), rows)
    segment_paths(tmp_path / "journal")[0].unlink()
    with pytest.raises(JournalDamage):
        catch_up(tmp_path, last_of(frames))


def test_a_snapshot_of_another_journal_is_not_used(lived, tmp_path: Path) -> None:
    frames, rows = begun(lived, tmp_path)
    shutil.rmtree(tmp_path / "snapshots")
    other = Days(seed=9)
    other.live(1, orders=60)
    other.write(tmp_path / "other")
    take_snapshot(tmp_path, list(dump(tmp_path / "other" / "journal")))
    assert catch_up(tmp_path, last_of(frames)) == last_of(frames)
    assert stored(history_folder(tmp_path)) == (last_of(frames), rows)


def test_it_goes_on_over_a_change_of_the_core(lived, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands of another core are never replayed; what they did stays in the history."""
    _, frames, rows = lived
    ended = len(frames) // 2
    chain = GENESIS
    (tmp_path / "journal").mkdir()
    with (tmp_path / "journal" / segment_name(1)).open("wb") as file:
        file.write(encode_segment_header(SegmentHeader(CORE_VERSION - 1, 1, GENESIS)))
        for at, frame in enumerate(frames):
            version = CORE_VERSION - (at < ended)
            pieces, chain = encode_frame(
                frame.kind,
                frame.first_seq,
                frame.count,
                bytes(frame.body),
                core_version=version,
                previous_chain=chain,
            )
            file.writelines(pieces)
    with monkeypatch.context() as older:
        older.setattr("exchange.history.replay.CORE_VERSION", CORE_VERSION - 1)
        assert catch_up(tmp_path, last_of(frames[:ended])) == last_of(frames[:ended])
    with pytest.raises(JournalVersion):
        catch_up(tmp_path, last_of(frames))
    take_snapshot(tmp_path, list(dump(tmp_path / "journal"))[:ended])
    assert catch_up(tmp_path, last_of(frames)) == last_of(frames)
    assert stored(history_folder(tmp_path)) == (last_of(frames), rows)
    with Follower(tmp_path) as follower, pytest.raises(JournalVersion):
        follower.catch_up(NEVER, rebuild=True)
    Follower.want_rebuild(history_folder(tmp_path))  # as somebody might who doesn't know
    assert catch_up(tmp_path, last_of(frames)) == last_of(frames)
    assert stored(history_folder(tmp_path)) == (last_of(frames), rows)
