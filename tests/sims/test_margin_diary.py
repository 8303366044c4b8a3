"""What is noted of margin calls and hubs' days: held against the exchange's own books, and a default."""

from datetime import time

import numpy as np
import pytest
from sim_markets import scenario

from exchange.clearing.ledger import LedgerKind
from exchange.domain.calendar import moment_ns
from exchange.health.measuring import OVERALL, measure
from exchange.health.scores import Component, Raw
from sims.engine.diary import UNKNOWN, health_of, places_of
from sims.engine.outcome import outcome_of
from sims.engine.rows import ALL_HUBS, Outcome
from sims.engine.simulation import Simulation
from sims.scenario.load import load_scenario


@pytest.fixture(scope="module")
def defaulted() -> tuple[Simulation, Outcome]:
    """The shipped default, seed 1."""
    simulation = Simulation(load_scenario("provider-default"), 1)
    simulation.run()
    return simulation, outcome_of(simulation)


def test_the_shipped_default_runs_from_call_to_close_out_to_waterfall(
    defaulted: tuple[Simulation, Outcome],
) -> None:
    simulation, outcome = defaulted
    state = simulation.market.core.state
    (dead,) = simulation.world.dead
    rows = [row for row in outcome.margin if row.member == state.members_by_account[dead].name]
    steps = [row.step for row in rows]
    assert steps[:3] == ["call", "restricted", "close-out"]
    assert steps[steps.index("loss") :][:3] == ["loss", "own fund", "house"]
    loss, *layers = rows[steps.index("loss") :]
    assert loss.amount > 0 and loss.amount == pytest.approx(sum(row.amount for row in layers))
    assert outcome.metrics["default_loss_cny"] == loss.amount
    covered = state.ledger.rows[state.ledger.rows["kind"] == LedgerKind.DEFAULT_COVER]
    assert covered["amount"].sum() / 100 == pytest.approx(loss.amount)


def test_without_the_rises_margin_pays_for_what_isn_t_delivered() -> None:
    flat = ["shock.rising.worth=1.0", "shock.rising-on.worth=1.0", "wake_seconds=900"]
    simulation = Simulation(load_scenario("provider-default", flat), 1)
    simulation.run()
    metrics = outcome_of(simulation).metrics
    assert metrics["delivered"] < 1 and metrics["default_loss_cny"] == 0


def test_surpluses_add_up_to_welfare_through_a_default(defaulted: tuple[Simulation, Outcome]) -> None:
    _, outcome = defaulted
    split = sum(row.surplus for row in outcome.classes) + outcome.metrics["fat_finger_cny"]
    contributed = 30  # the mistaken order's account has a share in the fund too, and may have paid of it
    assert split == pytest.approx(outcome.metrics["welfare_cny"], abs=contributed)


def test_flows_and_hubs_days_are_those_of_the_exchange(defaulted: tuple[Simulation, Outcome]) -> None:
    simulation, outcome = defaulted
    settled = simulation.market.core.state.settlements.rows
    whole = {row.day: row.lots for row in outcome.hubs if row.hub == ALL_HUBS}
    for day in np.unique(settled["day"]).tolist():
        lots = int(settled["lots"][settled["day"] == day].sum())
        hubs = sum(row.lots for row in outcome.hubs if row.day == day and row.hub != ALL_HUBS)
        assert whole[day] == hubs == lots
    bought = sum(row.bought for row in outcome.flows)
    assert bought == sum(row.sold for row in outcome.flows) > 0
    assert bought == sum(row.bought for row in outcome.classes), "a lot of H100 is a card"


def test_health_is_that_of_the_exchange_and_unknown_stays_unknown() -> None:
    simulation = Simulation(load_scenario("calm", ["wake_seconds=3600", "days=1"]), 1)
    simulation.run()
    (row,) = [row for row in outcome_of(simulation).hubs if row.hub == ALL_HUBS]
    known = [value for value in (row.circulation, row.safety, row.value) if value != UNKNOWN]
    assert len(known) >= 2 and row.health == pytest.approx(sum(known) / len(known), abs=0.02)
    again = measure(simulation.market.core.state, places_of(simulation.world))[OVERALL]
    assert again[Component.CONVERSION].denominator == posted_card_hours(simulation)
    assert health_of({Component.SPREAD: Raw(0, 1)}) == (100, 100, UNKNOWN, UNKNOWN)


def test_a_hub_that_quoted_one_side_only_has_no_spread() -> None:
    sellers = [{"kind": "provider", "name": "providers", "count": 4}]
    simulation = Simulation(scenario(sellers, wake_seconds=7_200), 1)
    simulation.run()
    rows = outcome_of(simulation).hubs
    assert {row.hub for row in rows} == {ALL_HUBS, "GUIAN", "SHANGHAI-EDGE"}
    assert [row.spread for row in rows] == [UNKNOWN] * len(rows)


def test_shorts_are_uncovered_because_nobody_certifies() -> None:
    simulation = Simulation(scenario(wake_seconds=3_600), 1)
    simulation.run(moment_ns(simulation.scenario.first_day, time(14)))
    state = simulation.market.core.state
    cover = measure(state, places_of(simulation.world))[OVERALL][Component.COVER]
    assert not state.primary.certificates
    assert cover.numerator == 0 < cover.denominator


def posted_card_hours(simulation: Simulation) -> int:
    """What providers have, over the delivery days that were listed."""
    (crowd,) = simulation.providers()
    periods = {of.period for of in simulation.market.core.state.contracts}
    days = (max(of.first for of in periods) - min(of.first for of in periods)).days + 1
    return int((crowd.capacity * simulation.world.cards_per_lot).sum()) * 24 * days
