"""Whether a problem over many slots can be planned: every fault by table, row and field, all at once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from scheduler.figures import not_integer_in, per_slot_faults, repeated
from scheduler.horizon.faulty_workloads import workload_faults
from scheduler.horizon.types import (
    GB_MAX,
    HorizonProblem,
    HorizonSite,
    HorizonWorkload,
    Maintenance,
    Running,
    SlotOffer,
    SlotReservation,
    at,
)
from scheduler.place_faults import network_faults, origin_faults
from scheduler.types import Fault, InvalidProblem

MILLI_CARDS_MAX = 10**9
"""A million cards in one row: keeps every product of the model inside int64."""
PRICE_MICRO_MAX = 10**10
"""The highest price of a card-hour: ten thousand CNY."""
SLOTS_MAX = 24 * 31
SLOT_HOURS_MAX = 24 * 31

Rows = Iterator[Fault]
Ranged = SlotReservation | SlotOffer | Maintenance


def checked(problem: HorizonProblem) -> HorizonProblem:
    """Return the problem itself; raises `InvalidProblem` with every fault found."""
    found = faults(problem)
    if found:
        raise InvalidProblem(found)
    return problem


def without_faulty_workloads(problem: HorizonProblem) -> tuple[HorizonProblem, tuple[Fault, ...]]:
    """Leave out the workloads that cannot be planned, so that the rest can be; their faults come beside it.

    What runs now goes with its workload. Raises `InvalidProblem` when anything but workloads and what runs of
    them is wrong.
    """
    found = faults(problem)
    others = [fault for fault in found if fault.table not in ("workloads", "running")]
    if others:
        raise InvalidProblem(others)
    faulty = {fault.row for fault in found if fault.table == "workloads"}
    bad_running = {fault.row for fault in found if fault.table == "running"}
    stuck = {problem.running[row].workload for row in bad_running}
    sound = tuple(w for row, w in enumerate(problem.workloads) if row not in faulty and w.id not in stuck)
    names = {w.id for w in sound}
    running = tuple(r for r in problem.running if r.workload in names)
    return replace(problem, workloads=sound, running=running), tuple(found)


def faults(problem: HorizonProblem) -> list[Fault]:
    """Everything that is wrong with a problem, in the order of the tables; empty for a sound one."""
    found = list(_horizon_faults(problem))
    if found:
        # without slots no other figure can be judged
        return found
    found += [*origin_faults(problem.origins, problem.sites), *_site_faults(problem)]
    found += network_faults(problem.network, problem.origins, problem.sites, PRICE_MICRO_MAX)
    found += _ranged_faults("reservations", problem.reservations, problem)
    found += _ranged_faults("offers", problem.offers, problem)
    found += _ranged_faults("maintenance", problem.maintenance, problem)
    found += _link_faults(problem)
    found += _contradictions(problem) if not found else ()
    workloads = list(workload_faults(problem))
    found += workloads
    found += _running_faults(problem, {fault.row for fault in workloads})
    return found


def _horizon_faults(problem: HorizonProblem) -> Rows:
    horizon = problem.horizon
    for name, most in (("slots", SLOTS_MAX), ("slot_hours", SLOT_HOURS_MAX)):
        if wrong := not_integer_in(getattr(horizon, name), 1, most):
            yield Fault("horizon", 0, "", name, wrong)
    if horizon.start.tzinfo is None:
        yield Fault("horizon", 0, "", "start", f"{horizon.start} has no time zone")
    rule = problem.carbon
    if wrong := not_integer_in(rule.price_micro_cny_per_kg, 0, PRICE_MICRO_MAX):
        yield Fault("carbon", 0, "", "price_micro_cny_per_kg", wrong)
    if rule.cap_g is not None and (wrong := not_integer_in(rule.cap_g, 0, 10**15)):
        yield Fault("carbon", 0, "", "cap_g", wrong)
    if problem.moves_max is not None and (wrong := not_integer_in(problem.moves_max, 0, 10**9)):
        yield Fault("problem", 0, "", "moves_max", wrong)


def _site_faults(problem: HorizonProblem) -> Rows:
    yield from repeated("sites", "code", (site.code for site in problem.sites))
    slots = problem.horizon.slots
    for row, site in enumerate(problem.sites):
        for fault in repeated("sites", "grade", (g.grade for g in site.grades)):
            yield Fault("sites", row, site.code, "grades", f"grade {fault.key!r} is given twice")
        for name, most in (("power_micro_cny_per_kwh", PRICE_MICRO_MAX), ("carbon_g_per_kwh", 10**5)):
            yield from per_slot_faults("sites", row, site.code, name, getattr(site, name), most, slots)
        yield from per_slot_faults("sites", row, site.code, "pue_milli", site.pue_milli, 10_000, slots, 1000)
        yield from _grade_faults(row, site, slots)


def _grade_faults(row: int, site: HorizonSite, slots: int) -> Rows:
    for g in site.grades:
        field = f"grades[{g.grade}].capacity_milli_cards"
        yield from per_slot_faults(
            "sites", row, site.code, field, g.capacity_milli_cards, MILLI_CARDS_MAX, slots
        )
        for name, most in (("list_price_micro_cny", PRICE_MICRO_MAX), ("watts", 100_000)):
            if wrong := not_integer_in(getattr(g, name), 0, most):
                yield Fault("sites", row, site.code, f"grades[{g.grade}].{name}", wrong)


def _ranged_faults(table: str, rows: Iterable[Ranged], problem: HorizonProblem) -> Rows:
    items = list(rows)
    if table != "maintenance":
        yield from repeated(table, "id", (item.id for item in items if not isinstance(item, Maintenance)))
    held = {site.code: {g.grade for g in site.grades} for site in problem.sites}
    for row, item in enumerate(items):
        key = item.site if isinstance(item, Maintenance) else item.id
        if item.site not in held:
            yield Fault(table, row, key, "site", f"unknown site {item.site!r}")
        elif item.grade not in held[item.site] and not (isinstance(item, Maintenance) and item.grade == ""):
            yield Fault(table, row, key, "grade", f"{item.site} has no grade {item.grade!r}")
        yield from _range_faults(table, row, key, item, problem.horizon.slots)
        yield from _amount_faults(table, row, key, item)


def _range_faults(table: str, row: int, key: str, item: Ranged, slots: int) -> Rows:
    for name in ("first", "end"):
        if wrong := not_integer_in(getattr(item, name), 0, slots):
            yield Fault(table, row, key, name, wrong)
            return
    if item.first >= item.end:
        yield Fault(table, row, key, "end", f"{item.end} is not after first, {item.first}")


def _amount_faults(table: str, row: int, key: str, item: Ranged) -> Rows:
    if isinstance(item, Maintenance):
        if item.milli_cards is not None and (wrong := not_integer_in(item.milli_cards, 0, MILLI_CARDS_MAX)):
            yield Fault(table, row, key, "milli_cards", wrong)
        return
    if wrong := not_integer_in(item.milli_cards, 0, MILLI_CARDS_MAX):
        yield Fault(table, row, key, "milli_cards", wrong)
    reserved = isinstance(item, SlotReservation)
    for name in ("paid_micro_cny", "worth_micro_cny") if reserved else ("price_micro_cny",):
        if wrong := not_integer_in(getattr(item, name), 0, PRICE_MICRO_MAX):
            yield Fault(table, row, key, name, wrong)


def _link_faults(problem: HorizonProblem) -> Rows:
    cities = {origin.city for origin in problem.origins}
    codes = {site.code for site in problem.sites}
    yield from repeated("links", "line", (f"{link.origin}→{link.site}" for link in problem.links))
    for row, link in enumerate(problem.links):
        key = f"{link.origin}→{link.site}"
        if link.origin not in cities:
            yield Fault("links", row, key, "origin", f"unknown origin city {link.origin!r}")
        if link.site not in codes:
            yield Fault("links", row, key, "site", f"unknown site {link.site!r}")
        yield from per_slot_faults(
            "links", row, key, "gb_per_slot", link.gb_per_slot, GB_MAX, problem.horizon.slots
        )
        if wrong := not_integer_in(link.price_micro_cny_per_gb, 0, PRICE_MICRO_MAX):
            yield Fault("links", row, key, "price_micro_cny_per_gb", wrong)


def _contradictions(problem: HorizonProblem) -> Rows:
    """Reservations and offers beyond what the site has in a slot; the first such slot is named."""
    slots = problem.horizon.slots
    supply: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * slots)
    items: tuple[SlotReservation | SlotOffer, ...] = (*problem.reservations, *problem.offers)
    for item in items:
        row_of = supply[item.site, item.grade]
        for slot in range(item.first, item.end):
            row_of[slot] += item.milli_cards
    for row, site in enumerate(problem.sites):
        for g in site.grades:
            for slot, total in enumerate(supply.get((site.code, g.grade), ())):
                if total > at(g.capacity_milli_cards, slot):
                    name = f"grades[{g.grade}].capacity_milli_cards"
                    message = f"reservations and offers add up to {total} in slot {slot}, more than "
                    yield Fault(
                        "sites", row, site.code, name, message + str(at(g.capacity_milli_cards, slot))
                    )
                    break


def _running_faults(problem: HorizonProblem, faulty: set[int]) -> Rows:
    """What is wrong with the running work of workloads that are sound themselves."""
    rows = {w.id: row for row, w in enumerate(problem.workloads)}
    cities = {site.code: site.city for site in problem.sites}
    yield from repeated("running", "workload", (item.workload for item in problem.running))
    for row, item in enumerate(problem.running):
        if item.workload not in rows:
            yield Fault("running", row, item.workload, "workload", "unknown workload")
        elif rows[item.workload] not in faulty:
            yield from _one_running(problem.workloads[rows[item.workload]], cities, row, item)


def _one_running(w: HorizonWorkload, cities: Mapping[str, str], row: int, item: Running) -> Rows:
    if not 0 <= item.alternative < len(w.alternatives):
        yield Fault("running", row, w.id, "alternative", f"{item.alternative} is none of its alternatives")
    if w.earliest != 0:
        yield Fault("running", row, w.id, "workload", f"it runs now but its earliest slot is {w.earliest}")
    for part in item.parts:
        if part.site not in cities:
            yield Fault("running", row, w.id, "parts", f"unknown site {part.site!r}")
        if wrong := not_integer_in(part.members, 1, w.gang_size):
            yield Fault("running", row, w.id, "parts", wrong)
    names = [part.site for part in item.parts]
    if sum(part.members for part in item.parts) != w.gang_size or len(set(names)) != len(names):
        yield Fault(
            "running", row, w.id, "parts", f"they do not make up its {w.gang_size} members, once a site"
        )
    if len(names) > 1 and (w.gang_scope == "site" or len({cities.get(name) for name in names}) > 1):
        yield Fault("running", row, w.id, "parts", f"its gang scope is {w.gang_scope}")
    if wrong := not_integer_in(item.migration_micro_cny, 0, 10**15):
        yield Fault("running", row, w.id, "migration_micro_cny", wrong)
