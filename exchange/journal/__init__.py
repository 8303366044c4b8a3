"""The journal: append-only frames on disk, group commit, start-up recovery (docs/journal.md)."""

from exchange.journal.errors import JournalDamage, JournalError, JournalFailed, JournalLocked, JournalVersion
from exchange.journal.files import Files, OsFiles
from exchange.journal.format import Frame, FrameKind
from exchange.journal.inspect import SegmentReport, dump, frames_after, verify
from exchange.journal.journal import Journal, JournalConfig, SetAside
from exchange.journal.reader import IncompleteTail, Position

__all__ = [
    "Files",
    "Frame",
    "FrameKind",
    "IncompleteTail",
    "Journal",
    "JournalConfig",
    "JournalDamage",
    "JournalError",
    "JournalFailed",
    "JournalLocked",
    "JournalVersion",
    "OsFiles",
    "Position",
    "SegmentReport",
    "SetAside",
    "dump",
    "frames_after",
    "verify",
]
