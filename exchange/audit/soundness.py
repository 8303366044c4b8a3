"""Whether a journal is sound and leads to what was recorded of it: its chain, its snapshots, its manifest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from exchange.journal import verify
from exchange.journal.backup import MANIFEST, changed_files, read_manifest
from exchange.service.replay import Compared, from_the_first, replay


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was checked, and what is wrong with it; nothing if `wrong` is empty."""

    segments: int
    frames: int
    first_seq: int
    last_seq: int
    """Of the journal."""
    chain: str
    """Hash after its last frame, hex."""
    folded_from_seq: int
    """First command that was applied again; those before it were written by an older program."""
    state_hash: str
    """After the last command, hex."""
    snapshots: int
    """Compared with the state that the replay came to."""
    manifest: bool
    """Whether there is one, as in a backup; its files and its last command were compared."""
    wrong: list[str]


def verify_all(data: Path, progress: Callable[[int], None]) -> Verdict:
    """Check every byte and the hash chain, apply all commands anew and compare the state with each snapshot,
    check every invariant at the end, and a backup's files against its manifest.

    `progress` is called with bytes of journal. Raises JournalDamage, JournalVersion, BackupError,
    InvariantViolation.
    """
    journal = data / "journal"
    reports = list(verify(journal))
    begin = from_the_first(data)
    compared: list[Compared] = []
    replay(journal, begin.core, begin.after, compared=compared.append, progress=progress)
    begin.core.check()
    wrong = [f"snapshot {one.path.name}: {one.wrong}" for one in compared if one.wrong]
    last = reports[-1]
    manifest = (data / MANIFEST).is_file()
    if manifest:
        wrong += _against_manifest(data, last.next_seq - 1, last.chain.hex())
    return Verdict(
        segments=len(reports),
        frames=sum(report.frames for report in reports),
        first_seq=reports[0].first_seq,
        last_seq=last.next_seq - 1,
        chain=last.chain.hex(),
        folded_from_seq=begin.after.next_seq,
        state_hash=begin.core.state_hash().hex(),
        snapshots=len(compared),
        manifest=manifest,
        wrong=wrong,
    )


def _against_manifest(data: Path, last_seq: int, chain: str) -> list[str]:
    """Return what isn't as a backup's manifest says."""
    manifest = read_manifest(data)
    wrong = [f"{name}: it isn't the file of the manifest" for name in changed_files(data, manifest)]
    if (manifest.last_seq, manifest.chain) != (last_seq, chain):
        wrong.append(f"the journal ends with seq {last_seq}, its manifest says {manifest.last_seq}")
    return wrong
