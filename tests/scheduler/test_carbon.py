"""Carbon: a price moves work, a cap is met at the least cost, and bounds hold at every level."""

import itertools
from dataclasses import replace

import pytest
import scheduler_instances as cases

from scheduler.carbon import PRICE_TRIED_MAX, pareto, place_within
from scheduler.checker import check_plan
from scheduler.placing import place


def cleaner_east():
    """The hand example with an eastern pool that emits a tenth of the west."""
    problem = cases.two_sites()
    pool, hub = problem.sites
    clean = replace(pool, grades=tuple(replace(g, kgco2=0.05) for g in pool.grades))
    dirty = replace(hub, grades=tuple(replace(g, kgco2=0.5) for g in hub.grades))
    return replace(problem, sites=(clean, dirty))


def test_a_price_of_carbon_moves_work_once_it_outweighs_the_money():
    problem = cleaner_east()
    # moving "shared" saves 0.46 × 6 h × 0.45 kg and costs 0.46 × 24 h × 4 CNY
    turn = 4 * 24 / (6 * 0.45)
    for price, site in ((turn * 0.99, "HUB"), (turn * 1.01, "POOL")):
        charged = replace(problem, carbon_price_micro_cny_per_kg=int(price * cases.CNY))
        plan = place(charged)
        assert {p.workload: p.site for p in plan.placements}["shared"] == site
        assert check_plan(charged, plan) == ()


def test_the_charge_is_what_the_plan_emits_times_the_price():
    charged = replace(cleaner_east(), carbon_price_micro_cny_per_kg=100_000)
    plan = place(charged)
    # 2 cards × 24 h × 0.05 kg, 3 cards × 24 h and 0.46 cards × 6 h at 0.5 kg; 0.1 CNY a kg
    assert plan.totals.kgco2 == pytest.approx(2 * 24 * 0.05 + (3 * 24 + 0.46 * 6) * 0.5)
    assert plan.totals.carbon_nano_cny == pytest.approx(plan.totals.kgco2 * 1e8)


def emissions(problem):
    """Every (money and penalties, kg) that some placement has, by enumeration."""
    unpriced = replace(problem, carbon_price_micro_cny_per_kg=0)
    ways = [[None, *cases.ways(problem, w)] for w in problem.workloads]
    for choice in itertools.product(*ways):
        money = cases.value_of(unpriced, choice)
        if money is not None:
            yield money, cases.kgco2(problem, choice)


@pytest.mark.parametrize("seed", range(40))
def test_bounds_under_a_cap_hold_for_every_placement(seed):
    problem = cases.known_grades_only(cases.tiny(seed))
    free = place(replace(problem, carbon_price_micro_cny_per_kg=0))
    cap = free.totals.kgco2 * 0.7
    found = place_within(problem, cap, time_limit_s=10)
    cheapest = min(money for money, kg in emissions(problem) if kg <= cap)
    assert found.money_bound_nano_cny <= cheapest
    if found.plan is not None:
        assert found.plan.totals.kgco2 <= cap
        assert found.plan.value_nano_cny - found.plan.totals.carbon_nano_cny >= cheapest


def test_a_front_falls_in_carbon_and_rises_in_money():
    problem = cleaner_east()
    points = pareto(problem, (0, 1_000_000, 40_000_000, 200_000_000), time_limit_s=10)
    assert len(points) >= 2
    for one, next_one in itertools.pairwise(points):
        assert one.kgco2 > next_one.kgco2
        assert one.money_nano_cny < next_one.money_nano_cny
    for point in points:
        assert point.money_bound_nano_cny <= point.money_nano_cny
    assert points[0].gap == 0


def test_a_cap_that_nothing_served_could_meet_says_so():
    found = place_within(cleaner_east(), 0.001, time_limit_s=5)
    assert found.plan is None or found.plan.unplaced
    assert found.least.totals.kgco2 <= place(cleaner_east()).totals.kgco2
    with pytest.raises(ValueError, match="cap"):
        place_within(cleaner_east(), float("nan"))
    assert PRICE_TRIED_MAX > 0
