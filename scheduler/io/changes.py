"""What a plan changes for work that had begun before it: who goes on, moves, pauses, stops, ended."""

from dataclasses import dataclass
from typing import NamedTuple

from scheduler.anyplan import AnyPlan, AnyProblem
from scheduler.horizon.plan import HorizonPlacement, HorizonPlan, MoveReason
from scheduler.horizon.types import HorizonProblem, Part
from scheduler.io.running import Left
from scheduler.sums import fen


class Moved(NamedTuple):
    """Running work that moves, from hour ``first_hour`` on; money in fen.

    ``gain_fen`` is what going on would cost more than the new place (None: it cannot go on), ``cost_fen``
    what migration and transfer cost.
    """

    workload: str
    reason: MoveReason
    before: str
    after: str
    first_hour: int
    gain_fen: int | None
    cost_fen: int


class Waits(NamedTuple):
    """Work that had begun and goes on later: at ``site``, from ``resumes_hour`` on."""

    workload: str
    site: str
    resumes_hour: int


class Stopped(NamedTuple):
    """Running work that the plan leaves out, and why."""

    workload: str
    site: str
    best_effort: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Changes:
    """All of it: ``paused`` is running work that may pause, and does, ``waits`` what was stopped before and
    is placed again. ``withdrawn`` is not asked for any more; ``expired`` cannot end in time.
    """

    goes_on: int = 0
    moved: tuple[Moved, ...] = ()
    paused: tuple[Waits, ...] = ()
    waits: tuple[Waits, ...] = ()
    stopped: tuple[Stopped, ...] = ()
    ended: tuple[str, ...] = ()
    expired: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()


def changes_of(problem: AnyProblem, plan: AnyPlan, left: Left) -> Changes:
    """What a plan makes of the problem's running work; of a plan of one slot nothing can be running."""
    if not (isinstance(problem, HorizonProblem) and isinstance(plan, HorizonPlan)):
        return Changes(ended=left.ended, expired=left.expired, withdrawn=left.withdrawn)
    placed = {p.workload: p for p in plan.placements}
    moved = set(plan.moved)
    stays = [r for r in problem.running if r.workload in placed and r.workload not in moved]
    paused = [r for r in stays if placed[r.workload].slots[0] > 0]
    hours, best_effort = problem.horizon.slot_hours, {w.id for w in problem.workloads if w.best_effort}
    running = {r.workload for r in problem.running}
    details = {u.workload: u.detail for u in plan.unplaced}
    return Changes(
        goes_on=len(stays) - len(paused),
        moved=tuple(_moves(plan, placed, hours)),
        paused=tuple(
            Waits(r.workload, sites_text(r.parts), placed[r.workload].slots[0] * hours) for r in paused
        ),
        waits=tuple(
            Waits(p.workload, sites_text(p.parts), p.slots[0] * hours)
            for item in left.begun
            if item.workload not in running and (p := placed.get(item.workload))
        ),
        stopped=tuple(
            Stopped(r.workload, sites_text(r.parts), r.workload in best_effort, details[r.workload])
            for r in problem.running
            if r.workload not in placed
        ),
        ended=left.ended,
        expired=left.expired,
        withdrawn=left.withdrawn,
    )


def _moves(plan: HorizonPlan, placed: dict[str, HorizonPlacement], hours: int) -> list[Moved]:
    return [
        Moved(
            workload=move.workload,
            reason=move.reason,
            before=sites_text(move.before),
            after=sites_text(move.after),
            first_hour=placed[move.workload].slots[0] * hours,
            gain_fen=None if move.gain_nano_cny is None else fen(move.gain_nano_cny),
            cost_fen=fen(move.cost_nano_cny),
        )
        for move in plan.moves
    ]


def sites_text(parts: tuple[Part, ...]) -> str:
    """Where parts are, in a word: ``GUIAN``, or ``A ×2 + B ×1``."""
    if len(parts) == 1:
        return parts[0].site
    return " + ".join(f"{part.site} ×{part.members}" for part in parts)
