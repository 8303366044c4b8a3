"""`dongxi plan fail`: a plan without a hub, at once."""

from dataclasses import dataclass, replace
from typing import Any

from rich.console import Console

from scheduler.commands.replanning import SHOWN_MAX
from scheduler.horizon.failover import LivePlan
from scheduler.horizon.plan import HorizonPlan
from scheduler.horizon.types import HorizonProblem
from scheduler.io.changes import sites_text
from scheduler.io.planfile import PlanFile


class NotByTheHour(ValueError):
    """The plan is of one slot, in which nothing can be displaced at an hour."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A plan after hubs failed: who was displaced, who lost their place, and who gave way for others."""

    file: PlanFile
    displaced: tuple[str, ...]
    lost: tuple[str, ...]
    gave_way: tuple[str, ...]
    seconds: float


def failed_plan(file: PlanFile, hubs: list[str]) -> Failed:
    """Take hubs out of a plan for its whole time, one after the other, and place what they ran elsewhere.

    Raises `NotByTheHour`, and ``ValueError`` for a hub that the plan does not know.
    """
    if not (isinstance(file.problem, HorizonProblem) and isinstance(file.plan, HorizonPlan)):
        raise NotByTheHour(
            "it is a plan of one slot; plan again with --running and --failed, which plans by the hour"
        )
    live = LivePlan(file.problem, file.plan)
    repairs = [live.fail(hub) for hub in dict.fromkeys(hubs)]
    last, gave_way = repairs[-1], {name for repair in repairs for name in repair.gave_way}
    placed = {p.workload for p in last.plan.placements}
    before = [p.workload for p in file.plan.placements]
    displaced = {name for repair in repairs for name in repair.displaced}
    return Failed(
        file=replace(file, problem=last.problem, plan=last.plan, constraint_prices=(), front=()),
        displaced=tuple(name for name in before if name in displaced),
        lost=tuple(name for name in before if name not in placed),
        gave_way=tuple(name for name in before if name in gave_way),
        seconds=sum(repair.plan.timings.total_s for repair in repairs),
    )


def show_failed(failed: Failed, console: Console) -> None:
    """Print who goes where, the tightest latency first."""
    console.print(
        f"[bold]{len(failed.displaced):,} displaced[/bold], {len(failed.gave_way):,} gave way, "
        f"{len(failed.lost):,} of them have no place now; in {failed.seconds:.2f} s",
        highlight=False,
    )
    problem, plan = failed.file.problem, failed.file.plan
    if not (isinstance(problem, HorizonProblem) and isinstance(plan, HorizonPlan)):
        return
    bound = {w.id: w.latency_ms_max for w in problem.workloads}
    placed = {p.workload: p.parts for p in plan.placements}
    names = sorted(failed.displaced, key=lambda name: bound[name])
    for name in names[:SHOWN_MAX]:
        where = f"→ {sites_text(placed[name])}" if name in placed else "has no place"
        console.print(f"  {name} {where}", highlight=False, markup=False)
    if len(names) > SHOWN_MAX:
        console.print(f"  and {len(names) - SHOWN_MAX:,} more: see the plan file", highlight=False)


def failed_json(failed: Failed) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        "displaced": list(failed.displaced),
        "lost": list(failed.lost),
        "gave_way": list(failed.gave_way),
        "seconds": round(failed.seconds, 3),
    }
