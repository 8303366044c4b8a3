"""The linear relaxation of very many classes, by merging them and splitting where it matters.

1. Classes are merged into a few thousand clusters (`scheduler.clusters`) and the merged relaxation is solved.
2. Its prices are certified on the *whole* instance (`scheduler.lagrangian`), and every class is asked which
   option it would take at them. A cluster whose members disagree is split by their answers.
3. The next merged relaxation is solved with each cluster's few cheapest options only, and so on.

Only clusters at a breakpoint of some price split, so the models stay small, while bound and value close in on
each other: a disaggregation in the sense of Zipkin (1980) and of Elhallaoui et al. (2005).
"""

import time
from dataclasses import dataclass

import numpy as np
from ortools.math_opt.python import mathopt

from scheduler.capacity_rows import Needs, base_rows
from scheduler.clusters import Merged, first_clusters, merged
from scheduler.instance import Bools, Instance, Ints
from scheduler.integers import numbered
from scheduler.lagrangian import lower_bound
from scheduler.linear_model import Floats, build, solve
from scheduler.pricing import OUT, priced
from scheduler.relaxation import Relaxation, integer_prices
from scheduler.solution import part_of

ROUNDS_MAX = 8
GAP_GOAL = 1e-6
"""Refining ends when value and bound of the relaxation are this close, as a share of the money."""
OPTIONS_KEPT = 5
"""From the second round on, of each cluster: so many cheapest options, and those it used before."""


@dataclass(frozen=True, eq=False, slots=True)
class Refined:
    """The relaxation, and the merged instance with the amounts (merged options,) it placed."""

    relaxation: Relaxation
    merged: Merged
    amount: Floats


def refine(instance: Instance, needs: Needs, deadline: float) -> Refined:
    """Refine until bound and value meet or ``deadline`` (`time.monotonic`) passes.

    The first round always runs: without it there is neither a bound nor a start.
    """
    state = _Refining(instance, needs)
    for number in range(ROUNDS_MAX):
        started = time.monotonic()
        if not state.round(np.inf if number == 0 else deadline - started) or state.gap() <= GAP_GOAL:
            break
        if time.monotonic() + 2 * (time.monotonic() - started) > deadline:
            break
        state.split()
    return state.result()


class _Refining:
    """The clusters so far, the best bound with its prices, and the best merged answer."""

    def __init__(self, instance: Instance, needs: Needs) -> None:
        self.instance = instance
        self.needs = needs
        self.rows = base_rows(instance.supply)
        self.now = merged(instance, first_clusters(instance))
        self.keep: Bools = np.ones(len(self.now.instance.option_site), dtype=np.bool_)
        self.amount: Floats = np.zeros(len(self.now.instance.option_site))
        self.prices: Ints = np.zeros(len(self.rows), dtype=np.int64)
        self.best_prices = self.prices
        self.bound = 0
        self.value = self.money = np.inf
        self.best: tuple[Merged, Floats] = (self.now, self.amount)
        self.solve_s = 0.0

    def round(self, time_limit_s: float) -> bool:
        """Solve the merged relaxation once; False if there was no time for an answer."""
        started = time.monotonic()
        whole = self.now.instance
        classes = np.arange(len(whole.count))
        part = part_of(whole, whole.supply, classes, whole.count, self.keep)
        model = build(part.instance, Needs(part.instance), self.rows, integer=False)
        limit_s = min(time_limit_s, 1e6)
        answer = solve(model, part.instance, self.rows, mathopt.SolverType.GLOP, limit_s)
        if answer is None or len(answer.row_price) != len(self.rows):
            return False
        self.amount = np.zeros(len(whole.option_site))
        self.amount[part.option] = answer.amount
        self.prices = np.array(integer_prices(answer.row_price), dtype=np.int64)
        self._note_bound()
        self._note_value(answer.bought)
        self.solve_s += time.monotonic() - started
        return True

    def _note_bound(self) -> None:
        bound = lower_bound(self.instance, self.needs, self.rows, self.prices.tolist())
        if bound >= self.bound:
            self.bound, self.best_prices = bound, self.prices

    def _note_value(self, bought: Floats) -> None:
        whole = self.now.instance
        out = 1 - np.bincount(whole.option_class, weights=self.amount, minlength=len(whole.count))
        money = float(self.amount @ whole.option_cost + bought @ whole.supply.step_price)
        value = money + float(out @ whole.penalty)
        if value <= self.value:
            self.value, self.money, self.best = value, money, (self.now, self.amount)

    def gap(self) -> float:
        """How far value and bound of the relaxation are apart, as a share of the money."""
        return (self.value - self.bound) / self.money if self.money else 0.0

    def split(self) -> None:
        """Split clusters by what their members would choose, and choose the next round's options."""
        used = self.amount > 0
        before = self.now
        choices = [self._choices(prices) for prices in (self.prices, self.best_prices)]
        self.now = merged(self.instance, numbered(before.cluster, *choices))
        self.keep = np.zeros(len(self.now.instance.option_site), dtype=np.bool_)
        self.keep[self.now.option] = used[before.option]
        for prices in (self.prices, self.best_prices):
            self.keep |= _cheapest(self.now.instance, prices)

    def _choices(self, prices: Ints) -> Ints:
        """(C,) position of each class's cheapest option in its list, or `OUT`."""
        found, _ = priced(self.instance, prices.astype(np.float64))
        return np.where(found.best == OUT, OUT, found.best - self.instance.option_start[:-1])

    def result(self) -> Refined:
        """The best bound, its prices, and the best merged answer."""
        used = [(row, int(p)) for row, p in zip(self.rows, self.best_prices.tolist(), strict=True) if p]
        relaxation = Relaxation(
            rows=tuple(row for row, _ in used),
            prices=tuple(price for _, price in used),
            bound=self.bound,
            shadow=self.best_prices,
            solve_s=self.solve_s,
            amount=np.zeros(0),
        )
        return Refined(relaxation, *self.best)


def _cheapest(instance: Instance, prices: Ints) -> Bools:
    """(O,) whether an option is among its class's few cheapest at these prices."""
    _, cost = priced(instance, prices.astype(np.float64))
    group = instance.option_class
    order = np.lexsort((cost, group))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - instance.option_start[group[order]]
    cheap: Bools = rank < OPTIONS_KEPT
    return cheap
