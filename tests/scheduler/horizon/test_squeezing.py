"""What is left out finds a place when others move; what finds none leaves everything as it was."""

import itertools
from dataclasses import replace

import horizon_instances as cases
import numpy as np
import pytest

from bench.horizon_instances import jobs_problem
from scheduler.horizon.assembly import assembled
from scheduler.horizon.building import Builder
from scheduler.horizon.checker import check_plan
from scheduler.horizon.dual_ascent import Ascent
from scheduler.horizon.insertion import OUT, copied
from scheduler.horizon.instance import compile_instance
from scheduler.horizon.pricing import no_prices
from scheduler.horizon.solution import value
from scheduler.horizon.squeezing import squeeze
from scheduler.horizon.types import CarbonRule, Link, RunMode, Running


def as_it_was(before, state):
    """Whether everything but the slots of those left out is the same."""
    there = state.site != OUT
    same = all(np.array_equal(a, b) for a, b in zip(before[:-1], state[:-1], strict=True))
    return same and np.array_equal(before.slots[there], state.slots[there])


def squeezed(problem, order):
    """Place in this order, then make room for each left out: the violations, and who found a place."""
    instance = compile_instance(problem)
    builder = Builder(instance)
    state = builder.in_order(order)
    guide = builder.guide(no_prices(instance), 0.02)
    placed = []
    for j in np.flatnonzero(state.site == OUT).tolist():
        before = copied(state)
        if squeeze(instance.kinds, builder.lookup, state, guide, j, lambda: False):
            placed.append(j)
            assert value(instance, state, {}) < value(instance, before, {})
        else:
            assert as_it_was(before, state)
    ascent = Ascent(no_prices(instance), 0)
    plan = assembled(problem, instance, state, {}, ascent, model="", why="", out_of_time=False, relaxing_s=0)
    return check_plan(problem, plan), placed


def mixed(seed):
    """Jobs with labels, pauses, gangs, lateness and data, some of them running already."""
    problem = jobs_problem(200, 0.85, seed)
    workloads = tuple(
        replace(
            w,
            mode=list(RunMode)[n % 3 == 0],
            due=w.earliest + 1,
            lateness_micro_cny=1000 * n,
            gang_size=1 + (n % 5 == 0),
            apart=f"a{n % 40}" if n % 4 == 0 else "",
            together=f"t{n % 60}" if n % 6 == 1 else "",
            data_gb=n % 3,
        )
        for n, w in enumerate(problem.workloads)
    )
    links = tuple(Link("C0", s.code, 5, cases.CNY) for s in problem.sites)
    running = tuple(
        Running(w.id, 0, (cases.Part("S1", w.gang_size),), cases.CNY)
        for w in workloads
        if w.earliest == 0 and w.latency_ms_max == np.inf
    )
    cap = CarbonRule(cap_g=10**6)
    return replace(problem, workloads=workloads, links=links, running=running, carbon=cap, moves_max=9)


@pytest.mark.parametrize("seed", range(4))
def test_room_is_made_within_every_rule(seed):
    problem = mixed(seed)
    violations, placed = squeezed(problem, np.random.default_rng(seed).permutation(len(problem.workloads)))
    assert violations == ()
    assert placed


def test_small_ones_move_for_large_ones():
    problem = jobs_problem(400, 0.9, 3)
    size = [w.alternatives[0].needs[0].milli_cards for w in problem.workloads]
    violations, placed = squeezed(problem, np.argsort(size, kind="stable"))
    assert violations == ()
    assert len(placed) > 5


def test_out_of_time_on_the_way_everything_is_as_it_was():
    problem = jobs_problem(400, 0.9, 3)
    instance = compile_instance(problem)
    builder = Builder(instance)
    state = builder.in_order(np.argsort([w.alternatives[0].needs[0].milli_cards for w in problem.workloads]))
    guide = builder.guide(no_prices(instance), 0.02)

    def looks_until(state, j, last):
        """Whether it found a place with this many looks at the clock before the time is up, and how many."""
        looks = itertools.count(1)
        found = squeeze(instance.kinds, builder.lookup, state, guide, j, lambda: next(looks) > last)
        return found, next(looks) - 1

    for j in np.flatnonzero(state.site == OUT).tolist():
        found, looks = looks_until(copied(state), j, 10**6)
        if found and looks > 2:
            break
    for last in range(looks):
        cut_short = copied(state)
        assert looks_until(cut_short, j, last)[0] is False
        assert as_it_was(state, cut_short)
    assert looks > 2
