"""The state is a function of the journal (clause 1.5): not of hash seeds, batch splits, or the process."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, time, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.domain import messages as m
from exchange.domain import primary as p
from exchange.domain.calendar import NS_PER_HOUR, moment_ns
from exchange.domain.listing import BASE_RULES, listed_periods
from exchange.domain.phases import MarketPhase
from exchange.service.core import LIMITS, Core
from exchange.service.frames import pack_rare, unpack_rare
from matching.engine import Engine
from matching.records import (
    COMMAND,
    OrderType,
    Phase,
    Side,
    TimeInForce,
    amend,
    cancel,
    mass_cancel,
    new_order,
    publish_indicative,
)

FRIDAY = date(2026, 12, 4)
REPLAY = """
import sys
from pathlib import Path
from exchange.service.core import LIMITS, Core, command_block
from exchange.service.frames import unpack_rare
from matching.engine import Engine
core = Core(Engine(LIMITS))
for path in sorted(Path(sys.argv[1]).iterdir()):
    if path.suffix == ".hot":
        core.apply_hot(command_block(path.read_bytes()))
    else:
        core.apply_rare(core.seq + 1, *unpack_rare(path.read_bytes()))
core.check()
print(core.state_hash().hex())
"""


def random_commands(rng, market, count):
    """Commands of every kind over the listed contracts: mostly limit orders near the reference price."""
    active = market.state.active_contracts()
    known = [
        int(row["order_id"]) for account in (1, 2, 3) for row in market.state.engine.open_orders(account)
    ]
    rows = []
    for _ in range(count):
        account = int(rng.integers(0, 5))  # account 0 and 4 are not members
        index = int(rng.choice(active[:6])) if rng.random() < 0.97 else int(rng.integers(-2, 99))
        dice = rng.random()
        if dice < 0.7:
            rows.append(
                new_order(
                    account=account,
                    instrument=index,
                    side=Side(int(rng.integers(2))),
                    quantity=int(rng.integers(0, 30)),
                    price=int(rng.integers(1_075, 1_330)),
                    order_type=OrderType.LIMIT if rng.random() < 0.9 else OrderType(int(rng.integers(6))),
                    tif=TimeInForce(int(rng.integers(7))) if rng.random() < 0.3 else TimeInForce.DAY,
                    client_id=int(rng.integers(1, 10)),
                )
            )
        elif dice < 0.82 and known:
            rows.append(cancel(account=account, order_id=int(rng.choice(known))))
        elif dice < 0.94 and known:
            lots = int(rng.integers(0, 40))
            rows.append(amend(account=account, order_id=int(rng.choice(known)), quantity=lots))
        elif dice < 0.97:
            rows.append(publish_indicative(instrument=index))
        else:
            rows.append(mass_cancel(account=account, instrument=index))
    return rows


def lively_days(market, seed, days=2, blocks=6):
    """Drive a market through days of random orders, payments and deliveries; checked after each block."""
    rng = np.random.default_rng(seed)
    day = market.day
    market.do(
        p.PostCapacity(
            account=1,
            grade="H100",
            hub="GUIAN",
            cards=40,
            first_day=day + timedelta(1),
            last_day=day + timedelta(9),
        )
    )
    for _ in range(days):
        market.day = day
        deliver_until(market, day, rng)
        market.at(8, 0, day)
        list_missing(market, day)
        market.call()
        market.orders(*random_commands(rng, market, 40))
        market.at(8, 59, day)
        market.do(m.SetPhase(phase=MarketPhase.MATCHED))
        market.at(9, 0, day)
        market.do(m.SetPhase(phase=MarketPhase.CONTINUOUS))
        for block in range(blocks):
            market.now_ns = moment_ns(day, time(9 + block, 30))
            market.orders(*random_commands(rng, market, 60))
            market.send(m.Withdraw(member="blue", amount_fen=int(rng.integers(1, 10**9))))
            market.send(m.Deposit(member="coral", amount_fen=int(rng.integers(1, 10**9))))
            market.core.check()
        market.settle()
        market.core.check()
        day += timedelta(days=1 if day.weekday() < 4 else 3)


def list_missing(market, day):
    """List what clause 4.2 lists on a day and isn't listed yet."""
    symbols = [
        f"H100.GUIAN.{period.code}"
        for period, _ in listed_periods(BASE_RULES, ("H100", "GUIAN"), day, ())
        if f"H100.GUIAN.{period.code}" not in market.state.contracts_by_symbol
    ]
    if symbols:
        market.do(m.ListContracts(listings=tuple(m.Listing(symbol, 1_200) for symbol in symbols)))


def deliver_until(market, day, rng):
    """Meter and finish the delivery days that are over on the morning of `day`."""
    while market.state.day.trading_day and market.state.day.delivered_day < day - timedelta(days=1):
        delivery = market.state.day.delivered_day + timedelta(days=1)
        market.at(1, 0, delivery + timedelta(days=1))
        for at, row in enumerate(market.state.reservations.rows.copy()):
            contract = market.state.contracts[int(row["contract"])]
            if contract.period.first == delivery:
                cards = int(row["lots"]) * contract.cards_per_lot
                readings = tuple(
                    m.Reading(
                        at + 1, contract.period.start_ns + hour * NS_PER_HOUR, int(rng.integers(0, cards + 1))
                    )
                    for hour in range(24)
                    if rng.random() < 0.9
                )
                market.do(m.MeterReadings(account=int(row["provider"]), readings=readings))
        market.do(m.FinishDelivery(day=delivery))
        market.core.check()


@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_money_and_positions_conserve_over_random_days(market_type, seed):
    market = market_type()
    lively_days(market, seed, days=3, blocks=3)
    assert market.state.day.trading_day is not None
    market.core.check()  # money and positions; it has been after every block, too


@pytest.fixture
def recorded(market_type):
    """A market that lived through lively days, and the frames that it was given."""
    market = market_type()
    lively_days(market, seed=11, days=3)
    return market


def replayed(frames, cut) -> bytes:
    """Replay frames into a fresh core, hot ones cut into pieces of `cut` commands."""
    core = Core(Engine(LIMITS))
    for time_ns, frame in frames:
        if isinstance(frame, np.ndarray):
            for at in range(0, len(frame), cut):
                core.apply_hot(frame[at : at + cut])
        else:
            core.apply_rare(core.seq + 1, *unpack_rare(pack_rare(time_ns, frame)))
    return core.state_hash()


def test_the_cut_into_batches_does_not_matter(recorded):
    wanted = recorded.core.state_hash()
    assert {replayed(recorded.frames, cut) for cut in (1, 7, 10_000)} == {wanted}


@pytest.mark.parametrize(("days", "blocks"), [(7, 1), pytest.param(64, 6, marks=pytest.mark.soak)])
def test_a_quarter_replays_to_the_bit(market_type, days, blocks):
    """From December to the end of February with cascades, listings, deliveries; small: over a week's end."""
    market = market_type()
    lively_days(market, seed=5, days=days, blocks=blocks)
    assert len(market.state.settlements) > 0 and len(market.state.reservations) > 0
    assert replayed(market.frames, 64) == market.core.state_hash()


def test_the_hash_seed_and_the_process_do_not_matter(recorded, tmp_path):
    for number, (time_ns, frame) in enumerate(recorded.frames):
        if isinstance(frame, np.ndarray):
            (tmp_path / f"{number:06d}.hot").write_bytes(frame.astype(COMMAND).tobytes())
        else:
            (tmp_path / f"{number:06d}.rare").write_bytes(pack_rare(time_ns, frame))
    hashes = {
        subprocess.run(
            [sys.executable, "-c", REPLAY, str(tmp_path)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("0", "1", "4242")
    }
    assert hashes == {recorded.core.state_hash().hex()}


def test_another_journal_gives_another_hash(market_type):
    one, other = market_type(), market_type()
    one.do(m.Deposit(member="acme", amount_fen=1))
    other.do(m.Deposit(member="acme", amount_fen=2))
    assert one.core.state_hash() != other.core.state_hash()


def test_the_days_were_lively(recorded):
    """The streams above prove something only if they trade, cascade, deliver and get refused."""
    state = recorded.state
    assert len(state.settlements.rows) > 80
    assert len(state.reservations.rows) > 0
    assert {1, 2, 3, 4, 5} <= set(state.ledger.rows["kind"].tolist())
    assert state.engine.l1(int(state.active_contracts()[0])).phase is Phase.CLOSED
