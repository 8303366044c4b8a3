"""Who runs jobs: this process, a pool of processes, a Ray cluster. The outcomes are the same."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Generator, Sequence
from typing import Any, Final, Protocol

from sims.engine.simulation import Simulation
from sims.experiments.job import ExecutorError, Finished, Job, run_job
from sims.experiments.pool import Pool

AHEAD: Final = 4
"""Jobs a worker that a cluster gets before their turn: enough that none waits, few enough to stop soon."""
COLLECTED_EACH: Final = 16
"""Runs in one process after which the collector is called: a market refers to itself, and is large."""


class Executor(Protocol):
    """Runs jobs in any order."""

    def run(self, jobs: Sequence[Job]) -> Generator[Finished, None, None]:
        """Yield outcomes as they come. Closing the generator stops the rest, and leaves no process behind."""
        ...


class Serial:
    """One after the other in this process; for debugging, and to `watch` a run."""

    def __init__(self, watch: Callable[[Simulation], None] | None = None) -> None:
        self._watch = watch

    def run(self, jobs: Sequence[Job]) -> Generator[Finished, None, None]:
        """Yield outcomes in the order of the jobs."""
        for number, job in enumerate(jobs, 1):
            yield run_job(job, "serial", self._watch)
            if number % COLLECTED_EACH == 0:
                gc.collect()


class Ray:
    """A Ray cluster, or a local one if none is running; the extra `cluster` brings it."""

    def __init__(self, workers: int | None = None) -> None:
        try:
            import ray
        except ImportError as error:
            raise ExecutorError("Ray isn't installed: pip install 'dongxi[cluster]'") from error
        self._ray: Any = ray
        self._workers = workers

    def run(self, jobs: Sequence[Job]) -> Generator[Finished, None, None]:
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


EXECUTORS: Final[dict[str, Callable[[int | None], Executor]]] = {
    "pool": Pool,
    "serial": lambda _workers: Serial(),
    "ray": Ray,
}


def executor_of(name: str, workers: int | None) -> Executor:
    """Return an executor by its name. Raises ExecutorError."""
    if name not in EXECUTORS:
        raise ExecutorError(f"no executor {name!r}; known: {', '.join(EXECUTORS)}")
    return EXECUTORS[name](workers)


def _in_worker(job: Job) -> Finished:
    return run_job(job, str(os.getpid()))
