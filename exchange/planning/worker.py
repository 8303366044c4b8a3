"""One plan in a process of its own: `python -m exchange.planning.worker`, a task in, lines of news out.

It reads workloads, builds the problem, searches and writes the answer's JSON, so that the server's loop only
passes bytes on.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

import msgspec

from exchange.api.formats import price_text
from exchange.api.plans import LeftOut, PlannedNomination, PlannedOrder, PlannedRun, PlanProgress, PlanResult
from exchange.planning.places import catalogue_places
from exchange.planning.task import Line, Task
from scheduler.anyplan import AnyPlan, AnyProblem
from scheduler.commands.search import News, search
from scheduler.horizon.plan import HorizonPlan, Progress
from scheduler.io.faults import FaultyInput
from scheduler.io.front_door import problem_of
from scheduler.io.nominating import nominations_of
from scheduler.io.schedule import Schedule, schedule_of
from scheduler.io.tables import rows_of
from scheduler.io.venue import Stock, orders_of, supply_of_stock
from scheduler.io.workloads import Span, workloads_of
from scheduler.io.world import world_of
from scheduler.plan import Plan
from scheduler.sums import fen
from scheduler.types import MILLI, InvalidProblem

NICENESS = 10
"""Orders go first when processors are short."""
FAULTS_TOLD_MAX = 100


def run(task: Task, out: BinaryIO) -> None:
    """Do a task and write its news."""

    def tell(line: Line) -> None:
        out.write(msgspec.json.encode(line) + b"\n")
        out.flush()

    span = Span(task.start, task.hours)
    try:
        problem = _problem(task, span, tell)
        if problem is not None:
            search(problem, task.time_limit_s, lambda news: _tell_news(task, problem, news, tell))
    except (FaultyInput, InvalidProblem) as error:
        tell(Line(refused=_texts(error)))


def _problem(task: Task, span: Span, tell: Any) -> AnyProblem | None:
    places = catalogue_places(span.start)
    file = workloads_of(rows_of("workloads", task.workloads), places, span)
    if file.faults.count and not (task.skip_faulty and file.rows):
        file.faults.raise_if_any()
    if file.faults.count:
        tell(Line(faults=[str(fault) for fault in file.faults.found[:FAULTS_TOLD_MAX]]))
    world = world_of(places, supply_of_stock(task.stock, span), span, at_list_price=False)
    return problem_of(world, file.rows)


def _texts(error: FaultyInput | InvalidProblem) -> list[str]:
    return [str(fault) for fault in error.faults[:FAULTS_TOLD_MAX]]


def _tell_news(task: Task, problem: AnyProblem, news: News, tell: Callable[[Line], None]) -> None:
    if isinstance(news, Progress | Plan | HorizonPlan):
        tell(_line(task, problem, news))


def _line(task: Task, problem: AnyProblem, news: Progress | AnyPlan) -> Line:
    if isinstance(news, Progress):
        return Line(
            progress=PlanProgress(
                elapsed_s=round(news.elapsed_s, 3),
                stage=news.stage,
                incumbent_fen=fen(news.incumbent_nano_cny),
                bound_fen=fen(news.bound_nano_cny),
                gap=_finite(news.gap),
            )
        )
    schedule = schedule_of(task.start, problem, news)
    return Line(result=msgspec.Raw(msgspec.json.encode(result_of(schedule, task.stock))))


def _finite(gap: float) -> float | None:
    return gap if gap < float("inf") else None


def result_of(schedule: Schedule, stock: Stock) -> PlanResult:
    """A schedule as the API shows it."""
    return PlanResult(
        status=schedule.status.value,
        gap=_finite(schedule.gap),
        placed=schedule.totals.placed,
        new_money_fen=schedule.totals.new_money_fen,
        kgco2=round(schedule.totals.kgco2, 6),
        model=schedule.model,
        why=schedule.why,
        runs=[
            PlannedRun(
                workload=run.workload,
                hub=run.site,
                first_hour=run.first_hour,
                end_hour=run.end_hour,
                members=run.members,
                cards={grade: milli / MILLI for grade, milli in run.needs},
                round_trip_ms=round(run.rtt_ms, 3),
            )
            for run in schedule.runs
        ],
        left_out=[
            LeftOut(workload=left.workload, reason=left.reason, detail=left.detail, change=left.change)
            for left in schedule.left
        ],
        orders=[
            PlannedOrder(
                symbol=order.symbol,
                quantity=order.lots,
                price=price_text(order.limit_ticks),
                needed_cards=order.needed_cards,
                cost_at_book_fen=order.at_book_fen,
                cost_at_limit_fen=order.at_limit_fen,
            )
            for order in orders_of(schedule, stock.levels)
        ],
        nominations=[PlannedNomination(**n._asdict()) for n in nominations_of(schedule, stock)],
    )


def main() -> None:
    """Read a task from standard input, write news to standard output."""
    os.nice(NICENESS)
    run(msgspec.json.decode(sys.stdin.buffer.read(), type=Task), sys.stdout.buffer)


if __name__ == "__main__":
    main()
