"""The baselines obey the rules, compare on the same work, and never beat the bound."""

from dataclasses import replace

import pytest
import scheduler_instances as cases

from scheduler.baselines import ALL_EAST, ALL_EAST_UNLIMITED, CHEAPEST_FIRST, DESCRIPTIONS
from scheduler.comparison import compare
from scheduler.placing import place
from scheduler.types import InvariantViolation, Offer


def rows(problem, plan):
    return {row.name: row for row in compare(problem, plan).rows}


def test_the_hand_example():
    problem = cases.two_sites()
    found = rows(problem, place(problem))
    assert list(found) == list(DESCRIPTIONS)
    # east has 4 cards: near (2) and the share (0.46) get in, far (3) does not
    east = found[ALL_EAST]
    assert (east.totals.placed, east.unserved) == (2, 1)
    assert east.totals.cost_fen == 2460 * 12 * 24 // 10
    assert east.plan_common.cost_fen == (2000 * 12 + 460 * 8) * 24 // 10
    assert east.penalty_nano_cny == 10 * 3000 * 12_000_000 * 24
    unlimited = found[ALL_EAST_UNLIMITED]
    assert (unlimited.unserved, unlimited.totals.cost_fen) == (0, 5460 * 12 * 24 // 10)
    assert unlimited.cost_saving == pytest.approx(1 - (2000 * 12 + 3460 * 8) / (5460 * 12))
    # same power price at both sites: moving saves money but no electricity
    assert unlimited.power_cost_saving == 0
    assert unlimited.carbon_saving == 0


def test_a_greedy_that_arrives_in_a_bad_order_pays_more():
    problem = cases.two_sites()
    # the flexible one comes first and takes the only cheap card that the other could use
    sites = (cases.site("POOL", {"A": 4000}, city="EAST"), cases.site("HUB", {"A": 8000}))
    offers = (Offer("p", "POOL", "A", 1000, 1_000_000), Offer("h", "HUB", "A", 4000, 2_000_000))
    workloads = (cases.work("flexible", {"A": 1000}), cases.work("bound", {"A": 1000}, latency_ms=10.0))
    problem = replace(problem, sites=sites, offers=offers, workloads=workloads)
    row = rows(problem, place(problem))[CHEAPEST_FIRST]
    assert row.unserved == 1
    assert row.penalty_nano_cny > 0


@pytest.mark.parametrize("seed", range(3))
def test_no_baseline_beats_the_certified_bound(seed):
    problem = cases.crowd(seed)
    plan = place(problem, time_limit_s=2)
    found = rows(problem, plan)
    del found[ALL_EAST_UNLIMITED]
    for row in found.values():
        totals = row.totals
        value = totals.cost_nano_cny + totals.forgone_nano_cny + totals.carbon_nano_cny
        value += row.penalty_nano_cny
        assert value >= plan.lower_bound_nano_cny


@pytest.mark.parametrize("seed", range(100))
def test_tiny_problems_of_every_kind_compare(seed):
    problem = cases.known_grades_only(cases.tiny(seed))
    best = cases.brute_force(problem)
    for row in rows(problem, place(problem)).values():
        if row.name != ALL_EAST_UNLIMITED:
            totals = row.totals
            value = totals.cost_nano_cny + totals.forgone_nano_cny + totals.carbon_nano_cny
            assert value + row.penalty_nano_cny >= best
        assert row.baseline_common.placed == row.plan_common.placed


def test_a_plan_that_breaks_a_rule_is_not_compared():
    problem = cases.two_sites()
    plan = place(problem)
    with pytest.raises(InvariantViolation, match="value"):
        compare(problem, replace(plan, value_nano_cny=plan.value_nano_cny + 1))
