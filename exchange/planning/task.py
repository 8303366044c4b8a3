"""What the server and the process of a search say to one another."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from exchange.api.plans import PlanProgress
from scheduler.horizon.types import CarbonRule
from scheduler.io.running import Begun
from scheduler.io.venue import Stock


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What the process is given; `begun` had begun by the start (None: no plan went before), `zero` began the
    first of a row of plans.
    """

    workloads: list[dict[str, Any]]
    start: datetime
    hours: int
    stock: Stock
    time_limit_s: float
    skip_faulty: bool
    zero: datetime
    begun: tuple[Begun, ...] | None = None
    moves_max: int | None = None
    migration_cny: float = 0.0
    failed: list[str] = []
    forecast: list[dict[str, Any]] = []
    carbon: CarbonRule = CarbonRule()
    explain: bool = False
    pareto: bool = False
    advise: bool = False

    @property
    def searches(self) -> int:
        """How often the time limit may run: for the plan, and for each that is asked for beside it."""
        return 1 + self.explain + self.pareto


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of news; exactly one field is given: `searching` when the time limit begins to run, `result`
    being the JSON of a `PlanResult` ("": none).
    """

    searching: bool = False
    progress: PlanProgress | None = None
    result: msgspec.Raw = msgspec.Raw()
    faults: list[str] | None = None
    refused: list[str] | None = None
