"""Expected work beside known work: what of a plan is promised, and what room is only kept."""

from collections.abc import Sequence
from dataclasses import replace

from scheduler.horizon.plan import HorizonPlacement
from scheduler.horizon.types import HorizonProblem


def known_work(problem: HorizonProblem) -> HorizonProblem:
    """The problem without expected work."""
    known = tuple(w for w in problem.workloads if w.chance_milli is None)
    return problem if len(known) == len(problem.workloads) else replace(problem, workloads=known)


def promised(problem: HorizonProblem, placements: Sequence[HorizonPlacement]) -> tuple[HorizonPlacement, ...]:
    """The placements of known work."""
    expected = {w.id for w in problem.workloads if w.chance_milli is not None}
    return tuple(p for p in placements if p.workload not in expected)
