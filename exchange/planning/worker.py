"""One plan in a process of its own: `python -m exchange.planning.worker`, a task in, lines of news out.

It reads workloads, builds the problem, searches and writes the answer's JSON, so that the server's loop only
passes bytes on.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import BinaryIO

import msgspec

from exchange.api.plans import ADVISED_ORDERS_MAX, WORKLOADS_MAX, PlanProgress, PlanResult
from exchange.planning.places import catalogue_places
from exchange.planning.shown import finite, result_of, with_advice, with_baselines, with_wishes
from exchange.planning.task import Line, Task
from scheduler.anyplan import AnyPlan, AnyProblem
from scheduler.commands.judging import comparison_of
from scheduler.commands.purchases import purchases_of
from scheduler.commands.search import News, Stage, Watched, Wishes, search
from scheduler.horizon.plan import HorizonPlan
from scheduler.io.changes import changes_of
from scheduler.io.failures import failed_rows
from scheduler.io.faults import FaultyInput, FileFault, Where
from scheduler.io.front_door import Before, problem_of
from scheduler.io.hedging import Outlook
from scheduler.io.places import Places
from scheduler.io.running import Left, left_of
from scheduler.io.schedule import schedule_of
from scheduler.io.sound import plan_sound
from scheduler.io.tables import rows_of
from scheduler.io.venue import supply_of_stock
from scheduler.io.workloads import Span, WorkloadRow, forecast_of, workloads_of
from scheduler.io.world import World, world_of
from scheduler.plan import Plan, Progress
from scheduler.sums import fen
from scheduler.types import InvalidProblem, micro_cny

NICENESS = 10
"""Orders go first when processors are short."""
FAULTS_TOLD_MAX = 100

Tell = Callable[[Line], None]


def run(task: Task, out: BinaryIO) -> None:
    """Do a task and write its news."""

    def tell(line: Line) -> None:
        out.write(msgspec.json.encode(line) + b"\n")
        out.flush()

    span = Span(task.start, task.hours, since=task.zero, zero=task.zero)
    faults: list[FileFault] = []

    def plan(rows: Sequence[WorkloadRow]) -> None:
        if faults:
            tell(Line(faults=[str(fault) for fault in faults[:FAULTS_TOLD_MAX]]))
        known = tuple(row for row in rows if row.chance_milli is None)
        problem = problem_of(world, rows, task.carbon, before)
        _Answering(task, problem, replace(left, rows=known), tell).search()

    try:
        left, world, expected = _read(task, span, faults)
        before = Before(left.begun, micro_cny(task.migration_cny), task.moves_max)
        plan_sound((*left.rows, *expected), plan, faults.append if task.skip_faulty else None)
    except (FaultyInput, InvalidProblem) as error:
        tell(Line(refused=[str(fault) for fault in error.faults[:FAULTS_TOLD_MAX]]))


class _Answering:
    """The answer as it grows: the best plan so far, then what was wished for, at the end the baselines."""

    def __init__(self, task: Task, problem: AnyProblem, left: Left, tell: Tell) -> None:
        self._task, self._problem, self._left, self._tell = task, problem, left, tell
        self._found = Watched()
        self._shown: PlanResult | None = None

    def search(self) -> None:
        """Search to the end."""
        wishes = Wishes(self._task.explain, self._task.pareto)
        search(self._problem, self._task.time_limit_s, self._hear, wishes)
        if self._found.plan is None or self._shown is None:
            return
        if self._task.advise and len(self._shown.orders) <= ADVISED_ORDERS_MAX:
            schedule = schedule_of(self._task.start, self._problem, self._found.plan)
            self._show(with_advice(self._shown, purchases_of(schedule, self._task.stock, Outlook())))
        self._show(with_baselines(self._shown, comparison_of(self._problem, self._found.plan)))

    def _hear(self, news: News) -> None:
        if isinstance(news, Progress):
            self._tell(_progress(news))
        elif news is Stage.SEARCHING:
            self._tell(Line(searching=True))
        elif not isinstance(news, Stage):
            self._found = self._found.heard(news)
            shown = self._of(news) if isinstance(news, Plan | HorizonPlan) else self._shown
            if shown is not None:
                self._show(shown)

    def _of(self, plan: AnyPlan) -> PlanResult:
        task, rows = self._task, self._left.rows
        changes = None if task.begun is None else changes_of(self._problem, plan, self._left)
        return result_of(schedule_of(task.start, self._problem, plan), task.stock, rows, changes)

    def _show(self, shown: PlanResult) -> None:
        self._shown = with_wishes(shown, self._found)
        self._tell(Line(result=msgspec.Raw(msgspec.json.encode(self._shown))))


def _read(task: Task, span: Span, faults: list[FileFault]) -> tuple[Left, World, tuple[WorkloadRow, ...]]:
    """What is to be planned, where, and what may come; ``faults`` takes those of the rows left out."""
    places = catalogue_places(span.start)
    file = workloads_of(rows_of("workloads", task.workloads), places, span)
    if not (task.skip_faulty and file.rows):
        file.faults.raise_if_any()
    faults += file.faults.found
    supply = supply_of_stock(task.stock, span)
    down = failed_rows(task.failed, [site.code for site in places.sites], span)
    world = world_of(places, replace(supply, maintenance=down), span, at_list_price=False)
    return left_of(file.rows, task.begun or (), file.ids), world, _expected(task, places, span)


def _expected(task: Task, places: Places, span: Span) -> tuple[WorkloadRow, ...]:
    """Work that may come: together no more than a plan's workloads, however large the counts."""
    file = forecast_of(rows_of("forecast", task.forecast), places, span)
    if len(file.rows) > WORKLOADS_MAX:
        message = f"{len(file.rows):,} may come, expected at most {WORKLOADS_MAX:,}: lower the counts"
        file.faults.add(Where("forecast", "row", 0), "", "count", message)
    file.faults.raise_if_any()
    return file.rows


def _progress(news: Progress) -> Line:
    return Line(
        progress=PlanProgress(
            elapsed_s=round(news.elapsed_s, 3),
            stage=news.stage,
            incumbent_fen=fen(news.incumbent_nano_cny),
            bound_fen=fen(news.bound_nano_cny),
            gap=finite(news.gap),
        )
    )


def main() -> None:
    """Read a task from standard input, write news to standard output."""
    os.nice(NICENESS)
    run(msgspec.json.decode(sys.stdin.buffer.read(), type=Task), sys.stdout.buffer)


if __name__ == "__main__":
    main()
