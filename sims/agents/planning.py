"""From tasks and a book to orders: what the scheduler buys for a delivery day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Final

from exchange.planning.places import catalogue_places
from nodes.catalogue import load_catalogue
from scheduler.io.covering import Order, orders_of
from scheduler.io.faults import Where
from scheduler.io.problems import one_slot
from scheduler.io.schedule import schedule_of
from scheduler.io.tables import Row
from scheduler.io.venue import Stock, supply_of_stock
from scheduler.io.workloads import Span, WorkloadRow, workloads_of
from scheduler.io.world import world_of
from scheduler.placing import place
from sims.demand import Demand, demand_of, load_rules
from sims.trace import load_tasks

DAY_HOURS: Final = 24
GAP: Final = 1.0
"""The search may end with a plan that costs so much more than the best one at most, as a share of its money.
Rounding and, in small problems, the exact search come closer; polishing, which takes as long as it is given,
is left out.
"""
TIME_LIMIT_S: Final = 120.0
UNHURRIED: Final = 0.25
"""Within this share of the time limit no step of the search was cut short by the clock."""


@cache
def tasks_of(city: str, grades: tuple[str, ...], at: datetime) -> tuple[WorkloadRow, ...]:
    """Return the trace's tasks of a city that are bought one of these grades, as the scheduler reads them."""
    theirs = [of for of in _demands() if of.origin == city and of.grade in grades and of.cards_milli]
    rows = [Row(Where("trace", "row", of.number), _fields(of)) for of in theirs]
    read = workloads_of(rows, catalogue_places(at), Span(at, DAY_HOURS))
    read.faults.raise_if_any()
    return read.rows


@cache
def _demands() -> list[Demand]:
    return demand_of(load_tasks(), load_catalogue().edge_cities, load_rules())


def _fields(of: Demand) -> dict[str, str]:
    return {
        "id": f"task-{of.number}",
        "origin": of.origin,
        "class": of.latency_class,
        "grade": of.grade,
        "cards": f"{of.cards_milli / 1_000:.3f}",
    }


def first_of(tasks: Sequence[WorkloadRow], count: int) -> list[WorkloadRow]:
    """Return so many tasks; when there are no more, the same come again under other names."""
    rounds = [(number // len(tasks), tasks[number % len(tasks)]) for number in range(count)] if tasks else []
    return [replace(task, id=f"{task.id}/{again}") if again else task for again, task in rounds]


def purchases(tasks: Sequence[WorkloadRow], stock: Stock, start: datetime) -> tuple[Order, ...]:
    """Return the orders of the plan that places tasks on a day's stock.

    Raises RuntimeError for a plan that a faster machine might have made otherwise: runs must repeat.
    """
    span = Span(start, DAY_HOURS)
    world = world_of(catalogue_places(start), supply_of_stock(stock, span), span, at_list_price=False)
    problem = one_slot(world, tasks)
    plan = place(problem, TIME_LIMIT_S, GAP)
    if plan.timings.total_s > UNHURRIED * TIME_LIMIT_S:
        raise RuntimeError(
            f"planning {len(tasks)} tasks took {plan.timings.total_s:.0f} s, so its answer may depend on "
            "this machine's speed; give the planners less demand or more members"
        )
    return orders_of(schedule_of(start, problem, plan), stock.levels)
