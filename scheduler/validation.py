"""Whether a problem can be planned: every fault named with its table, row and field."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from nodes.types import Residency
from scheduler.figures import latency_faults, not_integer_in, repeated, vector_faults
from scheduler.place_faults import network_faults, origin_faults
from scheduler.types import PRIORITY_MAX, Fault, InvalidProblem, Need, Offer, Problem, Reservation, Workload
from scheduler.workload_table import Shape, WorkloadTable

MILLI_CARDS_MAX = 10**12
"""The most milli-cards one row may speak of: keeps every product of the model inside int64."""
PRICE_MICRO_MAX = 10**12
"""The highest price of a card-hour: a million CNY."""
SLOT_HOURS_MAX = 24 * 366
DATA_GB_MAX = 10**9
CARBON_PRICE_MAX = 10**9
"""The highest price of carbon in micro-CNY a kg: a thousand CNY, thousands of times any market's."""

RESIDENCIES = frozenset(Residency)
Rows = Iterator[Fault]


def checked(problem: Problem) -> Problem:
    """Return the problem itself; raises `InvalidProblem` with every fault found."""
    found = faults(problem)
    if found:
        raise InvalidProblem(found)
    return problem


def without_faulty_workloads(problem: Problem) -> tuple[Problem, tuple[Fault, ...]]:
    """Leave out the workloads that cannot be planned, so that the rest can be; their faults come beside it.

    Raises `InvalidProblem` when anything but workloads is wrong.
    """
    found = faults(problem)
    others = [fault for fault in found if fault.table != "workloads"]
    if others:
        raise InvalidProblem(others)
    faulty = {fault.row for fault in found}
    rows = [row for row in range(len(problem.workloads)) if row not in faulty]
    given = problem.workloads
    if isinstance(given, WorkloadTable):
        return replace(problem, workloads=given.taken(np.array(rows, dtype=np.int64))), tuple(found)
    return replace(problem, workloads=tuple(given[row] for row in rows)), tuple(found)


def faults(problem: Problem) -> list[Fault]:
    """Everything that is wrong with a problem, in the order of the tables; empty for a sound one."""
    found = list(_slot_faults(problem))
    if found:
        # without a slot no other figure can be judged
        return found
    found += [*origin_faults(problem.origins, problem.sites), *_site_faults(problem)]
    found += network_faults(problem.network, problem.origins, problem.sites, PRICE_MICRO_MAX)
    found += _supply_faults("reservations", problem.reservations, problem)
    found += _supply_faults("offers", problem.offers, problem)
    found += _contradictions(problem) if not found else ()
    found += _workload_faults(problem)
    return found


def _slot_faults(problem: Problem) -> Rows:
    if wrong := not_integer_in(problem.slot_hours, 1, SLOT_HOURS_MAX):
        yield Fault("problem", 0, "", "slot_hours", wrong)
    if wrong := not_integer_in(problem.carbon_price_micro_cny_per_kg, 0, CARBON_PRICE_MAX):
        yield Fault("problem", 0, "", "carbon_price_micro_cny_per_kg", wrong)


def _site_faults(problem: Problem) -> Rows:
    yield from repeated("sites", "code", (site.code for site in problem.sites))
    for row, site in enumerate(problem.sites):
        for fault in repeated("sites", "grade", (g.grade for g in site.grades)):
            yield Fault("sites", row, site.code, "grades", f"grade {fault.key!r} is given twice")
        for g in site.grades:
            figures = (
                ("capacity_milli_cards", g.capacity_milli_cards, MILLI_CARDS_MAX),
                ("list_price_micro_cny", g.list_price_micro_cny, PRICE_MICRO_MAX),
                ("power_micro_cny", g.power_micro_cny, PRICE_MICRO_MAX),
            )
            for name, value, most in figures:
                if wrong := not_integer_in(value, 0, most):
                    yield Fault("sites", row, site.code, f"grades[{g.grade}].{name}", wrong)
            if not (math.isfinite(g.kgco2) and g.kgco2 >= 0):
                yield Fault(
                    "sites", row, site.code, f"grades[{g.grade}].kgco2", f"{g.kgco2} is not a figure ≥ 0"
                )


def _supply_faults(table: str, rows: Sequence[Reservation | Offer], problem: Problem) -> Rows:
    known = {(site.code, g.grade) for site in problem.sites for g in site.grades}
    codes = {site.code for site in problem.sites}
    yield from repeated(table, "id", (item.id for item in rows))
    for row, item in enumerate(rows):
        if item.site not in codes:
            yield Fault(table, row, item.id, "site", f"unknown site {item.site!r}")
        elif (item.site, item.grade) not in known:
            yield Fault(table, row, item.id, "grade", f"site {item.site} has no grade {item.grade!r}")
        if wrong := not_integer_in(item.milli_cards, 0, MILLI_CARDS_MAX):
            yield Fault(table, row, item.id, "milli_cards", wrong)
        names = (
            ("paid_micro_cny", "worth_micro_cny") if isinstance(item, Reservation) else ("price_micro_cny",)
        )
        for name in names:
            if wrong := not_integer_in(getattr(item, name), 0, PRICE_MICRO_MAX):
                yield Fault(table, row, item.id, name, wrong)


def _contradictions(problem: Problem) -> Rows:
    """Reservations and offers that add up to more than the site has."""
    supply: dict[tuple[str, str], int] = {}
    rows: tuple[Reservation | Offer, ...] = (*problem.reservations, *problem.offers)
    for item in rows:
        supply[item.site, item.grade] = supply.get((item.site, item.grade), 0) + item.milli_cards
    for row, site in enumerate(problem.sites):
        for g in site.grades:
            total = supply.get((site.code, g.grade), 0)
            if total > g.capacity_milli_cards:
                name = f"grades[{g.grade}].capacity_milli_cards"
                message = f"reservations and offers add up to {total}, more than {g.capacity_milli_cards}"
                yield Fault("sites", row, site.code, name, message)


def _workload_faults(problem: Problem) -> Rows:
    given = problem.workloads
    grades = {g.grade for site in problem.sites for g in site.grades}
    names = given.ids if isinstance(given, WorkloadTable) else [w.id for w in given]
    if len(set(names)) < len(names):
        yield from repeated("workloads", "id", names)
    rows = _suspects(problem, given, grades) if isinstance(given, WorkloadTable) else range(len(given))
    cities = {origin.city for origin in problem.origins}
    sound: set[tuple[tuple[Need, ...], ...]] = set()
    for row in rows:
        w = given[row]
        if w.origin not in cities:
            yield Fault("workloads", row, w.id, "origin", f"unknown origin city {w.origin!r}")
        yield from latency_faults(row, w.id, w.latency_ms_max)
        yield from _figure_faults(row, w, problem.slot_hours)
        if w.alternatives not in sound:
            wrong = list(_demand_faults(row, w, grades))
            yield from wrong
            if not wrong:
                sound.add(w.alternatives)


def _suspects(problem: Problem, table: WorkloadTable, grades: set[str]) -> list[int]:
    """Rows of a table that may be wrong, found column by column; each is then looked at on its own."""
    cities = {origin.city for origin in problem.origins}
    odd_city = np.array([city not in cities for city in table.cities], dtype=np.bool_)
    odd_shape = np.array([not _sound_shape(shape, grades) for shape in table.shapes], dtype=np.bool_)
    suspect = odd_city[table.origin] | odd_shape[table.shape] | ~(table.latency_ms_max >= 0)
    for column, least, most in (
        (table.priority, 0, PRIORITY_MAX),
        (table.hours, 1, problem.slot_hours),
        (table.data_gb, 0, DATA_GB_MAX),
    ):
        suspect |= (column < least) | (column > most)
    wrong = np.flatnonzero((table.need_milli < 1) | (table.need_milli > MILLI_CARDS_MAX))
    suspect[np.searchsorted(table.need_start, wrong, side="right") - 1] = True
    rows: list[int] = np.flatnonzero(suspect).tolist()
    return rows


def _sound_shape(shape: Shape, grades: set[str]) -> bool:
    return bool(shape) and all(
        vector and len(set(vector)) == len(vector) and grades.issuperset(vector) for vector in shape
    )


def _figure_faults(row: int, w: Workload, slot_hours: int) -> Rows:
    figures = (("priority", w.priority, 0, PRIORITY_MAX), ("hours", w.hours, 1, slot_hours))
    for name, value, least, most in (*figures, ("data_gb", w.data_gb, 0, DATA_GB_MAX)):
        if wrong := not_integer_in(value, least, most):
            yield Fault("workloads", row, w.id, name, wrong)
    if w.residency not in RESIDENCIES:
        allowed = ", ".join(Residency)
        yield Fault("workloads", row, w.id, "residency", f"{w.residency!r} is none of {allowed}")


def _demand_faults(row: int, w: Workload, grades: set[str]) -> Rows:
    if not w.alternatives:
        yield Fault("workloads", row, w.id, "alternatives", "no demand vector")
    for index, needs in enumerate(w.alternatives):
        yield from vector_faults(row, w.id, f"alternatives[{index}]", needs, grades, MILLI_CARDS_MAX)
