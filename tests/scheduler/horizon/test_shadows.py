"""What one more card is said to be worth in a slot."""

import random
from dataclasses import replace

import horizon_instances as cases
import numpy as np
import pytest

from scheduler.horizon.instance import compile_instance
from scheduler.horizon.planning import plan_horizon
from scheduler.horizon.pricing import Prices, priced
from scheduler.horizon.shadows import shadow_prices


def test_a_card_is_worth_what_it_saves_in_its_slot():
    plan = plan_horizon(cases.two_sites(), 5)
    worth = {(s.site, s.slot): s.nano_cny / cases.CNY for s in plan.shadow_prices}
    # "near" needs the pool in slots 0 and 1; with the hub at 6 CNY later the pool's slots 2 and 3 are worth
    # nothing one by one, and a pausing job would pay 6 for one of the hub's dear slots
    assert worth == pytest.approx(
        {("POOL", 0): 12, ("POOL", 1): 12, ("HUB", 0): 6, ("HUB", 1): 6, ("HUB", 2): 6, ("HUB", 3): 6},
        abs=0.01,
    )


@pytest.mark.parametrize("seed", range(60))
def test_each_price_alone_proves_as_much_lowered(seed):
    instance = compile_instance(cases.tiny(seed))
    draw, supply = random.Random(seed), instance.supply
    held = np.repeat(supply.held, supply.slots)
    capacity = np.array([draw.choice([0, draw.randint(0, 3 * 10**7)]) for _ in held]) * held
    link = np.array(draw.choices([0, 10**8], k=instance.link_room.size), dtype=np.int64)
    carbon = draw.choice([0, 10**5]) if instance.carbon_cap_ug is not None else 0
    prices = Prices(capacity, link.reshape(instance.link_room.shape), carbon)
    bound, lowered = priced(instance, prices).bound, shadow_prices(instance, prices)
    assert ((lowered >= 0) & (lowered <= capacity)).all()
    for cell in np.flatnonzero(lowered < capacity).tolist():
        alone = capacity.copy()
        alone[cell] = lowered[cell]
        assert priced(instance, replace(prices, capacity=alone)).bound >= bound, cell
