"""The records: their bytes are the wire and the journal, so their layout is fixed here to the byte."""

from __future__ import annotations

import numpy as np
import pytest

from matching.engine import Engine
from matching.records import (
    ANY_HUB,
    COMMAND,
    COMMAND_COLUMNS,
    EVENT,
    EVENT_COLUMNS,
    CommandKind,
    EventKind,
    OrderFlag,
    OrderType,
    Phase,
    RejectCode,
    Side,
    StpMode,
    TimeInForce,
    amend,
    cancel,
    mass_cancel,
    new_order,
)
from matching.spec import AccountSpec, EngineLimits, InstrumentSpec

LIMITS = EngineLimits(
    max_instruments=2, max_accounts=3, max_orders=64, max_levels=201, max_holdings=8, max_refreshes=64
)


@pytest.fixture
def engine() -> Engine:
    """An engine with one instrument in continuous trading and two accounts."""
    made = Engine(LIMITS)
    made.add_instrument(0, InstrumentSpec(100, 300, 200))
    for account in (0, 1):
        made.set_account(account, AccountSpec(equity_fen=10**12))
    made.set_phase(0, Phase.CONTINUOUS)
    return made


def test_records_have_no_hidden_bytes() -> None:
    for dtype, columns, size in ((COMMAND, COMMAND_COLUMNS, 72), (EVENT, EVENT_COLUMNS, 64)):
        assert dtype.itemsize == size == sum(np.dtype(kind).itemsize for _, kind, _ in columns)
        assert all(np.dtype(kind).byteorder in "<|=" for _, kind, _ in columns)
        fields = dtype.fields or {}
        assert all(offset % field.itemsize == 0 for field, offset in (fields[name][:2] for name in fields))


def test_a_new_order_is_these_bytes() -> None:
    row = new_order(
        seq=1,
        time_ns=2,
        client_id=3,
        price=4,
        trigger=5,
        quantity=6,
        display=7,
        min_quantity=8,
        account=9,
        instrument=10,
        expiry_day=11,
        group=12,
        side=Side.SELL,
        order_type=OrderType.STOP_LIMIT,
        tif=TimeInForce.GTD,
        flags=OrderFlag.REDUCE_ONLY,
        stp=StpMode.DECREMENT,
    )
    expected = b"".join(
        number.to_bytes(size, "little")
        for size, numbers in ((8, (1, 2, 0, 3)), (4, (4, 5, 6, 7, 8, 9, 10)), (2, (11, 12, 0)))
        for number in numbers
    ) + bytes([1, 1, 4, 2, 4, 4])
    assert row.tobytes() == expected


def test_other_constructors_fill_what_they_name() -> None:
    away, changed, swept = (
        cancel(account=1, order_id=5),
        amend(account=1, order_id=5, quantity=2, price=3),
        mass_cancel(account=1),
    )
    kinds = [int(row["kind"][0]) for row in (away, changed, swept)]
    assert kinds == [CommandKind.CANCEL, CommandKind.AMEND, CommandKind.MASS_CANCEL]
    assert (swept["instrument"][0], swept["hub"][0], swept["side"][0]) == (-1, ANY_HUB, Side.ANY)
    assert (changed["quantity"][0], changed["price"][0]) == (2, 3)


def test_only_commands_are_applied(engine: Engine) -> None:
    with pytest.raises(TypeError, match="COMMAND"):
        engine.apply(np.zeros(1, EVENT))


def test_commands_straight_from_received_bytes(engine: Engine) -> None:
    orders = [new_order(account=a, instrument=0, side=Side(a), quantity=1, price=200) for a in (0, 1)]
    received = np.frombuffer(b"".join(row.tobytes() for row in orders), COMMAND)
    kinds = engine.apply(received)["kind"].tolist()
    assert kinds.count(EventKind.TRADE) == 1


def test_any_bytes_at_all_get_an_answer_each(engine: Engine) -> None:
    random = np.random.default_rng(5)
    commands = random.integers(0, 256, 20_000 * COMMAND.itemsize, np.uint8).view(COMMAND)
    commands["seq"] = np.arange(len(commands))
    near = random.random(len(commands)) < 0.7
    commands["kind"][near] %= 7
    commands["account"][near] %= 3
    commands["instrument"][near] %= 2
    events = engine.apply(commands)
    engine.check()
    assert set(events["seq"].tolist()) == set(range(len(commands)))
    refused = events[events["kind"] == EventKind.REJECTED]
    assert set(refused["code"].tolist()) <= {int(code) for code in RejectCode}


def test_views_of_what_is_not_there_are_key_errors(engine: Engine) -> None:
    for view in (engine.l1, engine.orders, engine.indicative, engine.instrument, engine.positions):
        with pytest.raises(KeyError):
            view(1)
    for view in (engine.open_orders, engine.exposure):
        with pytest.raises(KeyError):
            view(2)


def test_events_stay_until_the_next_call_and_copies_beyond(engine: Engine) -> None:
    first = engine.apply(new_order(account=0, instrument=0, side=Side.BUY, quantity=1, price=150, seq=1))
    kept = first.copy()
    engine.apply(new_order(account=0, instrument=0, side=Side.BUY, quantity=1, price=151, seq=2))
    assert set(kept["seq"].tolist()) == {1}


def test_the_event_buffer_grows_with_the_book() -> None:
    big = Engine(
        EngineLimits(max_instruments=1, max_accounts=2, max_orders=40_000, max_levels=201, max_holdings=4)
    )
    big.add_instrument(0, InstrumentSpec(100, 300, 200))
    for account in (0, 1):
        big.set_account(account, AccountSpec(equity_fen=10**15))
    big.set_phase(0, Phase.CONTINUOUS)
    order = new_order(account=0, instrument=0, side=Side.SELL, quantity=1, price=200)
    rested = big.apply(np.repeat(order, 40_000))
    assert len(rested) == 80_000
    taken = big.apply(new_order(account=1, instrument=0, side=Side.BUY, quantity=40_000, price=200))
    assert (taken["kind"] == EventKind.REJECTED).sum() == 1, "no slot is free"
    swept = big.apply(mass_cancel(account=0))
    assert len(swept) == 80_001
    big.check()
