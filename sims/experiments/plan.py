"""What an experiment runs: variants of scenarios, and their seeds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from itertools import compress, product

from exchange.domain.calendar import moment_ns
from nodes.catalogue import load_catalogue
from sims.engine.simulation import fault_of_change
from sims.experiments.store import Fork, Manifest
from sims.scenario.load import load_scenario, overridden, plain, scenario_of
from sims.scenario.overrides import split_values
from sims.scenario.refusal import ScenarioError
from sims.scenario.schema import Scenario

BASE = "base"
CANDIDATE = "candidate"
VARIANTS_MAX = 1_000


def sweep_plan(scenario: str, overrides: Sequence[str], seeds: list[int]) -> Manifest:
    """Return every combination of the values of KEY=A,B,C under the same seeds, named by the keys that have
    several. Raises ScenarioError.
    """
    swept: dict[str, list[str]] = {}
    for override in overrides:
        key, equals, values = override.partition("=")
        if not equals:
            raise ScenarioError(f"--set {override}: expected KEY=VALUE or KEY=A,B,C, such as fee.taker=1,2,3")
        if key in swept:
            raise ScenarioError(
                f"--set {override}: {key} is set twice; a sweep takes its values as {key}=A,B,C"
            )
        swept[key] = [f"{key}={value.strip()}" for value in split_values(values)]
        if len(set(swept[key])) < len(swept[key]):
            raise ScenarioError(f"--set {override}: a value is there twice")
    combinations = list(product(*swept.values()))
    if len(combinations) > VARIANTS_MAX:
        raise ScenarioError(f"{len(combinations)} combinations of values are more than {VARIANTS_MAX:,}")
    several = [len(values) > 1 for values in swept.values()]
    variants = {
        " ".join(compress(some, several)) or scenario: plain(load_scenario(scenario, some))
        for some in combinations
    }
    return Manifest("sweep", variants, dict.fromkeys(variants, seeds))


def compare_plan(
    base: str, candidate: str, both: Sequence[str], overrides: Sequence[str], seeds: list[int]
) -> Manifest:
    """Return two scenarios under common seeds, with overrides for both and then those of the candidate.
    Raises ScenarioError.
    """
    variants = {
        BASE: plain(load_scenario(base, both)),
        CANDIDATE: plain(load_scenario(candidate, (*both, *overrides))),
    }
    return Manifest("compare", variants, dict.fromkeys(variants, seeds))


def fork_plan(manifest: Manifest, at: str, overrides: Sequence[str], variant: str | None = None) -> Manifest:
    """Return a variant of an experiment, the only one unless named, going on both ways from DAY@TIME. Raises
    ScenarioError.
    """
    variant = _forked(manifest, variant)
    table = manifest.variants[variant]
    scenario = scenario_of(table, variant)
    changed = scenario_of(overridden(table, overrides), variant)
    fault = fault_of_change(scenario, changed)
    if fault:
        raise ScenarioError(f"{fault} can't change within a run; fees, limits, margin, shocks and days can")
    fork = Fork(_moment(scenario, at), CANDIDATE, plain(changed))
    seeds = manifest.seeds[variant]
    return Manifest("fork", {BASE: table, CANDIDATE: table}, {BASE: seeds, CANDIDATE: seeds}, fork)


def _forked(manifest: Manifest, variant: str | None) -> str:
    """Return the variant to fork; the candidate of a fork is none, since it isn't one scenario."""
    known = [name for name in manifest.variants if manifest.fork is None or name != manifest.fork.variant]
    if variant is None and len(known) == 1:
        return known[0]
    if variant not in known:
        told = "several variants ran" if variant is None else f"no {variant!r} to fork"
        raise ScenarioError(f"--variant: {told}; known: {', '.join(known)}")
    return variant


def _moment(scenario: Scenario, at: str) -> int:
    """Return the market time of DAY@TIME, trading days counted from 1."""
    number, _, clock = at.partition("@")
    try:
        when = time.fromisoformat(clock)
    except ValueError:
        raise ScenarioError(f"--at {at}: expected DAY@TIME, such as 1@10:30") from None
    if not number.isdecimal() or not 1 <= int(number) <= scenario.days:
        raise ScenarioError(f"--at {at}: the run's days are 1 … {scenario.days}")
    catalogue, day = load_catalogue(), scenario.first_day
    if not catalogue.is_trading_day(day):
        day = catalogue.next_trading_day(day)
    for _ in range(int(number) - 1):
        day = catalogue.next_trading_day(day)
    return moment_ns(day, when)
