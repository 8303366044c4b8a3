"""The history is a slow, obvious fold over the journal, however it came about."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest
from history_days import Days, slow_history, stored
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.domain.messages import Deposit
from exchange.history import schema, store
from exchange.history.follower import Follower, HistoryLocked
from exchange.history.mark import DurableMark, history_folder
from exchange.history.replay import HistoryStopped
from exchange.history.store import Store, generations, latest
from exchange.journal import JournalDamage, dump
from exchange.journal.reader import segment_paths
from exchange.service.frames import pack_rare, unpack_rare

NEVER = threading.Event()


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """A data directory with the journal of some days, and the last seq of each of its frames."""
    folder = tmp_path_factory.mktemp("lived")
    days = Days(seed=3)
    days.live(3, orders=70)
    days.write(folder)
    assert len(segment_paths(folder / "journal")) > 3
    ends = [frame.first_seq + frame.count - 1 for frame in dump(folder / "journal")]
    return folder, ends


@pytest.fixture(scope="module")
def wanted(lived: tuple[Path, list[int]]) -> dict[int, dict[str, list[tuple[int, ...]]]]:
    """The slow history at some of the frames' ends."""
    folder, ends = lived
    chosen = [*ends[:: len(ends) // 5], ends[-1]]
    return {seq: slow_history(folder / "journal", seq).rows() for seq in chosen}


def fresh(lived: tuple[Path, list[int]], folder: Path) -> Path:
    """Return a data directory of its own with that journal and nothing else."""
    shutil.copytree(lived[0] / "journal", folder / "journal")
    return folder


def test_the_days_were_lively(wanted) -> None:
    rows = wanted[max(wanted)]
    assert len(rows["trades"]) > 100
    assert {row[8] for row in rows["trades"]} == {0, 1}  # of call auctions too
    assert {0, 1, 2} <= {row[14] for row in rows["orders"]}  # open, filled, cancelled
    assert len({row[15] for row in rows["orders"]}) > 5  # for many reasons
    assert {row[6] for row in rows["orders"]} >= {0, 1, 3, 4}  # stops among them
    assert {row[4] for row in rows["entries"]} >= {1, 2, 3, 4, 5}
    assert any(row[2] < 0 for row in rows["orders"])  # a client's id beyond 2^63


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_the_batches_and_the_starts(lived, wanted, tmp_path_factory, data) -> None:
    """Marks move, processes come and go, batches end anywhere: the rows are the slow fold's."""
    folder = fresh(lived, tmp_path_factory.mktemp("followed"))
    mark = DurableMark(history_folder(folder))
    seen = -1
    stops = data.draw(st.lists(st.sampled_from(sorted(wanted)), min_size=1, max_size=4))
    for seq in sorted(stops):
        mark.seq = seq
        with Follower(folder, data.draw(st.sampled_from([1, 2, 7, 1000]))) as follower:
            assert follower.catch_up(NEVER, rebuild=data.draw(st.booleans())) == seq
        as_of, rows = stored(history_folder(folder))
        assert as_of == seq >= seen
        seen = as_of
        assert rows == wanted[seq]
    assert len(generations(history_folder(folder))) == 1


def test_nothing_beyond_the_durable_mark_is_shown(lived, tmp_path) -> None:
    """Also not a part of a frame whose last commands are beyond it."""
    folder, ends = fresh(lived, tmp_path), lived[1]
    mark = DurableMark(history_folder(folder))
    mark.seq = next(b for a, b in pairwise(ends) if b - a > 3) - 1
    with Follower(folder) as follower:
        assert follower.catch_up(NEVER) == max(end for end in ends if end <= mark.seq)


class Killed(BaseException):
    """Stands for the end of the process in the middle of a statement."""


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_ended_between_any_two_statements(lived, wanted, tmp_path_factory, data) -> None:
    """No row is lost or doubled wherever the writer ends; the next start goes on."""
    folder = fresh(lived, tmp_path_factory.mktemp("killed"))
    DurableMark(history_folder(folder)).seq = max(wanted)
    for _ in range(3):
        left = data.draw(st.integers(1, 400))

        class Mortal(Store):
            def _many(self, statement: str, rows) -> None:
                nonlocal left
                left -= 1
                if left == 0:
                    raise Killed
                super()._many(statement, rows)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("exchange.history.follower.Store", Mortal)
            try:
                with Follower(folder, 3) as follower:
                    follower.catch_up(NEVER)
            except Killed:
                continue
    with Follower(folder) as follower:
        follower.catch_up(NEVER)
    assert stored(history_folder(folder)) == (max(wanted), wanted[max(wanted)])


def test_another_schema_is_built_anew(lived, wanted, tmp_path) -> None:
    folder = fresh(lived, tmp_path)
    DurableMark(history_folder(folder)).seq = min(wanted)
    with Follower(folder) as follower:
        follower.catch_up(NEVER)
    first = latest(history_folder(folder))
    assert first is not None
    with sqlite3.connect(first) as connection:
        connection.execute("UPDATE progress SET schema_version = schema_version + 1")
        connection.execute("DELETE FROM entries")
    connection.close()
    DurableMark(history_folder(folder)).seq = max(wanted)
    with Follower(folder) as follower:
        follower.catch_up(NEVER)
    assert latest(history_folder(folder)) != first
    assert stored(history_folder(folder)) == (max(wanted), wanted[max(wanted)])


def test_a_journal_that_lost_its_end_is_followed_anew(lived, wanted, tmp_path) -> None:
    """With `os` durability a crash of the machine may take back what was shown: the history goes with it."""
    folder = fresh(lived, tmp_path)
    mark = DurableMark(history_folder(folder))
    mark.seq = max(wanted)
    with Follower(folder) as follower:
        follower.catch_up(NEVER)
    lost = segment_paths(folder / "journal")[-1]
    kept = int(lost.stem) - 1
    lost.unlink()
    mark.seq = kept  # as the exchange sets it when it starts
    with Follower(folder) as follower:
        assert follower.catch_up(NEVER) == kept
    assert stored(history_folder(folder)) == (kept, slow_history(folder / "journal", kept).rows())


class Soon(threading.Event):
    """Set as soon as it has been asked a number of times."""

    def __init__(self, asked: int) -> None:
        super().__init__()
        self.left = asked

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_what_was_taken_back_is_shown_no_longer_while_it_is_built(lived, wanted, tmp_path) -> None:
    folder = fresh(lived, tmp_path)
    mark = DurableMark(history_folder(folder))
    mark.seq = max(wanted)
    with Follower(folder) as follower:
        follower.catch_up(NEVER)
    lost = segment_paths(folder / "journal")[-1]
    lost.unlink()
    mark.seq = int(lost.stem) - 1
    with Follower(folder) as follower:
        with pytest.raises(HistoryStopped):
            follower.catch_up(Soon(len(segment_paths(folder / "journal"))))
        assert latest(history_folder(folder)) is None
        assert follower.catch_up(NEVER) == mark.seq


def test_a_wanted_rebuild_that_was_stopped_is_done_by_the_next_start(lived, wanted, tmp_path) -> None:
    """Until then the old generation answers."""
    folder = fresh(lived, tmp_path)
    DurableMark(history_folder(folder)).seq = max(wanted)
    with Follower(folder) as follower:
        follower.catch_up(NEVER)
        first = latest(history_folder(folder))
        with pytest.raises(HistoryStopped):
            follower.catch_up(Soon(0), rebuild=True)
        assert latest(history_folder(folder)) == first
        follower.catch_up(NEVER)
    assert latest(history_folder(folder)) != first
    assert stored(history_folder(folder)) == (max(wanted), wanted[max(wanted)])


def test_a_mark_older_than_the_history_takes_nothing_back(lived, wanted, tmp_path) -> None:
    """What is stored was durable, and the journal still has it."""
    folder = fresh(lived, tmp_path)
    mark = DurableMark(history_folder(folder))
    mark.seq = max(wanted)
    with Follower(folder) as follower:
        follower.catch_up(NEVER)
    first = latest(history_folder(folder))
    mark.seq = 1
    with Follower(folder) as follower:
        assert follower.catch_up(NEVER) == max(wanted)
    assert latest(history_folder(folder)) == first


def test_another_journal_of_the_same_length_is_noticed(lived, wanted, tmp_path) -> None:
    """The hash chain tells it."""
    folder = fresh(lived, tmp_path)
    DurableMark(history_folder(folder)).seq = max(wanted)
    with Follower(folder) as follower:
        follower.catch_up(NEVER)
    shutil.rmtree(folder / "journal")
    other = Days(seed=4)
    other.live(3)
    last = other.write(folder)
    DurableMark(history_folder(folder)).seq = last
    with Follower(folder) as follower:
        assert follower.catch_up(NEVER) == last
    assert stored(history_folder(folder)) == (last, slow_history(folder / "journal", last).rows())


def test_a_journal_that_differs_in_one_command_is_noticed(lived, wanted, tmp_path) -> None:
    """Length and frames are the same; only the hash chain tells."""
    folder = fresh(lived, tmp_path)
    DurableMark(history_folder(folder)).seq = max(wanted)
    with Follower(folder) as follower:
        follower.catch_up(NEVER)
    shutil.rmtree(folder / "journal")
    other = Days(seed=3)
    other.live(3, orders=70)
    at, (kind, first, count, body) = next(
        (at, frame) for at, frame in enumerate(other.frames) if b"Deposit" in frame[3]
    )
    time_ns, message = unpack_rare(body)
    assert isinstance(message, Deposit)
    more = pack_rare(time_ns, Deposit(member=message.member, amount_fen=message.amount_fen + 1))
    other.frames[at] = (kind, first, count, more)
    assert other.write(folder) == max(wanted)
    with Follower(folder) as follower:
        follower.catch_up(NEVER)
    rows = slow_history(folder / "journal", max(wanted)).rows()
    assert rows != wanted[max(wanted)]
    assert stored(history_folder(folder)) == (max(wanted), rows)


def bytes_of_frames(folder: Path) -> Iterator[tuple[Path, int]]:
    """Yield a place in each of some frames: in the header, in the body, in the trailer."""
    frames = list(dump(folder / "journal"))
    for frame in frames[:: len(frames) // 6]:
        path = folder / "journal" / frame.segment
        for offset in (5, 40, 72, 72 + len(frame.body) - 1, 72 + len(frame.body)):
            yield path, frame.offset + offset


def test_a_damaged_journal_is_not_followed(lived, tmp_path) -> None:
    folder, ends = fresh(lived, tmp_path), lived[1]
    DurableMark(history_folder(folder)).seq = ends[-1]
    for path, offset in bytes_of_frames(folder):
        sound = path.read_bytes()
        path.write_bytes(sound[:offset] + bytes([sound[offset] ^ 1]) + sound[offset + 1 :])
        with Follower(folder) as follower, pytest.raises(JournalDamage):
            follower.catch_up(NEVER)
        path.write_bytes(sound)
    assert latest(history_folder(folder)) is None


def test_a_journal_that_ends_before_what_was_durable_is_damaged(lived, tmp_path) -> None:
    folder, ends = fresh(lived, tmp_path), lived[1]
    DurableMark(history_folder(folder)).seq = ends[-1] + 1
    with Follower(folder) as follower, pytest.raises(JournalDamage, match=f"seq {ends[-1] + 1}"):
        follower.catch_up(NEVER)
    segment_paths(folder / "journal")[2].unlink()
    with Follower(folder) as follower, pytest.raises(JournalDamage):
        follower.catch_up(NEVER)


@pytest.mark.parametrize("sound_bytes", [0, 4096, 8192, 16384, 65536])
def test_a_damaged_history_is_built_anew(lived, wanted, tmp_path, sound_bytes) -> None:
    """At once if it can't even be opened, else by the start after the one that came upon it."""
    folder = fresh(lived, tmp_path)
    DurableMark(history_folder(folder)).seq = max(wanted)
    with Follower(folder) as follower:
        follower.catch_up(NEVER)
        path = latest(history_folder(folder))
        assert path is not None
        size = path.stat().st_size
        path.write_bytes(path.read_bytes()[:sound_bytes] + b"?" * (size - sound_bytes))
        with suppress(sqlite3.DatabaseError):
            follower.catch_up(NEVER)
        assert follower.catch_up(NEVER) == max(wanted)
    assert stored(history_folder(folder)) == (max(wanted), wanted[max(wanted)])


def test_one_process_at_a_time(lived, tmp_path) -> None:
    folder = fresh(lived, tmp_path)
    with Follower(folder), pytest.raises(HistoryLocked):
        Follower(folder)
    with Follower(folder):
        pass


def test_every_index_is_there_after_a_build(lived, tmp_path) -> None:
    folder, ends = fresh(lived, tmp_path), lived[1]
    DurableMark(history_folder(folder)).seq = ends[0]
    with Follower(folder) as follower:
        follower.catch_up(NEVER)
    path = store.latest(history_folder(folder))
    assert path is not None
    connection = sqlite3.connect(path)
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    assert all(any(f" {name} " in statement for name in names) for statement in schema.INDEXES)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    assert path.stat().st_mode & 0o077 == 0
