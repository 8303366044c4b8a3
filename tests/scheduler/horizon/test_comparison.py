"""Baselines obey every rule, and no plan that is proved best is beaten by one."""

from dataclasses import replace

import horizon_instances as cases
import pytest

from bench.horizon_instances import jobs_problem
from nodes.types import Region
from scheduler.horizon.baselines import DESCRIPTIONS, all_baselines
from scheduler.horizon.checker import check_placements, value_of
from scheduler.horizon.comparison import compare_horizon
from scheduler.horizon.instance import compile_instance
from scheduler.horizon.planning import plan_horizon
from scheduler.types import InvariantViolation


@pytest.mark.parametrize("seed", range(60))
def test_no_baseline_breaks_a_rule_or_beats_the_bound(seed):
    problem = cases.tiny(seed, workloads_max=4)
    plan = plan_horizon(problem, 10)
    for baseline in all_baselines(problem, compile_instance(problem), ()):
        if not baseline.unlimited:
            assert check_placements(problem, baseline.placements) == (), baseline.name
            assert value_of(problem, baseline.placements) >= plan.lower_bound_nano_cny


def test_the_hand_example():
    problem = cases.two_sites()
    rows = {row.name: row for row in compare_horizon(problem, plan_horizon(problem, 5)).rows}
    assert list(rows) == list(DESCRIPTIONS)
    # the pool holds 4 cards: near and pausing in slots 0 and 1, far in 2 and 3; all at 12 CNY
    assert rows["all_east"].totals.cost_fen == (2 + 3 + 1) * 12 * 2 * 100
    assert rows["all_east"].cost_saving == pytest.approx(1 - 96 / 144)
    # at the list price of 10 CNY
    assert rows["all_east_unlimited"].totals.cost_fen == (2 + 3 + 1) * 10 * 2 * 100
    assert rows["cheapest_first"].unserved == 0


def test_a_crowd_is_served_better_than_by_any_rule():
    problem = jobs_problem(500, 0.8, 1)
    sites = tuple(
        replace(s, region=Region.EAST if n < 8 else Region.WEST) for n, s in enumerate(problem.sites)
    )
    problem = replace(problem, sites=sites)
    plan = plan_horizon(problem, 4)
    for row in compare_horizon(problem, plan).rows:
        assert row.unserved >= len(plan.unplaced) or row.name == "all_east_unlimited"
    broken = replace(plan, value_nano_cny=plan.value_nano_cny + 1)
    with pytest.raises(InvariantViolation, match="the plan breaks rules"):
        compare_horizon(problem, broken)
