"""Explanations hold: a relaxation offered places the workload, and intervals enclose the true price."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
import scheduler_instances as cases

import scheduler.io.schedule
from nodes.types import Residency
from scheduler.constraints import constraint_prices, price_of, with_latency, without_residency
from scheduler.explaining import Relaxed, relaxations
from scheduler.io.relaxed import NOT_LOOKED_FOR
from scheduler.io.schedule import schedule_of
from scheduler.placing import place


def test_each_kind_of_relaxation_is_the_smallest():
    problem = cases.two_sites()
    # the pool has 4 cards and 2 in use; the hub 8 with 3.46 in use, 30 ms away
    odd = cases.work("odd", {"A": 3000}, latency_ms=10.0, residency=Residency.SITE)
    problem = replace(problem, workloads=(*problem.workloads, odd))
    plan = place(problem)
    left_out = {item.workload for item in plan.unplaced}
    assert left_out in ({"odd"}, {"near"})
    (name,) = left_out
    found = {item.relaxed: item for item in relaxations(problem, plan)}
    size = {"odd": 3000, "near": 2000}
    idle = 4000 - size[({"odd", "near"} - left_out).pop()]
    assert found[Relaxed.SIZE].amount == size[name] - idle
    assert found[Relaxed.SIZE].site == "POOL"
    if name == "near":
        assert found[Relaxed.LATENCY].amount == pytest.approx(20.0)
        assert found[Relaxed.LATENCY].site == "HUB"
    else:
        # its data may not leave the pool: latency alone does not help it
        assert Relaxed.LATENCY not in found
    assert Relaxed.GRADE not in found


def test_smallest_changes_that_are_not_reached_in_time_are_told_as_such(monkeypatch):
    monkeypatch.setattr(scheduler.io.schedule, "CHANGES_S", -1.0)
    large = tuple(cases.work(f"large{n}", {"A": 9000}) for n in range(3))
    problem = replace(cases.two_sites(), workloads=large)
    left = schedule_of(datetime(2026, 12, 4, tzinfo=UTC), problem, place(problem)).left
    assert [item.workload for item in left] == ["large0", "large1", "large2"]
    assert left[0].change.startswith("size: ")
    assert [item.change for item in left[1:]] == [NOT_LOOKED_FOR] * 2


def test_residency_and_grade_are_relaxed_alone():
    problem = cases.two_sites()
    bound = cases.work("bound", {"A": 5000}, residency=Residency.PROVINCE)
    sites = (cases.site("POOL", {"A": 4000, "B": 9000}, city="EAST", province="EAST"), problem.sites[1])
    offers = (*problem.offers, cases.Offer("b", "POOL", "B", 9000, 3_000_000))
    problem = replace(problem, workloads=(bound,), sites=sites, offers=offers)
    found = {item.relaxed: item for item in relaxations(problem, place(problem))}
    assert (found[Relaxed.RESIDENCY].amount, found[Relaxed.RESIDENCY].site) == (1, "HUB")
    assert (found[Relaxed.GRADE].site, found[Relaxed.GRADE].detail) == ("POOL", "5 B instead of A")
    assert found[Relaxed.SIZE].amount == 1000


def granted(w, item):
    """The workload with a relaxation granted."""
    if item.relaxed is Relaxed.LATENCY:
        return replace(w, latency_ms_max=w.latency_ms_max + item.amount + 1e-9)
    order = [Residency.SITE, Residency.CITY, Residency.PROVINCE, Residency.ANY]
    return replace(w, residency=order[order.index(w.residency) + int(item.amount)])


@pytest.mark.parametrize("seed", range(60))
def test_what_is_offered_lets_one_more_workload_in(seed):
    problem = cases.known_grades_only(cases.tiny(seed))
    plan = place(problem)
    by_name = {w.id: w for w in problem.workloads}
    for item in relaxations(problem, plan):
        if item.relaxed in (Relaxed.LATENCY, Relaxed.RESIDENCY):
            changed = by_name | {item.workload: granted(by_name[item.workload], item)}
            better = place(replace(problem, workloads=tuple(changed.values())))
            assert better.value_nano_cny < plan.value_nano_cny


@pytest.mark.parametrize("seed", range(40))
def test_the_price_of_a_constraint_is_inside_its_interval(seed):
    problem = cases.known_grades_only(cases.tiny(seed))
    plan = place(problem)
    for relaxed in (without_residency(problem), with_latency(problem, np.inf), with_latency(problem, 2)):
        found = price_of("one", relaxed, plan)
        true = cases.brute_force(problem) - cases.brute_force(
            replace(relaxed, workloads=tuple(relaxed.workloads))
        )
        assert found.least <= true <= found.most


def test_everything_at_once():
    problem = cases.crowd(2, 60)
    plan = place(problem, 2)
    prices = list(constraint_prices(problem, plan, 6))
    assert [price.constraint for price in prices] == ["latency (bounds doubled)", "latency"]
    assert all(0 <= price.least <= price.most for price in prices)
    found = relaxations(problem, plan)
    assert {item.workload for item in found} <= {item.workload for item in plan.unplaced}
    assert np.isfinite([item.amount for item in found]).all()
