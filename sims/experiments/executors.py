"""Who runs jobs: this process, a pool of processes, a Ray cluster. The outcomes are the same."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from typing import Any, Final, Protocol

from sims.experiments.job import Finished, Job, run_job

AHEAD: Final = 4
"""Jobs a worker that are handed out before their turn: enough that none waits, few enough to stop soon."""


class ExecutorError(Exception):
    """An executor that can't be had here; the sentence says what to do."""


class Executor(Protocol):
    """Runs jobs in any order."""

    def run(self, jobs: Sequence[Job]) -> Iterator[Finished]:
        """Yield outcomes as they come. Closing the iterator stops what hasn't begun."""
        ...


class Serial:
    """One after the other in this process; for debugging."""

    def run(self, jobs: Sequence[Job]) -> Iterator[Finished]:
        """Yield outcomes in the order of the jobs."""
        for job in jobs:
            yield run_job(job, "serial")


class Pool:
    """A pool of processes on this machine."""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or os.cpu_count() or 1

    def run(self, jobs: Sequence[Job]) -> Iterator[Finished]:
        """Yield outcomes as they come."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        with ProcessPoolExecutor(self.workers, context, _leave_interrupts) as pool:
            waiting: set[Future[Finished]] = set()
            left = iter(jobs)
            try:
                while True:
                    for job in left:
                        waiting.add(pool.submit(_in_worker, job))
                        if len(waiting) >= AHEAD * self.workers:
                            break
                    if not waiting:
                        return
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)


class Ray:
    """A Ray cluster, or a local one if none is running; the extra `cluster` brings it."""

    def __init__(self, workers: int | None = None) -> None:
        try:
            import ray
        except ImportError as error:
            raise ExecutorError("Ray isn't installed: pip install 'dongxi[cluster]'") from error
        self._ray: Any = ray
        self._workers = workers

    def run(self, jobs: Sequence[Job]) -> Iterator[Finished]:
        """Yield outcomes as they come."""
        ray = self._ray
        ray.init(num_cpus=self._workers, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        try:
            remote = ray.remote(_in_worker)
            most = AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
            waiting: list[Any] = []
            left = iter(jobs)
            while True:
                for job in left:
                    waiting.append(remote.remote(job))
                    if len(waiting) >= most:
                        break
                if not waiting:
                    return
                done, waiting = ray.wait(waiting, num_returns=1)
                yield from ray.get(done)
        finally:
            ray.shutdown()


EXECUTORS: Final[dict[str, type[Serial] | type[Pool] | type[Ray]]] = {
    "pool": Pool,
    "serial": Serial,
    "ray": Ray,
}


def executor_of(name: str, workers: int | None) -> Executor:
    """Return an executor by its name. Raises ExecutorError."""
    if name not in EXECUTORS:
        raise ExecutorError(f"no executor {name!r}; known: {', '.join(EXECUTORS)}")
    return Serial() if name == "serial" else EXECUTORS[name](workers)  # type: ignore[call-arg]


def _in_worker(job: Job) -> Finished:
    return run_job(job, str(os.getpid()))


def _leave_interrupts() -> None:
    """Let Ctrl-C be the parent's: a worker finishes what it has begun."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
