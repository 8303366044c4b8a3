"""Whether scenarios do what they say: each claim, tested on the market with and without what it speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from sims.experiments.differences import SAID
from sims.experiments.findings import change, figures
from sims.experiments.inference import Estimate, Paired, estimate, values_of
from sims.experiments.job import Finished
from sims.experiments.store import Manifest
from sims.scenario.claims import Claim
from sims.scenario.load import load_scenario, plain
from sims.scenario.refusal import ScenarioError


@dataclass(frozen=True, slots=True)
class Effect:
    """A claim, and what was found."""

    scenario: str
    claim: Claim
    without: Estimate
    with_it: Estimate
    change: Paired

    @property
    def holds(self) -> bool:
        """Whether the figure moves as claimed, and too far for chance."""
        rises = self.change.difference.mean > 0
        return self.change.significant and rises == (self.claim.moves == "up")


@dataclass(frozen=True, slots=True)
class EffectsPlan:
    """What is run, and which variant each claim is compared with."""

    manifest: Manifest
    pairs: list[tuple[str, Claim, str]]
    """Scenario, claim, and the variant without what it speaks of."""


def effects_plan(names: Sequence[str], overrides: Sequence[str], seeds: list[int]) -> EffectsPlan:
    """Return every scenario that claims something, and the markets to compare with: once each, also if
    several scenarios come to the same without their shocks. The overrides hold for all. Raises ScenarioError.
    """
    variants: dict[str, dict[str, Any]] = {}
    known: dict[bytes, str] = {}
    pairs = []
    for source in dict.fromkeys(names):
        scenario = load_scenario(source, overrides)
        name = scenario.name
        if name in variants:
            raise ScenarioError(f"{source}: {name!r} is the name of another scenario of these")
        for claim in scenario.claim:
            variants[name] = plain(scenario) | {"claim": []}
            other = plain(load_scenario(source, (*overrides, *claim.without))) | {"claim": []}
            variant = known.setdefault(_market(other), f"{name}: {' '.join(claim.without)}")
            variants.setdefault(variant, other)
            pairs.append((name, claim, variant))
    if not pairs:
        raise ScenarioError(f"{', '.join(names)}: no [[claim]] to test; dongxi sim schema prints its keys")
    return EffectsPlan(Manifest("effects", variants, dict.fromkeys(variants, seeds)), pairs)


def effects(plan: EffectsPlan, finished: Iterable[Finished]) -> list[Effect]:
    """Return what was found of each claim. Raises ScenarioError if it names a figure that there isn't."""
    table = figures(finished)
    found = []
    for name, claim, variant in plan.pairs:
        runs = table.get(claim.figure)
        if runs is None or name not in runs or variant not in runs:
            raise ScenarioError(f"{name}: claim: no figure {claim.figure!r}; known: {', '.join(table)}")
        compared = change(runs[variant], runs[name])
        if compared is None:
            raise ScenarioError("--seeds: a claim takes two seeds or more, and six to be found true")
        without, with_it = (estimate(values_of(runs[which].values())) for which in (variant, name))
        found.append(Effect(name, claim, without, with_it, compared))
    return found


def _market(table: dict[str, Any]) -> bytes:
    """Return what tells a market from others; a scenario that merely adds nothing is the same market."""
    return msgspec.json.encode({key: value for key, value in table.items() if key not in SAID})
