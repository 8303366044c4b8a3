"""Which model a world and its workloads are planned by."""

from collections.abc import Sequence
from typing import NamedTuple

from scheduler.anyplan import AnyProblem, at_carbon_price
from scheduler.horizon.types import CarbonRule
from scheduler.horizon.validation import SLOTS_MAX
from scheduler.io.faults import FaultyInput, FileFault, Where
from scheduler.io.horizons import many_slots
from scheduler.io.problems import one_slot, why_many_slots
from scheduler.io.running import Begun, with_running
from scheduler.io.workloads import WorkloadRow
from scheduler.io.world import HOURS_A_DAY, World

NO_RULE = CarbonRule()


def _gives_way(row: WorkloadRow) -> bool:
    return row.best_effort or row.chance_milli is not None


class Before(NamedTuple):
    """What has begun before the plan, what a move costs where its row does not say, and how many may move."""

    begun: tuple[Begun, ...] = ()
    migration_micro_cny: int = 0
    moves_max: int | None = None


NOTHING_BEFORE = Before()


def problem_of(
    world: World,
    rows: Sequence[WorkloadRow],
    carbon: CarbonRule = NO_RULE,
    before: Before = NOTHING_BEFORE,
) -> AnyProblem:
    """One slot where that says everything; else hours.

    A cap on carbon, work that runs and work that gives way to other work are known to the latter's models
    only. With nothing else that changes within the span, the span is a single slot of that model.

    Raises `FaultyInput` for a span that is too long to be planned by the hour.
    """
    hourly = why_many_slots(world, rows)
    plain = carbon.cap_g is None and not before.begun and not any(map(_gives_way, rows))
    if plain and not hourly:
        return at_carbon_price(one_slot(world, rows), carbon.price_micro_cny_per_kg)
    hours = world.span.hours
    if hourly and hours > SLOTS_MAX:
        days = SLOTS_MAX // HOURS_A_DAY
        message = (
            f"{hours} h; a plan by the hour spans at most {days} days, and by the hour it is since {hourly}"
        )
        raise FaultyInput([FileFault(Where("horizon", "", 0), "", "", message)])
    problem = many_slots(world, rows, 1 if hourly else hours, carbon)
    return with_running(problem, rows, *before)
