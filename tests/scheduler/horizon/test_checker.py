"""The checker finds every planted lie, and agrees with the models about every bound."""

import itertools
import random
from dataclasses import replace

import horizon_instances as cases
import numpy as np
import pytest
from brute_force import least_value
from planted import is_caught

import scheduler.horizon.planning
from nodes.types import Residency
from scheduler.horizon.checker import certified_bound, check_placements, check_plan, value_of
from scheduler.horizon.instance import compile_instance
from scheduler.horizon.plan import (
    HorizonCertificate,
    HorizonReason,
    HorizonUnplaced,
    LinkPrice,
    Move,
    MoveReason,
    SlotPrice,
)
from scheduler.horizon.planning import plan_horizon
from scheduler.horizon.pricing import Prices, priced
from scheduler.horizon.types import CarbonRule, Link, Maintenance, Part, RunMode, Running


@pytest.fixture(scope="module")
def sound():
    problem = cases.two_sites()
    plan = plan_horizon(problem, 5)
    assert check_plan(problem, plan) == ()
    return problem, plan


def a_move(name):
    return Move(name, MoveReason.GAIN, (Part("POOL", 1),), (Part("HUB", 1),), 1, 0, 0, 0)


def with_placement(plan, name, **changes):
    rows = [p._replace(**changes) if p.workload == name else p for p in plan.placements]
    return replace(plan, placements=tuple(rows))


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        (lambda p: with_placement(p, "near", parts=(Part("HUB", 1),)), "30.0 ms away"),
        (lambda p: with_placement(p, "near", slots=(2, 3)), "outside its window"),
        (lambda p: with_placement(p, "far", slots=(1, 3)), "may not pause"),
        (lambda p: with_placement(p, "far", slots=(3, 2)), "do not ascend"),
        (lambda p: with_placement(p, "far", slots=(2,)), "not what its alternative 0 takes"),
        (lambda p: with_placement(p, "far", parts=(Part("HUB", 2),)), "not its 1 members"),
        (lambda p: with_placement(p, "far", alternative=1), "names what the problem does not have"),
        (lambda p: with_placement(p, "far", slots=(0, 1)), "totals.purchase_nano_cny"),
        (lambda p: replace(p, placements=p.placements[1:]), "neither placed nor left out"),
        (lambda p: replace(p, placements=(*p.placements, p.placements[0])), "2 times"),
        (lambda p: replace(p, purchases=p.purchases[1:]), "needed but not bought"),
        (
            lambda p: replace(p, purchases=(p.purchases[0]._replace(milli_cards=1), *p.purchases[1:])),
            "should be",
        ),
        (lambda p: replace(p, totals=replace(p.totals, carbon_ug=7)), "totals.carbon_ug is 7"),
        (lambda p: replace(p, value_nano_cny=p.value_nano_cny - 1), "states a value"),
        (lambda p: replace(p, lower_bound_nano_cny=p.value_nano_cny + 1), "contradicts"),
        (lambda p: replace(p, moves=(a_move("far"),)), "are moved"),
        (
            lambda p: replace(
                p, certificate=replace(p.certificate, bound_nano_cny=p.value_nano_cny + 1, capacity=())
            ),
            "the certificate proves",
        ),
        (
            lambda p: replace(
                p,
                placements=p.placements[:-1],
                unplaced=(HorizonUnplaced(p.placements[-1].workload, HorizonReason.LATENCY, ""),),
            ),
            "left out for latency, but the reason is capacity",
        ),
    ],
)
def test_a_planted_lie_is_found(sound, lie, words):
    problem, plan = sound
    found = check_plan(problem, lie(plan))
    assert any(words in violation for violation in found), found


def all_work(problem, **changes):
    return replace(problem, workloads=tuple(replace(w, **changes) for w in problem.workloads))


MODEL_BUGS = {
    "latency is forgotten": lambda p: all_work(p, latency_ms_max=float("inf")),
    "residency is forgotten": lambda p: all_work(p, residency=Residency.ANY),
    "windows are forgotten": lambda p: all_work(p, earliest=0, latest_end=p.horizon.slots),
    "everything may pause": lambda p: all_work(p, mode=RunMode.PREEMPTIBLE),
    "budgets are forgotten": lambda p: all_work(p, budget_micro_cny=None),
    "labels are forgotten": lambda p: all_work(p, together="", apart=""),
    "lateness is free": lambda p: all_work(p, lateness_micro_cny=0),
    "maintenance is forgotten": lambda p: replace(p, maintenance=()),
    "lines carry anything": lambda p: replace(
        p, links=tuple(replace(link, gb_per_slot=10**6) for link in p.links)
    ),
    "carbon is free and unlimited": lambda p: replace(p, carbon=CarbonRule()),
    "moves are unlimited": lambda p: replace(p, moves_max=None),
}
"""What a model that forgets something would take the problem for."""


def rules_of(problem):
    return problem.workloads, problem.maintenance, problem.links, problem.carbon, problem.moves_max


@pytest.mark.parametrize("bug", MODEL_BUGS)
def test_a_bug_in_the_model_is_caught_wherever_it_does_harm(bug, monkeypatch):
    forget = MODEL_BUGS[bug]
    drawn = (cases.tiny(seed) for seed in itertools.count())
    affected = itertools.islice((p for p in drawn if rules_of(forget(p)) != rules_of(p)), 40)
    monkeypatch.setattr(scheduler.horizon.planning, "compile_instance", lambda p: compile_instance(forget(p)))
    assert any(
        is_caught(p, lambda p: plan_horizon(p, 5, gap_target=0), check_plan, least_value) for p in affected
    )


def placements(problem, **changes):
    return check_placements(replace(problem, **changes), plan_horizon(problem, 5).placements)


def labelled(problem, **label):
    return tuple(replace(w, **label) for w in problem.workloads)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"maintenance": (Maintenance("HUB", 3, 4),)}, "4000 milli-cards used, 0 there"),
        ({"carbon": CarbonRule(0, 0)}, "more than 0 g"),
        ({"links": (Link("EAST", "HUB", 0),)}, "carries 5 GB in slot 2, more than 0"),
        (
            {"running": (Running("far", 0, (Part("POOL", 1),)),), "moves_max": 0},
            "1 running workloads are moved",
        ),
    ],
)
def test_rules_of_the_whole_plan_are_checked(changes, words):
    problem = cases.two_sites()
    w = replace(problem.workloads[1], data_gb=5)
    sites = tuple(replace(s, carbon_g_per_kwh=500) for s in problem.sites)
    problem = replace(problem, workloads=(problem.workloads[0], w, problem.workloads[2]), sites=sites)
    assert placements(problem) == ()
    assert any(words in v for v in placements(problem, **changes)), placements(problem, **changes)


def test_labels_and_budgets_are_checked():
    problem = cases.two_sites()
    assert "together as x are at ['HUB', 'POOL']" in str(
        placements(problem, workloads=labelled(problem, together="x"))
    )
    assert "2 of those apart as x are at HUB in slot 2" in str(
        placements(problem, workloads=labelled(problem, apart="x"))
    )
    assert "more than its budget" in str(placements(problem, workloads=labelled(problem, budget_micro_cny=1)))


def test_values_add_up(sound):
    problem, plan = sound
    assert value_of(problem, plan.placements) == plan.value_nano_cny
    # the penalty of "near": ten times 2 cards for 2 hours at 10 CNY
    without = [p for p in plan.placements if p.workload != "near"]
    assert value_of(problem, without) == plan.value_nano_cny + (400 - 48) * 10**9


@pytest.mark.parametrize("seed", range(60))
def test_the_models_bound_is_the_checkers_at_any_prices(seed):
    problem = cases.tiny(seed)
    instance = compile_instance(problem)
    draw = random.Random(seed)
    supply = instance.supply
    held = np.repeat(supply.held, supply.slots)
    capacity = np.array([draw.choice([0, draw.randint(0, 3 * 10**7)]) for _ in held]) * held
    link = np.array(draw.choices([0, 10**8], k=instance.link_room.size), dtype=np.int64)
    carbon = draw.choice([0, 10**5]) if problem.carbon.cap_g is not None else 0
    prices = Prices(capacity, link.reshape(instance.link_room.shape), carbon)
    assert priced(instance, prices).bound == certified_bound(problem, certificate(problem, supply, prices))


def certificate(problem, supply, prices):
    rows = []
    for cell, price in enumerate(prices.capacity.tolist()):
        resource, slot = divmod(cell, supply.slots)
        site, grade = divmod(resource, len(supply.grades))
        if price:
            rows.append(SlotPrice(supply.sites[site], supply.grades[grade], slot, price))
    lines = tuple(
        LinkPrice(line.origin, line.site, slot, price)
        for line, row in zip(problem.links, prices.link.tolist(), strict=True)
        for slot, price in enumerate(row)
    )
    return HorizonCertificate(tuple(rows), lines, prices.carbon, 0)


def test_a_certificate_with_a_negative_price_is_none(sound):
    problem, plan = sound
    bad = replace(plan.certificate, capacity=(SlotPrice("HUB", "A", 0, -1),))
    with pytest.raises(ValueError, match="negative"):
        certified_bound(problem, bad)
    assert any("proves nothing" in v for v in check_plan(problem, replace(plan, certificate=bad)))
    with pytest.raises(ValueError, match="does not have"):
        certified_bound(problem, replace(plan.certificate, capacity=(SlotPrice("HUB", "Z", 0, 1),)))
