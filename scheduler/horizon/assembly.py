"""A plan by name, with its figures, reasons and proof, from a plan in arrays."""

import time
from collections.abc import Mapping

import numpy as np

from scheduler.horizon.accounting import HorizonBooks
from scheduler.horizon.dual_ascent import Ascent
from scheduler.horizon.gangs import Split
from scheduler.horizon.insertion import OUT, State
from scheduler.horizon.instance import Instance
from scheduler.horizon.moving import moves_of
from scheduler.horizon.plan import HorizonCertificate, HorizonPlan, LinkPrice, SlotPrice
from scheduler.horizon.reasons import HorizonExplainer
from scheduler.horizon.relaxing import Relaxer
from scheduler.horizon.shadows import shadow_prices
from scheduler.horizon.solution import placements, value
from scheduler.horizon.supply import Ints
from scheduler.horizon.types import HorizonProblem
from scheduler.plan import PlanStatus, Timings
from scheduler.types import InvariantViolation


def assembled(
    problem: HorizonProblem,
    instance: Instance,
    state: State,
    splits: Mapping[int, Split],
    ascent: Ascent,
    *,
    exact_bound: int = 0,
    weighed: int | None = None,
    model: str,
    why: str,
    out_of_time: bool,
    relaxing_s: float,
) -> HorizonPlan:
    """The plan of a state; raises `InvariantViolation` where its value is below its bound.

    ``weighed`` is the least value of a plan found before the rule of pre-emption was applied (None: the
    plan's own). What would place the work left out is looked for until ``relaxing_s`` have passed.
    """
    worth, bound = value(instance, state, splits), max(ascent.bound, exact_bound)
    if worth < bound:
        raise InvariantViolation(f"a plan's value {worth} is below its bound {bound}")
    placed = placements(problem, instance, state, splits)
    books = HorizonBooks(problem, instance.supply)
    explainer = HorizonExplainer(problem, instance)
    relaxer = Relaxer(problem, instance, state, time.monotonic() + relaxing_s)
    late = PlanStatus.TIME_LIMIT if out_of_time else PlanStatus.WITHIN_GAP
    return HorizonPlan(
        placements=placed,
        unplaced=tuple(
            explainer.explain(j)._replace(relaxed=relaxer.find(j))
            for j in np.flatnonzero(state.site == OUT).tolist()
        ),
        purchases=books.purchases(state.used),
        moves=moves_of(books, instance, state, splits, placed),
        totals=books.totals(placed),
        status=PlanStatus.OPTIMAL if worth == bound else late,
        value_nano_cny=worth,
        lower_bound_nano_cny=bound,
        rule_nano_cny=0 if weighed is None else max(worth - weighed, 0),
        bound_from="certificate" if bound == ascent.bound else "exact search",
        certificate=_certificate(problem, instance, ascent),
        shadow_prices=_slot_prices(instance, shadow_prices(instance, ascent.prices)),
        model=model,
        why=why,
        timings=Timings(0.0, 0.0, 0.0),
    )


def _certificate(problem: HorizonProblem, instance: Instance, ascent: Ascent) -> HorizonCertificate:
    lines = tuple(
        LinkPrice(link.origin, link.site, slot, price)
        for link, prices in zip(problem.links, ascent.prices.link.tolist(), strict=True)
        for slot, price in enumerate(prices)
        if price
    )
    prices = _slot_prices(instance, ascent.prices.capacity)
    return HorizonCertificate(prices, lines, ascent.prices.carbon, ascent.bound)


def _slot_prices(instance: Instance, prices: Ints) -> tuple[SlotPrice, ...]:
    supply = instance.supply
    found = []
    for cell in np.flatnonzero(prices).tolist():
        resource, slot = divmod(cell, supply.slots)
        site, grade = divmod(resource, len(supply.grades))
        found.append(SlotPrice(supply.sites[site], supply.grades[grade], slot, int(prices[cell])))
    return tuple(found)
