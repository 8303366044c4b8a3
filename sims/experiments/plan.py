"""What an experiment runs: variants of scenarios, and their seeds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from sims.experiments.store import Manifest
from sims.scenario.load import ScenarioError, load_scenario, plain, split_values

BASE = "base"
CANDIDATE = "candidate"
VARIANTS_MAX = 1_000


def sweep_plan(scenario: str, overrides: Sequence[str], seeds: list[int]) -> Manifest:
    """Return every combination of the values of KEY=A,B,C under the same seeds. Raises ScenarioError."""
    swept = []
    for override in overrides:
        key, equals, values = override.partition("=")
        if not equals:
            raise ScenarioError(f"--set {override}: expected KEY=VALUE or KEY=A,B,C, such as fee.taker=1,2,3")
        swept.append([f"{key}={value.strip()}" for value in split_values(values)])
    combinations = list(product(*swept))
    if len(combinations) > VARIANTS_MAX:
        raise ScenarioError(f"{len(combinations)} combinations of values are more than {VARIANTS_MAX:,}")
    variants = {" ".join(some) or scenario: plain(load_scenario(scenario, some)) for some in combinations}
    return Manifest("sweep", variants, dict.fromkeys(variants, seeds))


def compare_plan(base: str, candidate: str, overrides: Sequence[str], seeds: list[int]) -> Manifest:
    """Return two scenarios under common seeds; the overrides are the candidate's. Raises ScenarioError."""
    variants = {BASE: plain(load_scenario(base)), CANDIDATE: plain(load_scenario(candidate, overrides))}
    return Manifest("compare", variants, dict.fromkeys(variants, seeds))
