"""The rule of pre-emption: best-effort work never keeps other work out.

However much either costs to leave out, ordinary work that finds no place gets the one that it would have
without any best-effort work, the dearest to leave out first. What is in its way, the cheapest to leave out
first, then goes where room is left, pauses, or stays out. Of plans that keep the rule the best is taken.
"""

import math
from collections.abc import Mapping

import numpy as np

from scheduler.horizon.gangs import Split, split_gangs, take_out
from scheduler.horizon.in_time import in_time
from scheduler.horizon.insertion import NO_GUIDE, OUT, SPLIT, Lookup, State, copied, sweep
from scheduler.horizon.instance import Instance
from scheduler.horizon.supply import Ints
from scheduler.horizon.types import HorizonProblem
from scheduler.horizon.yielding import make_room

Splits = Mapping[int, Split]


def make_way(
    problem: HorizonProblem,
    instance: Instance,
    lookup: Lookup,
    state: State,
    splits: Splits,
    deadline: float = math.inf,
) -> tuple[State, Splits]:
    """The plan itself where it keeps the rule, else one that does; never changes ``state``.

    Raises `TimeIsUp` where it has none by the ``deadline`` (monotonic seconds).
    """
    if not problem.best_effort_yields:
        return state, splits
    yields = np.array([w.gives_way for w in problem.workloads], dtype=np.bool_)
    waiting = _in_turn(instance, np.flatnonzero(~yields & (state.site == OUT)))
    giving = np.flatnonzero(yields & (state.site != OUT))
    if not (len(waiting) and len(giving)):
        return state, splits

    def placed(plan: State, rows: Ints) -> int:
        parts = in_time(rows, deadline)
        return sum(sweep(instance.kinds, lookup, plan, NO_GUIDE, part) for part in parts)

    if not placed(_without(instance, lookup, state, splits, giving)[0], waiting):
        return state, splits
    whole = _in_turn(instance, giving[state.site[giving] != SPLIT])[::-1]
    made, left = copied(state), dict(splits)
    taken = make_room(instance.kinds, lookup, made, waiting, np.ascontiguousarray(whole), deadline)
    firm, kept = _without(instance, lookup, made, splits, giving)
    if placed(firm, waiting[made.site[waiting] == OUT]):
        # carbon, moves or a gang over several sites are in the way: all best-effort work is placed anew
        made, left, taken = firm, kept, giving
    placed(made, _in_turn(instance, taken))
    return made, left | split_gangs(problem, instance, lookup, made)


def _without(
    instance: Instance, lookup: Lookup, state: State, splits: Splits, rows: Ints
) -> tuple[State, dict[int, Split]]:
    """The plan without some workloads."""
    left, kept = copied(state), dict(splits)
    take_out(instance, lookup, left, kept, rows)
    return left, kept


def _in_turn(instance: Instance, rows: Ints) -> Ints:
    """The dearest to leave out first; size, priority and whether it runs count in that."""
    penalty = instance.kinds.penalty[instance.kind[rows]]
    order: Ints = rows[np.lexsort((rows, -penalty))]
    return order
