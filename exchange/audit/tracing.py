"""The chain of a subject, from a data directory or a backup, without changing either."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from exchange.audit.records import Record, Trace
from exchange.audit.subject import Subject, find
from exchange.audit.trail import Trail
from exchange.journal import frames_after
from exchange.service.core import CORE_VERSION
from exchange.service.replay import from_the_first


def trace(data: Path, subject: Subject, progress: Callable[[int], None]) -> Trace:
    """Return everything that the journal says about a subject; reads it at most twice.

    `progress` is called with bytes of journal. Raises SubjectNotFound, JournalDamage, JournalVersion.
    """
    journal = data / "journal"
    first = from_the_first(data)
    scope = find(subject, frames_after(journal, first.after, CORE_VERSION), first.core, first.trades)
    again = from_the_first(data)
    trail = Trail(again.core, scope, again.trades, again.after.chain)
    records: list[Record] = []
    for frame in frames_after(journal, again.after, CORE_VERSION):
        records += trail.take(frame)
        progress(len(frame.body))
    return Trace(
        subject=f"{subject.kind} {subject.text}",
        from_seq=again.after.next_seq,
        as_of_seq=trail.core.seq,
        records=records,
    )
