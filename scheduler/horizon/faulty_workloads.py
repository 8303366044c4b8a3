"""What can be wrong with a workload of a plan over many slots."""

from collections.abc import Iterator

from nodes.types import Residency
from scheduler.figures import latency_faults, not_integer_in, repeated, vector_faults
from scheduler.horizon.types import Alternative, GangScope, HorizonProblem, HorizonWorkload, RunMode
from scheduler.types import PRIORITY_MAX, Fault

NEED_MILLI_MAX = 10**9
GANG_MAX = 10_000
DATA_GB_MAX = 10**7
DEMAND_MAX = 10**10
"""The most milli-card-slots one workload may ask for: keeps its penalty inside int64."""

Rows = Iterator[Fault]


def workload_faults(problem: HorizonProblem) -> Rows:
    """Every fault of every workload, in order of rows but for repeated names, which come first."""
    cities = {origin.city for origin in problem.origins}
    grades = {g.grade for site in problem.sites for g in site.grades}
    yield from repeated("workloads", "id", (w.id for w in problem.workloads))
    sound: set[tuple[tuple[Alternative, ...], int]] = set()
    for row, w in enumerate(problem.workloads):
        if w.origin not in cities:
            yield Fault("workloads", row, w.id, "origin", f"unknown origin city {w.origin!r}")
        yield from latency_faults(row, w.id, w.latency_ms_max)
        yield from _figure_faults(row, w)
        yield from _label_faults(row, w)
        if (w.alternatives, w.gang_size) not in sound:
            wrong = list(_demand_faults(row, w, grades))
            yield from wrong
            if not wrong:
                sound.add((w.alternatives, w.gang_size))
        yield from _window_faults(row, w, problem.horizon.slots)


def _figure_faults(row: int, w: HorizonWorkload) -> Rows:
    figures = [
        ("priority", w.priority, 0, PRIORITY_MAX),
        ("gang_size", w.gang_size, 1, GANG_MAX),
        ("data_gb", w.data_gb, 0, DATA_GB_MAX),
        ("lateness_micro_cny", w.lateness_micro_cny, 0, 10**13),
    ]
    if w.due is not None:
        figures.append(("due", w.due, 0, 10**6))
    if w.chance_milli is not None:
        figures.append(("chance_milli", w.chance_milli, 1, 1000))
    if w.budget_micro_cny is not None:
        figures.append(("budget_micro_cny", w.budget_micro_cny, 0, 10**15))
    for name, value, least, most in figures:
        if wrong := not_integer_in(value, least, most):
            yield Fault("workloads", row, w.id, name, wrong)


def _label_faults(row: int, w: HorizonWorkload) -> Rows:
    for name, value, kind in (
        ("residency", w.residency, Residency),
        ("mode", w.mode, RunMode),
        ("gang_scope", w.gang_scope, GangScope),
    ):
        if value not in set(kind):
            yield Fault("workloads", row, w.id, name, f"{value!r} is none of {', '.join(kind)}")


def _demand_faults(row: int, w: HorizonWorkload, grades: set[str]) -> Rows:
    if not w.alternatives:
        yield Fault("workloads", row, w.id, "alternatives", "no alternative")
    for index, (needs, slots) in enumerate(w.alternatives):
        field = f"alternatives[{index}]"
        if wrong := not_integer_in(slots, 1, 10**6):
            yield Fault("workloads", row, w.id, f"{field}.slots", wrong)
            continue
        wrong_needs = list(vector_faults(row, w.id, field, needs, grades, NEED_MILLI_MAX))
        yield from wrong_needs
        for need in () if wrong_needs or not isinstance(w.gang_size, int) else needs:
            if need.milli_cards * w.gang_size * slots > DEMAND_MAX:
                message = f"more than {DEMAND_MAX} milli-card-slots over its members and slots"
                yield Fault("workloads", row, w.id, f"{field}[{need.grade}]", message)


def _window_faults(row: int, w: HorizonWorkload, slots: int) -> Rows:
    for name in ("earliest", "latest_end"):
        if wrong := not_integer_in(getattr(w, name), 0, slots):
            yield Fault("workloads", row, w.id, name, wrong)
            return
    durations = [a.slots for a in w.alternatives if not not_integer_in(a.slots, 1, 10**6)]
    if durations and w.latest_end - w.earliest < min(durations):
        message = (
            f"the window of slots {w.earliest} … {w.latest_end} is shorter than its {min(durations)} slots"
        )
        yield Fault("workloads", row, w.id, "latest_end", message)
