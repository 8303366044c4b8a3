"""The history shows what is durable and nothing else, with a real exchange whose disk fails."""

from __future__ import annotations

import threading
from datetime import date, time
from pathlib import Path

from history_days import slow_history, stored

from exchange.domain.calendar import moment_ns
from exchange.domain.clock import ManualClock
from exchange.domain.messages import AddMember, Deposit
from exchange.domain.rejects import RejectCode
from exchange.history.follower import Follower
from exchange.history.mark import history_folder, publish_durable
from exchange.journal import OsFiles, dump
from exchange.service.config import ExchangeConfig
from exchange.service.exchange import Exchange

NEVER = threading.Event()


class FailingSync(OsFiles):
    """Writes as ever; its syncs fail once they are told to."""

    failing = False

    def sync(self, descriptor: int) -> None:
        if self.failing:
            raise OSError(5, "planted failure")
        super().sync(descriptor)


def followed(data: Path) -> int:
    """Bring the history up to date; return how far it goes, having compared it with the slow fold."""
    with Follower(data) as follower:
        seq = follower.catch_up(NEVER)
    assert stored(history_folder(data)) == (seq, slow_history(data / "journal", seq).rows())
    return seq


async def test_what_was_written_and_not_synced_is_shown_after_the_next_start(tmp_path: Path) -> None:
    data = tmp_path / "data"
    config = ExchangeConfig(data_dir=data, master_key_file=tmp_path / "keys" / "master.key")
    clock = ManualClock(moment_ns(date(2026, 12, 4), time(8)))
    files = FailingSync()
    exchange = await Exchange.open(config, clock, files=files)
    publish_durable(exchange)
    await exchange.submit_rare(AddMember(name="blue", kind="enterprise"))
    await exchange.submit_rare(Deposit(member="blue", amount_fen=1_000))
    files.failing = True
    result = await exchange.submit_rare(Deposit(member="blue", amount_fen=7))
    assert result.code is RejectCode.NOT_ACKNOWLEDGING
    frames = list(dump(data / "journal"))
    assert frames[-1].first_seq == 3  # it is whole in the file, and anyone could read it
    assert followed(data) == 2
    await exchange.close()

    again = await Exchange.open(config, clock)  # syncs what it replayed, and goes on from there
    publish_durable(again)
    assert again.views.seq == 3
    assert followed(data) == 3
    await again.close()
    _, rows = stored(history_folder(data))
    assert [row[6] for row in rows["entries"]] == [1_000, 7]
