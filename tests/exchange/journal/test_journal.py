"""What was acknowledged comes back; what changed on disk is found; what never got there is set aside."""

from __future__ import annotations

import errno
import os
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_files import CONFIG, FailingFiles, StingyFiles, Writer, body, read, start, write

from exchange.journal import (
    FrameKind,
    Journal,
    JournalConfig,
    JournalDamage,
    JournalFailed,
    JournalLocked,
    JournalVersion,
    OsFiles,
    dump,
    verify,
)

SMALL_SEGMENTS = JournalConfig(core_version=1, segment_bytes=500)


def only_segment(folder: Path) -> Path:
    (segment,) = folder.glob("*.journal")
    return segment


def frame_ends(folder: Path) -> list[int]:
    """Byte offsets after the segment's header and after each frame."""
    offsets = [frame.offset for frame in dump(folder)]
    return [*offsets, only_segment(folder).stat().st_size]


def test_frames_come_back_in_order_over_several_runs(tmp_path: Path) -> None:
    write(tmp_path, 10)
    write(tmp_path, 5, one_batch=True)
    seqs, journal = read(tmp_path)
    assert seqs == list(range(1, 16))
    assert journal.next_seq == 16
    assert journal.set_aside is None


def test_short_writes_are_continued(tmp_path: Path) -> None:
    writer = start(tmp_path, StingyFiles())
    for seq in range(1, 6):
        writer.journal.append(FrameKind.RARE, seq, 1, body(seq))
    writer.journal.close()
    assert read(tmp_path)[0] == [1, 2, 3, 4, 5]


def test_segments_roll_and_chain(tmp_path: Path) -> None:
    write(tmp_path, 20, config=SMALL_SEGMENTS)
    write(tmp_path, 20, config=SMALL_SEGMENTS)
    assert len(list(tmp_path.glob("*.journal"))) > 5
    assert read(tmp_path)[0] == list(range(1, 41))
    reports = list(verify(tmp_path))
    assert sum(report.frames for report in reports) == 40
    assert all(after.first_seq == before.next_seq for before, after in pairwise(reports))


def test_a_missing_segment_is_damage(tmp_path: Path) -> None:
    write(tmp_path, 30, config=SMALL_SEGMENTS)
    sorted(tmp_path.glob("*.journal"))[1].unlink()
    with pytest.raises(JournalDamage, match="missing or misplaced"):
        read(tmp_path)


def test_an_incomplete_end_before_the_last_segment_is_damage(tmp_path: Path) -> None:
    write(tmp_path, 30, config=SMALL_SEGMENTS)
    segment = sorted(tmp_path.glob("*.journal"))[1]
    segment.write_bytes(segment.read_bytes()[:-3])
    with pytest.raises(JournalDamage, match="later segment follows"):
        read(tmp_path)


def test_a_segment_cut_while_it_was_begun_is_set_aside_and_begun_again(tmp_path: Path) -> None:
    write(tmp_path, 30, config=SMALL_SEGMENTS)
    *_, last = sorted(tmp_path.glob("*.journal"))
    before = read(tmp_path)[1].next_seq
    first_of_last = int(last.stem)
    last.write_bytes(last.read_bytes()[:40])
    write(tmp_path, 2, config=SMALL_SEGMENTS)
    assert first_of_last < before
    assert read(tmp_path)[0] == list(range(1, first_of_last + 2))


def test_only_one_writer(tmp_path: Path) -> None:
    writer = start(tmp_path)
    with pytest.raises(JournalLocked, match="in use by another process"):
        Journal.open(tmp_path, CONFIG)
    writer.journal.close()
    start(tmp_path).journal.close()


def test_another_core_version_is_refused(tmp_path: Path) -> None:
    write(tmp_path, 3)
    with pytest.raises(JournalVersion, match="core version 1, this program has 2"):
        read(tmp_path, JournalConfig(core_version=2))


def test_a_gap_or_an_empty_frame_is_refused(tmp_path: Path) -> None:
    writer = start(tmp_path)
    with pytest.raises(JournalFailed, match="1 is next"):
        writer.journal.append(FrameKind.RARE, 2, 1, b"x")
    with pytest.raises(JournalFailed, match="frame of 0"):
        writer.journal.append(FrameKind.HOT, 1, 0, b"")
    writer.journal.close()


def test_a_journal_is_replayed_before_it_is_started(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, CONFIG)
    with pytest.raises(JournalFailed, match="after its replay"):
        journal.start(lambda _: None, lambda _: None)
    journal.close()


@pytest.mark.parametrize("frames", [12, pytest.param(580, marks=pytest.mark.soak, id="64-KiB")])
def test_cut_at_every_byte_recovers_exactly_the_whole_frames(tmp_path: Path, frames: int) -> None:
    source = tmp_path / "source"
    write(source, frames)
    name, raw, ends = only_segment(source).name, only_segment(source).read_bytes(), frame_ends(source)
    for length in range(len(raw)):
        folder = tmp_path / "cut"
        folder.mkdir()
        (folder / name).write_bytes(raw[:length])
        kept = max((end for end in ends if end <= length), default=0)
        seqs, journal = read(folder)
        assert seqs == list(range(1, sum(end <= length for end in ends[1:]) + 1))
        if kept == length and length > 0:
            assert journal.set_aside is None
        else:
            assert journal.set_aside is not None
            assert journal.set_aside.path.read_bytes() == raw[kept:length]
        shutil.rmtree(folder)


def test_after_an_incomplete_tail_the_journal_goes_on(tmp_path: Path) -> None:
    write(tmp_path, 5)
    segment = only_segment(tmp_path)
    segment.write_bytes(segment.read_bytes()[:-1])
    write(tmp_path, 3)
    assert read(tmp_path)[0] == list(range(1, 8))


def test_zeros_from_any_sector_on_are_an_incomplete_tail(tmp_path: Path) -> None:
    """A length that reached the disk before the bytes: cut at 8-byte steps and filled up with zeros."""
    source = tmp_path / "source"
    write(source, 8)
    name, raw, ends = only_segment(source).name, only_segment(source).read_bytes(), frame_ends(source)
    for length in range(0, len(raw), 8):
        folder = tmp_path / "zeros"
        folder.mkdir()
        (folder / name).write_bytes(raw[:length] + bytes(len(raw) - length + 64))
        assert read(folder)[0] == list(range(1, sum(end <= length for end in ends[1:]) + 1))
        shutil.rmtree(folder)


@pytest.mark.parametrize("mask", [0x01, 0x80, 0xFF])
@pytest.mark.parametrize("frames", [12, pytest.param(150, marks=pytest.mark.soak, id="16-KiB")])
def test_every_flipped_byte_is_damage(tmp_path: Path, mask: int, frames: int) -> None:
    """Also at the very end: a whole frame that fails its checks is never taken for an incomplete tail."""
    write(tmp_path, frames)
    segment, before = only_segment(tmp_path), only_segment(tmp_path).read_bytes()
    for at in range(len(before)):
        flipped = bytearray(before)
        flipped[at] ^= mask
        segment.write_bytes(flipped)
        with pytest.raises(JournalDamage) as caught:
            read(tmp_path)
        assert caught.value.offset <= at
        assert f"seq {caught.value.seq} " in str(caught.value)
        assert segment.read_bytes() == bytes(flipped), "a damaged journal must not be changed"


def test_tampering_that_keeps_the_checksums_breaks_the_chain(tmp_path: Path) -> None:
    """A frame taken from another journal has sound checksums, but another past."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    write(ours, 3)
    writer = start(theirs)
    for seq in (1, 2, 3):
        writer.journal.append(FrameKind.RARE, seq, 1, body(seq + 9))
    writer.journal.close()
    mine, other = frame_ends(ours), frame_ends(theirs)
    spliced = only_segment(ours).read_bytes()[: mine[1]] + only_segment(theirs).read_bytes()[other[1] :]
    only_segment(ours).write_bytes(spliced)
    with pytest.raises(JournalDamage, match="tampered"):
        list(verify(ours))


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC])
@pytest.mark.parametrize("calls", [60, pytest.param(500, marks=pytest.mark.soak)])
def test_nothing_acknowledged_is_lost_at_any_failing_call(tmp_path: Path, error: int, calls: int) -> None:
    """Every write, sync and creation in turn fails; what was reported durable before is there after."""
    for fail_at in range(1, calls + 1):
        folder = tmp_path / str(fail_at)
        acknowledged = 0
        try:
            writer = start(folder, FailingFiles(fail_at, error), SMALL_SEGMENTS)
        except OSError:
            assert fail_at <= 4, "beginning the first segment takes four calls"
        else:
            acknowledged = write_until_it_fails(writer)
        seqs, _ = read(folder)
        assert seqs == list(range(1, len(seqs) + 1))
        assert len(seqs) >= acknowledged


def write_until_it_fails(writer: Writer) -> int:
    seq = 1
    writer.journal.append(FrameKind.RARE, seq, 1, body(seq))
    while writer.wait_for(seq):
        seq += 1
        writer.journal.append(FrameKind.RARE, seq, 1, body(seq))
    assert isinstance(writer.failure, OSError)
    with pytest.raises(JournalFailed, match="no more commands"):
        writer.journal.append(FrameKind.RARE, seq + 1, 1, body(seq + 1))
    with pytest.raises(JournalFailed):
        writer.journal.close()
    return writer.acknowledged


def test_dump_gives_the_frames_that_hold_the_asked_seqs(tmp_path: Path) -> None:
    write(tmp_path, 9)
    assert [frame.first_seq for frame in dump(tmp_path, 4, 6)] == [4, 5, 6]


@settings(max_examples=50, deadline=None)
@given(
    runs=st.lists(st.lists(st.tuples(st.binary(max_size=80), st.integers(1, 9)), max_size=6), max_size=4),
    segment_bytes=st.integers(64, 600),
)
def test_any_frames_in_any_runs_come_back(
    tmp_path_factory: pytest.TempPathFactory, runs: list[list[tuple[bytes, int]]], segment_bytes: int
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    written = []
    for frames in runs:
        writer = start(folder, config=JournalConfig(core_version=1, segment_bytes=segment_bytes))
        seq = writer.journal.next_seq
        for data, count in frames:
            writer.journal.append(FrameKind.HOT, seq, count, data)
            written.append((seq, count, data))
            seq += count
        writer.journal.close()
    assert [(frame.first_seq, frame.count, bytes(frame.body)) for frame in dump(folder)] == written


def test_a_start_syncs_what_it_replayed(tmp_path: Path) -> None:
    """After a kill it may have been written and not yet synced, and it is about to be shown."""
    write(tmp_path, 3)
    synced: list[int] = []

    class Noting(OsFiles):
        def sync(self, descriptor: int) -> None:
            super().sync(descriptor)
            synced.append(os.fstat(descriptor).st_size)

    journal = Journal.open(tmp_path, CONFIG, Noting())
    assert len(list(journal.replay())) == 3
    journal.start(lambda seq: None, lambda error: None)
    assert synced == [sum(path.stat().st_size for path in tmp_path.glob("*.journal"))]
    journal.close()
