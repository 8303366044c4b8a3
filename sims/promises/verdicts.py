"""The promises, the variants of the market that say what drives them, and what was found of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Final

import numpy as np

from nodes.catalogue import Catalogue
from nodes.types import Region
from sims.engine.rows import FlowRow, NeedRow, Outcome
from sims.experiments.inference import Estimate, estimate
from sims.experiments.job import Finished
from sims.experiments.store import Manifest
from sims.promises import estimators as of
from sims.scenario import populations
from sims.scenario.load import load_scenario, overridden, plain, scenario_of
from sims.scenario.schema import Scenario

MARKET: Final = "market"
ALONE: Final = "each city alone"
HALF: Final = "half the cards posted"
DEAR: Final = "cards cost their lessors a third more"
SHARE_POSTED: Final = 5_000
DEARER: Final = 8_000
"""Running cost of a provider, basis points of the reference price; a scenario that says nothing has 6,000."""

Measure = Callable[[Outcome], float]
Price = Callable[[Catalogue, str], float]
"""Of an H100 at a hub."""


@dataclass(frozen=True, slots=True)
class Beside:
    """A figure that says where the finding comes from; `runs` is 0 if it is the catalogue's and no sample."""

    what: str
    found: Estimate


@dataclass(frozen=True, slots=True)
class Verdict:
    """A promise and what was found. Shares as such; the gap as a multiple."""

    promise: str
    promised: float
    found: Estimate
    beside: tuple[Beside, ...]
    drives: str

    @property
    def word(self) -> str:
        """Whether the whole interval reaches the promise, none of it does, or the runs don't tell."""
        if self.found.low >= self.promised:
            return "kept"
        return "not kept" if self.found.high < self.promised else "open"


def promises_plan(scenario: str, overrides: Sequence[str], seeds: list[int]) -> Manifest:
    """Return a market and its variants under common seeds. Raises ScenarioError."""
    table = plain(load_scenario(scenario, overrides))
    spec = scenario_of(table, scenario)
    kinds = (populations.Enterprise, populations.Provider)
    buyers, sellers = ([one.name for one in spec.population if isinstance(one, kind)] for kind in kinds)
    settings = {
        MARKET: [],
        ALONE: [f"population.{name}.local=true" for name in buyers],
        HALF: [f"population.{name}.capacity={SHARE_POSTED}" for name in sellers],
        DEAR: [f"population.{name}.running={DEARER}" for name in sellers],
    }
    variants = {name: overridden(table, some) for name, some in settings.items()}
    for name, variant in variants.items():
        scenario_of(variant, name)
    return Manifest("promises", variants, dict.fromkeys(variants, seeds))


def verdicts(finished: Iterable[Finished], scenario: Scenario, catalogue: Catalogue) -> list[Verdict]:
    """Return what the runs of a plan say of each promise."""
    runs = _Runs(finished)
    hubs = list(dict.fromkeys(hub for part in scenario.goods for hub in part.hubs))
    return [_conversion(runs), _cost(runs), _west(runs, hubs, catalogue), _gap(runs, hubs, catalogue)]


class _Runs:
    """Outcomes by variant."""

    def __init__(self, finished: Iterable[Finished]) -> None:
        self._outcomes: dict[str, list[Outcome]] = {}
        for one in finished:
            self._outcomes.setdefault(one.variant, []).append(one.outcome)

    def over(self, variant: str, measure: Measure) -> Estimate:
        """Return a measure's mean over a variant's runs in which there was something to measure; not a number
        if there is none.
        """
        measured = (measure(one) for one in self._outcomes.get(variant, ()))
        values = [value for value in measured if not isnan(value)]
        return estimate(np.array(values or [np.nan], np.float64))

    def beside(self, what: str, variant: str, measure: Measure) -> Beside:
        """Return the same as a figure beside a finding."""
        return Beside(what, self.over(variant, measure))


def _of_needs(measure: Callable[[Sequence[NeedRow]], float]) -> Measure:
    return lambda outcome: measure(outcome.needs)


def _of_flows(measure: Callable[[Sequence[FlowRow]], float]) -> Measure:
    return lambda outcome: measure(outcome.flows)


def _conversion(runs: _Runs) -> Verdict:
    return Verdict(
        "conversion of posted capacity rises from 17.9 % to 35 %",
        0.35,
        runs.over(MARKET, of.conversion),
        (
            runs.beside("bought by enterprises for what they need", MARKET, of.used_conversion),
            runs.beside("needed by enterprises: the most that there is to sell", MARKET, of.most_conversion),
            runs.beside(f"sold with {ALONE}", ALONE, of.conversion),
            runs.beside(f"sold with {HALF}", HALF, of.conversion),
        ),
        "How many cards are posted for each card needed: a market finds buyers, it doesn't make them. With "
        "half the cards posted the share rises without anybody being served better.",
    )


def _cost(runs: _Runs) -> Verdict:
    saving, place, price = (
        _of_needs(of_) for of_ in (of.cost_saving, of.saving_by_place, of.saving_by_price)
    )
    return Verdict(
        "enterprises' compute cost falls by 30 %",
        0.30,
        runs.over(MARKET, saving),
        (
            runs.beside("of it by place: hubs whose reference price is lower", MARKET, place),
            runs.beside("of it by price: below those hubs' reference price", MARKET, price),
            runs.beside("share of what they need that they got", MARKET, _of_needs(of.served)),
            runs.beside(f"saved with {ALONE}", ALONE, saving),
            runs.beside(f"saved with {HALF}", HALF, saving),
            runs.beside(f"saved where {DEAR}", DEAR, saving),
        ),
        "Place adds only what electricity is of a rent. Price is what lessors ask, who begin from the latest "
        "price, and that begins at the reference: 30 % would come out of their margin, which moves money and "
        "saves none. No regional rents, land or staff are in the catalogue.",
    )


def _west(runs: _Runs, hubs: Sequence[str], catalogue: Catalogue) -> Verdict:
    share = _of_flows(of.west_share)
    return Verdict(
        "western hubs cost 40 % less",
        0.40,
        runs.over(MARKET, _of_flows(of.west_saving)),
        (
            Beside(
                "at reference prices, H100, mean of the hubs", _less(_gap_of(hubs, catalogue, _reference))
            ),
            Beside("in electricity alone, mean of the hubs", _less(_gap_of(hubs, catalogue, _power))),
            Beside(
                "in electricity, dearest eastern to cheapest western", _less(_widest_power(hubs, catalogue))
            ),
            runs.beside("of what eastern enterprises bought, in the west", MARKET, share),
        ),
        "Electricity is a few percent of a GPU's rent, and the card costs the same everywhere. 40 % is "
        "said of electricity, and is right there between the dearest and the cheapest hubs.",
    )


def _gap(runs: _Runs, hubs: Sequence[str], catalogue: Catalogue) -> Verdict:
    multiple = _of_flows(of.east_over_west)
    return Verdict(
        "the same card-hour costs three times as much in the east as in the west",
        3.0,
        runs.over(MARKET, multiple),
        (
            runs.beside(f"with {ALONE}", ALONE, multiple),
            Beside("in electricity, mean of the hubs", _fixed(_gap_of(hubs, catalogue, _power))),
            Beside(
                "in electricity, dearest eastern to cheapest western", _fixed(_widest_power(hubs, catalogue))
            ),
        ),
        "Nothing in the catalogue lies three times apart, not even the electricity of its dearest and its "
        "cheapest hub.",
    )


def _fixed(value: float) -> Estimate:
    return Estimate(value, value, value, 0)


def _less(gap: float) -> Estimate:
    """Return by how much less the west costs, for the east's multiple of it."""
    return _fixed(1 - 1 / gap)


def _sides(hubs: Sequence[str], catalogue: Catalogue) -> tuple[list[str], list[str]]:
    """Return the eastern and the western hubs."""
    east, west = (
        [hub for hub in hubs if catalogue.hub(hub).region is region] for region in (Region.EAST, Region.WEST)
    )
    return east, west


def _gap_of(hubs: Sequence[str], catalogue: Catalogue, price: Price) -> float:
    """Return mean price in the east ÷ mean price in the west; 1 if one side has no hub."""
    east, west = _sides(hubs, catalogue)
    if not east or not west:
        return 1.0
    means = [np.mean([price(catalogue, hub) for hub in side]) for side in (east, west)]
    return float(means[0] / means[1])


def _widest_power(hubs: Sequence[str], catalogue: Catalogue) -> float:
    east, west = _sides(hubs, catalogue)
    if not east or not west:
        return 1.0
    return max(_power(catalogue, hub) for hub in east) / min(_power(catalogue, hub) for hub in west)


def _reference(catalogue: Catalogue, hub: str) -> float:
    return float(catalogue.reference_price_ticks("H100", hub))


def _power(catalogue: Catalogue, hub: str) -> float:
    return catalogue.mean_power_cny_per_card_hour(hub, "H100")
