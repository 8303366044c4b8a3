"""Days of mixed commands, drawn in blocks: new orders of every kind, cancels, amendments, mass cancels, and
between them payments, phases and settlements.
"""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import numpy as np

from exchange.domain import messages as m
from exchange.domain.calendar import moment_ns
from exchange.domain.phases import MarketPhase
from matching.records import OrderType, Records, Side, TimeInForce, amend, cancel, mass_cancel, new_order

BLOCK = 500
BLOCKS_A_DAY = 20


def mixed_block(rng: np.random.Generator, market: Any, count: int) -> Records:
    """Return `count` commands (dtype COMMAND), not yet stamped; some name nothing that exists."""
    resting = np.concatenate([market.state.engine.open_orders(account) for account in (1, 2, 3)])
    shares = (0.2, 0.1, 0.005) if len(resting) else (0.0, 0.0, 0.005)
    cancels, amends, masses = (int(count * share) for share in shares)
    orders = _orders(rng, count - cancels - amends - masses)
    parts = [orders, mass_cancel(account=1).repeat(masses)]
    for row, number in (
        (cancel(account=0, order_id=0), cancels),
        (amend(account=0, order_id=0, quantity=1), amends),
    ):
        rows, picked = row.repeat(number), rng.integers(0, max(1, len(resting)), number)
        if number:
            rows["order_id"], rows["account"] = resting["order_id"][picked], resting["account"][picked]
        parts.append(rows)
    parts[3]["quantity"] = rng.integers(0, 40, amends)
    rows = np.concatenate(parts)
    named = np.array([*market.state.active_contracts()[:8], 99_999])
    chosen = named[rng.integers(0, len(named), len(rows))]
    rows["instrument"] = np.where(np.isin(rows["order_id"], resting["order_id"]), rows["instrument"], chosen)
    return rows[rng.permutation(len(rows))]


def _orders(rng: np.random.Generator, count: int) -> Records:
    rows = new_order(account=0, instrument=0, side=Side.BUY, quantity=1, price=1_200).repeat(count)
    rows["account"] = rng.integers(0, 5, count)  # accounts 0 and 4 are not members
    rows["side"] = rng.integers(0, 2, count)
    rows["quantity"] = rng.integers(0, 12, count)
    rows["price"] = rng.integers(1_190, 1_211, count)
    rows["type"] = np.where(rng.random(count) < 0.9, int(OrderType.LIMIT), rng.integers(0, 6, count))
    rows["tif"] = np.where(rng.random(count) < 0.7, int(TimeInForce.DAY), rng.integers(0, 7, count))
    rows["client_id"] = rng.integers(1, 10, count)
    return rows


def mixed_days(market: Any, seed: int, commands: int) -> None:
    """Drive a fresh market through as many days as it takes; `market.frames` then holds everything."""
    rng = np.random.default_rng(seed)
    day = market.day
    while market.core.seq < commands:
        market.day = day
        market.call()
        market.orders(mixed_block(rng, market, BLOCK))
        market.at(8, 59)
        market.do(m.SetPhase(phase=MarketPhase.MATCHED))
        market.at(9)
        market.do(m.SetPhase(phase=MarketPhase.CONTINUOUS))
        for block in range(BLOCKS_A_DAY):
            market.now_ns = moment_ns(day, time(9 + block // 4, 15 * (block % 4)))
            market.orders(mixed_block(rng, market, BLOCK))
            market.send(m.Withdraw(member="blue", amount_fen=int(rng.integers(1, 10**9))))
            market.send(m.Deposit(member="coral", amount_fen=int(rng.integers(1, 10**9))))
        market.settle()
        day += timedelta(days=1 if day.weekday() < 4 else 3)
