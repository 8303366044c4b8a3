"""One run as a job: everything that a worker needs, and what it gives back."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Callable

import msgspec

from exchange.service.core import CORE_VERSION
from sims.engine.outcome import outcome_of
from sims.engine.rows import Outcome
from sims.engine.simulation import Simulation
from sims.scenario.load import scenario_of


class ExecutorError(Exception):
    """Runs that can't be had, here or now; the sentence says what to do."""


class Job(msgspec.Struct, frozen=True):
    """A scenario under a seed, as part of an experiment."""

    variant: str
    """What is different about it: the values of a sweep, or base and candidate."""
    seed: int
    scenario: bytes
    """The scenario's JSON."""
    then: bytes = b""
    """What the market goes on with from a moment on, if that is something else."""
    at_ns: int = 0
    """That moment."""

    @property
    def key(self) -> tuple[str, int]:
        """What tells it from the other jobs of an experiment."""
        return self.variant, self.seed


class Finished(msgspec.Struct, frozen=True):
    """A job that ran, and who ran it."""

    variant: str
    worker: str
    outcome: Outcome

    @property
    def key(self) -> tuple[str, int]:
        """That of its job."""
        return self.variant, self.outcome.seed


def run_job(job: Job, worker: str, watch: Callable[[Simulation], None] | None = None) -> Finished:
    """Run a job. Its outcome depends neither on the worker nor on who watches."""
    scenario = scenario_of(msgspec.json.decode(job.scenario), job.variant)
    simulation = Simulation(scenario, job.seed, watch=watch)
    if job.then:
        simulation.run(job.at_ns)
        simulation.change(scenario_of(msgspec.json.decode(job.then), job.variant))
    simulation.run()
    return Finished(job.variant, worker, outcome_of(simulation))


def versions() -> dict[str, str]:
    """Return what a run's hash depends on besides scenario and seed."""
    packages = ("dongxi", "numpy", "numba")
    found = {name: importlib.metadata.version(name) for name in packages}
    return {"core": str(CORE_VERSION), "python": platform.python_version(), **found}
