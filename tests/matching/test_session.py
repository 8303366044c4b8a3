"""A whole day of one stock replays to what its exchange recorded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from matching.api import MatchingEngine
from matching.engine import Engine
from matching.records import COMMAND, CommandKind, EventKind, Phase, Records, TimeInForce
from matching.reference import ReferenceEngine
from matching.spec import AccountSpec, EngineLimits, InstrumentSpec

SESSION = Path(__file__).parent / "data" / "acciona-2019-05-23.npz"
NEW, CANCEL, REDUCE = 1, 2, 3
LIMITS = EngineLimits(max_instruments=1, max_accounts=1, max_orders=4096, max_levels=4096, max_holdings=1)


class Replay:
    """Gives an engine the session row by row, naming orders by the ids that the engine gave them."""

    def __init__(self, engine: MatchingEngine) -> None:
        self.engine = engine
        self.ids: dict[int, int] = {}
        self.lots: dict[int, int] = {}
        self.trades = self.traded = 0
        self.unknown: list[int] = []
        engine.add_instrument(0, InstrumentSpec(8_000, 11_000, 9_500))
        engine.set_account(0, AccountSpec(equity_fen=10**15))
        engine.set_phase(0, Phase.CONTINUOUS)

    def row(self, row: Records) -> None:
        """Apply one row of the session; a reduction states the lots to take off."""
        command = np.zeros(1, COMMAND)
        uid, lots = int(row["uid"]), int(row["lots"])
        if row["kind"] == NEW:
            command["kind"], command["tif"] = CommandKind.NEW, TimeInForce.DAY
            command["side"], command["price"], command["quantity"] = 1 - row["buy"], row["price_ticks"], lots
            self.lots[uid] = lots
        elif row["kind"] == CANCEL:
            command["kind"], command["order_id"] = CommandKind.CANCEL, self.ids[uid]
        else:
            self.lots[uid] -= lots
            # an order reduced to nothing is cancelled: in an AMEND a quantity of 0 would keep it
            command["kind"] = CommandKind.AMEND if self.lots[uid] > 0 else CommandKind.CANCEL
            command["order_id"] = self.ids[uid]
            command["quantity"] = self.lots[uid]
        self.count(uid, self.engine.apply(command))

    def count(self, uid: int, events: Records) -> None:
        """Note trades, and rows that the engine refused."""
        for event in events:
            if event["kind"] == EventKind.ACCEPTED:
                self.ids[uid] = int(event["order_id"])
            elif event["kind"] == EventKind.TRADE:
                self.trades += 1
                self.traded += int(event["quantity"])
            elif event["kind"] == EventKind.REJECTED:
                self.unknown.append(uid)


@pytest.mark.parametrize("make", [Engine, ReferenceEngine])
def test_a_recorded_session_trades_as_it_did(make: type[Engine] | type[ReferenceEngine]) -> None:
    replay = Replay(make(LIMITS))
    for row in np.load(SESSION)["session"]:
        replay.row(row)
    replay.engine.check()
    assert (replay.trades, replay.traded, replay.unknown) == (996, 54_378, [])
    assert len(replay.engine.orders(0)) == 0
