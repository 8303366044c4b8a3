"""Pools of processes for simulated markets: ours beside those of the standard library.

What a short job costs the parent, how soon a pool that is left in the middle of long jobs is gone, and how
soon it is told that a worker was killed; multiprocessing.Pool waits for its job for good, and is given up.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Final

import msgspec

from bench.report import Result, arguments, show, write
from bench.sims import FLOW, SHORT, WORKERS, cost
from sims.experiments.executors import Executor
from sims.experiments.job import ExecutorError, Finished, Job, run_job
from sims.experiments.pool import Pool
from sims.scenario.load import plain, scenario_of

WORKING: Final = 0.2
"""Seconds that a worker has to begin its next job."""
_CONTEXT: Final = "forkserver"


class Futures:
    """concurrent.futures: two jobs a worker submitted at a time."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def run(self, jobs: Sequence[Job]) -> Generator[Finished, None, None]:
        """Yield outcomes as they come; leaving it waits for what runs, since nothing public ends a worker."""
        pool = ProcessPoolExecutor(self._workers, multiprocessing.get_context(_CONTEXT))
        try:
            left = iter(jobs)
            waiting: set[Future[Finished]] = set()
            while True:
                for job in left:
                    waiting.add(pool.submit(_in_worker, job))
                    if len(waiting) >= 2 * self._workers:
                        break
                if not waiting:
                    return
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


class Classic:
    """multiprocessing.Pool; its context ends the workers."""

    def __init__(self, workers: int, patience: float) -> None:
        self._workers = workers
        self._patience = patience

    def run(self, jobs: Sequence[Job]) -> Generator[Finished, None, None]:
        """Yield outcomes as they come. Raises TimeoutError if there is none for so many seconds."""
        with multiprocessing.get_context(_CONTEXT).Pool(self._workers) as pool:
            coming = pool.imap_unordered(_in_worker, jobs)
            for _ in jobs:
                try:
                    yield coming.next(self._patience)
                except multiprocessing.TimeoutError as error:
                    raise TimeoutError from error


def _in_worker(job: Job) -> Finished:
    return run_job(job, str(os.getpid()))


def _leaving(runner: Executor, jobs: Sequence[Job]) -> float:
    """Return the seconds from leaving a pool after its first outcome until it is gone."""
    running = runner.run(jobs)
    next(running)
    began = time.perf_counter()
    running.close()
    return time.perf_counter() - began


def _losing(name: str, runner: Executor, jobs: Sequence[Job]) -> Result:
    """Return the seconds until it is told that a worker was killed, or until that is given up."""
    running = runner.run(jobs)
    worker = int(next(running).worker)
    time.sleep(WORKING)
    os.kill(worker, signal.SIGKILL)
    began = time.perf_counter()
    note = ""
    try:
        for _ in running:
            pass
    except (ExecutorError, BrokenProcessPool):
        pass
    except TimeoutError:
        note = "never told, given up"
    seconds = time.perf_counter() - began
    return Result(name, "worker killed: told after", seconds, "s", "lower", note=note)


def main() -> None:
    """Measure, print, and write if asked."""
    options = arguments(__doc__ or "")
    short = msgspec.json.encode(plain(scenario_of(SHORT, "bench")))
    long = msgspec.json.encode(plain(scenario_of(FLOW | {"days": 3 if options.quick else 8}, "bench")))
    count = 60 if options.quick else 400
    days = [Job("short", seed, short) for seed in range(count)]
    mixed = [Job("short", 0, short), *(Job("long", seed, long) for seed in range(1, 2 * WORKERS + 1))]
    results = []
    pools: tuple[tuple[str, Executor], ...] = (
        ("ours", Pool(WORKERS)),
        ("concurrent.futures", Futures(WORKERS)),
        ("multiprocessing.Pool", Classic(WORKERS, 10.0 if options.quick else 30.0)),
    )
    for name, runner in pools:
        spent = cost(runner, days, count // 6, WORKERS)
        results += [
            Result(name, "handing out and taking in", 1_000 * spent.parent, "CPU-ms a job", "lower", 1.0),
            Result(name, "until the first outcome", spent.start, "s", "lower"),
            Result(name, "left in the middle: gone after", _leaving(runner, mixed), "s", "lower"),
            _losing(name, runner, mixed),
        ]
    show("Pools of processes", results, [f"{WORKERS} workers, {count} short days."])
    write(options.json, results, ("numpy", "numba"))


if __name__ == "__main__":
    main()
