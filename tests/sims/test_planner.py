"""Enterprises that buy what the scheduler plans: they get what they need, where it may run."""

import pytest
from sim_markets import of_goods, scenario

from sims.engine.outcome import outcome_of
from sims.engine.simulation import Simulation
from sims.scenario.load import load_scenario
from sims.scenario.refusal import ScenarioError

PROVIDERS = {"kind": "provider", "name": "providers", "count": 4}
PLANNERS = {
    "kind": "planner",
    "name": "planners",
    "count": 2,
    "cities": ["SHANGHAI"],
    "plans": 3,
    "premium": 5_000,
}
GOODS = [{"grades": ["L20"], "hubs": ["GUIAN", "SHANGHAI-EDGE"]}]


@pytest.fixture(scope="module")
def market() -> Simulation:
    """Planners in Shanghai, before a western cluster and a dearer pool in their city, after a day."""
    simulation = Simulation(scenario([PROVIDERS, PLANNERS], goods=GOODS), 3)
    simulation.run()
    return simulation


def test_planners_buy_what_their_tasks_need_and_no_dearer_than_elsewhere(market: Simulation) -> None:
    (needs,) = outcome_of(market).needs
    assert 0.2 * needs.needed < needs.bought <= needs.needed, "one of two has no use for these prices"
    bought_fen, lot_hours = market.board.flows[market.crowds[1].accounts, :, :2].sum(axis=1).T
    ceiling = market.crowds[1].unit_worth(of_goods(market)).max(axis=1)
    assert (bought_fen <= ceiling * lot_hours).all()


def test_work_that_can_go_west_does_and_the_rest_stays(market: Simulation) -> None:
    flows = {flow.hub: flow for flow in outcome_of(market).flows if flow.population == "planners"}
    assert flows["GUIAN"].bought > 0 and flows["SHANGHAI-EDGE"].bought > 0


def test_the_same_seed_plans_the_same(market: Simulation) -> None:
    again = Simulation(scenario([PROVIDERS, PLANNERS], goods=GOODS), 3)
    again.run()
    assert again.market.journal_hash() == market.market.journal_hash()


def test_whose_last_turn_would_come_in_the_closing_call_plans_before_it() -> None:
    late = [PROVIDERS, PLANNERS | {"count": 4, "plans": 1}]
    simulation = Simulation(scenario(late, goods=GOODS), 3)
    simulation.run()
    bought = simulation.board.flows[simulation.crowds[1].accounts, :, 1].sum(axis=1)
    assert bought[-1] > 0, "its turn comes after the last wake at which an order may take"


def test_planners_need_contracts_of_days() -> None:
    with pytest.raises(ScenarioError) as refused:
        load_scenario("planners", ['periods=["week"]'])
    assert 'population.planners.kind: it trades days; periods has no "day"' in str(refused.value)
