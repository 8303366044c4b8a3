"""Brokers in a simulated market: clients trade on their own accounts and pay by the exchange's rules."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sim_markets import scenario

from exchange.clearing.ledger import LedgerKind
from exchange.domain.messages import Withdraw
from matching.records import RejectCode
from sims.engine.outcome import outcome_of
from sims.engine.simulation import Simulation

MAKERS = {"kind": "market-maker", "name": "makers", "count": 3}
BROKERS = {"kind": "broker", "name": "brokers", "count": 2, "clients": 6, "commission": 5, "give_ups": 5_000}
FEES = {"to_providers": 0, "to_brokers": 1, "to_platform": 1}


def opened(**keys: object) -> Simulation:
    """A day of makers and of brokers with twelve clients, waking every quarter of an hour."""
    return Simulation(scenario([MAKERS, BROKERS | keys], wake_seconds=900, fee=FEES), 2)


@pytest.fixture(scope="module")
def market() -> Simulation:
    """Commissions of 5 basis points; every second client clears at one broker and executes at the other."""
    simulation = opened()
    simulation.run()
    return simulation


def moved(market: Simulation, kind: LedgerKind, accounts: NDArray[np.int32]) -> int:
    """What accounts got and paid of a kind, fen."""
    rows = market.market.core.state.ledger.rows
    return int(rows["amount"][(rows["kind"] == kind) & np.isin(rows["account"], accounts)].sum())


def test_clients_have_accounts_of_their_own_and_trade_while_brokers_do_not(market: Simulation) -> None:
    crowd, state = market.crowds[1], market.market.core.state
    names = [state.members_by_account[account].name for account in crowd.accounts.tolist()]
    desks = [state.members_by_account[account].name for account in crowd.desks.tolist()]
    assert names[0] == "brokers-1/client-1" and names[-1] == "brokers-2/client-6"
    assert desks[:4] == ["brokers-2/desk-1", "brokers-2/desk-2", "brokers-2/desk-3", "brokers-1/client-4"]
    assert (market.board.flows[crowd.accounts].sum(axis=(1, 2)) > 0).sum() > 6
    assert not market.board.flows[crowd.hosts].any()
    assert set(np.flatnonzero(market.board.rejects)) <= {RejectCode.UNKNOWN_ORDER}, "cancelled too late"


def test_commissions_are_the_agreed_share_of_what_clients_cleared(market: Simulation) -> None:
    crowd = market.crowds[1]
    value = int(market.board.flows[crowd.accounts][:, :, [0, 2]].sum())
    paid = moved(market, LedgerKind.COMMISSION, crowd.hosts)
    assert paid == -moved(market, LedgerKind.COMMISSION, crowd.accounts) > 0
    assert paid == pytest.approx(value * 5 / 10_000, abs=len(crowd.accounts) * len(market.board.rows))


def test_every_fill_of_a_desk_is_given_up_for_its_fee(market: Simulation) -> None:
    crowd, state = market.crowds[1], market.market.core.state
    away = crowd.desks[crowd.desks != crowd.accounts]
    fees, given_up = outcome_of(market).metrics["fees_cny"], outcome_of(market).metrics["given_up_lots"]
    assert {of.state for of in state.brokerage.give_ups} == {"accepted"}
    assert not market.board.positions[away].any() and not market.board.flows[away].any()
    assert not np.isin(state.engine.positions()["account"], away).any()
    assert moved(market, LedgerKind.GIVE_UP_FEE, crowd.hosts) == 5 * given_up > 0
    assert 0 < moved(market, LedgerKind.REVENUE_SHARE, crowd.hosts) < 100 * fees / 2


def test_winners_and_losers_tell_brokers_from_their_clients(market: Simulation) -> None:
    outcome = outcome_of(market)
    classes = {row.population: row for row in outcome.classes}
    hosts = market.crowds[1].hosts
    kinds = (LedgerKind.COMMISSION, LedgerKind.GIVE_UP_FEE, LedgerKind.REVENUE_SHARE)
    assert classes["clients of brokers"].members == 12 and classes["clients of brokers"].bought > 0
    assert classes["brokers"].members == 2 and classes["brokers"].bought == 0
    assert classes["brokers"].cash * 100 == pytest.approx(sum(moved(market, kind, hosts) for kind in kinds))
    assert sum(row.cash for row in outcome.classes) == pytest.approx(0, abs=0.01)


def test_what_an_account_can_t_carry_stays_at_its_desk() -> None:
    market = opened()
    crowd, state = market.crowds[1], market.market.core.state
    poor, desk = int(crowd.accounts[0]), int(crowd.desks[0])
    market.market.done(Withdraw(member=state.members_by_account[poor].name, amount_fen=state.free_cash(poor)))
    market.run()
    mine = [of.state for of in state.brokerage.give_ups if of.taker == poor]
    assert mine and set(mine) == {"withdrawn"}
    assert market.board.flows[desk].any() and not market.board.flows[poor].any()
    assert (market.board.positions.sum(axis=0) == 0).all()


def test_a_dear_broker_has_clients_who_trade_less(market: Simulation) -> None:
    dear, clients = opened(commission=300), market.crowds[1].accounts
    dear.run()
    assert 0 < dear.board.flows[clients].sum() < market.board.flows[clients].sum() / 2
