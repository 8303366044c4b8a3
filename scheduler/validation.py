"""Whether a problem can be planned: every fault named with its table, row and field."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from nodes.types import Residency
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
    found = [*_slot_faults(problem), *_origin_faults(problem), *_site_faults(problem)]
    found += _network_faults(problem)
    found += _supply_faults("reservations", problem.reservations, problem)
    found += _supply_faults("offers", problem.offers, problem)
    found += _contradictions(problem) if not found else ()
    found += _workload_faults(problem)
    return found


def _slot_faults(problem: Problem) -> Rows:
    if not 1 <= problem.slot_hours <= SLOT_HOURS_MAX:
        yield Fault("problem", 0, "", "slot_hours", f"{problem.slot_hours} is outside 1 … {SLOT_HOURS_MAX}")
    if wrong := _not_integer_in(problem.carbon_price_micro_cny_per_kg, 0, CARBON_PRICE_MAX):
        yield Fault("problem", 0, "", "carbon_price_micro_cny_per_kg", wrong)


def _repeated(table: str, field: str, names: Iterable[str]) -> Rows:
    seen: dict[str, int] = {}
    for row, name in enumerate(names):
        if name in seen:
            yield Fault(table, row, name, field, f"row {seen[name]} has the same {field}")
        seen.setdefault(name, row)


def _origin_faults(problem: Problem) -> Rows:
    yield from _repeated("origins", "city", (origin.city for origin in problem.origins))
    sites = {site.code for site in problem.sites}
    for row, origin in enumerate(problem.origins):
        if origin.home_site and origin.home_site not in sites:
            yield Fault("origins", row, origin.city, "home_site", f"unknown site {origin.home_site!r}")


def _site_faults(problem: Problem) -> Rows:
    yield from _repeated("sites", "code", (site.code for site in problem.sites))
    for row, site in enumerate(problem.sites):
        for fault in _repeated("sites", "grade", (g.grade for g in site.grades)):
            yield Fault("sites", row, site.code, "grades", f"grade {fault.key!r} is given twice")
        for g in site.grades:
            figures = (
                ("capacity_milli_cards", g.capacity_milli_cards, MILLI_CARDS_MAX),
                ("list_price_micro_cny", g.list_price_micro_cny, PRICE_MICRO_MAX),
                ("power_micro_cny", g.power_micro_cny, PRICE_MICRO_MAX),
            )
            for name, value, most in figures:
                if wrong := _not_integer_in(value, 0, most):
                    yield Fault("sites", row, site.code, f"grades[{g.grade}].{name}", wrong)
            if not (math.isfinite(g.kgco2) and g.kgco2 >= 0):
                yield Fault(
                    "sites", row, site.code, f"grades[{g.grade}].kgco2", f"{g.kgco2} is not a figure ≥ 0"
                )


def _not_integer_in(value: object, least: int, most: int) -> str:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        return f"{value!r} is not an integer"
    return "" if least <= value <= most else f"{value} is outside {least} … {most}"


def _network_faults(problem: Problem) -> Rows:
    network = problem.network
    shape = (len(network.origins), len(network.sites))
    if network.rtt_ms.shape != shape:
        yield Fault("network", 0, "", "rtt_ms", f"shape {network.rtt_ms.shape}, expected {shape}")
        return
    yield from _repeated("network", "origins", network.origins)
    yield from _repeated("network", "sites", network.sites)
    for origin in problem.origins:
        if origin.city not in network.origins:
            yield Fault("network", 0, origin.city, "origins", "no row for this origin city")
    for site in problem.sites:
        if site.code not in network.sites:
            yield Fault("network", 0, site.code, "sites", "no column for this site")
    # an infinite round trip is a missing line, NaN is a mistake
    for row, column in np.argwhere(~(network.rtt_ms >= 0)):
        yield Fault(
            "network", int(row), network.origins[row], f"rtt_ms[{network.sites[column]}]", "not a figure ≥ 0"
        )
    yield from _transfer_faults(problem, shape)


def _transfer_faults(problem: Problem, shape: tuple[int, int]) -> Rows:
    network, prices = problem.network, problem.network.transfer_micro_cny_per_gb
    if prices is None:
        return
    if prices.shape != shape or not np.issubdtype(prices.dtype, np.integer):
        message = f"{prices.dtype} {prices.shape}, expected integers {shape}"
        yield Fault("network", 0, "", "transfer_micro_cny_per_gb", message)
        return
    for row, column in np.argwhere((prices < 0) | (prices > PRICE_MICRO_MAX)):
        name = f"transfer_micro_cny_per_gb[{network.sites[column]}]"
        yield Fault("network", int(row), network.origins[row], name, f"outside 0 … {PRICE_MICRO_MAX}")


def _supply_faults(table: str, rows: Sequence[Reservation | Offer], problem: Problem) -> Rows:
    known = {(site.code, g.grade) for site in problem.sites for g in site.grades}
    codes = {site.code for site in problem.sites}
    yield from _repeated(table, "id", (item.id for item in rows))
    for row, item in enumerate(rows):
        if item.site not in codes:
            yield Fault(table, row, item.id, "site", f"unknown site {item.site!r}")
        elif (item.site, item.grade) not in known:
            yield Fault(table, row, item.id, "grade", f"site {item.site} has no grade {item.grade!r}")
        if wrong := _not_integer_in(item.milli_cards, 0, MILLI_CARDS_MAX):
            yield Fault(table, row, item.id, "milli_cards", wrong)
        names = (
            ("paid_micro_cny", "worth_micro_cny") if isinstance(item, Reservation) else ("price_micro_cny",)
        )
        for name in names:
            if wrong := _not_integer_in(getattr(item, name), 0, PRICE_MICRO_MAX):
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
        yield from _repeated("workloads", "id", names)
    rows = _suspects(problem, given, grades) if isinstance(given, WorkloadTable) else range(len(given))
    cities = {origin.city for origin in problem.origins}
    sound: set[tuple[tuple[Need, ...], ...]] = set()
    for row in rows:
        w = given[row]
        if w.origin not in cities:
            yield Fault("workloads", row, w.id, "origin", f"unknown origin city {w.origin!r}")
        if not w.latency_ms_max >= 0:
            yield Fault("workloads", row, w.id, "latency_ms_max", f"{w.latency_ms_max} is not a figure ≥ 0")
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
        if wrong := _not_integer_in(value, least, most):
            yield Fault("workloads", row, w.id, name, wrong)
    if w.residency not in RESIDENCIES:
        allowed = ", ".join(Residency)
        yield Fault("workloads", row, w.id, "residency", f"{w.residency!r} is none of {allowed}")


def _demand_faults(row: int, w: Workload, grades: set[str]) -> Rows:
    if not w.alternatives:
        yield Fault("workloads", row, w.id, "alternatives", "no demand vector")
    for index, needs in enumerate(w.alternatives):
        field = f"alternatives[{index}]"
        if not needs:
            yield Fault("workloads", row, w.id, field, "an empty demand vector")
        for fault in _repeated("", "grade", (need.grade for need in needs)):
            yield Fault("workloads", row, w.id, field, f"grade {fault.key!r} is given twice")
        for need in needs:
            if need.grade not in grades:
                known = ", ".join(sorted(grades))
                yield Fault("workloads", row, w.id, field, f"unknown grade {need.grade!r}; known: {known}")
            if wrong := _not_integer_in(need.milli_cards, 1, MILLI_CARDS_MAX):
                yield Fault("workloads", row, w.id, f"{field}[{need.grade}]", wrong)
