"""Providers' own outages: what they take off deliveries, what that costs, and that nothing else is drawn."""

import numpy as np
import pytest
from sim_markets import EVERYBODY, scenario

from exchange.clearing.ledger import LedgerKind
from sims.engine.outcome import outcome_of
from sims.engine.rows import Outcome
from sims.engine.simulation import Simulation
from sims.engine.streams import stream
from sims.engine.surplus import delivered
from sims.scenario.load import load_scenario
from sims.scenario.refusal import ScenarioError

SEED, RATE, HOURS, LOST = 5, 1.5, 30, 4_000
SHOCK = {"kind": "hub-outage", "name": "dark", "hub": "GUIAN", "lost": 2_000, "until": "10:30:00"}


def market(rate: float) -> Simulation:
    """Three days of the small market with the live exchange's margins, which set what shortfalls cost, too;
    outages last longer than a day and overlap.
    """
    failing = {"outages_per_day": rate, "outage_hours": HOURS, "outage_lost": LOST}
    population = [crowd | (failing if crowd["kind"] == "provider" else {}) for crowd in EVERYBODY]
    keys = {"days": 3, "wake_seconds": 3_600, "shock": [SHOCK], "margin": {"netting": True}}
    simulation = Simulation(scenario(population, **keys), SEED)
    simulation.run()
    return simulation


@pytest.fixture(scope="module")
def failing() -> Simulation:
    """The market with outages."""
    return market(RATE)


@pytest.fixture(scope="module")
def outcomes(failing: Simulation) -> tuple[Outcome, Outcome]:
    """What it came to with outages, and without."""
    return outcome_of(failing), outcome_of(market(0))


def share_down(member: int, members: int, hour: int) -> int:
    """Basis points of a provider's cards that are down in an hour (its number since 1970), one by one."""
    down = 0
    for day in range(hour // 24 - 2, hour // 24 + 1):
        begun = stream(SEED, f"outages providers {day}").poisson(RATE / 24, (members, 24))
        for of_day in range(24):
            start = 24 * day + of_day
            for _ in range(begun[member, of_day]):
                down += LOST if start <= hour < start + HOURS else 0
    return min(down, 10_000)


def test_what_is_metered_is_what_the_drawn_outages_leave(failing: Simulation) -> None:
    state = failing.market.core.state
    (providers,) = failing.providers()
    member_of = {account: member for member, account in enumerate(providers.accounts.tolist())}
    shares, came = set(), delivered(failing)
    for at, row in enumerate(state.reservations.rows):
        contract = state.contracts[int(row["contract"])]
        member = member_of.get(int(row["provider"]))
        owed = int(row["lots"]) * contract.cards_per_lot * (8_000 if contract.hub == "GUIAN" else 10_000)
        if member is None:
            continue
        left = [10_000 - share_down(member, providers.size, hour) for hour in contract.delivery]
        shares |= set(left)
        if row["finished"]:
            assert row["metered"].tolist() == [owed * share // 10_000**2 for share in left]
        else:
            lot_hours = sum(owed * share / 10_000**2 for share in left) / contract.cards_per_lot
            assert came[at] == pytest.approx(lot_hours)
    assert shares == {10_000, 6_000, 2_000, 0}, "none, one, two, and three or more at a time"
    assert set(state.reservations.rows["finished"].tolist()) == {0, 1}


def compensation_fen(market: Simulation) -> int:
    """What the providers owe by clause 7.7: 5 and 3 % of the value that didn't come, each half up."""
    state, owed = market.market.core.state, 0
    (providers,) = market.providers()
    for row in state.reservations.rows:
        if row["finished"] and row["provider"] in providers.accounts:
            contract = state.contracts[int(row["contract"])]
            cards = contract.cards_per_lot
            short = int(row["lots"]) * cards * contract.hours - int(row["metered"].sum())
            value = (2 * int(row["price"]) * short + cards) // (2 * cards)
            owed += (500 * value + 5_000) // 10_000 + (300 * value + 5_000) // 10_000
    return owed


def test_what_did_not_come_is_compensated_and_money_conserves(
    failing: Simulation, outcomes: tuple[Outcome, Outcome]
) -> None:
    state = failing.market.core.state
    entries = state.ledger.rows[state.ledger.rows["kind"] == LedgerKind.SHORTFALL]
    (providers,) = failing.providers()
    theirs = entries["amount"][np.isin(entries["account"], providers.accounts)]
    assert -theirs[theirs < 0].sum() == compensation_fen(failing) > 0 == entries["amount"].sum()
    assert state.cash.sum() + state.fund.sum() == state.deposits_fen - state.withdrawals_fen
    failing.market.core.check()
    with_them, without = outcomes
    assert with_them.metrics["delivered"] < without.metrics["delivered"] - 0.2
    assert with_them.metrics["compensation_cny"] > without.metrics["compensation_cny"]
    hubs = {(row.day, row.hub): row.delivered / row.due for row in with_them.deliveries if row.due}
    usual = {(row.day, row.hub): row.delivered / row.due for row in without.deliveries if row.due}
    assert all(hubs[key] < usual[key] for key in hubs), "each hub's row of each day says so"


def test_the_same_seed_fails_the_same_and_trades_as_if_nothing_failed(
    outcomes: tuple[Outcome, Outcome],
) -> None:
    with_them, without = outcomes
    again = outcome_of(market(RATE))
    assert (again.state_hash, again.journal_hash) == (with_them.state_hash, with_them.journal_hash)
    assert with_them.state_hash != without.state_hash
    first = min(row.day for row in without.prices)
    prices = [[row for row in of.prices if row.day == first] for of in outcomes]
    assert prices[0] == prices[1] and len(prices[0]) > 1


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("outages_per_day=-0.5", "outages_per_day: Expected `float` >= 0.0"),
        ("outages_per_day=25", "outages_per_day: Expected `float` <= 24.0"),
        ("outage_hours=0", "outage_hours: Expected `int` >= 1"),
        ("outage_lost=10001", "outage_lost: Expected `int` <= 10000"),
    ],
)
def test_outages_that_can_t_be_are_named(setting: str, sentence: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        load_scenario("calm", [f"population.providers.{setting}"])
    assert str(refused.value) == f"calm: population.providers.{sentence}"
