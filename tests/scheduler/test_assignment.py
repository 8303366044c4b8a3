"""The general core reaches every published optimum and agrees with enumeration."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from scheduler.assignment import AssignmentStatus, assign

GAP = json.loads((Path(__file__).parent / "data" / "gap.json").read_text(encoding="utf-8"))


def test_there_are_sixty_published_instances():
    assert len(GAP) == 60


@pytest.mark.parametrize("case", GAP, ids=lambda case: case["name"])
def test_a_published_instance_is_solved_to_its_proven_optimum(case):
    shape = (case["sites"], case["jobs"])
    cost = np.array(case["cost"]).reshape(shape).T
    demand = np.array(case["demand"]).reshape(shape).T
    capacity = np.array(case["capacity"])
    found = assign(cost, demand, capacity)
    assert found.status is AssignmentStatus.OPTIMAL
    assert found.cost == found.bound == case["optimum"]
    jobs = np.arange(len(cost))
    assert cost[jobs, found.site].sum() == found.cost
    assert (np.bincount(found.site, demand[jobs, found.site], len(capacity)) <= capacity).all()


def enumerated(cost, demand, capacity, allowed):
    """The least cost of any assignment, or None."""
    jobs, best = range(len(cost)), None
    for sites in itertools.product(range(cost.shape[1]), repeat=len(cost)):
        used = np.zeros_like(capacity)
        for job, site in zip(jobs, sites, strict=True):
            used[site] += demand[job, site]
        if (used <= capacity).all() and all(allowed[j, s] for j, s in zip(jobs, sites, strict=True)):
            total = sum(int(cost[j, s]) for j, s in zip(jobs, sites, strict=True))
            best = total if best is None else min(best, total)
    return best


@pytest.mark.parametrize("seed", range(150))
def test_enumeration_agrees(seed):
    draw = np.random.default_rng(seed)
    jobs, sites, resources = draw.integers(1, 5), draw.integers(1, 4), draw.integers(1, 3)
    cost = draw.integers(-5, 20, (jobs, sites))
    demand = draw.integers(0, 8, (jobs, sites, resources))
    capacity = draw.integers(0, 16, (sites, resources))
    allowed = draw.random((jobs, sites)) < 0.8
    found = assign(cost, demand, capacity, allowed)
    best = enumerated(cost, demand, capacity, allowed)
    if best is None:
        assert found.status is AssignmentStatus.INFEASIBLE
        assert not len(found.site)
    else:
        assert (found.status, found.cost, found.bound) == (AssignmentStatus.OPTIMAL, best, best)


def test_the_time_limit_is_kept_and_the_bound_stated_holds():
    draw = np.random.default_rng(1)
    cost, demand = draw.integers(10, 50, (400, 20)), draw.integers(5, 25, (400, 20))
    capacity = np.full(20, int(demand.mean() * 400 / 20 * 0.85))
    found = assign(cost, demand, capacity, time_limit_s=1)
    assert found.status in (AssignmentStatus.FEASIBLE, AssignmentStatus.UNKNOWN)
    assert found.bound >= cost.min(axis=1).sum()


GOOD = {"cost": np.ones((2, 2), int), "demand": np.ones((2, 2), int), "capacity": np.ones(2, int)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cost": np.ones((2, 2))}, "cost must hold integers"),
        ({"cost": np.ones(2, int)}, "cost must be jobs × sites"),
        ({"demand": np.ones((3, 2), int)}, "demand is"),
        ({"capacity": np.ones(3, int)}, "capacity is"),
        ({"allowed": np.ones((1, 2), bool)}, "allowed is"),
        ({"demand": -np.ones((2, 2), int)}, "0 or more"),
        ({"cost": np.full((2, 2), 2**52)}, "add up to less"),
    ],
)
def test_a_wrong_array_is_named(change, words):
    with pytest.raises(ValueError, match=words):
        assign(**GOOD | change)
