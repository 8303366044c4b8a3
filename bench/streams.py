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
from matching.records import COMMAND, CommandKind, EventKind, Phase, Records, TimeInForce
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
        self.orders = np.zeros(0, [("id", "<i8"), ("account", "<i4"), ("price", "<i4"), ("quantity", "<i4")])

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


def record(
    name: str, limits: EngineLimits, spec: InstrumentSpec, draw: Draw, total: int, warm: int, seed: int = 7
) -> Stream:
    """Draw a stream round by round."""
    random = np.random.default_rng(seed)
    stream = Stream(name, limits, spec, np.zeros(total, COMMAND), warm)
    engine, pool = stream.engine(), Pool()
    for start in range(0, total, ROUND):
        commands = draw(random, start, min(ROUND, total - start))
        _name_orders(random, commands, pool)
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


def _name_orders(random: np.random.Generator, commands: Records, pool: Pool) -> None:
    """Let cancels and amendments name orders of the pool; without one they become adds."""
    places = np.flatnonzero(commands["kind"] != CommandKind.NEW)
    count = min(len(places), len(pool.orders))
    commands["kind"][places[count:]] = CommandKind.NEW
    places = places[:count]
    orders = pool.take(random.permutation(len(pool.orders))[:count])
    commands["order_id"][places], commands["account"][places] = orders["id"], orders["account"]
    amends = commands["kind"][places] == CommandKind.AMEND
    moved = random.integers(-2, 3, count)
    commands["price"][places] = np.where(amends, np.maximum(orders["price"] + moved, 1), 0)
    commands["quantity"][places] = np.where(amends, np.maximum(orders["quantity"] - 1, 1), 0)
    still = orders[amends & (moved == 0)]
    pool.orders = np.concatenate([pool.orders, still])


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


def _immediate(commands: Records, chosen: NDArray[Any], mids: NDArray[Any], reach: int) -> None:
    """Turn chosen adds into IOC orders that cross the mid."""
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


def mixed(total: int, accounts: int = 10_000, instruments: int = 1, resting: int = 0) -> Stream:
    """Record (a): 45 % adds geometrically around a random-walk mid, 45 % cancels, 10 % marketable.

    With many instruments it is (c), with Zipf-distributed activity; with resting orders put in first it is
    (d).
    """
    low, high = 1_000, 3_000
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

    limits = EngineLimits(
        max_instruments=instruments,
        max_accounts=accounts,
        max_orders=max(1 << 18, 2 * resting),
        max_levels=high - low + 1,
        max_holdings=max(1 << 15, 1 << (total.bit_length() - 1) if instruments > 1 else 0),
    )
    name = "a mixed" if instruments == 1 else f"c {instruments} instruments"
    if resting:
        name = f"d {resting} resting"
    return record(name, limits, _spec(low, high), draw, total + resting, resting + total // 20)


def board(shape: str, total: int, accounts: int = 10_000) -> Stream:
    """Record (b): 95 % of orders cancelled, 20 % modifies, 15 % IOC, power-law depth, on a price path."""
    mid, low, high = 5_000, 500, 10_000
    path = price_path(shape, total, mid)

    def draw(random: np.random.Generator, start: int, count: int) -> Records:
        mids = path[start : start + count]
        depth = np.minimum(1 + random.pareto(1.2, count), 900).astype(np.int64)
        commands = _adds(random, count, accounts, mids, depth)
        chance = random.random(count)
        _immediate(commands, chance < 0.15, mids, 2)
        commands["kind"][(chance >= 0.15) & (chance < 0.35)] = CommandKind.AMEND
        commands["kind"][(chance >= 0.35) & (chance < 0.66)] = CommandKind.CANCEL
        return commands

    limits = EngineLimits(
        max_instruments=1,
        max_accounts=accounts,
        max_orders=1 << 19,
        max_levels=high - low + 1,
        max_holdings=1 << 15,
    )
    return record(f"b {shape}", limits, _spec(low, high), draw, total, total // 20)


SHAPES = ("normal", "static", "swing-25", "swing-40", "flash-crash")
"""The five price paths of (b)."""


def batches(commands: Records, size: int = ROUND) -> Iterator[Records]:
    """Yield a stream in the timed batches."""
    for start in range(0, len(commands), size):
        yield commands[start : start + size]
