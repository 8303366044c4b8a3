"""Room is kept for expected work where that is worth it, and nothing is promised."""

from dataclasses import replace

import horizon_instances as cases
import pytest

from scheduler.horizon.checker import check_plan
from scheduler.horizon.comparison import compare_horizon
from scheduler.horizon.planning import plan_horizon
from scheduler.io.schedule import schedule_of


def pool_and_hub(chance_milli, *others):
    """A pool (4 A at 7 CNY) near the city and a dearer hub (8 CNY); expected work needs 3 A of the pool."""
    problem = cases.two_sites()
    offers = (
        cases.SlotOffer("p", "POOL", "A", 0, 4, 4000, 7 * cases.CNY),
        cases.SlotOffer("h", "HUB", "A", 0, 4, 8000, 8 * cases.CNY),
    )
    flexible = cases.work("flexible", {"A": 3000}, 2, (0, 2))
    expected = cases.work("expected#1", {"A": 3000}, 2, (0, 2), latency_ms=10.0, chance_milli=chance_milli)
    workloads = (flexible, expected, *others)
    return replace(problem, workloads=workloads, offers=offers, best_effort_yields=True)


def planned(problem):
    plan = plan_horizon(problem, 5)
    assert check_plan(problem, plan) == ()
    return plan, {p.workload: p.parts[0].site for p in plan.placements}


@pytest.mark.parametrize(("chance_milli", "kept"), [(500, True), (81, True), (79, False), (1, False)])
def test_room_is_kept_while_the_chance_is_worth_it(chance_milli, kept):
    # 6 card-hours at 10 CNY count 600 CNY when left out; serving costs 42, and 6 more for the other
    _, where = planned(pool_and_hub(chance_milli))
    assert where == ({"flexible": "HUB", "expected#1": "POOL"} if kept else {"flexible": "POOL"})


def test_nothing_of_it_is_promised_bought_or_compared():
    problem = pool_and_hub(500)
    plan, _ = planned(problem)
    schedule = schedule_of(problem.horizon.start, problem, plan)
    assert [run.workload for run in schedule.runs] == ["flexible"]
    assert {buy.offer for buy in schedule.buys} == {"h"}
    assert (schedule.totals.placed, schedule.totals.workloads, schedule.left) == (1, 1, ())
    assert schedule.totals.new_money_fen == 4_800
    assert schedule.kept == (1, 1, 6.0, 4_200)
    compared = compare_horizon(problem, plan)
    assert compared.plan_unserved == 0
    assert {row.baseline_common.placed for row in compared.rows} == {1}


def test_known_work_comes_first_whatever_it_weighs():
    small = cases.work("small", {"A": 2000}, 1, (0, 1), latency_ms=10.0, best_effort=False)
    _, where = planned(pool_and_hub(1000, small))
    assert where == {"flexible": "HUB", "small": "POOL"}
