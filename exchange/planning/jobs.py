"""Plan jobs of all accounts: a bounded queue, one search at a time, results kept for a while.

Nothing here is state of the market: a restart forgets the jobs, and whoever still wants a plan posts it anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec
import structlog

from exchange.api.codes import RequestCode, refuse
from exchange.api.plans import PlanJob, PlannedNomination, PlannedOrder, PlanProgress, PlanState
from exchange.planning.task import Line, Task
from scheduler.io.running import Begun

QUEUED_MAX: Final = 16
"""Jobs that may wait, of all accounts; beyond it a new one is refused and nothing is dropped."""
OF_ACCOUNT_MAX: Final = 4
"""Jobs of one account that may wait or run."""
KEPT_MAX: Final = 64
"""Finished jobs that are kept; the oldest goes first."""
LINE_BYTES_MAX: Final = 16 * 1024 * 1024
PREPARING_S: Final = 600.0
"""What a search may take before its clock runs: reading, and compiling what was never compiled here."""
GRACE_S: Final = 60.0
"""What each search may take beyond its time limit for building and writing before it is ended."""

_LOG = structlog.get_logger("planning")
_LINES: Final = msgspec.json.Decoder(Line)


class _Wanted(msgspec.Struct, frozen=True):
    """What of a result can be accepted."""

    orders: list[PlannedOrder]
    nominations: list[PlannedNomination]


@dataclass(eq=False)
class Job:
    """One job. `result` is the JSON of a `PlanResult`; `changed` is set anew at every change.

    `begun` had begun at its start; `zero` is the start of the first of a row of plans.
    """

    plan_id: str
    account: int
    first_day: str
    days: int
    task: Task | None
    workloads: int
    start: datetime
    hours: int
    zero: datetime
    begun: tuple[Begun, ...]
    state: PlanState = "queued"
    progress: PlanProgress | None = None
    faults: list[str] = field(default_factory=list)
    message: str | None = None
    result: msgspec.Raw | None = None
    accepted: set[int] = field(default_factory=set)
    nominated: set[int] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def open(self) -> bool:
        """Whether it still waits or runs."""
        return self.state in ("queued", "running")

    def orders(self) -> list[PlannedOrder]:
        """The orders of its result; none before there is one."""
        return [] if self.result is None else self._wanted(self.result).orders

    def nominations(self) -> list[PlannedNomination]:
        """The nominations of its result; none before there is one."""
        return [] if self.result is None else self._wanted(self.result).nominations

    @staticmethod
    def _wanted(result: msgspec.Raw) -> _Wanted:
        return msgspec.json.decode(bytes(result), type=_Wanted)

    def shown(self) -> PlanJob:
        """The job as the API shows it."""
        return PlanJob(
            plan_id=self.plan_id,
            state=self.state,
            first_day=self.first_day,
            days=self.days,
            workloads=self.workloads,
            progress=self.progress,
            faults=tuple(self.faults),
            message=self.message,
            accepted=tuple(sorted(self.accepted)),
            nominated=tuple(sorted(self.nominated)),
        )

    def touch(self) -> None:
        """Wake everyone who watches."""
        self.changed.set()
        self.changed = asyncio.Event()


class PlanJobs:
    """All jobs. Use from the event loop; `close` ends a running search."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._queue: asyncio.Queue[Job] = asyncio.Queue(QUEUED_MAX)
        self._runner: asyncio.Task[None] | None = None
        self._running: asyncio.Task[None] | None = None
        self._last = 0

    def submit(self, account: int, task: Task, first_day: str, days: int) -> Job:
        """Take a job in. Raises RequestRefused TOO_MANY_PLANS."""
        mine = sum(job.open for job in self._jobs.values() if job.account == account)
        if mine >= OF_ACCOUNT_MAX or self._queue.full():
            raise refuse(
                RequestCode.TOO_MANY_PLANS,
                f"At most {OF_ACCOUNT_MAX} plans of an account and {QUEUED_MAX} of all may wait; cancel one "
                "or wait for one to end.",
            )
        self._last += 1
        told = (task.start, task.hours, task.zero, task.begun or ())
        job = Job(str(self._last), account, first_day, days, task, len(task.workloads), *told)
        self._jobs[job.plan_id] = job
        self._forget()
        self._queue.put_nowait(job)
        if self._runner is None:
            self._runner = asyncio.create_task(self._run())
        return job

    def of(self, account: int) -> list[Job]:
        """An account's jobs, oldest first."""
        return [job for job in self._jobs.values() if job.account == account]

    def find(self, account: int, plan_id: str) -> Job:
        """One of the account's jobs. Raises RequestRefused UNKNOWN_PLAN."""
        job = self._jobs.get(plan_id)
        if job is None or job.account != account:
            raise refuse(RequestCode.UNKNOWN_PLAN, f"The account has no plan {plan_id!r}.")
        return job

    def cancel(self, job: Job) -> None:
        """End a job that waits or runs; the best plan so far stays its result."""
        if not job.open:
            return
        if job.state == "running" and self._running is not None:
            self._running.cancel()
        self._end(job, "cancelled")

    async def watch(self, job: Job) -> AsyncIterator[PlanJob]:
        """The job now and after every change, until it ends; changes that come too fast are seen as one."""
        while True:
            changed = job.changed
            yield job.shown()
            if not job.open:
                return
            await changed.wait()

    async def close(self) -> None:
        """End everything."""
        for task in (self._running, self._runner):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    def _forget(self) -> None:
        ended = [job for job in self._jobs.values() if not job.open]
        for job in ended[: max(0, len(ended) - KEPT_MAX)]:
            del self._jobs[job.plan_id]

    async def _run(self) -> None:
        while True:
            job = await self._queue.get()
            if job.state == "cancelled":
                continue
            self._running = asyncio.create_task(self._search(job))
            await asyncio.wait([self._running])
            self._running = None

    def _end(self, job: Job, state: PlanState, message: str | None = None) -> None:
        job.state, job.message, job.task = state, message, None
        job.touch()

    async def _search(self, job: Job) -> None:
        task = job.task
        if task is None:
            return
        job.state = "running"
        job.touch()
        try:
            async with asyncio.timeout(PREPARING_S) as deadline:
                await self._listen(job, task, deadline)
        except TimeoutError:
            self._end(job, "failed", "the search went on beyond its time limit and was ended")
        except (OSError, ValueError) as error:
            _LOG.error("plan failed", plan=job.plan_id, exc_info=error)
            self._end(job, "failed", "the search could not be run; see the server's log")
        if job.open:
            said = None if job.result else "the search ended without a plan"
            self._end(job, "done" if job.result else "failed", said)

    async def _listen(self, job: Job, task: Task, deadline: asyncio.Timeout) -> None:
        encoded = await asyncio.to_thread(msgspec.json.encode, task)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "exchange.planning.worker"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_BYTES_MAX,
        )
        try:
            if process.stdin is None or process.stdout is None:
                raise OSError("no pipes to the search")
            process.stdin.write(encoded)
            await process.stdin.drain()
            process.stdin.close()
            async for line in process.stdout:
                news = _LINES.decode(line)
                if news.searching:
                    most_s = task.searches * (task.time_limit_s + GRACE_S)
                    deadline.reschedule(asyncio.get_running_loop().time() + most_s)
                self._hear(job, news)
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            await process.wait()

    def _hear(self, job: Job, line: Line) -> None:
        if line.progress is not None:
            job.progress = line.progress
        elif bytes(line.result):
            # a copy: the raw field is a view of the whole line
            job.result = msgspec.Raw(bytes(line.result))
        elif line.faults is not None:
            job.faults = line.faults
        elif line.refused is not None:
            job.faults = line.refused
            self._end(job, "refused", "workloads cannot be planned; correct them or set skip_faulty")
        job.touch()
