"""Exact plans over many slots keep order with one another; explanations enclose the truth."""

from dataclasses import replace

import horizon_instances as cases
from brute_force import least_value
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.anyplan import at_carbon_price, carbon_charge
from scheduler.carbon import pareto
from scheduler.constraints import constraint_prices, relaxed_problems
from scheduler.horizon.planning import plan_horizon

SEEDS = st.integers(0, 10**6)


def exact(problem):
    return plan_horizon(problem, 20, gap_target=0).value_nano_cny


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.randoms(use_true_random=False))
def test_the_order_of_workloads_does_not_change_the_cost(seed, draw):
    problem = cases.tiny(seed)
    shuffled = list(problem.workloads)
    draw.shuffle(shuffled)
    assert exact(replace(problem, workloads=tuple(shuffled))) == exact(problem)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_more_to_buy_never_costs_more_and_a_tighter_bound_never_less(seed):
    # what runs and can no longer stay may move beyond the bound on moves: without running work it is monotone
    problem = replace(cases.tiny(seed), running=(), moves_max=None)
    value = exact(problem)
    fewer = tuple(replace(offer, milli_cards=offer.milli_cards // 2) for offer in problem.offers)
    assert exact(replace(problem, offers=fewer)) >= value
    tighter = tuple(replace(w, latency_ms_max=w.latency_ms_max / 2) for w in problem.workloads)
    assert exact(replace(problem, workloads=tighter)) >= value


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_what_a_constraint_costs_lies_in_its_interval(seed):
    problem = cases.tiny(seed)
    plan = plan_horizon(problem, 20)
    relaxed = dict(relaxed_problems(problem))
    for found in constraint_prices(problem, plan, 60):
        true = least_value(problem) - least_value(relaxed[found.constraint])
        assert found.least <= true <= found.most, found.constraint


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_no_plan_with_as_little_carbon_costs_less_than_the_fronts_bound(seed):
    problem = cases.tiny(seed)
    free = at_carbon_price(problem, 0)
    for point in pareto(problem, (0, 2_000_000, 50_000_000), 30):
        assert point.money_bound_nano_cny <= point.money_nano_cny
        assert point.money_nano_cny == point.plan.value_nano_cny - carbon_charge(point.plan)
        # the exact optimum under the point's own carbon as a cap
        grams = -int(-point.plan.totals.carbon_ug // 1_000_000)
        capped = replace(free, carbon=replace(free.carbon, cap_g=grams))
        assert exact(capped) >= exact(free)
        if grams * 1_000_000 == point.plan.totals.carbon_ug:
            assert exact(capped) >= point.money_bound_nano_cny
