"""A pool of processes on this machine: one pipe a worker, one thread a process.

The parent hands a job to a worker whenever one of its outcomes comes back, and keeps a second one in the
worker's pipe so that none waits. It has no thread and no queue of its own, so that a job costs it some tenths
of a millisecond, and it may stop at any moment: jobs change nothing outside of their process.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from multiprocessing import connection, forkserver, resource_tracker
from typing import Any, Final

import msgspec

from sims.experiments.job import ExecutorError, Finished, Job, run_job

QUEUED_BYTES_MAX: Final = 16_384
"""A larger job is handed out only to a worker that waits for it: behind a running one it might not fit into
the pipe, and parent and worker would wait for each other."""
_ONE_THREAD: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_JOIN_SECONDS: Final = 5.0


class WorkerLost(ExecutorError):
    """A worker ended in the middle of its work, as one does that the system kills for want of memory."""


class JobFailed(Exception):
    """A run broke off with an exception; the sentence is the worker's traceback."""


class _Broken(msgspec.Struct, frozen=True, tag=True):
    """What a worker answers for a job that broke off."""

    trace: str


class _Done(msgspec.Struct, frozen=True, tag=True):
    """What a worker answers for a job that ran."""

    finished: Finished


_job_of: Final = msgspec.msgpack.Decoder(Job).decode
_answer_of: Final[Callable[[bytes], _Done | _Broken]] = msgspec.msgpack.Decoder(_Done | _Broken).decode
_packed: Final = msgspec.msgpack.Encoder().encode


class Pool:
    """As many processes as this machine has cores, unless told."""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or os.cpu_count() or 1

    def run(self, jobs: Sequence[Job]) -> Generator[Finished, None, None]:
        """Yield outcomes as they come. Raises WorkerLost, JobFailed."""
        left = deque(jobs)
        with _crew(min(self.workers, len(jobs))) as crew:
            for _ in range(2):
                for worker in crew:
                    worker.take_from(left)
            busy = {worker.pipe: worker for worker in crew if worker.jobs}
            while busy:
                for pipe in connection.wait(list(busy)):
                    worker = busy[pipe]
                    finished = worker.answer()
                    worker.take_from(left)
                    if not worker.jobs:
                        del busy[worker.pipe]
                    yield finished


class _Worker:
    """A process, the pipe to it, and the jobs that it hasn't answered yet."""

    def __init__(self, context: Any) -> None:
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.jobs: deque[Job] = deque()

    def take_from(self, left: deque[Job]) -> None:
        """Take the next job, if there is one and it can't block on its way."""
        if not left or len(self.jobs) > 1:
            return
        packed = _packed(left[0])
        if self.jobs and len(packed) > QUEUED_BYTES_MAX:
            return
        self.jobs.append(left.popleft())
        try:
            self.pipe.send_bytes(packed)
        except OSError as error:
            raise self._lost() from error

    def answer(self) -> Finished:
        """Return the outcome of its oldest job."""
        try:
            answer = _answer_of(self.pipe.recv_bytes())
        except (EOFError, OSError) as error:
            raise self._lost() from error
        job = self.jobs.popleft()
        if isinstance(answer, _Done):
            return answer.finished
        raise JobFailed(f"{job.variant}, seed {job.seed}:\n{answer.trace}")

    def _lost(self) -> WorkerLost:
        self.process.join(_JOIN_SECONDS)
        code = self.process.exitcode
        how = f"by signal {-code}" if code is not None and code < 0 else f"with code {code}"
        variant, seed = self.jobs[0].key
        why = "signal 9 often means too little memory; fewer --workers need less"
        kept = "finished runs are kept, and the same command goes on"
        return WorkerLost(f"a worker ended {how} in {variant}, seed {seed} ({why}); {kept}")


@contextmanager
def _crew(size: int) -> Iterator[list[_Worker]]:
    """Keep so many workers; at the end they stop, whatever they do."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", __name__])
    _start_forkserver()
    crew: list[_Worker] = []
    try:
        crew.extend(_Worker(context) for _ in range(size))
        yield crew
    finally:
        for worker in crew:
            worker.process.kill()
        for worker in crew:
            worker.process.join()
            worker.pipe.close()


def _start_forkserver() -> None:
    """Start the process that workers are forked from, unless it runs.

    They inherit one thread for each numeric library, since there is a worker for each core, and deafness to
    Ctrl-C, which is the parent's to answer.
    """
    resource_tracker.ensure_running()  # it would lift the mask
    before = dict(os.environ)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    try:
        forkserver.ensure_running()
    finally:
        for name in _ONE_THREAD:
            del os.environ[name]
        os.environ.update(before)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _work(pipe: connection.Connection) -> None:
    """Run jobs until the parent closes the pipe, also by its death.

    A simulated market refers to itself, so that its tables stay until the collector looks at everything,
    which it rarely does by itself: it is called after each job, and spared what the first leaves for good.
    """
    name = str(os.getpid())
    for number in count():
        try:
            job = _job_of(pipe.recv_bytes())
        except EOFError:
            return
        try:
            answer: _Done | _Broken = _Done(run_job(job, name))
        except Exception:
            answer = _Broken(traceback.format_exc())
        try:
            pipe.send_bytes(_packed(answer))
        except BrokenPipeError:
            return
        del job, answer
        gc.collect()
        if number == 0:
            gc.freeze()
