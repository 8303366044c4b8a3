"""A plan as the API shows it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from exchange.api import plans as api
from exchange.api.formats import price_text
from scheduler.carbon import FrontRow
from scheduler.commands.purchases import Purchases
from scheduler.commands.search import Watched
from scheduler.constraints import ConstraintPrice
from scheduler.io.changes import Changes
from scheduler.io.covering import orders_of
from scheduler.io.hedging import Hedge
from scheduler.io.nominating import nominations_of
from scheduler.io.schedule import Run, Schedule
from scheduler.io.venue import Stock, spare_of
from scheduler.io.workloads import WorkloadRow
from scheduler.report.wording import FEN_PER_CNY, dearest
from scheduler.savings import BaselineRow, Comparison
from scheduler.sums import fen
from scheduler.types import MICRO, MILLI

WORTHS_TOLD_MAX = 50


def finite(number: float) -> float | None:
    """Return a number, or None for an infinite one."""
    return number if number < float("inf") else None


def result_of(
    schedule: Schedule,
    stock: Stock,
    rows: Sequence[WorkloadRow],
    changes: Changes | None = None,
) -> api.PlanResult:
    """A schedule of the workloads in `rows`, with what it changes for work that had begun."""
    return api.PlanResult(
        status=schedule.status.value,
        gap=finite(schedule.gap),
        rule_fen=schedule.rule_fen,
        placed=schedule.totals.placed,
        new_money_fen=schedule.totals.new_money_fen,
        kgco2=round(schedule.totals.kgco2, 6),
        model=schedule.model,
        why=schedule.why,
        runs=[_run(run) for run in schedule.runs],
        left_out=[
            api.LeftOut(workload=left.workload, reason=left.reason, detail=left.detail, change=left.change)
            for left in schedule.left
        ],
        orders=[
            api.PlannedOrder(
                symbol=order.symbol,
                quantity=order.lots,
                price=price_text(order.limit_ticks),
                needed_cards=order.needed_cards,
                spare_card_hours=order.spare_card_hours,
                cost_at_book_fen=order.at_book_fen,
                cost_at_limit_fen=order.at_limit_fen,
            )
            for order in orders_of(schedule, stock.levels)
        ],
        nominations=[api.PlannedNomination(**n._asdict()) for n in nominations_of(schedule, stock)],
        worths=[
            api.CardWorth(
                hub=shadow.site,
                grade=shadow.grade,
                first_hour=shadow.first_hour,
                end_hour=shadow.end_hour,
                worth=f"{shadow.micro_cny / MICRO:.2f}",
            )
            for shadow in dearest(schedule, WORTHS_TOLD_MAX)
        ],
        resell=[
            api.PlannedSpare(
                reservation_id=spare.holding if spare.reserved else None,
                symbol=spare.symbol,
                cards=spare.cards,
            )
            for spare in spare_of(schedule, stock)
        ],
        classes=_classes(schedule, rows),
        baselines=None,
        changes=None if changes is None else _changes(changes),
        kept=None if schedule.kept is None else api.KeptRoom(**schedule.kept._asdict()),
    )


def with_baselines(result: api.PlanResult, compared: Comparison) -> api.PlanResult:
    """The result beside the baselines."""
    return msgspec.structs.replace(result, baselines=[_baseline(row) for row in compared.rows])


def with_wishes(result: api.PlanResult, found: Watched) -> api.PlanResult:
    """The result with what was found beside the plan so far."""
    prices, front = found.constraint_prices, found.front
    return msgspec.structs.replace(
        result,
        constraint_prices=[_constraint(price) for price in prices] or None,
        front=[_front_point(row) for row in front] or None,
    )


def with_advice(result: api.PlanResult, found: Purchases) -> api.PlanResult:
    """The result with how much of each order to buy now."""
    return msgspec.structs.replace(result, advice=[_buy_now(one) for one in found.hedges])


def _buy_now(advice: Hedge) -> api.BuyNow:
    return api.BuyNow(
        symbol=advice.buy.symbol,
        quantity=advice.buy.lots,
        price=price_text(advice.buy.limit_ticks) if advice.buy.lots else None,
        expected_fen=round(advice.expected_cny * FEN_PER_CNY),
        saved_fen=max(0, round(advice.value_of_stochastic_solution_cny * FEN_PER_CNY)),
        resell_lots=round(advice.resell_lots, 3),
    )


def _constraint(price: ConstraintPrice) -> api.ConstraintCost:
    return api.ConstraintCost(
        constraint=price.constraint,
        least_fen=fen(price.least),
        most_fen=fen(price.most),
        served_more=price.served_more,
    )


def _front_point(row: FrontRow) -> api.FrontPoint:
    return api.FrontPoint(
        carbon_price_cny_per_kg=row.price_micro_cny_per_kg / MICRO,
        placed=row.placed,
        new_money_fen=fen(row.cost_nano_cny),
        money_fen=fen(row.money_nano_cny),
        money_bound_fen=fen(row.money_bound_nano_cny),
        kgco2=round(row.kgco2, 6),
    )


def _changes(changes: Changes) -> api.PlanChanges:
    return api.PlanChanges(
        goes_on=changes.goes_on,
        moved=[api.PlannedMove(**{**move._asdict(), "reason": move.reason.value}) for move in changes.moved],
        paused=[api.PlannedWait(**wait._asdict()) for wait in changes.paused],
        waits=[api.PlannedWait(**wait._asdict()) for wait in changes.waits],
        stopped=[api.PlannedStop(**stop._asdict()) for stop in changes.stopped],
        ended=list(changes.ended),
        expired=list(changes.expired),
        withdrawn=list(changes.withdrawn),
    )


def _run(run: Run) -> api.PlannedRun:
    return api.PlannedRun(
        workload=run.workload,
        hub=run.site,
        first_hour=run.first_hour,
        end_hour=run.end_hour,
        members=run.members,
        cards={grade: milli / MILLI for grade, milli in run.needs},
        round_trip_ms=round(run.rtt_ms, 3),
    )


def _classes(schedule: Schedule, rows: Sequence[WorkloadRow]) -> list[api.PlannedClass]:
    """The latency classes, the strictest first."""
    trips: dict[str, float] = {}
    for run in schedule.runs:
        trips[run.workload] = max(run.rtt_ms, trips.get(run.workload, 0.0))
    classes: dict[str, list[WorkloadRow]] = {}
    for row in sorted(rows, key=lambda row: row.latency_ms_max):
        classes.setdefault(row.latency_class, []).append(row)
    found = []
    for name, members in classes.items():
        placed = [trips[row.id] for row in members if row.id in trips]
        found.append(
            api.PlannedClass(
                latency_class=name,
                limit_ms=finite(members[0].latency_ms_max),
                workloads=len(members),
                placed=len(placed),
                longest_round_trip_ms=round(max(placed), 3) if placed else None,
            )
        )
    return found


def _baseline(row: BaselineRow) -> api.PlanBaseline:
    return api.PlanBaseline(
        name=row.name,
        description=row.description,
        unserved=row.unserved,
        cost_fen=row.baseline_common.cost_with_reserved_fen,
        plan_cost_fen=row.plan_common.cost_with_reserved_fen,
        cost_saving=round(row.cost_saving, 6),
        carbon_saving=round(row.carbon_saving, 6),
    )
