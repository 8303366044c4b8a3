"""The kernel and the reference engine agree event by event and by state hash, on every kind of stream."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from matching.api import MatchingEngine
from matching.engine import Engine
from matching.records import (
    ANY_HUB,
    ANY_INSTRUMENT,
    COMMAND,
    CommandKind,
    EventKind,
    OrderFlag,
    OrderType,
    Phase,
    Records,
    RejectCode,
    Side,
    StpMode,
    TimeInForce,
    new_order,
)
from matching.reference import ReferenceEngine
from matching.spec import AccountSpec, EngineLimits, InstrumentSpec
from tests.matching.generators import FLOWS, Control, Flow, Step, perform, record

COMMANDS_IN_TEST = 100_000
"""Random commands that `make test` compares, all flows together."""
COMMANDS_IN_SOAK = 10_000_000
"""Random commands that `make soak` compares."""
SEEDS_IN_TEST = 2
SEEDS_IN_SOAK = 10
STEPS_BETWEEN_HASHES = 50
EVERY_FLOW = sorted(FLOWS)


class Pair:
    """The kernel and the reference engine, given the same steps."""

    def __init__(self, limits: EngineLimits) -> None:
        self.limits = limits
        self.kernel: MatchingEngine = Engine(limits)
        self.reference: MatchingEngine = ReferenceEngine(limits)

    def do(self, step: Step) -> Records:
        """Give both a step; their events must be the same bytes."""
        expected, got = perform(self.reference, step), perform(self.kernel, step)
        if expected.tobytes() != got.tobytes():
            pytest.fail(first_difference(step, expected, got))
        return expected

    def verify(self) -> None:
        """Both are consistent and in the same state."""
        self.reference.check()
        self.kernel.check()
        if self.reference.state_hash() != self.kernel.state_hash():
            pytest.fail(state_difference(self.reference, self.kernel))
        assert list(views(self.kernel)) == list(views(self.reference))

    def swap_states(self) -> None:
        """Put each one's snapshot into a new engine of the other kind, and go on with those."""
        of_reference, of_kernel = self.reference.snapshot(), self.kernel.snapshot()
        self.kernel, self.reference = Engine(self.limits), ReferenceEngine(self.limits)
        self.kernel.restore(of_reference)
        self.reference.restore(of_kernel)


def views(engine: MatchingEngine) -> Iterator[Any]:
    """Yield everything that an engine shows of each instrument and account."""
    yield engine.instruments()
    for index in engine.instruments():
        yield engine.l1(index), engine.instrument(index), engine.indicative(index)
        yield [
            engine.depth(index, side, levels).tolist() for side in (Side.BUY, Side.SELL) for levels in (0, 2)
        ]
        yield engine.orders(index).tolist(), engine.positions(index).tolist()
    for account in engine.snapshot()["accounts"]["account"].tolist():
        yield engine.exposure(account), engine.open_orders(account).tolist()
        yield [engine.position(account, index) for index in engine.instruments()]


def first_difference(step: Step, expected: Records, got: Records) -> str:
    """Say where two event arrays part, and which command was the cause."""
    shared = min(len(expected), len(got))
    at = next((i for i in range(shared) if expected[i] != got[i]), shared)
    longer = expected if len(expected) > at else got
    seq = int(longer[at]["seq"])
    cause = step if isinstance(step, Control) else named(step[step["seq"] == seq])
    lines = [f"events differ at seq {seq}: {cause}"]
    for label, events in (("reference", expected), ("kernel", got)):
        shown = events[max(0, at - 2) : at + 5]
        lines += [f"  {label:9} {EventKind(event['kind']).name:14} {event}" for event in shown]
    return "\n".join(lines)


def named(rows: Records) -> list[dict[str, int]]:
    """Return the columns of commands that aren't 0."""
    return [{name: int(row[name]) for name in COMMAND.names or () if row[name]} for row in rows]


def state_difference(reference: MatchingEngine, kernel: MatchingEngine) -> str:
    """Say which rows of the canonical state differ."""
    expected, got = reference.snapshot(), kernel.snapshot()
    lines = ["states differ"]
    for name in expected:
        if len(expected[name]) != len(got[name]):
            lines.append(
                f"  {name}: {len(expected[name])} rows in the reference, {len(got[name])} in the kernel"
            )
            continue
        pairs = zip(expected[name], got[name], strict=True)
        lines += [f"  {name}: {want} is {have}" for want, have in pairs if want.tobytes() != have.tobytes()]
    return "\n".join(lines)


def agree(flow: Flow, commands: int, *, steps_between_swaps: int = 0) -> tuple[str, str]:
    """Run a flow on both engines until it has caused this many commands; return the state hash of each."""
    pair = Pair(flow.shape.limits)
    for step in flow.setup():
        pair.do(step)
    steps = 0
    while flow.seq < commands:
        flow.observe(pair.do(flow.step()))
        steps += 1
        if steps % STEPS_BETWEEN_HASHES == 0:
            pair.verify()
        if steps_between_swaps and steps % steps_between_swaps == 0:
            pair.swap_states()
    pair.verify()
    return pair.reference.state_hash(), pair.kernel.state_hash()


@pytest.mark.parametrize("seed", range(SEEDS_IN_TEST))
@pytest.mark.parametrize("name", EVERY_FLOW)
def test_kernel_and_reference_agree(name: str, seed: int) -> None:
    expected, got = agree(FLOWS[name](seed), COMMANDS_IN_TEST // len(FLOWS) // SEEDS_IN_TEST + 1)
    assert got == expected


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1000, 1000 + SEEDS_IN_SOAK))
@pytest.mark.parametrize("name", EVERY_FLOW)
def test_kernel_and_reference_agree_for_long(name: str, seed: int) -> None:
    commands = COMMANDS_IN_SOAK // len(FLOWS) // SEEDS_IN_SOAK + 1
    expected, got = agree(FLOWS[name](seed), commands, steps_between_swaps=997)
    assert got == expected


@pytest.mark.parametrize("name", EVERY_FLOW)
def test_state_survives_snapshot_and_restore_at_any_point(name: str) -> None:
    expected, got = agree(FLOWS[name](77), 1500, steps_between_swaps=7)
    assert got == expected


def one_by_one(step: Step) -> Iterable[Step]:
    """Yield the commands of a step singly."""
    return [step] if isinstance(step, Control) else (step[i : i + 1] for i in range(len(step)))


def merged(steps: Iterable[Step]) -> Iterable[Step]:
    """Yield the same steps with all commands between two control operations in one batch."""
    batch: list[Records] = []
    for step in steps:
        if not isinstance(step, Control):
            batch.append(step)
            continue
        if batch:
            yield np.concatenate(batch)
        batch = []
        yield step
    if batch:
        yield np.concatenate(batch)


@pytest.mark.parametrize("name", EVERY_FLOW)
def test_nothing_depends_on_how_a_stream_is_cut(name: str) -> None:
    script = record(FLOWS[name](5), ReferenceEngine(FLOWS[name](5).shape.limits), 3000)
    expected = np.concatenate(script.events).tobytes()
    singly = [single for step in script.steps for single in one_by_one(step)]
    for steps in (singly, list(merged(script.steps))):
        engine = Engine(script.limits)
        events = np.concatenate([perform(engine, step) for step in steps])
        assert events.tobytes() == expected
        assert engine.state_hash() == script.state_hash


def test_the_largest_numbers_agree() -> None:
    """Clauses 3.10, 3.11 (5), 3.37: orders of 2^20 lots at the highest prices until every bound is met."""
    pair = Pair(EngineLimits(max_instruments=1, max_accounts=4, max_orders=3000, max_levels=1001))
    high, most_lots, near_limit = (1 << 24) - 1, 1 << 20, (1 << 30) - 1
    spec = InstrumentSpec(high - 1000, high, high - 500, multiplier=100)
    margin_fen = (1 << 31) - 1
    controls = [("add_instrument", 0, spec), ("set_margins", 0, margin_fen, margin_fen)]
    controls += [("set_account", account, AccountSpec(equity_fen=1 << 62)) for account in range(4)]
    controls += [("set_position", account, 0, -near_limit) for account in range(3)]
    controls += [("set_phase", 0, Phase.CONTINUOUS)]
    for seq, (name, *arguments) in enumerate(controls, 1):
        pair.do(Control(name, tuple(arguments), seq))
    buys = [
        new_order(account=i % 3, instrument=0, side=Side.BUY, quantity=most_lots, price=high)
        for i in range(2200)
    ]
    ioc = TimeInForce.IOC
    sells = [
        new_order(account=3, instrument=0, side=Side.SELL, quantity=most_lots, price=high, tif=ioc)
        for _ in range(1100)
    ]
    resting = pair.do(np.concatenate(buys))
    assert resting["quantity"].max() == (1 << 31) - 1  # as LEVEL shows more than that
    taking = pair.do(np.concatenate(sells))
    assert RejectCode.POSITION_LIMIT in taking["code"][taking["kind"] == EventKind.REJECTED]
    assert pair.reference.position(3, 0) < -(near_limit - most_lots)
    pair.verify()


def digest_of_kernel(name: str, commands: int) -> str:
    """Return a digest of all events of a flow on the kernel, and of its last state."""
    flow = FLOWS[name](11)
    script = record(flow, Engine(flow.shape.limits), commands)
    digest = hashlib.sha256(script.state_hash)
    for events in script.events:
        digest.update(events.tobytes())
    return digest.hexdigest()


def test_events_are_the_same_with_the_compiler_off(root: Path) -> None:
    code = (
        "from tests.matching.test_differential import EVERY_FLOW, digest_of_kernel\n"
        "for name in EVERY_FLOW: print(name, digest_of_kernel(name, 250))"
    )
    interpreted = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    compiled = [f"{name} {digest_of_kernel(name, 250)}" for name in EVERY_FLOW]
    assert interpreted.stdout.split("\n")[:-1] == compiled


@pytest.mark.soak
def test_planted_bugs_are_noticed(root: Path) -> None:
    campaign = [sys.executable, "-m", "tests.matching.mutations", "--sample", "400", "--least", "0.9"]
    done = subprocess.run(campaign, cwd=root, capture_output=True, text=True)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


prices = st.integers(93, 107)
accounts = st.integers(0, 3)
instruments = st.integers(0, 1)
order_numbers = st.integers(0, 200)
sides = st.sampled_from((Side.BUY, Side.SELL))
PLAIN = 6
"""How often an attribute is the plain one rather than any of the others."""


def mostly(plain: int, *others: int) -> st.SearchStrategy[int]:
    """Return a strategy for the plain value, or seldom one of the others."""
    return st.sampled_from([plain] * PLAIN + [int(other) for other in others])


new_orders = st.fixed_dictionaries(
    {
        "account": accounts,
        "instrument": instruments,
        "side": sides,
        "type": mostly(OrderType.LIMIT, *OrderType),
        "tif": mostly(TimeInForce.DAY, *TimeInForce),
        "stp": mostly(StpMode.NONE, *StpMode),
        "flags": mostly(OrderFlag.NONE, *OrderFlag),
        "price": prices,
        "trigger": prices,
        "quantity": st.integers(1, 12),
        "display": mostly(0, 1, 2, 3),
        "min_quantity": mostly(0, 1, 2),
        "group": st.integers(1, 2),
        "expiry_day": st.integers(0, 3),
    }
)


def mended(columns: dict[str, int]) -> dict[str, int]:
    """Return the columns of a NEW command without what its type can't have."""
    order_type = columns["type"]
    priced = order_type in (OrderType.LIMIT, OrderType.STOP_LIMIT)
    stop = order_type in (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP)
    away = {} if priced else {"price": 0, "display": 0}
    if order_type == OrderType.TRAILING_STOP:
        away["trigger"] = columns["trigger"] - 92
    if stop:
        away |= {"min_quantity": 0, "tif": min(columns["tif"], TimeInForce.GTD)}
    return {"kind": CommandKind.NEW} | columns | away


class EveryFeature(RuleBasedStateMachine):
    """Hypothesis chooses the commands, so that a failure shrinks to the shortest sequence."""

    @initialize(band=st.sampled_from((0, 3)), phase=st.sampled_from((Phase.OPENING_CALL, Phase.CONTINUOUS)))
    def open_market(self, band: int, phase: Phase) -> None:
        small = {"max_instruments": 2, "max_accounts": 4, "max_levels": 32, "max_holdings": 8}
        self.pair = Pair(EngineLimits(max_orders=60, max_refreshes=40, **small))
        self.seq = 0
        self.owners: dict[int, int] = {}
        terms = InstrumentSpec(94, 106, 100, hub=1, band_ticks=band, position_limit=60, margin_long_fen=9)
        for index in range(2):
            self.control("add_instrument", index, terms)
        for account, equity_fen in enumerate((10**9, 10**9, 10**9, 400)):
            self.control("set_account", account, AccountSpec(equity_fen=equity_fen, max_orders_per_second=50))
        self.control("set_phase", (0, 1), phase)

    def control(self, name: str, *arguments: Any) -> None:
        self.seq += 1
        self.pair.do(Control(name, arguments, self.seq))

    def send(self, **columns: int) -> None:
        self.seq += 1
        command = np.zeros(1, COMMAND)
        command["seq"], command["time_ns"] = self.seq, self.seq * 10_000_000
        for name, value in columns.items():
            command[name] = value
        events = self.pair.do(command)
        accepted = events[events["kind"] == EventKind.ACCEPTED]
        self.owners |= dict(zip(accepted["order_id"].tolist(), accepted["account"].tolist(), strict=True))

    def order(self, number: int) -> dict[str, int]:
        """Return id and account of an order that was accepted once, counted from the latest."""
        ids = list(self.owners)
        order_id = ids[-1 - number % len(ids)] if ids else 1
        return {"order_id": order_id, "account": self.owners.get(order_id, 0)}

    @rule(columns=new_orders)
    def new_order(self, columns: dict[str, int]) -> None:
        self.send(**mended(columns))

    @rule(account=accounts, instrument=instruments, side=sides, price=prices, quantity=st.integers(1, 9))
    def plain_order(self, **columns: int) -> None:
        self.send(kind=CommandKind.NEW, **columns)

    @rule(number=order_numbers)
    def cancel(self, number: int) -> None:
        self.send(kind=CommandKind.CANCEL, **self.order(number))

    @rule(
        number=order_numbers,
        quantity=st.integers(0, 14),
        price=st.just(0) | prices,
        trigger=mostly(0, 97, 99, 101, 103),
    )
    def amend(self, number: int, **terms: int) -> None:
        self.send(kind=CommandKind.AMEND, **self.order(number), **terms)

    @rule(
        account=accounts,
        instrument=st.sampled_from((ANY_INSTRUMENT, 0, 1)),
        side=st.sampled_from(Side),
        group=st.integers(0, 2),
        hub=st.sampled_from((ANY_HUB, 0, 1)),
    )
    def mass_cancel(self, **filters: int) -> None:
        self.send(kind=CommandKind.MASS_CANCEL, **filters)

    @rule(instrument=instruments)
    def indicative(self, instrument: int) -> None:
        self.send(kind=CommandKind.INDICATIVE, instrument=instrument)

    @rule(instrument=instruments, phase=st.sampled_from([*Phase, Phase.CONTINUOUS, Phase.CONTINUOUS]))
    def move_to_phase(self, instrument: int, phase: Phase) -> None:
        self.control("set_phase", instrument, phase)

    @rule(instrument=instruments, low=st.integers(90, 98), high=st.integers(102, 110))
    def rebase(self, instrument: int, low: int, high: int) -> None:
        self.control("rebase", instrument, low, high, (low + high) // 2)

    @rule(account=accounts, equity_fen=st.sampled_from((-100, 300, 10**9)), most=st.sampled_from((0, 0, 3)))
    def set_account(self, account: int, equity_fen: int, most: int) -> None:
        self.control("set_account", account, AccountSpec(equity_fen=equity_fen, max_open_orders=most))

    @rule(account=accounts, instrument=instruments, position=st.integers(-8, 8))
    def set_position(self, account: int, instrument: int, position: int) -> None:
        self.control("set_position", account, instrument, position)

    @rule(account=accounts)
    def kill_account(self, account: int) -> None:
        self.control("kill_account", account)

    @rule(cancel_orders=st.booleans())
    def kill_market(self, cancel_orders: bool) -> None:
        self.control("kill_market", cancel_orders)

    @rule(day=st.integers(1, 3))
    def end_of_day(self, day: int) -> None:
        self.control("end_of_day", day)

    @rule(instrument=instruments)
    def relist(self, instrument: int) -> None:
        self.control("remove_instrument", instrument)
        self.control("add_instrument", instrument, InstrumentSpec(94, 106, 100, margin_long_fen=5))

    @rule()
    def swap_states(self) -> None:
        self.pair.swap_states()

    @invariant()
    def same_state(self) -> None:
        if hasattr(self, "pair"):
            self.pair.verify()


TestEveryFeature = EveryFeature.TestCase
TestEveryFeature.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
