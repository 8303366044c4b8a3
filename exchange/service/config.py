"""Settings of the exchange itself; the program's configuration embeds them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class ExchangeConfig:
    """Everything that `Exchange.open` needs besides a clock."""

    data_dir: Path
    """Holds `journal/` and `snapshots/`; one process at a time."""
    master_key_file: Path
    """32 bytes, mode 0600, made on the first start; keep it outside `data_dir`."""
    first_day: date = date(2026, 12, 4)
    """First trading day of a fresh exchange; a later start skips to its own day with the wall clock."""
    fine_listing: tuple[str, ...] = ()
    """Products such as "H100.GUIAN" of which a fresh exchange also lists hours, and peak and valley."""
    durability: Literal["sync", "os"] = "sync"
    """When a command counts as durable: after fdatasync, or after write (survives the process only)."""
    segment_bytes: int = 64 << 20
    queue_commands_max: int = 65_536
    """Commands that may wait for the journal; beyond it BUSY."""
    frame_commands_max: int = 4_096
    """Commands in one journal frame."""
    snapshot_commands: int = 1_000_000
    """A snapshot is taken after so many commands, and at the end."""
    snapshots_kept: int = 3
    tape_trades_max: int = 262_144
    """Latest trades kept in memory for views, over all contracts."""
    recent_events_max: int = 1 << 20
    """Latest events kept in memory for readers that come back, 64 bytes each."""

    @property
    def journal_dir(self) -> Path:
        """Where the segments are."""
        return self.data_dir / "journal"

    @property
    def snapshot_dir(self) -> Path:
        """Where the snapshots are."""
        return self.data_dir / "snapshots"
