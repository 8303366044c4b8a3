"""The class model's prices: those of the relaxation, so they prove more than ascent finds."""

import time
from collections import defaultdict
from dataclasses import replace

import horizon_instances as cases
import numpy as np
import pytest
from ortools.math_opt.python import mathopt

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


def least_of_the_relaxation(instance):
    """The least value (CNY) of the relaxation, a variable for each thing a kind could do, written out."""
    kinds, supply, slots = instance.kinds, instance.supply, instance.supply.slots
    model = mathopt.Model()
    rows = defaultdict(list)
    worth = []
    for k in range(len(kinds.size)):
        out = model.add_variable(lb=0)
        worth.append(int(kinds.penalty[k]) / 1e9 * out)
        done, running = [out], defaultdict(list)
        for a, row, t in options(instance, k):
            pauses, run = bool(kinds.preemptible[k]), int(kinds.duration[a])
            share, run = (run, 1) if pauses else (1, run)
            x = model.add_variable(lb=0)
            done.append(x / share)
            running[t].append(x)
            late = max(0, t + run - int(kinds.due[k])) * int(kinds.late[k]) if share == 1 else 0
            cost = (int(kinds.transfer[row]) + int(kinds.migration[k])) / share + late
            for n in range(kinds.need_start[a], kinds.need_start[a + 1]):
                milli = int(kinds.need_milli[n] * kinds.gang[k])
                cell = supply.resource(int(kinds.site[row]), int(kinds.need_grade[n])) * slots + t
                for here in range(cell, cell + run):
                    rows["cell", here].append(milli / 1000 * x)
                    rows["carbon", 0].append(milli * int(supply.carbon[here]) / 1e9 * x)
                    cost += milli * int(supply.running[here])
            if kinds.link[row] >= 0 and not pauses:
                rows["link", int(kinds.link[row]) * slots + t].append(int(kinds.data_gb[k]) * x)
            worth.append(cost / 1e9 * x)
        model.add_linear_constraint(mathopt.fast_sum(done) == int(kinds.size[k]))
        for here in running.values() if kinds.preemptible[k] else ():
            model.add_linear_constraint(mathopt.fast_sum(here) <= int(kinds.size[k]))
    for cell in range(len(supply.usable)):
        for step in range(supply.step_start[cell], supply.step_start[cell + 1]):
            bought = model.add_variable(lb=0, ub=int(supply.step_milli[step]) / 1000)
            rows["cell", cell].append(-bought)
            worth.append(int(supply.step_price[step]) / 1e6 * bought)
    room = instance.link_room.reshape(-1).tolist()
    cap = np.inf if instance.carbon_cap_ug is None else instance.carbon_cap_ug / 1e9
    for (what, n), terms in rows.items():
        most = {"cell": 0, "link": room[n] if what == "link" else 0, "carbon": cap}[what]
        model.add_linear_constraint(ub=most, expr=mathopt.fast_sum(terms))
    model.minimize(mathopt.fast_sum(worth))
    result = mathopt.solve(model, mathopt.SolverType.GLOP)
    return result.objective_value()


def options(instance, k):
    """Alternative, row among the sites and slot of everything that a workload of a kind could begin with."""
    kinds, supply = instance.kinds, instance.supply
    usable = supply.usable.reshape(len(supply.sites), len(supply.grades), supply.slots)
    least = 1 if kinds.spread[k] else int(kinds.gang[k])
    for a in range(kinds.alternative_start[k], kinds.alternative_start[k + 1]):
        run = 1 if kinds.preemptible[k] else int(kinds.duration[a])
        needs = range(kinds.need_start[a], kinds.need_start[a + 1])
        for row in range(kinds.site_start[k], kinds.site_start[k + 1]):
            site, link = int(kinds.site[row]), int(kinds.link[row])
            for t in range(kinds.earliest[k], kinds.end[k] - run + 1):
                fits = all(
                    usable[site, kinds.need_grade[n], here] >= kinds.need_milli[n] * least
                    for n in needs
                    for here in range(t, t + run)
                )
                blocked = link >= 0 and not kinds.preemptible[k]
                blocked = blocked and instance.link_room[link, t] < kinds.data_gb[k]
                if kinds.allowed[a, site] and fits and not blocked:
                    yield a, row, t


@pytest.mark.parametrize("block", range(3))
def test_it_proves_what_the_relaxation_is_worth(block):
    for seed in range(20 * block, 20 * block + 20):
        problem = cases.tiny(seed, workloads_max=8, slots_max=6)
        instance = compile_instance(replace(problem, running=(), moves_max=None))
        prices = class_prices(instance, 60)
        bound, least = priced(instance, prices).bound / 1e9, least_of_the_relaxation(instance)
        dust = 1e-6 * least + 1e-4
        assert bound >= least - dust, seed
        # where pauses lie is left out of the relaxation, but not of what its prices prove
        assert bound <= least + dust or instance.kinds.preemptible.any(), seed


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
