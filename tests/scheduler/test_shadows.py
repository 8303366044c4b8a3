"""What one more card is said to be worth: never more than it could save, nothing where nobody wants it."""

import random
from dataclasses import replace

import numpy as np
import pytest
import scheduler_instances as cases

from scheduler.capacity_rows import Needs, base_rows
from scheduler.compiling import compile_instance
from scheduler.lagrangian import lower_bound
from scheduler.placing import place
from scheduler.shadows import shadow_prices
from scheduler.types import Offer


def worth(problem):
    plan = place(problem)
    return {(s.site, s.grade): s.nano_cny_per_milli_card / problem.slot_hours for s in plan.shadow_prices}


def test_a_card_is_worth_what_it_saves_and_nothing_where_nobody_wants_it():
    base = cases.two_sites()
    hub = cases.site("HUB", {"A": 8000, "B": 8000}, list_price=8 * cases.CNY)
    problem = replace(
        base, sites=(base.sites[0], hub), offers=(*base.offers, Offer("b", "HUB", "B", 8000, 5 * cases.CNY))
    )
    cny = cases.CNY
    assert worth(problem) == {("POOL", "A"): 12 * cny, ("HUB", "A"): 8 * cny}
    # without the one that must be near, a card of the dear pool only saves one of the hub
    anywhere = replace(problem, workloads=problem.workloads[1:])
    assert worth(anywhere) == {("POOL", "A"): 8 * cny, ("HUB", "A"): 8 * cny}


@pytest.mark.parametrize("seed", range(60))
def test_each_price_alone_proves_as_much_lowered(seed):
    instance = compile_instance(cases.known_grades_only(cases.tiny(seed)))
    draw = random.Random(seed)
    rows, needs = base_rows(instance.supply), Needs(instance)
    prices = np.array([draw.choice([0, draw.randint(0, 3 * 10**8)]) for _ in rows], dtype=np.int64)
    bound = lower_bound(instance, needs, rows, prices.tolist())
    lowered = shadow_prices(instance, prices)
    assert ((lowered >= 0) & (lowered <= prices)).all()
    for resource, price in enumerate(lowered.tolist()):
        alone = prices.copy()
        alone[resource] = price
        assert lower_bound(instance, needs, rows, alone.tolist()) >= bound
