"""Compiling the loops of the models of many slots before a clock starts, so that no search pays for it.

See `scheduler.warming`, which does the same for one slot.
"""

from datetime import UTC, datetime
from functools import cache

import numpy as np

from nodes.types import HubKind, Region
from scheduler.horizon.building import Builder
from scheduler.horizon.dual_ascent import ascend
from scheduler.horizon.fitting import ways_of
from scheduler.horizon.insertion import NO_GUIDE, best_option, book_part, put, put_all, remove, remove_all
from scheduler.horizon.instance import Instance, compile_instance
from scheduler.horizon.pricing import no_prices
from scheduler.horizon.shadows import shadow_prices
from scheduler.horizon.squeezing import minds_least, squeeze
from scheduler.horizon.types import (
    Alternative,
    GradeSlots,
    Horizon,
    HorizonProblem,
    HorizonSite,
    HorizonWorkload,
    SlotOffer,
)
from scheduler.horizon.yielding import make_room
from scheduler.types import Need, Network, Origin

_FOREVER = float("inf")


@cache
def compile_horizon_loops() -> None:
    """Run every compiled loop of `scheduler.horizon.planning` and `.failover` once, on two workloads."""
    instance = compile_instance(_smallest_problem())
    builder = Builder(instance)
    state = builder.in_order(np.arange(len(instance.kind)))
    prices = ascend(instance, no_prices(instance), 1, _FOREVER).prices
    shadow_prices(instance, prices)
    builder.guided(prices, _FOREVER)
    builder.shaken(state, prices, np.random.default_rng(0), _FOREVER)
    _compile_repair(instance, builder)


def _compile_repair(instance: Instance, builder: Builder) -> None:
    """What repairs, gangs and explanations do."""
    kinds, lookup, supply = instance.kinds, builder.lookup, instance.supply
    state = builder.in_order(np.arange(0))
    jobs, sites = np.arange(1), np.zeros(1, dtype=np.int64)
    slots = np.empty(lookup.slots, dtype=np.int64)
    put_all(kinds, lookup, state, jobs, jobs.copy(), sites)
    book_part(kinds, lookup, state, 0, 0, 1, -1)
    remove_all(kinds, lookup, state, jobs)
    option = best_option(kinds, lookup, state, NO_GUIDE, 0, slots)
    put(kinds, lookup, state, 0, *option[1:], slots)
    remove(kinds, lookup, state, 0)
    make_room(kinds, lookup, state, jobs, jobs[:0])
    squeeze(kinds, lookup, state, NO_GUIDE, 1, lambda: False)
    minds_least(kinds, lookup, state, jobs, 0)
    usable = supply.usable.reshape(len(supply.sites), len(supply.grades), supply.slots)
    ways_of(kinds, usable, instance.link_room, sites, 0)


def _smallest_problem() -> HorizonProblem:
    way = Alternative((Need("A", 1000),), 1)
    site = HorizonSite("S", "C", "P", Region.EAST, HubKind.CLUSTER, (GradeSlots("A", 1000, 10, 100),))
    return HorizonProblem(
        horizon=Horizon(datetime(2026, 1, 1, tzinfo=UTC), 2),
        workloads=tuple(HorizonWorkload(name, "C", _FOREVER, (way,), 0, 2) for name in ("one", "two")),
        origins=(Origin("C", "P", "S"),),
        sites=(site,),
        network=Network(("C",), ("S",), np.array([[1.0]])),
        offers=(SlotOffer("o", "S", "A", 0, 2, 1000, 10),),
    )
