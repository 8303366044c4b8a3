"""The front door: one problem in, one plan with its proof out."""

import time
from dataclasses import dataclass, replace

import numpy as np

from scheduler.accounting import Books
from scheduler.capacity_rows import Needs
from scheduler.compiling import compile_instance
from scheduler.ejecting import ejected
from scheduler.exact import EXACT_OPTIONS_MAX, ExactAnswer, solve_exactly, suits
from scheduler.greedy import filled
from scheduler.instance import Bools, Instance, Ints
from scheduler.lagrangian import class_costs, reduced_costs
from scheduler.parts import decided
from scheduler.placed import placed_by_options, placements_of
from scheduler.plan import Certificate, CertificateRow, Plan, PlanStatus, ShadowPrice, Timings
from scheduler.reasons import Explainer
from scheduler.refining import refine
from scheduler.relaxation import Relaxation, relax
from scheduler.rounding import polished, rounded
from scheduler.solution import new_money, options_of_workloads, part_of, value
from scheduler.spreading import spread
from scheduler.types import InvariantViolation, Problem
from scheduler.validation import checked
from scheduler.warming import compile_slot_loops
from scheduler.workload_table import WorkloadTable
from scheduler.worths import Worths

GAP_TARGET = 1e-5
"""The search ends once the plan is proved this close to the best, as a share of new and forgone money."""
RELAXATION_SHARE = 0.5
"""Of the time limit, what sharpening the bound may take: the rest is for the plan."""
EXACT_SHARE = 0.5
"""Of the time left after rounding, what the exact search may take."""

REFINE_OPTIONS_MIN = 20_000
"""From so many options on the relaxation is solved by refining clusters of classes (`scheduler.refining`)."""

SHARPEN_OPTIONS_MAX = 60_000
"""Up to so many options the refined relaxation is sharpened too, and the plan polished."""
SHARPEN_SHARE = 0.35
"""Of the time then left, what the bound may take."""
CHEAP_SHARE_OF_GAP = 20
"""An option counts as cheap that costs no more than the gap divided by this beyond the cheapest one."""
SITES_AT_ONCE = 4
"""Sites whose work is decided anew at once where only cheap options are looked at."""

EXACT = "exact"
CLASSES = "classes"
REFINED = "refined"


def place(problem: Problem, time_limit_s: float = 30.0, gap_target: float = GAP_TARGET) -> Plan:
    """Place every workload that can be, at the least cost; see `Plan` for what comes back.

    Work is left out only where serving it would cost more than its penalty (`scheduler.instance`). The search
    ends at the gap target or at the time limit, whichever comes first; the gap stated holds either way.
    Compiling loops, where this has never been done, comes before the clock starts.
    Raises `InvalidProblem` naming each row and field that is wrong, ``ValueError`` for a time limit ≤ 0.
    """
    if not time_limit_s > 0:
        raise ValueError(f"the time limit must be above 0 s, not {time_limit_s}")
    compile_slot_loops()
    started = time.monotonic()
    checked(problem)
    # columns once for everything that reads them
    problem = replace(problem, workloads=WorkloadTable.of(problem.workloads))
    instance = compile_instance(problem)
    built = time.monotonic()
    found = _search(instance, built, started + time_limit_s, gap_target)
    solved = time.monotonic()
    plan = _plan(problem, instance, found)
    timings = Timings(built - started, solved - built, time.monotonic() - started)
    return replace(plan, timings=timings)


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
    worths: Worths | None = None


def _search(instance: Instance, now: float, deadline: float, gap_target: float) -> _Found:
    classes, options = len(instance.count), len(instance.option_site)
    size = f"{int(instance.count.sum())} workloads in {classes} classes with {options} options"
    relax_until = now + RELAXATION_SHARE * (deadline - now)
    if options >= REFINE_OPTIONS_MIN:
        return _search_refined(instance, size, relax_until, deadline, gap_target)
    relaxation = relax(instance, Needs(instance), relax_until)
    amount = rounded(instance, relaxation.amount, deadline)
    exact = _exact_answer(instance, amount, relaxation.bound, deadline)
    if exact is not None:
        amount = min(amount, exact.amount, key=lambda a: value(instance, a))
    bound = max(relaxation.bound, exact.bound if exact else 0)
    goal = bound + int(gap_target * new_money(instance, amount))
    if value(instance, amount) > goal:
        amount = polished(instance, amount, goal, deadline)
    late = value(instance, amount) > goal and time.monotonic() >= deadline
    bound_from = "certificate" if bound == relaxation.bound else "exact search"
    if exact is not None and exact.proved:
        why = f"{size}: few enough to search exactly"
        return _Found(amount, relaxation, bound, bound_from, late, EXACT, why)
    why = f"{size}: {_not_exact(instance)}; relaxed, sharpened, rounded and polished"
    return _Found(amount, relaxation, bound, bound_from, late, CLASSES, why)


def _search_refined(
    instance: Instance, size: str, relax_until: float, deadline: float, gap_target: float
) -> _Found:
    needs = Needs(instance)
    found = refine(instance, needs, relax_until)
    relaxation, prices = found.relaxation, found.relaxation.shadow
    amount = spread(instance, found.merged, found.amount, prices.astype(np.float64))
    amount = ejected(instance, needs, filled(instance, amount), prices, deadline)
    goal = relaxation.bound + int(gap_target * new_money(instance, amount))
    clusters = len(found.merged.instance.count)
    why = f"{size}: relaxed in {clusters} clusters, split where their members disagree"
    worths: Worths | None = None
    more = value(instance, amount) > goal and time.monotonic() < deadline
    if more and len(instance.option_site) <= SHARPEN_OPTIONS_MAX:
        decision = decided(instance, prices, amount, deadline, gap_target)
        if decision is None:
            relaxation, amount = _sharpened(instance, relaxation, amount, deadline, gap_target)
            why += ", sharpened where it is cheap, polished"
        else:
            worths, amount = decision
            why += ", bounded by a knapsack for every resource, decided part by part"
    bound = max(relaxation.bound, worths.bound if worths else 0)
    goal = bound + int(gap_target * new_money(instance, amount))
    late = value(instance, amount) > goal and time.monotonic() >= deadline
    return _Found(amount, relaxation, bound, "certificate", late, REFINED, why, worths)


def _sharpened(
    instance: Instance, relaxation: Relaxation, amount: Ints, deadline: float, gap_target: float
) -> tuple[Relaxation, Ints]:
    """A better bound by rounded capacity rows over the cheap options, and a better plan among them.

    The bound holds for all options, since it is evaluated on them all; those left out are the ones that a
    plan much nearer to the bound would hardly take.
    """
    now = time.monotonic()
    core = _cheap(instance, relaxation, amount)
    part = part_of(instance, instance.supply, np.arange(len(instance.count)), instance.count, core).instance
    found = relax(part, Needs(part), now + SHARPEN_SHARE * (deadline - now), instance)
    if found.bound > relaxation.bound:
        relaxation = replace(found, shadow=relaxation.shadow)
    core = _cheap(instance, relaxation, amount)
    goal = relaxation.bound + int(gap_target * new_money(instance, amount))
    return relaxation, polished(instance, amount, goal, deadline, core, SITES_AT_ONCE)


def _cheap(instance: Instance, relaxation: Relaxation, amount: Ints) -> Bools:
    """(O,) options that cost no more than a small share of the gap beyond their class's cheapest way."""
    reduced = reduced_costs(instance, Needs(instance), relaxation.rows, relaxation.prices)
    beyond = reduced - class_costs(instance, reduced)[instance.option_class]
    cheap: Bools = beyond <= (value(instance, amount) - relaxation.bound) // CHEAP_SHARE_OF_GAP
    return cheap


def _not_exact(instance: Instance) -> str:
    if suits(instance):
        return "an exact search was not needed or not finished"
    return f"an exact search is only tried up to {EXACT_OPTIONS_MAX} options and moderate figures"


def _exact_answer(instance: Instance, start: Ints, bound: int, deadline: float) -> ExactAnswer | None:
    left_s = deadline - time.monotonic()
    if value(instance, start) == bound or left_s <= 0 or not suits(instance):
        return None
    return solve_exactly(instance, start, EXACT_SHARE * left_s)


def _plan(problem: Problem, instance: Instance, found: _Found) -> Plan:
    books = Books(problem)
    option = options_of_workloads(instance, found.amount)
    placed = placed_by_options(instance, option)
    worth = value(instance, found.amount)
    if worth < found.bound:
        raise InvariantViolation(f"a plan's value {worth} is below its lower bound {found.bound}")
    return Plan(
        placements=placements_of(problem, books.table, placed),
        unplaced=Explainer(problem).explain(np.flatnonzero(option < 0)),
        purchases=books.purchases(books.used(placed)),
        totals=books.totals(placed),
        by_latency_class=books.by_latency_class(placed),
        status=_status(worth - found.bound, found.out_of_time),
        value_nano_cny=worth,
        lower_bound_nano_cny=found.bound,
        bound_from=found.bound_from,
        certificate=_certificate(instance, found),
        shadow_prices=_shadow_prices(instance, found.relaxation),
        model=found.model,
        why=found.why,
        timings=Timings(0.0, 0.0, 0.0),
    )


def _status(gap: int, out_of_time: bool) -> PlanStatus:
    if gap == 0:
        return PlanStatus.OPTIMAL
    return PlanStatus.TIME_LIMIT if out_of_time else PlanStatus.WITHIN_GAP


def _certificate(instance: Instance, found: _Found) -> Certificate:
    if found.worths is not None and found.worths.bound > found.relaxation.bound:
        worths = found.worths.worth[instance.workload_class].tolist()
        return Certificate((), found.worths.bound, tuple(worths))
    pairs = list(instance.supply.index)
    rows = tuple(
        CertificateRow(*pairs[row.resource], row.level, row.grain, price)
        for row, price in zip(found.relaxation.rows, found.relaxation.prices, strict=True)
    )
    return Certificate(rows, found.relaxation.bound)


def _shadow_prices(instance: Instance, relaxation: Relaxation) -> tuple[ShadowPrice, ...]:
    prices = zip(instance.supply.index, relaxation.shadow.tolist(), strict=True)
    return tuple(ShadowPrice(*pair, price) for pair, price in prices if price)
