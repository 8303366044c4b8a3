"""Telling how a search goes: better bounds and incumbents, and better plans by name."""

import time
from collections.abc import Callable

from scheduler.instance import Instance, Ints
from scheduler.plan import Plan, Progress
from scheduler.solution import new_money, value

TOLD_EVERY_S = 0.1
TELLING_SHARE = 0.05
"""Of the time so far, what naming plans on the way may take."""

OnProgress = Callable[[Progress], None]
OnPlan = Callable[[Plan], None]
Look = Callable[[], tuple[Ints, int]]
"""The best amounts (O,) and a bound in nano-CNY, quickly."""


class Teller:
    """Hears of plans and bounds, tells what is new and not too often; one thread at a time.

    Every progress told has a better bound or incumbent than the one before, and neither is ever worse.
    """

    def __init__(
        self, instance: Instance, began: float, on_progress: OnProgress | None, on_plan: OnPlan | None
    ) -> None:
        self._instance, self._began = instance, began
        self._on_progress, self._on_plan = on_progress, on_plan
        self._told: Progress | None = None
        self._told_at = -float("inf")
        self._named: int | None = None
        self._naming_s = 0.0

    def hear(self, stage: str, look: Look, name: Callable[[], Plan] | None = None) -> None:
        """``name`` gives the plan; None if it is the last one, which is told even where others just were."""
        now = time.monotonic()
        early = now < self._told_at + TOLD_EVERY_S and name is not None
        if early or (self._on_progress is None and self._on_plan is None):
            return
        self._told_at = now
        amount, bound = look()
        worth = value(self._instance, amount)
        if name is not None and (self._named is None or worth < self._named):
            self._tell_plan(worth, now, name)
        self._tell_progress(stage, amount, worth, bound)

    def _tell_plan(self, worth: int, now: float, name: Callable[[], Plan]) -> None:
        if self._on_plan is None or self._naming_s > TELLING_SHARE * (now - self._began):
            return
        self._on_plan(name())
        self._named = worth
        self._naming_s += time.monotonic() - now

    def _tell_progress(self, stage: str, amount: Ints, worth: int, bound: int) -> None:
        last = self._told
        if last is not None:
            bound = max(bound, last.bound_nano_cny)
            if last.incumbent_nano_cny <= worth and last.bound_nano_cny == bound:
                return
            worth = min(worth, last.incumbent_nano_cny)
        gap, money = worth - bound, new_money(self._instance, amount)
        share = gap / money if money else float(gap > 0)
        self._told = Progress(time.monotonic() - self._began, stage, worth, bound, share)
        if self._on_progress is not None:
            self._on_progress(self._told)
