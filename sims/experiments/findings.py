"""From finished runs to findings: means by variant, paired differences, winners and losers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sims.engine.rows import Outcome
from sims.experiments.inference import Estimate, Paired, estimate, interval, paired, values_of
from sims.experiments.job import Finished
from sims.experiments.plan import BASE, CANDIDATE

PRICE_OF: Final = "price of "
"""Begins the name of a good's mean price."""


@dataclass(frozen=True, slots=True)
class Line:
    """One figure by variant, and its paired difference if there are two to compare."""

    name: str
    by_variant: dict[str, Estimate]
    change: Paired | None

    @property
    def seen(self) -> bool:
        """Whether there was any of it in a run."""
        return any(of.mean or (of.runs > 1 and of.high > of.low) for of in self.by_variant.values())

    @property
    def word(self) -> str:
        """More or less, where the test tells candidate from base."""
        if self.change is None or not self.change.significant:
            return ""
        return "more" if self.change.difference.mean > 0 else "less"


def figures(finished: Iterable[Finished]) -> dict[str, dict[str, dict[int, float]]]:
    """Return values by figure, variant and seed: the market's metrics; each population's surplus, CNY; of
    those that need cards, which share they got and what they paid for it, as a multiple of what it costs in
    their own cities' pools; the mean price of each good, CNY a card-hour. What wasn't bought in a run has no
    price there.
    """
    table: dict[str, dict[str, dict[int, float]]] = {}
    for one in finished:
        surpluses = {f"surplus of {of.population}": of.surplus for of in one.outcome.classes}
        for name, value in (
            one.outcome.metrics | surpluses | _served(one.outcome) | _paid(one.outcome)
        ).items():
            table.setdefault(name, {}).setdefault(one.variant, {})[one.outcome.seed] = value
    prices = sorted(name for name in table if name.startswith(PRICE_OF))
    return table | {name: table.pop(name) for name in prices}


def _served(outcome: Outcome) -> dict[str, float]:
    """Return what each population that needs cards got and paid."""
    found = {}
    for name in dict.fromkeys(need.population for need in outcome.needs):
        needs = [need for need in outcome.needs if need.population == name]
        bought = sum(need.bought for need in needs)
        found[f"share served of {name}"] = bought / sum(need.needed for need in needs)
        if bought:
            usual = sum(need.bought * need.home_price for need in needs)
            found[f"cost of {name}"] = sum(need.bought * need.price for need in needs) / usual
    return found


def _paid(outcome: Outcome) -> dict[str, float]:
    """Return what a card-hour of each good cost on the mean over all trades, CNY."""
    paid: dict[str, float] = defaultdict(float)
    card_hours: dict[str, float] = defaultdict(float)
    for flow in outcome.flows:
        good = f"{PRICE_OF}{flow.grade}.{flow.hub}"
        paid[good] += flow.bought_cny
        card_hours[good] += flow.bought
    return {good: paid[good] / hours for good, hours in card_hours.items() if hours}


def lines(finished: Iterable[Finished]) -> list[Line]:
    """Return every figure; compared over the seeds that base and candidate both have, if these two ran."""
    return [
        Line(name, _estimates(runs), change(runs.get(BASE, {}), runs.get(CANDIDATE, {})))
        for name, runs in figures(finished).items()
    ]


def _estimates(runs: dict[str, dict[int, float]]) -> dict[str, Estimate]:
    return {variant: estimate(values_of(seeds.values())) for variant, seeds in runs.items()}


def change(base: dict[int, float], candidate: dict[int, float]) -> Paired | None:
    """Compare values by seed over the seeds that both have; nothing with fewer than two."""
    common = sorted(base.keys() & candidate.keys())
    if len(common) < 2:
        return None
    return paired(values_of(base[seed] for seed in common), values_of(candidate[seed] for seed in common))


def cells(line: Line, variants: Iterable[str]) -> list[str]:
    """Return a figure by variant with its intervals, for people; nothing where it wasn't measured."""
    return [interval(line.by_variant[name]) if name in line.by_variant else "" for name in variants]


def nothing_of(found: Iterable[Line]) -> list[str]:
    """Return a sentence that names the figures of which there was nothing in any run, if there are such."""
    names = [line.name for line in found if not line.seen]
    return [f"0 in every run: {', '.join(names)}."] if names else []
