"""A proximal bundle method for worths, with a model of every knapsack of its own. Compiled.

The bound θ(π) = Σ count·π − Σ_resources gain_r(π) (`scheduler.worths`) is concave, and every set of workloads
that some resource ever took is a cut: gain_r(π) ≥ Σ π of the set − what the set costs. A step goes to where
the model (the cuts seen so far) less ‖π − centre‖² / 2t is greatest; if the bound keeps a tenth of the gain
that the model promised, that point is the next centre, else its sets only make the model better (Kiwiel 1990;
disaggregated as in Frangioni 2020). The quadratic program is solved in its dual, weights of the cuts of each
resource that add up to 1, by shifting weight between two cuts at a time. Distances are measured in shares of
the first worths, for what a large workload is worth moves further than what a small one is.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from scheduler.instance import Ints
from scheduler.knapsacks import Bench, Items, gains
from scheduler.pricing import Floats

CUTS_MAX = 24
"""Cuts kept of each resource."""
CELLS_MAX = 20_000_000
"""Items times cuts."""
STEPNESS = 1.5
"""The metric's exponent of the first worths; 0 would move all worths alike."""
WORTH_LEAST = 1e-2
"""CNY: the metric's least worth."""
FIRST_GAIN = 5e-5
"""The first step aims at a bound higher by about this share."""
SERIOUS, GOOD, BAD = 0.1, 0.5, -2.0
"""Shares of the promised gain: from the first on a step is kept, beyond the second t grows, below the last it
shrinks."""
NULLS = 3
"""Steps in a row that are not kept, after which t shrinks."""
GROWTH, SHRINKING, LEAP = 2.0, 0.6, 10.0
LEAPS = 3
"""Where steps promise next to nothing, t is changed so often by the leap before the search ends."""
PROMISE_END = 1e-8
"""What is next to nothing, as a share of the bound."""
EXACTNESS = 0.1
"""The quadratic program is solved to this share of what it promises."""
SWEEPS = 100
SWEEPS_MAX = 3
SHIFTS = 4
"""Shifts in one resource before the next one's turn."""
DUST = 1e-12


class Cuts(NamedTuple):
    """Sets of workloads that each resource (R) took, up to K of them; the first is the empty set."""

    number: Ints
    """(R,) how many."""
    group: Ints
    """(K, I) classes, those of a resource from where its items begin."""
    length: Ints
    """(K, R) workloads."""
    cost: Floats
    """(K, R) CNY of their options and cards."""
    weight: Floats
    """(K, R) in the quadratic program; 1 in all for each resource."""
    idle: Ints
    """(K, R) steps since a cut had weight."""


class Course(NamedTuple):
    """Where the search is."""

    wanted: Floats
    """(C,) places: workloads there are."""
    penalty: Floats
    """(C,) CNY: no worth is above it."""
    metric: Floats
    """(C,) how far worths move."""
    centre: Floats
    """(C,) the best worths so far, CNY."""
    trial: Floats
    lacking: Floats
    """(C,) places wanted less the weights of the sets that have it."""
    scores: Floats
    """(K,) room to work in."""
    change: Floats
    """(C,) the same."""
    figures: Floats
    """Best bound (CNY; −∞ before the first step), t, null steps, leaps, the last promise."""


def course_for(count: Ints, penalty: Floats, worth: Floats, items: Items) -> tuple[Cuts, Course]:
    """A search that starts at ``worth`` (C,) CNY."""
    resources, classes = len(items.room), len(count)
    kept = max(4, min(CUTS_MAX, CELLS_MAX // max(len(items.size), 1)))
    weight = np.zeros((kept, resources))
    weight[0] = 1.0
    cuts = Cuts(
        np.ones(resources, dtype=np.int64),
        np.zeros((kept, len(items.size)), dtype=np.int64),
        np.zeros((kept, resources), dtype=np.int64),
        np.zeros((kept, resources)),
        weight,
        np.zeros((kept, resources), dtype=np.int64),
    )
    centre = np.minimum(worth, penalty)
    base = np.maximum(centre, WORTH_LEAST)
    metric = (base / base.mean()) ** STEPNESS if classes else base
    blank = np.zeros(classes)
    return cuts, Course(
        count.astype(np.float64),
        penalty,
        metric,
        centre,
        centre.copy(),
        blank,
        np.zeros(kept),
        blank.copy(),
        np.array([-np.inf, 0.0, 0.0, 0.0, 0.0]),
    )


@njit(cache=True, nogil=True)
def step(items: Items, bench: Bench, cuts: Cuts, course: Course) -> bool:
    """One step; False once none promises anything."""
    best, near, nulls, leaps, promise = course.figures
    if best == -np.inf:
        _start(items, bench, cuts, course)
        return True
    nothing = PROMISE_END * abs(best)
    promise, loss = _promise(items, cuts, course, near, max(promise, nothing))
    if promise <= nothing:
        # a program that was not solved well enough is easier the shorter the step
        course.figures[1:] = near * (LEAP if loss <= nothing else 1 / LEAP), 0.0, leaps + 1, 0.0
        return bool(leaps < LEAPS)
    bound = _look(items, bench, cuts, course)
    share = (bound - best) / promise
    if share > SERIOUS:
        course.centre[:] = course.trial
        near *= GROWTH if share > GOOD else 1.0
        best, nulls, leaps = bound, 0.0, 0.0
    elif share < BAD or nulls + 1 >= NULLS:
        near, nulls = SHRINKING * near, 0.0
    else:
        nulls += 1
    course.figures[:] = best, near, nulls, leaps, promise
    return True


@njit(cache=True, nogil=True)
def _start(items: Items, bench: Bench, cuts: Cuts, course: Course) -> None:
    bound = _look(items, bench, cuts, course)
    # all weight on the sets just found
    for r in range(len(items.room)):
        last = cuts.number[r] - 1
        cuts.weight[0, r], cuts.weight[last, r] = 0.0, 1.0
    _find_lacking(items, cuts, course)
    length = (course.metric * course.lacking**2).sum()
    course.figures[:2] = bound, FIRST_GAIN * abs(bound) / max(length, DUST)


@njit(cache=True, nogil=True)
def _look(items: Items, bench: Bench, cuts: Cuts, course: Course) -> float:
    """The bound at the trial; the sets that prove it become cuts."""
    bound = (course.wanted * course.trial).sum() - gains(items, bench, course.trial).sum()
    for r in range(len(items.room)):
        if items.start[r] < items.start[r + 1]:
            _add_cut(items, bench, cuts, r)
    return float(bound)


@njit(cache=True, nogil=True)
def _add_cut(items: Items, bench: Bench, cuts: Cuts, r: int) -> None:
    """The set that the last look found, in place of the cut that is idle longest if there are too many."""
    first = items.start[r]
    slot = min(cuts.number[r], len(cuts.weight) - 1)
    for k in range(1, cuts.number[r]):
        cuts.idle[k, r] = 0 if cuts.weight[k, r] > DUST else cuts.idle[k, r] + 1
        if cuts.number[r] == len(cuts.weight) and cuts.idle[k, r] > cuts.idle[slot, r]:
            slot = k
    length, units, cost = 0, 0, 0.0
    for item in range(first, items.start[r + 1]):
        if bench.taken[item]:
            cuts.group[slot, first + length] = items.group[item]
            length += 1
            units += items.size[item]
            cost += items.cost[item]
    cuts.number[r] = max(cuts.number[r], slot + 1)
    # a cut that is overwritten leaves its weight to the empty set
    cuts.weight[0, r] += cuts.weight[slot, r]
    cuts.weight[slot, r], cuts.idle[slot, r], cuts.length[slot, r] = 0.0, 0, length
    cuts.cost[slot, r] = cost + items.curve[items.curve_start[r] + units]


@njit(cache=True, nogil=True)
def _find_lacking(items: Items, cuts: Cuts, course: Course) -> None:
    course.lacking[:] = course.wanted
    for r in range(len(items.room)):
        for k in range(cuts.number[r]):
            if cuts.weight[k, r] > 0.0:
                for j in range(items.start[r], items.start[r] + cuts.length[k, r]):
                    course.lacking[cuts.group[k, j]] -= cuts.weight[k, r]


@njit(cache=True, nogil=True)
def _promise(items: Items, cuts: Cuts, course: Course, near: float, last: float) -> tuple[float, float]:
    """Put the trial where the model less the distance is greatest.

    Returns how much higher the model is there than the best bound, and what better weights could add to that.
    """
    _find_lacking(items, cuts, course)
    for c in range(len(course.trial)):
        _place_trial(course, near, c)
    promise, loss, goal = 0.0, 0.0, EXACTNESS * last
    for _ in range(SWEEPS_MAX):
        for _ in range(SWEEPS):
            loss = 0.0
            for r in range(len(items.room)):
                if cuts.number[r] > 1:
                    loss += _balance(items, cuts, course, near, r)
            if loss <= goal:
                break
        promise = _model(items, cuts, course) - course.figures[0]
        if loss <= EXACTNESS * promise:
            break
        goal *= EXACTNESS
    return promise, loss


@njit(cache=True, nogil=True)
def _place_trial(course: Course, near: float, c: int) -> None:
    away = near * course.metric[c] * course.lacking[c]
    course.trial[c] = min(course.penalty[c], course.centre[c] + away)


@njit(cache=True, nogil=True)
def _score(items: Items, cuts: Cuts, course: Course, r: int) -> int:
    """What each set of a resource gains at the trial; returns the best one."""
    first, best = items.start[r], 0
    for k in range(cuts.number[r]):
        score = -cuts.cost[k, r]
        for j in range(first, first + cuts.length[k, r]):
            score += course.trial[cuts.group[k, j]]
        course.scores[k] = score
        if score > course.scores[best]:
            best = k
    return best


@njit(cache=True, nogil=True)
def _model(items: Items, cuts: Cuts, course: Course) -> float:
    bound = (course.wanted * course.trial).sum()
    for r in range(len(items.room)):
        best = _score(items, cuts, course, r)
        bound -= course.scores[best]
    return float(bound)


@njit(cache=True, nogil=True)
def _balance(items: Items, cuts: Cuts, course: Course, near: float, r: int) -> float:
    """Shift weight from a resource's worst set to its best; what its weights lost against the best before."""
    loss = 0.0
    for number in range(SHIFTS):
        best, worst = _score(items, cuts, course, r), -1
        for k in range(cuts.number[r]):
            if cuts.weight[k, r] > 0.0:
                loss += cuts.weight[k, r] * (course.scores[best] - course.scores[k]) if number == 0 else 0.0
                if worst < 0 or course.scores[k] < course.scores[worst]:
                    worst = k
        better = course.scores[best] - course.scores[worst]
        if better <= DUST:
            break
        bend = near * _bend(items, cuts, course, r, worst, best)
        _shift(items, cuts, course, near, r, worst, best, better / bend if bend > 0.0 else 1.0)
    return loss


@njit(cache=True, nogil=True)
def _bend(items: Items, cuts: Cuts, course: Course, r: int, worst: int, best: int) -> float:
    """How fast the advantage of the best set over the worst shrinks as weight is shifted, for t = 1."""
    first, bend = items.start[r], 0.0
    for j in range(first, first + cuts.length[worst, r]):
        course.change[cuts.group[worst, j]] += 1.0
    for j in range(first, first + cuts.length[best, r]):
        course.change[cuts.group[best, j]] -= 1.0
    for j in range(first, first + cuts.length[worst, r]):
        c = cuts.group[worst, j]
        bend += course.metric[c] * course.change[c]
    for j in range(first, first + cuts.length[best, r]):
        c = cuts.group[best, j]
        bend -= course.metric[c] * course.change[c]
    for j in range(first, first + cuts.length[worst, r]):
        course.change[cuts.group[worst, j]] = 0.0
    for j in range(first, first + cuts.length[best, r]):
        course.change[cuts.group[best, j]] = 0.0
    return bend


@njit(cache=True, nogil=True)
def _shift(
    items: Items, cuts: Cuts, course: Course, near: float, r: int, worst: int, best: int, most: float
) -> None:
    first, weight = items.start[r], min(cuts.weight[worst, r], most)
    cuts.weight[worst, r] -= weight
    cuts.weight[best, r] += weight
    for j in range(first, first + cuts.length[worst, r]):
        course.lacking[cuts.group[worst, j]] += weight
        _place_trial(course, near, cuts.group[worst, j])
    for j in range(first, first + cuts.length[best, r]):
        course.lacking[cuts.group[best, j]] -= weight
        _place_trial(course, near, cuts.group[best, j])
