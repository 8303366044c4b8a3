"""Which model a world and its workloads are planned by."""

from collections.abc import Sequence

from scheduler.anyplan import AnyProblem, at_carbon_price
from scheduler.horizon.types import CarbonRule
from scheduler.io.horizons import many_slots
from scheduler.io.problems import one_slot, why_many_slots
from scheduler.io.workloads import WorkloadRow
from scheduler.io.world import World

NO_RULE = CarbonRule()


def problem_of(world: World, rows: Sequence[WorkloadRow], carbon: CarbonRule = NO_RULE) -> AnyProblem:
    """One slot where that says everything; else hours. A cap on carbon is known to the latter's models only.

    With a cap and nothing else that changes within the span, the span is a single slot of that model.
    """
    if why_many_slots(world, rows):
        return many_slots(world, rows, carbon=carbon)
    if carbon.cap_g is None:
        return at_carbon_price(one_slot(world, rows), carbon.price_micro_cny_per_kg)
    return many_slots(world, rows, slot_hours=world.span.hours, carbon=carbon)
