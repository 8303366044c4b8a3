"""From finished runs to findings: means by variant, paired differences, winners and losers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sims.experiments.inference import Estimate, Paired, estimate, paired
from sims.experiments.job import Finished
from sims.experiments.plan import BASE, CANDIDATE


@dataclass(frozen=True, slots=True)
class Line:
    """One figure by variant, and its paired difference if there are two to compare."""

    name: str
    by_variant: dict[str, Estimate]
    change: Paired | None


def figures(finished: Iterable[Finished]) -> dict[str, dict[str, dict[int, float]]]:
    """Return values by figure, variant and seed: the market's metrics, then each population's surplus."""
    table: dict[str, dict[str, dict[int, float]]] = {}
    for one in finished:
        surpluses = {f"surplus of {of.population}": of.surplus for of in one.outcome.classes}
        for name, value in (one.outcome.metrics | surpluses).items():
            table.setdefault(name, {}).setdefault(one.variant, {})[one.outcome.seed] = value
    return table


def lines(finished: Iterable[Finished]) -> list[Line]:
    """Return every figure; compared over the seeds that base and candidate both have, if these two ran."""
    return [Line(name, _estimates(runs), _change(runs)) for name, runs in figures(finished).items()]


def _estimates(runs: dict[str, dict[int, float]]) -> dict[str, Estimate]:
    return {variant: estimate(_array(seeds.values())) for variant, seeds in runs.items()}


def _change(runs: dict[str, dict[int, float]]) -> Paired | None:
    if BASE not in runs or CANDIDATE not in runs:
        return None
    common = sorted(runs[BASE].keys() & runs[CANDIDATE].keys())
    if len(common) < 2:
        return None
    base, candidate = (_array(runs[variant][seed] for seed in common) for variant in (BASE, CANDIDATE))
    return paired(base, candidate)


def _array(values: object) -> NDArray[np.float64]:
    return np.array(list(values), np.float64)  # type: ignore[call-overload]
