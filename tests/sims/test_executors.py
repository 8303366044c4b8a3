"""Who runs jobs: the same runs on every executor; a crew that stops at once and names what broke."""

import os
import signal

import msgspec
import pytest
from sim_markets import small_jobs

from sims.engine.rows import Outcome
from sims.experiments.executors import Executor, Serial, executor_of
from sims.experiments.job import Job
from sims.experiments.pool import QUEUED_BYTES_MAX, JobFailed, Pool, WorkerLost


def outcomes(runner: Executor, jobs: list[Job]) -> dict[int, Outcome]:
    """Outcomes by seed."""
    return {one.outcome.seed: one.outcome for one in runner.run(jobs)}


def test_every_executor_and_number_of_workers_gives_the_same_hashes() -> None:
    jobs = small_jobs(5)
    serial = outcomes(Serial(), jobs)
    assert len({outcome.journal_hash for outcome in serial.values()}) == 5
    assert outcomes(Pool(1), jobs) == outcomes(Pool(3), jobs) == serial


@pytest.mark.soak
def test_ray_gives_the_same_hashes() -> None:
    pytest.importorskip("ray")
    jobs = small_jobs(5)
    assert outcomes(executor_of("ray", 2), jobs) == outcomes(Serial(), jobs)


def test_a_job_too_large_for_the_pipe_runs_like_any_other() -> None:
    small = small_jobs(3)
    large = [msgspec.structs.replace(job, scenario=job.scenario + b" " * 10**6) for job in small]
    assert len(large[0].scenario) > QUEUED_BYTES_MAX
    assert outcomes(Pool(1), large) == outcomes(Serial(), small)


def test_a_crew_that_is_left_early_is_gone() -> None:
    running = Pool(2).run(small_jobs(8))
    worker = int(next(running).worker)
    os.kill(worker, 0)
    running.close()
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


def test_a_worker_that_is_killed_and_a_job_that_breaks_off_are_named() -> None:
    running = Pool(1).run(small_jobs(8))
    os.kill(int(next(running).worker), signal.SIGKILL)
    with pytest.raises(WorkerLost, match=r"ended by signal 9 in small, seed \d"):
        list(running)
    with pytest.raises(JobFailed, match=r"odd, seed 5:(.|\n)*Traceback(.|\n)*unknown key"):
        list(Pool(1).run([Job("odd", 5, b'{"speed":1}')]))
