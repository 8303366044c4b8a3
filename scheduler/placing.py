"""The front door: one problem in, one plan with its proof out."""

import time
from dataclasses import dataclass

import numpy as np

from scheduler.accounting import Books
from scheduler.aggregation import aggregate, spread
from scheduler.capacity_rows import Needs
from scheduler.exact import EXACT_OPTIONS_MAX, ExactAnswer, solve_exactly, suits
from scheduler.instance import Instance, Ints, compile_instance
from scheduler.plan import Certificate, CertificateRow, Placement, Plan, PlanStatus, ShadowPrice, Timings
from scheduler.reasons import Explainer
from scheduler.relaxation import Relaxation, relax, relax_merged
from scheduler.rounding import finished, fits, polished, rounded
from scheduler.sampling import placed_by_prices, relax_sample
from scheduler.solution import left_out, value
from scheduler.types import InvariantViolation, Problem
from scheduler.validation import checked

GAP_TARGET = 1e-5
"""The search ends once the plan is proved this close to the best, as a share of new and forgone money."""
RELAXATION_SHARE = 0.5
"""Of the time limit, what sharpening the bound may take: the rest is for the plan."""
EXACT_SHARE = 0.5
"""Of the time left after rounding, what the exact search may take."""

MERGE_OPTIONS_MIN = 20_000
"""From so many options on, classes are merged by proportion: sharpening and polishing would take too long."""

SAMPLE_OPTIONS_MIN = 300_000
"""From so many options on after merging, prices come from a sample: the relaxation would take minutes."""

EXACT = "exact"
CLASSES = "classes"
MERGED = "merged"
SAMPLED = "sampled"


def place(problem: Problem, time_limit_s: float = 30.0, gap_target: float = GAP_TARGET) -> Plan:
    """Place every workload that can be, at the least cost; see `Plan` for what comes back.

    Work is left out only where serving it would cost more than its penalty (`scheduler.instance`). The search
    ends at the gap target or at the time limit, whichever comes first; the gap stated holds either way.
    Raises `InvalidProblem` naming each row and field that is wrong, ``ValueError`` for a time limit ≤ 0.
    """
    if not time_limit_s > 0:
        raise ValueError(f"the time limit must be above 0 s, not {time_limit_s}")
    started = time.monotonic()
    instance = compile_instance(checked(problem))
    built = time.monotonic()
    found = _search(instance, built, started + time_limit_s, gap_target)
    solved = time.monotonic()
    plan = _plan(problem, instance, found, started)
    return _timed(plan, Timings(built - started, solved - built, time.monotonic() - started))


@dataclass(frozen=True, eq=False, slots=True)
class _Found:
    """What the search came to: workloads on options (O,), the bound and where it comes from, and why so."""

    amount: Ints
    relaxation: Relaxation
    bound: int
    bound_from: str
    out_of_time: bool
    model: str
    why: str


def _search(instance: Instance, now: float, deadline: float, gap_target: float) -> _Found:
    classes, options = len(instance.count), len(instance.option_site)
    size = f"{int(instance.count.sum())} workloads in {classes} classes with {options} options"
    relax_until = now + RELAXATION_SHARE * (deadline - now)
    if options >= MERGE_OPTIONS_MIN:
        return _search_merged(instance, size, relax_until, deadline, gap_target)
    relaxation = relax(instance, Needs(instance), relax_until)
    amount = rounded(instance, relaxation.amount, deadline)
    exact = _exact_answer(instance, amount, relaxation.bound, deadline)
    if exact is not None:
        amount = min(amount, exact.amount, key=lambda a: value(instance, a))
    bound = max(relaxation.bound, exact.bound if exact else 0)
    goal = bound + int(gap_target * _new_money(instance, amount))
    if value(instance, amount) > goal:
        amount = polished(instance, amount, goal, deadline)
    late = value(instance, amount) > goal and time.monotonic() >= deadline
    bound_from = "certificate" if bound == relaxation.bound else "exact search"
    if exact is not None and exact.proved:
        why = f"{size}: few enough to search exactly"
        return _Found(amount, relaxation, bound, bound_from, late, EXACT, why)
    why = f"{size}: {_not_exact(instance)}; relaxed, sharpened, rounded and polished"
    return _Found(amount, relaxation, bound, bound_from, late, CLASSES, why)


def _search_merged(
    instance: Instance, size: str, relax_until: float, deadline: float, gap_target: float
) -> _Found:
    merged = aggregate(instance)
    if len(merged.instance.option_site) >= SAMPLE_OPTIONS_MIN:
        return _search_sampled(instance, size, deadline)
    relaxation = relax_merged(instance, Needs(instance), merged.instance, relax_until)
    whole = spread(instance, merged, relaxation.amount)
    amount = finished(instance, whole if fits(instance, whole) else np.zeros_like(whole), deadline)
    goal = relaxation.bound + int(gap_target * _new_money(instance, amount))
    late = value(instance, amount) > goal and time.monotonic() >= deadline
    why = f"{size}: too many to sharpen; merged into {len(merged.instance.count)} classes that differ in size"
    return _Found(amount, relaxation, relaxation.bound, "certificate", late, MERGED, why)


def _search_sampled(instance: Instance, size: str, deadline: float) -> _Found:
    needs = Needs(instance)
    relaxation = relax_sample(instance, needs, deadline)
    amount = placed_by_prices(instance, needs, relaxation.shadow)
    late = value(instance, amount) > relaxation.bound and time.monotonic() >= deadline
    why = f"{size}: too many that all differ to relax; placed by the prices of a sample"
    return _Found(amount, relaxation, relaxation.bound, "certificate", late, SAMPLED, why)


def _not_exact(instance: Instance) -> str:
    if suits(instance):
        return "an exact search was not needed or not finished"
    return f"an exact search is only tried up to {EXACT_OPTIONS_MAX} options and moderate figures"


def _exact_answer(instance: Instance, start: Ints, bound: int, deadline: float) -> ExactAnswer | None:
    left_s = deadline - time.monotonic()
    if value(instance, start) == bound or left_s <= 0 or not suits(instance):
        return None
    return solve_exactly(instance, start, EXACT_SHARE * left_s)


def _new_money(instance: Instance, amount: Ints) -> int:
    missing = zip(left_out(instance, amount).tolist(), instance.penalty.tolist(), strict=True)
    penalties: int = sum(n * penalty for n, penalty in missing)
    return value(instance, amount) - penalties


def _plan(problem: Problem, instance: Instance, found: _Found, started: float) -> Plan:
    books = Books(problem)
    placements, missing = _assigned(problem, instance, found.amount)
    explainer = Explainer(problem)
    worth = value(instance, found.amount)
    if worth < found.bound:
        raise InvariantViolation(f"a plan's value {worth} is below its lower bound {found.bound}")
    return Plan(
        placements=placements,
        unplaced=tuple(explainer.explain(problem.workloads[row]) for row in missing),
        purchases=books.purchases(books.used(placements)),
        totals=books.totals(placements),
        by_latency_class=books.by_latency_class(placements),
        status=_status(worth - found.bound, found.out_of_time),
        value_nano_cny=worth,
        lower_bound_nano_cny=found.bound,
        bound_from=found.bound_from,
        certificate=_certificate(problem, instance, found.relaxation),
        shadow_prices=_shadow_prices(instance, found.relaxation),
        model=found.model,
        why=found.why,
        timings=Timings(0.0, 0.0, time.monotonic() - started),
    )


def _status(gap: int, out_of_time: bool) -> PlanStatus:
    if gap == 0:
        return PlanStatus.OPTIMAL
    return PlanStatus.TIME_LIMIT if out_of_time else PlanStatus.WITHIN_GAP


def _assigned(problem: Problem, instance: Instance, amount: Ints) -> tuple[tuple[Placement, ...], list[int]]:
    """Which workload of each class goes where, early arrivals first; and the rows of those that stay out."""
    option = np.full(len(problem.workloads), -1)
    numbers = np.arange(len(amount))
    for group, members in enumerate(instance.members):
        part = slice(instance.option_start[group], instance.option_start[group + 1])
        chosen = np.repeat(numbers[part], amount[part])
        option[list(members[: len(chosen)])] = chosen
    site = instance.option_site[option].tolist() if len(amount) else []
    alternative = instance.option_alternative[option].tolist() if len(amount) else []
    placements = tuple(
        Placement(w.id, problem.sites[site[row]].code, alternative[row], w.alternatives[alternative[row]])
        for row, w in enumerate(problem.workloads)
        if option[row] >= 0
    )
    return placements, np.flatnonzero(option < 0).tolist()


def _certificate(problem: Problem, instance: Instance, relaxation: Relaxation) -> Certificate:
    pairs = list(instance.supply.index)
    rows = tuple(
        CertificateRow(*pairs[row.resource], row.level, row.grain, price)
        for row, price in zip(relaxation.rows, relaxation.prices, strict=True)
    )
    return Certificate(rows, relaxation.bound)


def _shadow_prices(instance: Instance, relaxation: Relaxation) -> tuple[ShadowPrice, ...]:
    prices = zip(instance.supply.index, relaxation.shadow.tolist(), strict=True)
    return tuple(ShadowPrice(*pair, price) for pair, price in prices if price)


def _timed(plan: Plan, timings: Timings) -> Plan:
    return Plan(**{name: getattr(plan, name) for name in plan.__slots__} | {"timings": timings})
