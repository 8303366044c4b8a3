"""The audit of lost surplus, computed again reservation by reservation."""

import math
from collections.abc import Iterable

import numpy as np
import pytest
from numpy.typing import NDArray
from sim_markets import EVERYBODY, of_goods, scenario

from exchange.clearing.ledger import LedgerKind
from sims.agents.crowd import Crowd
from sims.engine.outcome import outcome_of
from sims.engine.simulation import Simulation
from sims.scenario.load import load_scenario

SHOCK = {"kind": "hub-outage", "name": "dark", "hub": "GUIAN", "lost": 5_000, "until": "10:30:00"}


@pytest.fixture(scope="module")
def ran() -> Simulation:
    """Three days of the small market, one hub of which loses half of its cards."""
    simulation = Simulation(scenario(days=3, shock=[SHOCK]), 2)
    simulation.run()
    return simulation


def worth_of(crowds: Iterable[Crowd], simulation: Simulation) -> dict[int, NDArray[np.float64]]:
    """By account: what a lot-hour of each good is worth to it or costs it; only whole days trade here."""
    each = of_goods(simulation)
    return {int(a): of.unit_worth(each)[n] for of in crowds for n, a in enumerate(of.accounts)}


def slowly(simulation: Simulation) -> tuple[float, float]:
    """CNY that weren't delivered to those with a use, and that it cost to deliver to those without."""
    state, world = simulation.market.core.state, simulation.world
    goods = [str(good) for good in world.goods]
    users, costs = (
        worth_of(crowds, simulation) for crowds in (simulation.enterprises(), simulation.providers())
    )
    undelivered = unused = 0.0
    for row in state.reservations.rows:
        contract = state.contracts[int(row["contract"])]
        good = goods.index(f"{contract.grade}.{contract.hub}")
        provider, buyer = int(row["provider"]), int(row["buyer"])
        owed = int(row["lots"]) * contract.hours
        lost = world.lost_basis_points[world.hubs.index(contract.hub)] / 10_000
        came = owed * (1 - lost) if provider in costs else 0.0
        if row["finished"]:
            came = row["metered"].clip(0).sum() / contract.cards_per_lot
        if buyer in users:
            undelivered += (owed - came) * users[buyer][good] / 100
        elif buyer not in costs:
            unused += came * costs.get(provider, [0.0] * len(goods))[good] / 100
    return undelivered, unused


def cny_gained(simulation: Simulation, account: int) -> float:
    """What an account gained in money by its own ledger; nobody pays into the default fund here."""
    rows = simulation.market.core.state.ledger.rows
    rows = rows[rows["account"] == account]
    kept = [row for row in rows if row["kind"] not in (LedgerKind.DEPOSIT, LedgerKind.WITHDRAWAL)]
    return sum(int(row["amount"]) for row in kept) / 100


def surpluses_slowly(simulation: Simulation) -> dict[int, float]:
    """CNY that each trader gained, or will: money, deliveries, and what is still open beyond its mark."""
    state, world = simulation.market.core.state, simulation.world
    goods = [str(good) for good in world.goods]
    own = worth_of(simulation.crowds, simulation)
    delivers = {int(a) for of in simulation.providers() for a in of.accounts}
    books = [int(account) for of in simulation.crowds for account in of.books]
    found = {account: cny_gained(simulation, account) for account in books}
    for row in state.reservations.rows:
        contract = state.contracts[int(row["contract"])]
        good, hub = goods.index(f"{contract.grade}.{contract.hub}"), world.hubs.index(contract.hub)
        came = int(row["lots"]) * contract.hours * (1 - world.lost_basis_points[hub] / 10_000)
        came *= int(row["provider"]) in delivers
        price = int(row["price"])
        if row["finished"]:
            came, price = row["metered"].clip(0).sum() / contract.cards_per_lot, 0
        for account, sign in ((int(row["buyer"]), 1), (int(row["provider"]), -1)):
            if account in own:
                worth = 0.0 if math.isnan(own[account][good]) else own[account][good]
                found[account] += sign * came * (worth - price) / 100
    for row in state.positions.rows:
        contract = state.contracts[int(row["contract"])]
        good = goods.index(f"{contract.grade}.{contract.hub}")
        worth = own.get(int(row["account"]), [math.nan] * len(goods))[good]
        if row["lots"] and not math.isnan(worth):
            beyond = worth - int(state.contract_table.rows["reference"][contract.index])
            found[int(row["account"])] += int(row["lots"]) * contract.hours * beyond / 100
    return found


def test_each_population_has_the_surplus_of_its_members(ran: Simulation) -> None:
    told = {of.population: of.surplus for of in outcome_of(ran).classes}
    each = surpluses_slowly(ran)
    for crowd in ran.crowds:
        name = f"clients of {crowd.name}" if len(crowd.hosts) else crowd.name
        assert told[name] == pytest.approx(sum(each[account] for account in crowd.books.tolist())), name
    state = ran.market.core.state
    assert state.positions.rows["lots"].any() and not state.reservations.rows["finished"].all()
    assert told["providers"] > 0 < told["enterprises"]


def test_what_did_not_come_and_what_nobody_used_is_told_in_money(ran: Simulation) -> None:
    metrics = outcome_of(ran).metrics
    undelivered, unused = slowly(ran)
    assert metrics["lost_undelivered_cny"] == pytest.approx(undelivered) and undelivered > 0
    assert metrics["lost_unused_cny"] == pytest.approx(unused) and unused > 0


def test_needs_count_as_lost_only_as_far_as_cards_stood_idle() -> None:
    crowds = {crowd["kind"]: crowd for crowd in EVERYBODY}
    lazy = [crowds["provider"], crowds["enterprise"] | {"activity": 300}]
    simulation = Simulation(scenario(lazy), 1)
    simulation.run()
    outcome = outcome_of(simulation)
    (cards,) = set(simulation.world.cards_per_lot.tolist())
    missing = sum(need.needed - need.bought for need in outcome.needs) / cards
    idle = (1 - outcome.metrics["conversion"]) * outcome.metrics["posted_card_hours"] / cards
    (buyers,), (sellers,) = simulation.enterprises(), simulation.providers()
    each = of_goods(simulation)
    gain = (buyers.unit_worth(each).mean() - sellers.unit_worth(each).mean()) / 100
    assert outcome.metrics["lost_unserved_cny"] == pytest.approx(min(missing, idle) * gain)
    assert min(missing, idle) > 0 < gain


def test_where_nobody_delivers_nothing_of_it_is_lost() -> None:
    simulation = Simulation(load_scenario("learners", ["wake_seconds=7200", "days=1"]), 1)
    simulation.run()
    metrics = outcome_of(simulation).metrics
    assert [metrics[f"lost_{why}_cny"] for why in ("unserved", "undelivered", "unused")] == [0, 0, 0]
