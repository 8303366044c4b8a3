"""The compiled fold of trades against an obvious one (clauses 8.1, 7.2)."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.clearing.positions import Positions
from exchange.clearing.tables import CONTRACT_ROW
from exchange.domain.money import half_up_share
from matching.api import InvariantViolation
from matching.records import EVENT, EventFlag, EventKind

ACCOUNTS, CONTRACTS = 12, 5
HOURS = [24, 24, 168, 744, 24]
trades = st.tuples(
    st.integers(0, CONTRACTS - 1),
    st.integers(1, ACCOUNTS - 1),
    st.integers(1, ACCOUNTS - 1),
    st.integers(1, 1_000),
    st.integers(1, 5_000),
    st.sampled_from([0, 1]),
    st.booleans(),
)


def events_of(stream: list[tuple[int, ...]]) -> np.ndarray:  # type: ignore[type-arg]
    events = np.zeros(2 * len(stream), EVENT)
    for i, (contract, account, contra, lots, price, side, auction) in enumerate(stream):
        events[2 * i]["kind"] = EventKind.LEVEL  # other events in between must not count
        events[2 * i]["quantity"] = 7
        event = events[2 * i + 1]
        event["kind"], event["instrument"], event["side"] = EventKind.TRADE, contract, side
        event["account"], event["contra_account"] = account, contra
        event["quantity"], event["price"] = lots, price
        event["flags"] = EventFlag.UNCROSS if auction else 0
    return events


@settings(deadline=None)
@given(st.lists(trades, max_size=60), st.integers(1, 60), st.sampled_from(((0, 0), (-3, -1), (-1, 0))))
def test_the_fold_agrees_with_an_obvious_one(stream, cut, hours) -> None:
    positions, contracts = Positions(), np.zeros(CONTRACTS, CONTRACT_ROW)
    contracts["hours"] = HOURS
    cash = np.zeros(ACCOUNTS, np.int64)
    for block, hour in zip((stream[:cut], stream[cut:]), hours, strict=True):
        positions.fold(events_of(block), contracts, cash, (1, 20), hour)
    lots: dict[tuple[int, int], int] = defaultdict(int)
    value: dict[tuple[int, int], int] = defaultdict(int)
    sold: dict[tuple[int, int], int] = defaultdict(int)
    fees = [0] * ACCOUNTS
    for contract, account, contra, quantity, price, side, auction in stream:
        worth = price * quantity * HOURS[contract]
        for who, sign, rate in (
            (account, 1 if side == 0 else -1, 1 if auction else 20),
            (contra, -1 if side == 0 else 1, 1),
        ):
            lots[who, contract] += sign * quantity
            value[who, contract] += sign * quantity * price
            sold[who, contract] = max(sold[who, contract], -lots[who, contract])
            fees[who] += half_up_share(worth, rate)
    fees[0] = -sum(fees)
    rows = positions.rows
    assert {(r["account"], r["contract"]): r["lots"] for r in rows} == lots
    assert {(r["account"], r["contract"]): r["day_value"] for r in rows} == value
    assert {(r["account"], r["contract"]): r["sold_lots"] for r in rows} == sold
    assert (-cash).tolist() == fees
    assert rows["day_fees"].sum() == cash[0]
    traded = [(*t, hours[i >= cut]) for i, t in enumerate(stream) if not t[6]]
    latest = {t[0]: t[7] for t in traded}
    window = [t for t in traded if t[7] == latest[t[0]]]
    for contract in range(CONTRACTS):
        mine = [t for t in stream if t[0] == contract]
        assert contracts["day_lots"][contract] == sum(t[3] for t in mine)
        assert contracts["window_value"][contract] == sum(t[3] * t[4] for t in window if t[0] == contract)
        assert contracts["last_price"][contract] == (mine[-1][4] if mine else 0)
    positions.check()


def test_rows_survive_growth_and_dropping() -> None:
    positions = Positions()
    for account in range(3_000):
        positions.row(account, account % 7)["lots"] = account
    assert all(positions.lots(account, account % 7) == account for account in range(3_000))
    positions.keep(positions.rows["contract"] != 3)
    for account in range(3_000):
        assert positions.lots(account, account % 7) == (0 if account % 7 == 3 else account)
    positions.row(3, 3)["lots"] = 5
    assert positions.lots(3, 3) == 5


def test_a_position_without_a_counterpart_is_a_broken_invariant() -> None:
    positions = Positions()
    positions.row(1, 2)["lots"] = 5
    with pytest.raises(InvariantViolation, match="lots of contract 2"):
        positions.check()
