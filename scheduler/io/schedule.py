"""A plan as people and other programs use it, whichever model made it: what runs where and when, and why.

Hours count from the plan's start; cards are milli-cards; money is fen.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from scheduler.explaining import relaxed_by_workload
from scheduler.horizon.accounting import HorizonBooks
from scheduler.horizon.forecasts import known_work, promised
from scheduler.horizon.plan import HorizonPlacement, HorizonPlan, HorizonTotals, SlotPurchase
from scheduler.horizon.types import HorizonProblem
from scheduler.io.relaxed import NOT_LOOKED_FOR, relaxed_text
from scheduler.plan import Plan, PlanStatus
from scheduler.plan import Totals as SlotTotals
from scheduler.sums import fen
from scheduler.types import MILLI, Need, Problem

CHANGES_S = 5.0
"""How long smallest changes are looked for; workloads that are not reached say so."""


class Run(NamedTuple):
    """A workload, or some members of it, at a site from ``first_hour`` to ``end_hour``.

    ``needs`` is what *each* of the members holds. A workload that pauses has several runs.
    """

    workload: str
    origin: str
    latency_class: str
    site: str
    first_hour: int
    end_hour: int
    members: int
    needs: tuple[Need, ...]
    rtt_ms: float

    def milli_cards(self) -> Iterator[Need]:
        """What all members hold."""
        for grade, milli in self.needs:
            yield Need(grade, milli * self.members)


class Left(NamedTuple):
    """A workload without a place: why, and the smallest change that would place it ("": none known)."""

    workload: str
    latency_class: str
    reason: str
    detail: str
    change: str


class Buy(NamedTuple):
    """Cards to buy for some hours; ``cost_nano_cny`` is exact."""

    offer: str
    site: str
    grade: str
    first_hour: int
    end_hour: int
    milli_cards: int
    price_micro_cny: int
    cost_nano_cny: int


class Shadow(NamedTuple):
    """What one more card of a grade at a site would be worth, in micro-CNY per card-hour."""

    site: str
    grade: str
    first_hour: int
    end_hour: int
    micro_cny: int


class Totals(NamedTuple):
    """Money in fen, carbon in kg; ``total_fen`` counts reserved cards used at what was paid for them.

    ``power_fen`` is all electricity, ``metered_fen`` what of it is paid on top of the rent.
    """

    placed: int
    workloads: int
    card_hours: float
    new_money_fen: int
    total_fen: int
    forgone_fen: int
    transfer_fen: int
    migration_fen: int
    metered_fen: int
    power_fen: int
    kgco2: float


class Kept(NamedTuple):
    """Room kept for expected work, which is not promised: how many of how many have it, what they would hold,
    and what they would cost if all came.
    """

    placed: int
    expected: int
    card_hours: float
    new_money_fen: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """A plan in plain terms. ``gap`` is certified, a share of the money the plan can influence;
    ``certificate_gap`` is as much of it as can be recomputed: more where an exact search proved the rest;
    ``rule_fen`` is what the rule of pre-emption costs beside the best plan found without it.

    Runs, purchases and totals are those of work that is there; ``kept`` is the room for expected work.
    """

    start: datetime
    hours: int
    runs: tuple[Run, ...]
    left: tuple[Left, ...]
    buys: tuple[Buy, ...]
    shadows: tuple[Shadow, ...]
    totals: Totals
    status: PlanStatus
    gap: float
    gap_fen: int
    certificate_gap: float
    rule_fen: int
    bound_from: str
    model: str
    why: str
    seconds: float
    kept: Kept | None = None


def schedule_of(start: datetime, problem: Problem | HorizonProblem, plan: Plan | HorizonPlan) -> Schedule:
    """The schedule of a plan; raises ``TypeError`` where plan and problem are of different models."""
    if isinstance(problem, Problem) and isinstance(plan, Plan):
        return _of_slot(start, problem, plan)
    if isinstance(problem, HorizonProblem) and isinstance(plan, HorizonPlan):
        return _of_horizon(problem, plan)
    raise TypeError(f"a {type(plan).__name__} does not answer a {type(problem).__name__}")


def _totals(sums: SlotTotals | HorizonTotals, workloads: int) -> Totals:
    return Totals(
        placed=sums.placed,
        workloads=workloads,
        card_hours=sums.milli_card_hours / MILLI,
        new_money_fen=sums.cost_fen,
        total_fen=sums.cost_with_reserved_fen,
        forgone_fen=fen(sums.forgone_nano_cny),
        transfer_fen=fen(sums.transfer_nano_cny),
        migration_fen=0 if isinstance(sums, SlotTotals) else fen(sums.migration_nano_cny),
        metered_fen=0 if isinstance(sums, SlotTotals) else fen(sums.metered_power_nano_cny),
        power_fen=sums.power_cost_fen,
        kgco2=sums.kgco2,
    )


# one slot


def _of_slot(start: datetime, problem: Problem, plan: Plan) -> Schedule:
    hours = problem.slot_hours
    workloads = {w.id: w for w in problem.workloads}
    rtt = _RoundTrips(problem)
    changes = _changes(problem, plan)
    runs = []
    for p in plan.placements:
        w = workloads[p.workload]
        ms = rtt.of(w.origin, p.site)
        runs.append(Run(w.id, w.origin, w.latency_class, p.site, 0, hours, 1, p.needs, ms))
    return Schedule(
        start=start,
        hours=hours,
        runs=tuple(runs),
        left=tuple(
            Left(
                u.workload,
                workloads[u.workload].latency_class,
                u.reason,
                u.detail,
                changes[u.workload],
            )
            for u in plan.unplaced
        ),
        buys=tuple(
            Buy(b.offer, b.site, b.grade, 0, hours, b.milli_cards, b.price_micro_cny, b.cost_nano_cny)
            for b in plan.purchases
        ),
        shadows=tuple(
            Shadow(s.site, s.grade, 0, hours, s.nano_cny_per_milli_card // hours) for s in plan.shadow_prices
        ),
        totals=_totals(plan.totals, len(problem.workloads)),
        status=plan.status,
        gap=plan.gap,
        gap_fen=fen(plan.gap_nano_cny),
        certificate_gap=plan.certificate_gap,
        rule_fen=0,
        bound_from=plan.bound_from,
        model=plan.model,
        why=plan.why,
        seconds=plan.timings.total_s,
    )


def _changes(problem: Problem, plan: Plan) -> dict[str, str]:
    """For those left out each way to place it by giving up one thing, until the time is over."""
    until = time.monotonic() + CHANGES_S
    changes = dict.fromkeys((item.workload for item in plan.unplaced), NOT_LOOKED_FOR)
    for name, found in relaxed_by_workload(problem, plan):
        changes[name] = ", or ".join(f"{item.relaxed}: {item.detail} at {item.site}" for item in found)
        if time.monotonic() > until:
            break
    return changes


class _RoundTrips:
    """Round trips by name."""

    def __init__(self, problem: Problem | HorizonProblem) -> None:
        self.row = {city: at for at, city in enumerate(problem.network.origins)}
        self.column = {site: at for at, site in enumerate(problem.network.sites)}
        self.rtt_ms = problem.network.rtt_ms.tolist()

    def of(self, origin: str, site: str) -> float:
        return float(self.rtt_ms[self.row[origin]][self.column[site]])


# many slots


def _of_horizon(problem: HorizonProblem, plan: HorizonPlan) -> Schedule:
    width = problem.horizon.slot_hours
    placed, purchases, totals = promised(problem, plan.placements), plan.purchases, plan.totals
    kept = None
    if any(w.chance_milli is not None for w in problem.workloads):
        books = HorizonBooks(problem)
        purchases, totals = books.purchases(books.used(placed)), books.totals(placed)
        kept = _kept(problem, plan, totals)
    return Schedule(
        start=problem.horizon.start,
        hours=problem.horizon.slots * width,
        runs=tuple(_runs(problem, placed)),
        left=tuple(_left_out(problem, plan)),
        buys=tuple(_buy(purchase, width) for purchase in purchases),
        shadows=tuple(
            Shadow(s.site, s.grade, s.slot * width, (s.slot + 1) * width, s.nano_cny // width)
            for s in plan.shadow_prices
        ),
        totals=_totals(totals, len(known_work(problem).workloads)),
        status=plan.status,
        gap=plan.gap,
        gap_fen=fen(plan.gap_nano_cny),
        certificate_gap=plan.certificate_gap,
        rule_fen=fen(plan.rule_nano_cny),
        bound_from=plan.bound_from,
        model=plan.model,
        why=plan.why,
        seconds=plan.timings.total_s,
        kept=kept,
    )


def _left_out(problem: HorizonProblem, plan: HorizonPlan) -> Iterator[Left]:
    """Work that is there and has no place."""
    workloads = {w.id: w for w in problem.workloads}
    for u in plan.unplaced:
        w = workloads[u.workload]
        if w.chance_milli is None:
            yield Left(w.id, w.latency_class, u.reason, u.detail, relaxed_text(problem, w, u.relaxed))


def _buy(item: SlotPurchase, width: int) -> Buy:
    hours = (item.slot * width, (item.slot + 1) * width)
    figures = (item.milli_cards, item.price_micro_cny, item.cost_nano_cny)
    return Buy(item.offer, item.site, item.grade, *hours, *figures)


def _kept(problem: HorizonProblem, plan: HorizonPlan, known: HorizonTotals) -> Kept:
    return Kept(
        placed=plan.totals.placed - known.placed,
        expected=sum(w.chance_milli is not None for w in problem.workloads),
        card_hours=(plan.totals.milli_card_hours - known.milli_card_hours) / MILLI,
        new_money_fen=fen(plan.totals.cost_nano_cny - known.cost_nano_cny),
    )


def _runs(problem: HorizonProblem, placed: Sequence[HorizonPlacement]) -> Iterator[Run]:
    width = problem.horizon.slot_hours
    workloads = {w.id: w for w in problem.workloads}
    rtt = _RoundTrips(problem)
    for p in placed:
        w = workloads[p.workload]
        needs = w.alternatives[p.alternative].needs
        for first, end in _stretches(p.slots):
            for site, members in p.parts:
                hours = (first * width, end * width)
                ms = rtt.of(w.origin, site)
                yield Run(w.id, w.origin, w.latency_class, site, *hours, members, needs, ms)


def _stretches(slots: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Runs of neighbouring slots, the end excluded."""
    first = last = slots[0]
    for slot in slots[1:]:
        if slot != last + 1:
            yield first, last + 1
            first = slot
        last = slot
    yield first, last + 1
