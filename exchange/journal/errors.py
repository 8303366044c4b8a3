"""What can be wrong with a journal. Each error names the place and says what to do."""

from __future__ import annotations

from pathlib import Path


class JournalError(Exception):
    """Base of everything that the journal raises on purpose."""


class JournalLocked(JournalError):
    """Another process has this journal open for writing."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"the journal in {folder} is in use by another process; stop it first, or choose another data "
            f"directory"
        )


class JournalDamage(JournalError):
    """Bytes that were written are not what is there now. Nothing is started, nothing is changed."""

    def __init__(self, segment: Path, offset: int, seq: int, what: str) -> None:
        super().__init__(
            f"{segment.name}: damage at byte {offset}, where seq {seq} is expected: {what}. "
            "Nothing was changed. Restore the journal from a backup, or set this segment and all later ones "
            "aside to go on from the last good command, which gives up what was acknowledged after it."
        )
        self.segment = segment
        self.offset = offset
        self.seq = seq
        self.what = what


class JournalVersion(JournalError):
    """The journal was written by a version whose commands this one would not apply in the same way."""

    def __init__(self, segment: Path, what: str, found: int, wanted: int) -> None:
        super().__init__(
            f"{segment.name} has {what} version {found}, this program has {wanted}; "
            f"start it with a program of {what} version {found} and end that with SIGTERM: the snapshot that "
            "it then takes is what a newer program goes on from"
        )
        self.found = found
        self.wanted = wanted


class JournalFailed(JournalError):
    """A write or a sync failed. What was not yet acknowledged never will be; the process must be
    restarted.
    """
