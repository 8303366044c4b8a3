"""The class model's prices: those of the relaxation, so they prove more than ascent finds."""

import time
from dataclasses import replace

import horizon_instances as cases
import pytest

from bench.horizon_instances import jobs_problem
from scheduler.horizon.checker import check_plan
from scheduler.horizon.class_model import class_prices, suits
from scheduler.horizon.dual_ascent import ascend
from scheduler.horizon.instance import compile_instance
from scheduler.horizon.planning import CLASSES, plan_horizon
from scheduler.horizon.pricing import no_prices, priced
from scheduler.horizon.types import RunMode


def alike(mode, kinds=15, copies=8):
    """Few kinds of workloads, several of each, on half-used sites."""
    problem = jobs_problem(kinds, 0.7 / copies, 1, mode, distinct=False)
    crowd = tuple(replace(w, id=f"{w.id}/{n}", data_gb=0) for w in problem.workloads for n in range(copies))
    return replace(problem, workloads=crowd)


@pytest.mark.parametrize("mode", list(RunMode))
def test_its_bound_is_at_least_what_ascent_proves(mode):
    instance = compile_instance(alike(mode))
    assert suits(instance)
    prices = class_prices(instance, 60)
    bound = priced(instance, prices).bound
    climbed = ascend(instance, no_prices(instance), 60, time.monotonic() + 60).bound
    # prices are rounded to whole nano-CNY
    assert bound >= climbed * (1 - 1e-6)


@pytest.mark.parametrize("mode", list(RunMode))
def test_a_plan_of_alike_workloads_uses_it(mode):
    problem = alike(mode)
    plan = plan_horizon(problem, 4)
    assert check_plan(problem, plan) == ()
    assert plan.model in (CLASSES, "exact")
    assert plan.gap < 0.5


def test_carbon_and_lines_are_priced_too():
    problem = cases.two_sites()
    sites = (
        replace(problem.sites[0], carbon_g_per_kwh=100),
        replace(problem.sites[1], carbon_g_per_kwh=(500, 500, 900, 900)),
    )
    w = replace(problem.workloads[1], data_gb=4)
    crowd = tuple(replace(w, id=f"w{n}", alternatives=problem.workloads[2].alternatives) for n in range(8))
    given = replace(
        problem,
        sites=sites,
        workloads=crowd,
        links=(cases.Link("EAST", "HUB", 8),),
        carbon=cases.CarbonRule(0, 5_000),
    )
    instance = compile_instance(given)
    prices = class_prices(instance, 30)
    assert prices.carbon > 0
    assert prices.link.any()
    plan = plan_horizon(given, 20)
    assert check_plan(given, plan) == ()
    assert priced(instance, prices).bound <= plan.value_nano_cny
