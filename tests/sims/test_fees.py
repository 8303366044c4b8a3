"""Fees change what members do, and not only what they pay."""

from collections import Counter

import numpy as np
import pytest
from sim_markets import EVERYBODY, of_goods, scenario

from sims.engine.outcome import outcome_of
from sims.engine.rows import Outcome
from sims.engine.simulation import Simulation

PRICELESS = {"blind", "flow", "reactive", "makers"}
"""Populations without a price of their own that a taker's fee could move; makers trade with those that do."""
DEAR = 300
"""Basis points; 2 are usual."""


def ran(seed: int, **fee: int) -> Outcome:
    simulation = Simulation(scenario(fee=fee, days=2, wake_seconds=900), seed)
    simulation.run()
    return outcome_of(simulation)


def traded(outcomes: list[Outcome]) -> Counter[str]:
    """Lot-hours bought and sold by population."""
    found: Counter[str] = Counter()
    for outcome in outcomes:
        for of in outcome.classes:
            found[of.population.removeprefix("clients of ")] += round(of.bought + of.sold)
    return found


@pytest.fixture(scope="module")
def usual() -> list[Outcome]:
    return [ran(seed) for seed in (1, 2)]


def test_providers_keep_their_costs_after_the_fee() -> None:
    many = {
        "kind": "provider",
        "name": "many",
        "count": 40,
        "running": 9_000,
    }  # some cost what the market pays
    crowds = [many if of["name"] == "providers" else of for of in EVERYBODY]
    simulation = Simulation(scenario(crowds, fee={"taker": DEAR}, days=2, wake_seconds=900), 1)
    simulation.run()
    (crowd,) = simulation.providers()
    sold_fen, lot_hours = simulation.board.flows[crowd.accounts].sum(axis=1)[:, 2:].T
    cheapest = np.where(crowd.capacity > 0, crowd.unit_worth(of_goods(simulation)), np.inf).min(axis=1)
    selling = lot_hours > 0
    floors = cheapest[selling] * (1 + (DEAR - 2) / 10_000)
    assert selling.any() and (sold_fen[selling] >= floors * lot_hours[selling]).all()


def test_who_takes_trades_less_where_taking_is_dear(usual: list[Outcome]) -> None:
    before, after = traded(usual), traded([ran(seed, taker=DEAR) for seed in (1, 2)])
    minding = [crowd["name"] for crowd in EVERYBODY if crowd["name"] not in PRICELESS | {"providers"}]
    assert {name for name in minding if after[name] >= before[name]} == set() and len(minding) == 7


def test_makers_quote_wider_by_the_fee_on_making(usual: list[Outcome]) -> None:
    dear = [ran(seed, maker=60) for seed in (1, 2)]
    before, after = (sum(of.metrics["spread"] for of in runs) / 2 for runs in (usual, dear))
    assert after > before + 0.0060 / 2, "others quote within"


def test_at_the_usual_fees_limits_are_as_they_are_told(usual: list[Outcome]) -> None:
    told = ran(1, maker=0, taker=2)
    assert told.journal_hash == usual[0].journal_hash
    assert ran(1, taker=3).journal_hash != told.journal_hash
