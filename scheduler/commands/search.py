"""A search in a process of its own: progress and better plans as they come, and the best one when stopped.

The process is spawned, so that whoever waits (a terminal, a server's loop) never shares its interpreter lock.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from multiprocessing.connection import Connection
from typing import Final, NamedTuple

from scheduler.anyplan import AnyPlan, AnyProblem
from scheduler.carbon import FrontRow, pareto
from scheduler.constraints import ConstraintPrice, constraint_prices
from scheduler.horizon.planning import plan_horizon
from scheduler.horizon.types import HorizonProblem
from scheduler.horizon.warming import compile_horizon_loops
from scheduler.placing import place
from scheduler.plan import Progress
from scheduler.types import MICRO, InvalidProblem
from scheduler.warming import compile_slot_loops

COMPILING_TOLD_S: Final = 1.0
"""Loading compiled loops takes less; so whoever waits longer is told that they are being compiled."""


class Stage(StrEnum):
    """What goes on before the clock of the time limit runs, and that it runs now."""

    COMPILING = "compiling the search's loops, once"
    SEARCHING = "building and solving"


class Wishes(NamedTuple):
    """What to find out beside the plan, each within the time limit again."""

    constraint_prices: bool = False
    front: bool = False


NO_WISHES: Final = Wishes()


class Front(NamedTuple):
    """The front between money and carbon."""

    rows: tuple[FrontRow, ...]


Find = AnyPlan | ConstraintPrice | Front
News = Stage | Progress | Find
Tell = Callable[[News], None]


@dataclass(frozen=True, slots=True)
class Watched:
    """What was found: the best plan (None where the search was stopped before there was one), and wishes.

    ``stopped`` if it was ended before its end.
    """

    plan: AnyPlan | None = None
    constraint_prices: tuple[ConstraintPrice, ...] = ()
    front: tuple[FrontRow, ...] = ()
    stopped: bool = False

    def heard(self, item: Find) -> Watched:
        """With what was told."""
        if isinstance(item, ConstraintPrice):
            return replace(self, constraint_prices=(*self.constraint_prices, item))
        if isinstance(item, Front):
            return replace(self, front=item.rows)
        return replace(self, plan=item)


class SearchFailed(RuntimeError):
    """The search ended without a plan; the sentence says how."""


def search(problem: AnyProblem, time_limit_s: float, tell: Tell, wishes: Wishes = NO_WISHES) -> None:
    """Search here and now; every plan told is better than the one before, the last is the best.

    After it come prices of constraints and the front between money and carbon where they are wished for.
    Loops that were never compiled are compiled first, outside the time limit.

    Raises `scheduler.types.InvalidProblem` naming each row and field that is wrong.
    """
    many = isinstance(problem, HorizonProblem)
    _compile(compile_horizon_loops if many else compile_slot_loops, tell)
    tell(Stage.SEARCHING)
    if isinstance(problem, HorizonProblem):
        plan: AnyPlan = plan_horizon(problem, time_limit_s, on_progress=tell, on_plan=tell)
    else:
        plan = place(problem, time_limit_s, on_progress=tell, on_plan=tell)
    tell(plan)
    if wishes.constraint_prices:
        for found in constraint_prices(problem, plan, time_limit_s):
            tell(found)
    if wishes.front:
        _search_front(problem, time_limit_s, tell)


def _search_front(problem: AnyProblem, time_limit_s: float, tell: Tell) -> None:
    started = time.monotonic()

    def tried(price: int, plan: AnyPlan) -> None:
        tell(progress_of(plan, started, f"carbon at {price / MICRO:g} CNY/kg"))

    points = pareto(problem, time_limit_s=time_limit_s, told=tried)
    tell(Front(tuple(point.row for point in points)))


def _compile(loops: Callable[[], None], tell: Tell) -> None:
    late = threading.Timer(COMPILING_TOLD_S, tell, [Stage.COMPILING])
    late.start()
    loops()
    late.cancel()
    # nobody else tells anything while the timer may
    late.join()


def progress_of(plan: AnyPlan, started: float, stage: str) -> Progress:
    """How far a search is with this plan."""
    elapsed_s = time.monotonic() - started
    return Progress(elapsed_s, stage, plan.value_nano_cny, plan.lower_bound_nano_cny, plan.gap)


# elsewhere


@contextmanager
def searching(
    problem: AnyProblem, time_limit_s: float, wishes: Wishes = NO_WISHES
) -> Iterator[Iterator[News]]:
    """News of a search in a process of its own; the process ends with the block, whatever it was doing.

    The news raise `SearchFailed` when the search does, `scheduler.types.InvalidProblem` as `search`.
    """
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(problem, time_limit_s, wishes, sending), daemon=True)
    process.start()
    sending.close()
    try:
        yield _news(receiving)
    finally:
        process.kill()
        process.join()
        process.close()
        receiving.close()


def _news(receiving: Connection) -> Iterator[News]:
    while True:
        try:
            news = receiving.recv()
        except EOFError:
            raise SearchFailed("the search's process was ended, perhaps for want of memory") from None
        if news is None:
            return
        if isinstance(news, Exception):
            raise news
        yield news


def _child(problem: AnyProblem, time_limit_s: float, wishes: Wishes, sending: Connection) -> None:
    # Ctrl-C goes to the whole process group; the parent decides what it means
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        search(problem, time_limit_s, sending.send, wishes)
        sending.send(None)
    except InvalidProblem as error:
        sending.send(error)
    except Exception as error:
        sending.send(SearchFailed(f"the search failed: {type(error).__name__}: {error}"))
