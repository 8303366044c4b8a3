"""Command streams for the matching benchmark, made with an engine at hand so that cancels name real order
ids.

A stream is drawn in rounds: adds and immediate orders are drawn freely, cancels and amendments pick among the
orders that were accepted in earlier rounds and not picked yet. Ids depend on nothing but the stream, so the
recorded commands can be replayed into any fresh engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.api import MatchingEngine
from matching.engine import Engine
from matching.records import COMMAND, CommandKind, EventKind, Phase, Records, Side, TimeInForce
from matching.spec import AccountSpec, EngineLimits, InstrumentSpec

ROUND = 4096
"""Commands of one round, and of one call in the timed replay."""


@dataclass(frozen=True)
class Stream:
    """A recorded stream: its engine's set-up and its commands; the first `warm` of them aren't timed."""

    name: str
    limits: EngineLimits
    spec: InstrumentSpec
    commands: Records
    warm: int

    def prepare(self, engine: MatchingEngine) -> None:
        """List the instruments, set up the accounts with every limit on, and open continuous trading."""
        for number in range(self.limits.max_instruments):
            engine.add_instrument(number, self.spec)
        account = AccountSpec(
            max_order_notional_fen=10**12,
            max_open_orders=1 << 20,
            max_orders_per_second=1 << 20,
            equity_fen=10**15,
        )
        for number in range(self.limits.max_accounts):
            engine.set_account(number, account)
        engine.set_phase(range(self.limits.max_instruments), Phase.CONTINUOUS)

    def engine(self) -> Engine:
        """Return a fresh engine, prepared."""
        engine = Engine(self.limits)
        self.prepare(engine)
        return engine


class Pool:
    """Orders that may still be picked for a cancel or an amendment."""

    def __init__(self) -> None:
        columns = [("id", "<i8"), ("account", "<i4"), ("price", "<i4"), ("quantity", "<i4"), ("buys", "?")]
        self.orders = np.zeros(0, columns)

    def add(self, accepted: Records) -> None:
        """Add the orders of ACCEPTED events."""
        fresh = np.zeros(len(accepted), self.orders.dtype)
        for name, column in (
            ("id", "order_id"),
            ("account", "account"),
            ("price", "price"),
            ("quantity", "quantity"),
        ):
            fresh[name] = accepted[column]
        fresh["buys"] = accepted["side"] == Side.BUY
        self.orders = np.concatenate([self.orders, fresh])

    def drop(self, ids: NDArray[Any]) -> None:
        """Forget orders that have traded out."""
        self.orders = self.orders[~np.isin(self.orders["id"], ids)]

    def take(self, picks: NDArray[Any]) -> Records:
        """Remove and return orders by place."""
        taken: Records = self.orders[picks]
        self.orders = np.delete(self.orders, picks)
        return taken


Draw = Callable[[np.random.Generator, int, int], Records]
"""(random, first place in the stream, commands) → a round of adds; cancels and amendments are marked by kind.
"""


Range = tuple[int, int]
"""Lowest and highest mid of a round, ticks."""


def record(
    name: str,
    limits: EngineLimits,
    spec: InstrumentSpec,
    draw: Draw,
    total: int,
    warm: int,
    *,
    size: int = ROUND,
    around: Callable[[int], Range] | None = None,
) -> Stream:
    """Draw a stream in rounds of `size` commands.

    With `around` (place of a round's first command → range of its mids) orders are pulled before the mid
    reaches them: the round before cancels those first, and amendments keep out of the range.
    """
    random = np.random.default_rng(7)
    stream = Stream(name, limits, spec, np.zeros(total, COMMAND), warm)
    engine, pool = stream.engine(), Pool()
    for start in range(0, total, size):
        commands = draw(random, start, min(size, total - start))
        if around is None:
            _name_orders(random, commands, pool, None)
        else:
            here, next_ = around(start), around(min(start + size, total - 1))
            _name_orders(random, commands, pool, (min(here[0], next_[0]), max(here[1], next_[1])))
        commands["seq"] = np.arange(start + 1, start + 1 + len(commands))
        commands["time_ns"] = commands["seq"] * 50_000
        stream.commands[start : start + len(commands)] = commands
        events = engine.apply(commands)
        accepted = events[events["kind"] == EventKind.ACCEPTED]
        immediate = np.isin(accepted["seq"], commands["seq"][commands["tif"] == TimeInForce.IOC])
        pool.add(accepted[~immediate])
        pool.drop(
            events[(events["kind"] == EventKind.TRADE) & (events["contra_remaining"] == 0)]["contra_id"]
        )
        pool.drop(events[(events["kind"] == EventKind.TRADE) & (events["remaining"] == 0)]["order_id"])
    engine.check()
    return stream


def _name_orders(random: np.random.Generator, commands: Records, pool: Pool, around: Range | None) -> None:
    """Let cancels and amendments name orders of the pool, cancels those in danger first; without an order
    they become adds.
    """
    places = np.flatnonzero(commands["kind"] != CommandKind.NEW)
    places = places[np.argsort(commands["kind"][places] == CommandKind.AMEND, kind="stable")]
    count = min(len(places), len(pool.orders))
    commands["kind"][places[count:]] = CommandKind.NEW
    places = places[:count]
    picks = random.permutation(len(pool.orders))
    if around is not None:
        safe = _gap(pool.orders, around)[picks] > 0
        picks = picks[np.argsort(safe, kind="stable")]
    orders = pool.take(picks[:count])
    commands["order_id"][places], commands["account"][places] = orders["id"], orders["account"]
    amends = commands["kind"][places] == CommandKind.AMEND
    prices = np.maximum(orders["price"] + random.integers(-2, 3, count), 1)
    if around is not None:
        prices = np.where(
            orders["buys"], np.minimum(prices, around[0] - 1), np.maximum(prices, around[1] + 1)
        )
    commands["price"][places] = np.where(amends, prices, 0)
    commands["quantity"][places] = np.where(amends, np.maximum(orders["quantity"] - 1, 1), 0)
    still = orders[amends & (orders["quantity"] > 1)]
    still["price"], still["quantity"] = prices[amends & (orders["quantity"] > 1)], still["quantity"] - 1
    pool.orders = np.concatenate([pool.orders, still])


def _gap(orders: Records, around: Range) -> NDArray[np.int64]:
    """Return how many ticks orders are away from the mids of a range; 0 or less within it."""
    return np.where(orders["buys"], around[0] - orders["price"], orders["price"] - around[1]).astype(np.int64)


def walk(start: int, count: int, low: int, high: int) -> NDArray[Any]:
    """Return the mids of `count` commands: a bounded wandering that depends only on the place in the
    stream."""
    at = np.arange(start, start + count)
    slow = 0.6 * np.sin(at / 800_000.0) + 0.3 * np.sin(at / 180_000.0) + 0.1 * np.sin(at / 26_000.0)
    middle, reach = (low + high) / 2, (high - low) / 4
    return np.asarray(np.rint(middle + reach * slow), np.int64)


def price_path(shape: str, total: int, mid: int) -> NDArray[Any]:
    """Return the mid price at each command for one of the five paths."""
    at = np.linspace(0, 1, total)
    if shape == "static":
        factor = np.ones(total)
    elif shape == "normal":
        factor = 1 + 0.01 * np.cumsum(np.random.default_rng(3).normal(0, 1, total)) / np.sqrt(total)
    elif shape == "flash-crash":
        factor = 1 - 0.6 * np.exp(-(((at - 0.5) / 0.02) ** 2))
    else:
        factor = 1 + int(shape.removeprefix("swing-")) / 100 * np.sin(at * 2 * np.pi)
    return np.asarray(np.rint(mid * factor), np.int64)


def _adds(
    random: np.random.Generator, count: int, accounts: int, mids: NDArray[Any], depth: NDArray[Any]
) -> Records:
    commands = np.zeros(count, COMMAND)
    commands["kind"] = CommandKind.NEW
    commands["account"] = random.integers(0, accounts, count)
    commands["side"] = random.integers(0, 2, count)
    commands["quantity"] = random.integers(1, 10, count)
    commands["price"] = np.where(commands["side"] == 0, mids - depth, mids + depth)
    commands["client_id"] = random.integers(1, 1 << 60, count)
    return commands


BOARD_ROUND = 512
"""Commands of one round of (b): the mid hardly moves in it."""

CROSSING_SHARE = 0.03
"""Of (b)'s IOC orders, how many are priced beyond the mid."""


def _immediate(
    commands: Records, chosen: NDArray[Any], mids: NDArray[Any], reach: NDArray[Any] | int
) -> None:
    """Turn chosen adds into IOC orders at `reach` ticks beyond the mid."""
    prices = np.where(commands["side"] == 0, mids + reach, mids - reach)
    commands["price"][chosen] = prices[chosen]
    commands["tif"][chosen] = TimeInForce.IOC


def _spec(low: int, high: int) -> InstrumentSpec:
    return InstrumentSpec(
        low,
        high,
        (low + high) // 2,
        multiplier=24,
        max_order_size=1000,
        position_limit=1 << 29,
        margin_long_fen=2000,
        margin_short_fen=2000,
    )


def mixed(
    total: int,
    accounts: int = 10_000,
    instruments: int = 1,
    resting: int = 0,
    limits: Range = (1_000, 3_000),
) -> Stream:
    """Record (a): 45 % adds geometrically around a random-walk mid, 45 % cancels, 10 % marketable.

    With many instruments it is (c), with Zipf-distributed activity; with resting orders put in first it is
    (d), within the usual price limits.
    """
    low, high = limits
    weights = 1.0 / np.arange(1, instruments + 1)
    weights /= weights.sum()

    def draw(random: np.random.Generator, start: int, count: int) -> Records:
        mids = walk(0 if instruments > 1 else start, count, low, high)
        depth = np.minimum(random.geometric(0.1, count), 300) + 1
        commands = _adds(random, count, accounts, mids, depth)
        if instruments > 1:
            commands["instrument"] = random.choice(instruments, count, p=weights)
        if start < resting:
            deep = random.integers(300, 480, count)
            commands["price"] = np.where(commands["side"] == 0, 2000 - deep - 500 + 300, 2000 + deep + 200)
            return commands
        chance = random.random(count)
        _immediate(commands, chance >= 0.9, mids, 3)
        commands["kind"][(chance >= 0.45) & (chance < 0.9)] = CommandKind.CANCEL
        return commands

    bounds = EngineLimits(
        max_instruments=instruments,
        max_accounts=accounts,
        max_orders=max(1 << 18, 2 * resting),
        max_levels=high - low + 1,
        max_holdings=max(1 << 15, 1 << (total.bit_length() - 1) if instruments > 1 else 0),
    )
    name = "a mixed" if instruments == 1 else f"c {instruments} instruments"
    if resting:
        name = f"d {resting} resting"
    return record(name, bounds, _spec(low, high), draw, total + resting, resting + total // 20)


def board(shape: str, total: int, accounts: int = 10_000) -> Stream:
    """Record (b): 95 % of orders cancelled, 20 % modifies, 15 % IOC, power-law depth, on a price path.

    So that no more than a twentieth of the orders trade out, few IOC orders reach the other side, and orders
    are pulled before the mid reaches them. `shares` tells what a stream came to.
    """
    mid, low, high = 5_000, 500, 10_000
    path, warm = price_path(shape, total, mid), total // 20

    def around(start: int) -> Range:
        mids = path[start : start + BOARD_ROUND]
        return int(mids.min()), int(mids.max())

    def draw(random: np.random.Generator, start: int, count: int) -> Records:
        lowest, highest = around(start)
        depth = np.minimum(1 + random.pareto(1.2, count), 900).astype(np.int64)
        commands = _adds(random, count, accounts, path[start : start + count], depth)
        buys = commands["side"] == Side.BUY
        commands["price"] = np.where(buys, lowest - depth, highest + depth)
        chance = random.random(count)
        reach = np.where(random.random(count) < CROSSING_SHARE, highest - lowest + 3, -2)
        _immediate(commands, chance < 0.15, path[start : start + count], reach)
        commands["kind"][(chance >= 0.15) & (chance < 0.35)] = CommandKind.AMEND
        pulled = 0.5 if start < warm else 0.665  # first a book is built up
        commands["kind"][(chance >= 0.35) & (chance < pulled)] = CommandKind.CANCEL
        return commands

    limits = EngineLimits(
        max_instruments=1,
        max_accounts=accounts,
        max_orders=1 << 19,
        max_levels=high - low + 1,
        max_holdings=1 << 15,
    )
    return record(f"b {shape}", limits, _spec(low, high), draw, total, warm, size=BOARD_ROUND, around=around)


def shares(stream: Stream) -> dict[str, float]:
    """Return what a stream came to: the shares of modifies and IOC orders in all commands, and of the orders
    that were cancelled in those accepted and ended, an IOC order that doesn't trade among them. In percent.
    """
    commands = stream.commands
    events = stream.engine().apply(commands)
    kinds = events["kind"]
    accepted = events[kinds == EventKind.ACCEPTED]
    cancelled = len(np.unique(events["order_id"][kinds == EventKind.CANCELLED]))
    trades = events[kinds == EventKind.TRADE]
    taken = (
        trades["order_id"][trades["remaining"] == 0],
        trades["contra_id"][trades["contra_remaining"] == 0],
    )
    filled = len(np.unique(np.concatenate(taken)))
    return {
        "modifies": 100 * float((commands["kind"] == CommandKind.AMEND).mean()),
        "IOC": 100 * float((commands["tif"] == TimeInForce.IOC).mean()),
        "orders cancelled": 100 * cancelled / (cancelled + filled),
        "orders open at the end": 100 * (len(accepted) - cancelled - filled) / len(accepted),
    }


SHAPES = ("normal", "static", "swing-25", "swing-40", "flash-crash")
"""The five price paths of (b)."""


def batches(commands: Records, size: int = ROUND) -> Iterator[Records]:
    """Yield a stream in the timed batches."""
    for start in range(0, len(commands), size):
        yield commands[start : start + size]
