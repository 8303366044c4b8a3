"""Compiling the loops of the one-slot models before a clock starts, so that no search pays for it.

Numba compiles a loop when it is first called and keeps the code on disk: some ten seconds of processor time
once, a fraction of a second in every later process.
"""

from functools import cache

import numpy as np

from nodes.types import HubKind, Region
from scheduler.capacity_rows import Needs
from scheduler.compiling import compile_instance
from scheduler.ejecting import ejected
from scheduler.greedy import filled
from scheduler.knapsacks import items_of
from scheduler.pairing import Pairs
from scheduler.refining import refine
from scheduler.shadows import shadow_prices
from scheduler.spreading import spread
from scheduler.types import Need, Network, Offer, Origin, Problem, Site, SiteGrade, Workload
from scheduler.worths import Climb, worth_bound

_FOREVER = float("inf")


@cache
def compile_slot_loops() -> None:
    """Run every compiled loop of `scheduler.placing` once, on two workloads at one site."""
    instance = compile_instance(_smallest_problem())
    needs, nothing = Needs(instance), np.zeros(len(instance.option_site), dtype=np.int64)
    found = refine(instance, needs, _FOREVER)
    prices = np.zeros_like(instance.supply.reserved)
    spread(instance, found.merged, found.amount, prices.astype(np.float64))
    filled(instance, nothing)
    # from nothing placed, so that there is something to improve
    ejected(instance, needs, nothing, prices, _FOREVER)
    shadow_prices(instance, prices)
    items = items_of(instance)
    climb, pairs = Climb(instance, items, instance.penalty), Pairs(instance, items, nothing, prices)
    # the first step only looks
    climb.go_on()
    climb.go_on()
    pairs.go_on()
    worth_bound(instance, items, climb.worth())


def _smallest_problem() -> Problem:
    site = Site("S", "C", "P", Region.EAST, HubKind.CLUSTER, (SiteGrade("A", 3000, 10, 1, 0.1),))
    return Problem(
        workloads=tuple(
            Workload(f"w{n}", "C", _FOREVER, ((Need("A", 1000 * n),),), data_gb=n) for n in (1, 2)
        ),
        origins=(Origin("C", "P", "S"),),
        sites=(site,),
        network=Network(("C",), ("S",), np.array([[1.0]]), np.array([[5]])),
        offers=(Offer("o", "S", "A", 3000, 10),),
    )
