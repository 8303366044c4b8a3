"""Seeded streams of commands and control operations in seven shapes, for comparing one engine with another.

A flow proposes steps and watches the events they cause, so that its cancels and amendments name orders that
exist (or have just ceased to). ``record`` turns a flow into a script that can be replayed against any engine.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum, IntFlag
from typing import Any

import numpy as np

from matching.api import MatchingEngine
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
    Side,
    StpMode,
    TimeInForce,
)
from matching.reference.entry import Command, forbidden_combination
from matching.spec import AccountSpec, EngineLimits, InstrumentSpec

COLUMNS = dict.fromkeys(COMMAND.names or (), 0)
PLENTY_FEN = 10**12
START_NS = 1_700_000_000 * 1_000_000_000
BATCHES = (1, 1, 2, 5, 20, 60)
SHORT_BATCHES = (1, 1, 1, 2, 5, 12)
REMEMBERED_DEAD = 50
REDRAWS = 3
"""How often a forbidden combination is drawn anew before it is sent all the same."""

Weights = dict[Any, int]


@dataclass(frozen=True)
class Control:
    """A control operation: a method of the engine with its arguments."""

    name: str
    arguments: tuple[Any, ...]
    seq: int


Step = Records | Control


def perform(engine: MatchingEngine, step: Step) -> Records:
    """Give an engine one step and return a copy of the events."""
    if not isinstance(step, Control):
        return engine.apply(step).copy()
    if step.name == "kill_market":
        return engine.kill_market(cancel_orders=step.arguments[0], seq=step.seq).copy()
    return getattr(engine, step.name)(*step.arguments, seq=step.seq).copy()


def weights(kind: type[IntEnum] | type[IntFlag] | type[str], words: str) -> Weights:
    """Return the weights that a line like "LIMIT 9 MARKET 1" names."""
    pairs = words.split()
    names = [name if issubclass(kind, str) else kind[name] for name in pairs[::2]]
    return dict(zip(names, map(int, pairs[1::2]), strict=True))


def exponential(rng: random.Random) -> int:
    """Distance from the mid in ticks: mostly small, sometimes crossing."""
    return int(rng.expovariate(0.4)) - 1


def slow_walk(rng: random.Random, tick: int) -> int:
    """Step of the mid in ticks: a slow random walk."""
    del tick
    return rng.choice((-1, 0, 0, 0, 0, 0, 1))


@dataclass
class Shape:
    """What a flow is like: weights of what it draws, and the market in which it trades."""

    specs: Sequence[InstrumentSpec]
    accounts: Sequence[AccountSpec]
    limits: EngineLimits
    kinds: Weights
    types: Weights
    tifs: Weights
    stps: Weights = field(default_factory=lambda: {StpMode.NONE: 1})
    flags: Weights = field(default_factory=lambda: {OrderFlag.NONE: 1})
    phases: Weights = field(default_factory=dict)
    controls: Weights = field(default_factory=dict)
    control_share: float = 0.0
    batches: Sequence[int] = BATCHES
    iceberg_share: float = 0.0
    minimum_share: float = 0.0
    spoiled_share: float = 0.0
    most_lots: int = 20
    depth: Callable[[random.Random], int] = exponential
    walk: Callable[[random.Random, int], int] = slow_walk
    few_orders: int = 30
    """With fewer open orders than this, most cancels give way to new orders."""
    pause_ns: int = 20_000_000
    first_phase: Phase = Phase.CONTINUOUS


class Flow:
    """One seeded stream: ``setup()`` first, then ``step()`` and ``observe()`` in turn."""

    def __init__(self, shape: Shape, seed: int) -> None:
        self.shape = shape
        self.rng = random.Random(seed)
        self.seq = self.tick = self.day = 0
        self.time_ns = START_NS
        self.specs = list(shape.specs)
        self.mids = [spec.reference_price for spec in shape.specs]
        self.live: dict[int, tuple[int, int]] = {}
        """Account and instrument of each open order."""
        self.ids: list[int] = []
        """Every open order, and some that have ended."""
        self.dead: deque[tuple[int, int]] = deque(maxlen=REMEMBERED_DEAD)
        self.broken: dict[tuple[str, int], None] = {}
        """Instruments that are missing or don't trade, accounts that are disabled: what "repair" mends."""

    def setup(self) -> Iterator[Step]:
        """Yield the steps that list instruments, set up accounts and open the market."""
        for index, spec in enumerate(self.specs):
            yield self.control("add_instrument", index, spec)
        for index, account in enumerate(self.shape.accounts):
            yield self.control("set_account", index, account)
        yield self.control("set_phase", tuple(range(len(self.specs))), self.shape.first_phase)

    def control(self, name: str, *arguments: Any) -> Control:
        """Return a control operation with the next number."""
        self.seq += 1
        return Control(name, arguments, self.seq)

    def step(self) -> Step:
        """Return the next step: a control operation, or a batch of commands."""
        if self.rng.random() < self.shape.control_share:
            return CONTROLS[self.draw(self.shape.controls)](self)
        return np.array([self.command() for _ in range(self.rng.choice(self.shape.batches))], COMMAND)

    def draw(self, choices: Weights) -> Any:
        """Draw one of the choices by weight."""
        return self.rng.choices(list(choices), list(choices.values()))[0]

    def command(self) -> tuple[int, ...]:
        """Return the columns of the next command; the clock and the mid of its instrument have moved on."""
        self.seq += 1
        self.tick += 1
        self.time_ns += self.rng.randrange(self.shape.pause_ns)
        index = self.rng.randrange(len(self.mids))
        spec = self.specs[index]
        mid = self.mids[index] + self.shape.walk(self.rng, self.tick)
        self.mids[index] = min(max(mid, spec.price_low), spec.price_high)
        columns = COLUMNS | COMMANDS[self.command_kind()](self, index)
        if self.rng.random() < self.shape.spoiled_share:
            spoilt = self.rng.choice(SPOILABLE)
            columns[spoilt] = self.rng.choice(spoilers(spoilt))
        columns["seq"], columns["time_ns"] = self.seq, self.time_ns
        return tuple(columns.values())

    def command_kind(self) -> str:
        """Draw the kind of the next command."""
        kind: str = self.draw(self.shape.kinds)
        scarce = len(self.live) < self.shape.few_orders and self.rng.random() < 0.7
        return "new" if kind in ("cancel", "mass") and scarce else kind

    def account(self) -> int:
        """Draw an account."""
        return self.rng.randrange(len(self.shape.accounts))

    def some_order(self) -> tuple[int, int]:
        """Return id and account of an order: mostly open, seldom ended, never there or somebody else's."""
        chance = self.rng.random()
        if chance < 0.03 and self.dead:
            return self.rng.choice(self.dead)
        order_id = self.some_live_id()
        if chance < 0.05 or not order_id:
            return self.rng.randrange(1 << 34), self.account()
        if chance < 0.06:
            return order_id, self.account()
        return order_id, self.live[order_id][0]

    def some_live_id(self) -> int:
        """Return the id of an open order, 0 if there is none."""
        while self.ids:
            position = self.rng.randrange(len(self.ids))
            order_id = self.ids[position]
            if order_id in self.live:
                return order_id
            self.ids[position] = self.ids[-1]
            self.ids.pop()
        return 0

    def observe(self, events: Records) -> None:
        """Learn from the events which orders are open and what is broken."""
        for event in events.tolist():
            _, order_id, contra_id, _, _, _, left, contra_left, account, _, instrument, kind, _, code, _ = (
                event
            )
            if kind == EventKind.ACCEPTED:
                self.live[order_id] = account, instrument
                self.ids.append(order_id)
            elif kind in (EventKind.CANCELLED, EventKind.TRADE) and left == 0:
                self.bury(order_id)
            if kind == EventKind.TRADE and contra_left == 0:
                self.bury(contra_id)
            if kind == EventKind.PHASE:
                self.note("set_phase", instrument, broken=code != Phase.CONTINUOUS)
            if kind == EventKind.ACCOUNT:
                self.note("set_account", account, broken=not code)
            if kind == EventKind.INSTRUMENT:
                self.learn_terms(event)

    def bury(self, order_id: int) -> None:
        """An order has ended."""
        if order_id in self.live:
            self.dead.append((order_id, self.live.pop(order_id)[0]))

    def note(self, what: str, index: int, *, broken: bool) -> None:
        """Remember what "repair" must mend."""
        self.broken.pop((what, index), None)
        if broken:
            self.broken[what, index] = None

    def learn_terms(self, event: tuple[int, ...]) -> None:
        """An instrument was listed, re-based or removed; one beyond the flow's own is left to itself."""
        _, _, _, _, reference, low, high, *_, index, _, _, code, _ = event
        if index >= len(self.specs):
            return
        self.note("add_instrument", index, broken=code == 0)
        self.note("set_phase", index, broken=code == 1)
        self.specs[index] = replace(
            self.specs[index], price_low=low, price_high=high, reference_price=reference
        )


SPOILABLE = [name for name in COLUMNS if name not in ("seq", "time_ns", "client_id")]
SPOILERS = (0, 1, 2, 3, 4, 5, 6, 7, 9, 100)


def spoilers(column: str) -> list[int]:
    """Return what may be put into a column at random: small numbers, and the first and last of its type."""
    bounds = np.iinfo(COMMAND[column])
    last = int(bounds.max)
    return [*SPOILERS, *SPOILERS, int(bounds.min), last, last - 1, -1 if bounds.min else last]


def new_columns(flow: Flow, index: int) -> dict[str, Any]:
    """Draw a NEW command, seldom one whose combination is forbidden."""
    for _ in range(REDRAWS):
        columns = any_new_columns(flow, index)
        if not forbidden_combination(Command(*(COLUMNS | columns).values())):
            break
    return columns


def any_new_columns(flow: Flow, index: int) -> dict[str, Any]:
    """Draw a NEW command near the mid."""
    rng, shape = flow.rng, flow.shape
    side = Side(rng.randrange(2))
    order_type = flow.draw(shape.types)
    quantity = rng.randint(1, shape.most_lots)
    away = shape.depth(rng)
    mid = flow.mids[index]
    near = mid - away if side == Side.BUY else mid + away
    columns: dict[str, Any] = {
        "kind": CommandKind.NEW,
        "account": flow.account(),
        "instrument": index,
        "side": side,
        "type": order_type,
        "tif": flow.draw(shape.tifs),
        "flags": flow.draw(shape.flags),
        "stp": flow.draw(shape.stps),
        "quantity": quantity,
        "client_id": rng.getrandbits(64) if flow.seq % 8 == 0 else flow.seq,
        "group": rng.randrange(4),
    }
    if order_type in (OrderType.LIMIT, OrderType.STOP_LIMIT):
        columns["price"] = near
    if order_type in (OrderType.STOP, OrderType.STOP_LIMIT):
        columns["trigger"] = mid + rng.randint(-1, 6) * (1 if side == Side.BUY else -1)
    if order_type == OrderType.TRAILING_STOP:
        columns["trigger"] = rng.randint(0, 8)
    if columns["tif"] == TimeInForce.GTD:
        columns["expiry_day"] = flow.day + rng.randint(0, 3)
    if rng.random() < shape.iceberg_share:
        columns["display"] = rng.randint(1, quantity)
    if rng.random() < shape.minimum_share:
        columns["min_quantity"] = rng.randint(1, quantity)
    return columns


def cancel_columns(flow: Flow, index: int) -> dict[str, Any]:
    """Draw a CANCEL."""
    order_id, account = flow.some_order()
    return {"kind": CommandKind.CANCEL, "order_id": order_id, "account": account, "instrument": index}


def amend_columns(flow: Flow, index: int) -> dict[str, Any]:
    """Draw an AMEND of quantity, price, trigger or several of them."""
    rng = flow.rng
    order_id, account = flow.some_order()
    columns: dict[str, Any] = {"kind": CommandKind.AMEND, "order_id": order_id, "account": account}
    what = rng.randrange(8)
    if what in (0, 1, 2, 5, 7):
        columns["quantity"] = rng.randint(1, flow.shape.most_lots)
    if what in (3, 4, 5):
        columns["price"] = flow.mids[flow.live.get(order_id, (0, index))[1] % len(flow.mids)] + rng.randint(
            -4, 4
        )
    if what == 6:
        columns["trigger"] = flow.mids[index % len(flow.mids)] + rng.randint(-4, 4)
    return columns


def mass_cancel_columns(flow: Flow, index: int) -> dict[str, Any]:
    """Draw a MASS_CANCEL with some of its filters."""
    rng = flow.rng
    return {
        "kind": CommandKind.MASS_CANCEL,
        "account": flow.account(),
        "instrument": rng.choice((ANY_INSTRUMENT, index)),
        "hub": rng.choice((ANY_HUB, ANY_HUB, flow.specs[index].hub)),
        "side": rng.choice((Side.ANY, Side.ANY, Side.BUY, Side.SELL)),
        "group": rng.choice((0, 0, 1, 2)),
    }


def indicative_columns(flow: Flow, index: int) -> dict[str, Any]:
    """Ask for the indicative price."""
    del flow
    return {"kind": CommandKind.INDICATIVE, "instrument": index}


COMMANDS: dict[str, Callable[[Flow, int], dict[str, Any]]] = {
    "new": new_columns,
    "cancel": cancel_columns,
    "amend": amend_columns,
    "mass": mass_cancel_columns,
    "indicative": indicative_columns,
}


def any_index(flow: Flow) -> int:
    return flow.rng.randrange(len(flow.specs) + (flow.rng.random() < 0.05))


def phase_step(flow: Flow) -> Control:
    """Move one or several instruments to another phase."""
    count = flow.rng.choice((1, 1, 2))
    return flow.control(
        "set_phase", tuple(any_index(flow) for _ in range(count)), flow.draw(flow.shape.phases)
    )


def rebase_step(flow: Flow) -> Control:
    """Move the limits, seldom to something that can't be."""
    index = flow.rng.randrange(len(flow.specs))
    spec = flow.specs[index]
    shift = flow.rng.randint(-6, 6)
    low, high = max(1, spec.price_low + shift), spec.price_high + shift + flow.rng.randint(-3, 3)
    reference = flow.rng.randint(min(low, high), high) if high >= low else low
    if flow.rng.random() < 0.1:
        low, high = high, low
    return flow.control("rebase", index, low, high, reference)


def margins_step(flow: Flow) -> Control:
    return flow.control("set_margins", any_index(flow), flow.rng.randint(-1, 3000), flow.rng.randint(0, 3000))


def limit_step(flow: Flow) -> Control:
    return flow.control("set_position_limit", any_index(flow), flow.rng.randint(-1, 80))


def account_step(flow: Flow) -> Control:
    """Set an account's terms anew, from those of the shape."""
    index = flow.rng.randrange(len(flow.shape.accounts) + 1)
    return flow.control("set_account", index, flow.rng.choice(list(flow.shape.accounts)))


def equity_step(flow: Flow) -> Control:
    return flow.control("adjust_equity", flow.account(), flow.rng.randint(-50_000, 60_000))


def offset_step(flow: Flow) -> Control:
    return flow.control("set_offset", flow.account(), flow.rng.randint(-5_000, 20_000))


def position_step(flow: Flow) -> Control:
    return flow.control("set_position", flow.account(), any_index(flow), flow.rng.randint(-15, 15))


def kill_account_step(flow: Flow) -> Control:
    return flow.control("kill_account", flow.rng.randrange(len(flow.shape.accounts) + 1))


def kill_market_step(flow: Flow) -> Control:
    """Halt everything, sometimes cancelling every order."""
    return flow.control("kill_market", flow.rng.random() < 0.5)


def end_of_day_step(flow: Flow) -> Control:
    flow.day += 1
    return flow.control("end_of_day", flow.day)


def remove_step(flow: Flow) -> Control:
    return flow.control("remove_instrument", any_index(flow))


def add_step(flow: Flow) -> Control:
    """List an instrument again, or try to."""
    index = any_index(flow)
    return flow.control("add_instrument", index, flow.rng.choice(list(flow.shape.specs)))


def repair_step(flow: Flow) -> Control:
    """List what is missing, open what doesn't trade, enable who is disabled: the latest damage first."""
    if not flow.broken:
        return phase_step(flow)
    what, index = next(reversed(flow.broken))
    if what == "add_instrument":
        return flow.control(what, index, flow.shape.specs[index])
    if what == "set_phase":
        return flow.control(what, index, Phase.CONTINUOUS)
    flow.note(what, index, broken=False)
    return flow.control(what, index, flow.shape.accounts[index % len(flow.shape.accounts)])


CONTROLS: dict[str, Callable[[Flow], Control]] = {
    "phase": phase_step,
    "repair": repair_step,
    "rebase": rebase_step,
    "margins": margins_step,
    "limit": limit_step,
    "account": account_step,
    "equity": equity_step,
    "offset": offset_step,
    "position": position_step,
    "kill_account": kill_account_step,
    "kill_market": kill_market_step,
    "end_of_day": end_of_day_step,
    "remove": remove_step,
    "add": add_step,
}


def calm(seed: int) -> Flow:
    """Two-sided flow around a mid that walks slowly: limit, market, market-to-limit, IOC, FOK, amendments."""
    terms = InstrumentSpec(900, 1100, 1000, margin_long_fen=50, margin_short_fen=60)
    shape = Shape(
        specs=[replace(terms, hub=hub) for hub in range(3)],
        accounts=[AccountSpec(equity_fen=PLENTY_FEN)] * 20,
        limits=EngineLimits(max_instruments=8, max_accounts=64, max_orders=4000, max_levels=300),
        kinds=weights(str, "new 50 cancel 35 amend 15"),
        types=weights(OrderType, "LIMIT 20 MARKET 1 MARKET_TO_LIMIT 1"),
        tifs=weights(TimeInForce, "DAY 8 GTC 3 IOC 2 FOK 1 GTD 1"),
        flags=weights(OrderFlag, "NONE 10 POST_ONLY 1 POST_ONLY_SLIDE 1"),
        minimum_share=0.03,
        few_orders=150,
    )
    return Flow(shape, seed)


def crashing_walk(rng: random.Random, tick: int) -> int:
    """Step of the mid in ticks: a random walk, with a flash crash and its recovery every 4,000 commands."""
    if tick % 4000 > 3800:
        return -40 if tick % 4000 <= 3900 else 39
    return rng.choice((-1, 0, 0, 0, 1))


def board(seed: int) -> Flow:
    """Cancel-heavy like the public board's: mostly cancels, IOC, power-law depth, flash crashes."""
    shape = Shape(
        specs=[InstrumentSpec(1, 20_000, 10_000)],
        accounts=[AccountSpec(equity_fen=PLENTY_FEN)] * 50,
        limits=EngineLimits(max_instruments=2, max_accounts=64, max_orders=4000, max_levels=20_000),
        kinds=weights(str, "new 45 cancel 42 amend 13"),
        types={OrderType.LIMIT: 1},
        tifs=weights(TimeInForce, "DAY 85 IOC 15"),
        depth=lambda rng: min(int(rng.paretovariate(0.6)) - 1, 9000),
        walk=crashing_walk,
        few_orders=400,
    )
    return Flow(shape, seed)


def auctions(seed: int) -> Flow:
    """Phases come and go: at-open and at-close orders, market orders in calls, indicatives, day ends."""
    shape = Shape(
        specs=[InstrumentSpec(80, 120, 100, hub=hub, band_ticks=band) for hub, band in enumerate((0, 3, 8))],
        accounts=[AccountSpec(equity_fen=PLENTY_FEN)] * 6,
        limits=EngineLimits(max_instruments=8, max_accounts=64, max_orders=1000, max_levels=64),
        kinds=weights(str, "new 75 cancel 10 amend 10 indicative 5"),
        types=weights(OrderType, "LIMIT 14 MARKET 3 MARKET_TO_LIMIT 3 STOP 1 STOP_LIMIT 1 TRAILING_STOP 1"),
        tifs=weights(TimeInForce, "DAY 6 GTC 3 GTD 2 AT_OPEN 3 AT_CLOSE 3 IOC 1"),
        flags=weights(OrderFlag, "NONE 20 POST_ONLY 1"),
        stps=weights(StpMode, "NONE 1 CANCEL_BOTH 1"),
        phases=weights(
            Phase, "OPENING_CALL 5 CONTINUOUS 6 VOLATILITY_CALL 3 CLOSING_CALL 4 CLOSED 2 HALTED 1"
        )
        | {9: 1},
        controls=weights(str, "phase 20 end_of_day 1 rebase 1 repair 10"),
        control_share=0.15,
        batches=SHORT_BATCHES,
        iceberg_share=0.25,
        most_lots=5,
        first_phase=Phase.OPENING_CALL,
        depth=lambda rng: rng.randint(-4, 5),
    )
    return Flow(shape, seed)


def tangle(seed: int) -> Flow:
    """Stops of all types, icebergs, self-trade prevention, reduce-only among four accounts at few prices."""
    shape = Shape(
        specs=[InstrumentSpec(85, 115, 100, band_ticks=6), InstrumentSpec(85, 115, 100)],
        accounts=[AccountSpec(equity_fen=PLENTY_FEN)] * 4,
        limits=EngineLimits(max_instruments=8, max_accounts=64, max_orders=1000, max_levels=64),
        kinds=weights(str, "new 75 cancel 10 amend 15"),
        types=weights(OrderType, "LIMIT 16 MARKET 3 MARKET_TO_LIMIT 1 STOP 3 STOP_LIMIT 4 TRAILING_STOP 4"),
        tifs=weights(TimeInForce, "DAY 8 GTC 4 IOC 2 FOK 2"),
        flags=weights(OrderFlag, "NONE 12 REDUCE_ONLY 5 POST_ONLY 1 POST_ONLY_SLIDE 2"),
        stps=dict.fromkeys(StpMode, 1),
        phases=weights(Phase, "CONTINUOUS 6 VOLATILITY_CALL 1 HALTED 1"),
        controls=weights(str, "phase 1 position 1 repair 3"),
        control_share=0.1,
        iceberg_share=0.3,
        minimum_share=0.05,
        few_orders=50,
        depth=lambda rng: rng.randint(-3, 4),
    )
    return Flow(shape, seed)


def boundary(seed: int) -> Flow:
    """Everything at its limit: risk, bounds, re-bases, halts, kill switches, mass cancels, removals."""
    wide = InstrumentSpec(90, 112, 101, hub=2, multiplier=2, position_limit=60)
    tight = InstrumentSpec(
        95, 105, 100, hub=1, multiplier=3, max_order_size=15, position_limit=25, margin_long_fen=700
    )
    shape = Shape(
        specs=[
            replace(tight, margin_short_fen=900),
            wide,
            replace(wide, band_ticks=4, margin_long_fen=500, margin_short_fen=400),
        ],
        accounts=[
            AccountSpec(equity_fen=40_000),
            AccountSpec(equity_fen=8_000, offset_fen=2_000, max_open_orders=4),
            AccountSpec(equity_fen=60_000, max_order_notional_fen=3_000),
            AccountSpec(equity_fen=PLENTY_FEN, max_orders_per_second=3),
            AccountSpec(equity_fen=PLENTY_FEN, max_open_orders=9),
            AccountSpec(equity_fen=PLENTY_FEN),
            AccountSpec(equity_fen=-500),
        ],
        limits=EngineLimits(
            max_instruments=3, max_accounts=7, max_orders=24, max_levels=24, max_holdings=16, max_refreshes=20
        ),
        kinds=weights(str, "new 75 cancel 8 amend 15 mass 2"),
        types=weights(OrderType, "LIMIT 14 MARKET 2 MARKET_TO_LIMIT 1 STOP 1 STOP_LIMIT 1 TRAILING_STOP 1"),
        tifs=weights(TimeInForce, "DAY 6 GTC 4 GTD 2 IOC 1 FOK 1 AT_CLOSE 1"),
        flags=weights(OrderFlag, "NONE 12 REDUCE_ONLY 2 POST_ONLY_SLIDE 1"),
        stps=weights(StpMode, "NONE 3 DECREMENT 1 CANCEL_RESTING 1"),
        phases=weights(Phase, "CONTINUOUS 12 HALTED 1 CLOSED 1 CLOSING_CALL 2"),
        controls=weights(
            str,
            "phase 4 repair 24 rebase 3 margins 2 limit 1 account 2 equity 3 offset 3 position 3 "
            "kill_account 1 kill_market 1 end_of_day 1 remove 1 add 1",
        ),
        control_share=0.25,
        batches=SHORT_BATCHES,
        iceberg_share=0.25,
        pause_ns=300_000_000,
        few_orders=18,
        depth=lambda rng: rng.randint(-2, 6),
    )
    return Flow(shape, seed)


def chaos(seed: int) -> Flow:
    """Everything at once, and columns spoiled at random."""
    terms = InstrumentSpec(85, 115, 100, margin_long_fen=90, margin_short_fen=110)
    shape = Shape(
        specs=[terms, replace(terms, hub=1, band_ticks=5, position_limit=90), replace(terms, hub=1)],
        accounts=[AccountSpec(equity_fen=PLENTY_FEN), AccountSpec(equity_fen=30_000, max_open_orders=20)]
        + [AccountSpec(equity_fen=fen) for fen in (9_000, PLENTY_FEN, 90_000)],
        limits=EngineLimits(
            max_instruments=4,
            max_accounts=12,
            max_orders=300,
            max_levels=60,
            max_holdings=40,
            max_refreshes=300,
        ),
        kinds=weights(str, "new 70 cancel 10 amend 14 mass 3 indicative 4"),
        types=weights(OrderType, "LIMIT 16 MARKET 3 MARKET_TO_LIMIT 2 STOP 3 STOP_LIMIT 4 TRAILING_STOP 4"),
        tifs=dict.fromkeys(TimeInForce, 1) | {TimeInForce.DAY: 6},
        flags=weights(OrderFlag, "NONE 12 REDUCE_ONLY 2 POST_ONLY 1 POST_ONLY_SLIDE 2"),
        stps=dict.fromkeys(StpMode, 1),
        phases=dict.fromkeys(Phase, 2) | {Phase.CONTINUOUS: 8},
        controls=dict.fromkeys(CONTROLS, 1) | {"phase": 12, "repair": 30},
        control_share=0.2,
        batches=SHORT_BATCHES,
        iceberg_share=0.2,
        minimum_share=0.03,
        spoiled_share=0.05,
        few_orders=60,
        depth=lambda rng: rng.randint(-3, 5),
    )
    return Flow(shape, seed)


def listings(seed: int) -> Flow:
    """Instruments come and go, and with them the holdings of many accounts, close to the engine's bound."""
    terms = InstrumentSpec(95, 105, 100, margin_long_fen=3, margin_short_fen=4)
    shape = Shape(
        specs=[replace(terms, hub=index % 3, multiplier=index + 1) for index in range(8)],
        accounts=[AccountSpec(equity_fen=PLENTY_FEN)] * 40,
        limits=EngineLimits(
            max_instruments=8, max_accounts=40, max_orders=200, max_levels=20, max_holdings=120
        ),
        kinds=weights(str, "new 70 cancel 15 amend 10 mass 5"),
        types=weights(OrderType, "LIMIT 9 STOP 1 TRAILING_STOP 1"),
        tifs=weights(TimeInForce, "DAY 3 GTC 1 IOC 1"),
        phases=weights(Phase, "CONTINUOUS 1"),
        controls=weights(str, "position 12 remove 3 add 1 repair 9 margins 1 rebase 1"),
        control_share=0.4,
        batches=SHORT_BATCHES,
        few_orders=80,
    )
    return Flow(shape, seed)


FLOWS: dict[str, Callable[[int], Flow]] = {
    "calm": calm,
    "board": board,
    "auctions": auctions,
    "tangle": tangle,
    "boundary": boundary,
    "chaos": chaos,
    "listings": listings,
}


@dataclass(frozen=True)
class Script:
    """Steps with the events that the reference engine caused, and the hash of its state at the end."""

    limits: EngineLimits
    steps: list[Step]
    events: list[Records]
    state_hash: bytes

    @property
    def commands(self) -> int:
        """Number of commands and control operations."""
        return sum(1 if isinstance(step, Control) else len(step) for step in self.steps)


def record(flow: Flow, engine: MatchingEngine, commands: int) -> Script:
    """Run a flow on an engine of its limits until it has caused this many commands, and keep everything."""
    steps: list[Step] = []
    events: list[Records] = []
    for step in flow.setup():
        steps.append(step)
        events.append(perform(engine, step))
    while flow.seq < commands:
        step = flow.step()
        steps.append(step)
        events.append(perform(engine, step))
        flow.observe(events[-1])
    return Script(flow.shape.limits, steps, events, engine.state_hash())
