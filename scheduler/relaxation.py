"""The linear relaxation, sharpened by capacity rows round after round, and the certified bound out of it."""

import time
from dataclasses import dataclass

import numpy as np
from ortools.math_opt.python import mathopt

from scheduler.capacity_rows import Needs, Row, base_rows, violated
from scheduler.instance import Instance, Ints
from scheduler.lagrangian import lower_bound
from scheduler.linear_model import Answer, Floats, build, solve

ROUNDS_MAX = 20
ROWS_PER_RESOURCE = 2
STALLED_ROUNDS = 4
"""Rounds without a better bound (by a millionth) after which sharpening stops."""


@dataclass(frozen=True, eq=False, slots=True)
class Relaxation:
    """The best bound found, the rows and prices that prove it, and the last round's fractional solution.

    ``shadow`` (R,) are the plain relaxation's prices of capacity in nano-CNY per milli-card.
    """

    amount: Floats
    rows: tuple[Row, ...]
    prices: tuple[int, ...]
    bound: int
    shadow: Ints
    solve_s: float


def relax(instance: Instance, needs: Needs, deadline: float, whole: Instance | None = None) -> Relaxation:
    """Solve and sharpen until nothing is broken, the bound stalls, or ``deadline`` (`time.monotonic`) passes.

    The first round always runs: without it there is neither a bound nor a start. Where ``instance`` has only
    some of the options of ``whole``, the bound holds for the whole all the same.
    """
    rows = base_rows(instance.supply)
    state = _Sharpening(instance, needs, whole or instance)
    for round_number in range(ROUNDS_MAX):
        answer = state.solve(rows, deadline if round_number else np.inf)
        if answer is None:
            break
        broken = violated(instance.supply, needs, answer.amount, answer.bought, ROWS_PER_RESOURCE)
        fresh = [row for row in broken if row not in state.known]
        if not fresh or state.stalled >= STALLED_ROUNDS or time.monotonic() > deadline:
            break
        state.known.update(fresh)
        rows = [*rows, *fresh]
    return state.result()


class _Sharpening:
    """The best bound so far and what proved it."""

    def __init__(self, instance: Instance, needs: Needs, whole: Instance) -> None:
        self.instance = instance
        self.needs = needs
        self.whole = whole
        self.whole_needs = needs if whole is instance else Needs(whole)
        self.known: set[Row] = set()
        self.stalled = 0
        self.amount = np.zeros(len(instance.option_site))
        self.shadow: Ints | None = None
        self.best: tuple[int, tuple[Row, ...], tuple[int, ...]] = (0, (), ())
        self.solve_s = 0.0

    def solve(self, rows: list[Row], deadline: float) -> Answer | None:
        """One round; keeps the bound if it is better."""
        started = time.monotonic()
        model = build(self.instance, self.needs, rows, integer=False)
        limit_s = min(deadline - started, 1e6)
        answer = solve(model, self.instance, rows, mathopt.SolverType.GLOP, limit_s)
        if answer is None or len(answer.row_price) != len(rows):
            return None
        prices = integer_prices(answer.row_price)
        bound = lower_bound(self.whole, self.whole_needs, rows, prices)
        self.stalled = 0 if bound > self.best[0] + abs(self.best[0]) // 1_000_000 else self.stalled + 1
        if bound >= self.best[0]:
            used = [(row, price) for row, price in zip(rows, prices, strict=True) if price]
            self.best = (bound, tuple(row for row, _ in used), tuple(price for _, price in used))
        self.amount = answer.amount
        if self.shadow is None:
            self.shadow = np.array(prices, dtype=np.int64)
        self.solve_s += time.monotonic() - started
        return answer

    def result(self) -> Relaxation:
        """What the rounds came to; a bound of 0 always holds, since no cost is negative."""
        bound, rows, prices = self.best
        shadow = np.zeros_like(self.instance.supply.reserved) if self.shadow is None else self.shadow
        return Relaxation(self.amount, rows, prices, bound, shadow, self.solve_s)


def integer_prices(prices: Floats) -> list[int]:
    """Prices from a solver as the certificate's integers, negative dust cut off."""
    return [int(price) for price in np.maximum(np.rint(prices), 0)]
