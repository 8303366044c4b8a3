"""What opening an exchange takes beside the journal: the replay into the core, and the master key."""

from __future__ import annotations

from collections.abc import Callable

from exchange.journal import Journal
from exchange.service.config import ExchangeConfig
from exchange.service.recent import Recent
from exchange.service.replay import apply_frame
from exchange.service.secrets import MasterKey
from exchange.service.snapshotting import Begin

PROGRESS_FRAMES = 1_000


def replay(journal: Journal, begin: Begin, recent: Recent, progress: Callable[[int], None] | None) -> None:
    """Apply the journal after the beginning to the core and its read models."""
    core = begin.core
    for number, frame in enumerate(journal.replay(begin.position), start=1):
        applied = apply_frame(core, frame)
        begin.tape.record(applied)
        recent.record(applied)
        if progress is not None and number % PROGRESS_FRAMES == 0:
            progress(core.seq)


def master_key(config: ExchangeConfig, *, fresh: bool) -> MasterKey:
    """Return the master key; the first start of an exchange makes it. Raises MasterKeyError."""
    if fresh and not config.master_key_file.exists():
        return MasterKey.create(config.master_key_file)
    return MasterKey.load(config.master_key_file)
