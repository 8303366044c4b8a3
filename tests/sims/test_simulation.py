"""Simulated markets: repeatable to the bit, consistent with the exchange's own books, conserving money."""

import os
import subprocess
import sys

import numpy as np
import pytest
from sim_markets import EVERYBODY, FLOW, fine_market, of_goods, scenario

from exchange.domain.calendar import NS_PER_HOUR, moment_ns
from exchange.domain.sessions import Sessions
from matching.records import RejectCode
from nodes.types import Profile
from sims.agents.provider import ProviderCrowd
from sims.engine.outcome import outcome_of
from sims.engine.simulation import Simulation
from sims.engine.streams import stream

PLAIN = """
import sys
sys.path.insert(0, sys.argv[1])
from sim_markets import scenario
from sims.engine.simulation import Simulation
simulation = Simulation(scenario(wake_seconds=10_800), 5)
simulation.run()
print(simulation.market.journal_hash(), simulation.market.core.state_hash().hex())
"""


def ran(seed: int, **keys: object) -> Simulation:
    """A small market after its last day."""
    simulation = Simulation(scenario(**keys), seed)  # type: ignore[arg-type]
    simulation.run()
    return simulation


def test_streams_depend_on_seed_and_name_alone() -> None:
    first = stream(1, "wake makers").random(4)
    stream(1, "something else").random(100)
    assert np.array_equal(first, stream(1, "wake makers").random(4))
    assert not np.array_equal(first, stream(2, "wake makers").random(4))
    assert not np.array_equal(first, stream(1, "wake flow").random(4))


def test_the_same_seed_gives_the_same_journal_and_state() -> None:
    one, two, other = ran(3), ran(3), ran(4)
    assert one.market.commands > 500
    assert one.market.journal_hash() == two.market.journal_hash()
    assert one.market.core.state_hash() == two.market.core.state_hash()
    assert one.market.journal_hash() != other.market.journal_hash()


def test_a_run_in_pieces_is_the_run() -> None:
    whole, pieces = ran(3), Simulation(scenario(), 3)
    begin = moment_ns(pieces.scenario.first_day, Sessions().continuous[0].start)
    for hour in range(1, 7):
        pieces.run(begin + hour * NS_PER_HOUR)
    pieces.run()
    assert pieces.market.journal_hash() == whole.market.journal_hash()


def test_the_compiler_changes_nothing() -> None:
    here = os.path.dirname(__file__)  # noqa: PTH120
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-c", PLAIN, here]
    plain = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    compiled = ran(5, wake_seconds=10_800)
    hashes = [compiled.market.journal_hash(), compiled.market.core.state_hash().hex()]
    assert plain.stdout.split() == hashes


def test_the_board_shows_what_the_exchange_has() -> None:
    simulation = Simulation(scenario(), 7)
    simulation.run(moment_ns(simulation.scenario.first_day, Sessions().continuous[0].start) + 2 * NS_PER_HOUR)
    engine, board = simulation.market.core.state.engine, simulation.board
    for at, row in enumerate(board.rows):
        top = engine.l1(int(row["contract"]))
        assert (row["bid"], row["ask"]) == (top.bid_price, top.ask_price)
        assert (board.bid_lots(at), board.ask_lots(at)) == (top.bid_quantity, top.ask_quantity)
        held = [engine.position(account, int(row["contract"])) for account in range(1, len(board.positions))]
        assert board.positions[1:, at].tolist() == held
    resting = sum(len(engine.orders(int(row["contract"]))) for row in board.rows)
    assert resting == np.count_nonzero(board.refs["order_id"]) > 10


def test_money_and_positions_conserve_over_deliveries() -> None:
    simulation = ran(2, days=3)
    state = simulation.market.core.state
    simulation.market.core.check()
    assert state.reservations.rows["finished"].any()
    assert int(state.cash.sum() + state.fund.sum()) == state.deposits_fen - state.withdrawals_fen
    assert (simulation.board.positions.sum(axis=0) == 0).all()


def test_a_hub_that_lost_cards_delivers_the_whole_cards_that_are_left() -> None:
    shock = {"kind": "hub-outage", "name": "dark", "hub": "GUIAN", "lost": 8_000, "until": "10:30:00"}
    simulation = ran(2, days=3, shock=[shock])
    state = simulation.market.core.state
    done = state.reservations.rows[state.reservations.rows["finished"] == 1]
    done = done[np.isin(done["provider"], simulation.providers()[0].accounts)]
    at = [state.contracts[index] for index in done["contract"].tolist()]
    due = done["lots"] * [contract.cards_per_lot for contract in at]
    dark = np.array([contract.hub == "GUIAN" for contract in at])
    assert (due[dark] % 5 == 0).any(), "four fifths of it leave whole cards"
    assert (done["metered"] == np.where(dark, due // 5, due)[:, None]).all()


@pytest.mark.parametrize("name", [crowd["name"] for crowd in EVERYBODY])
def test_everybody_trades(name: str) -> None:
    simulation = _traded()
    crowd = next(crowd for crowd in simulation.crowds if crowd.name == name)
    assert simulation.board.flows[crowd.accounts].sum() > 0


_RAN: list[Simulation] = []


def _traded() -> Simulation:
    if not _RAN:
        _RAN.append(ran(1, days=2, wake_seconds=600))
    return _RAN[0]


def test_nobody_sends_what_a_phase_of_the_day_refuses() -> None:
    rejects = _traded().board.rejects
    assert rejects[RejectCode.NOT_IN_THIS_PHASE] == 0 < rejects[RejectCode.UNKNOWN_ORDER], (
        "cancelled too late"
    )


def test_providers_sell_no_more_than_they_have_and_nothing_below_cost() -> None:
    simulation = _traded()
    (crowd,) = [crowd for crowd in simulation.crowds if isinstance(crowd, ProviderCrowd)]
    rows, held = simulation.board.rows, simulation.board.positions[crowd.accounts]
    assert (-held <= crowd.capacity[:, rows["good"]]).all()
    sold_fen, lot_hours = simulation.board.flows[crowd.accounts].sum(axis=1)[:, 2:].T
    cheapest = np.where(crowd.capacity > 0, crowd.unit_worth(of_goods(simulation)), np.inf).min(axis=1)
    assert (sold_fen >= cheapest * lot_hours).all()


def test_another_population_doesn_t_change_what_one_draws() -> None:
    alone = Simulation(scenario([FLOW]), 1)
    beside = Simulation(scenario([EVERYBODY[0], FLOW]), 1)
    draws = [simulation._draws["flow"].random(3).tolist() for simulation in (alone, beside)]
    assert draws[0] == draws[1]


def test_what_is_sold_counts_by_the_hours_that_a_contract_delivers() -> None:
    simulation = fine_market(1, days=2, wake_seconds=3_600)
    simulation.run()
    state = simulation.market.core.state
    (providers,) = simulation.providers()
    sold: dict[Profile, int] = dict.fromkeys(Profile, 0)
    for row in state.reservations.rows:
        contract = state.contracts[row["contract"]]
        if row["provider"] in providers.accounts:
            sold[contract.profile] += int(row["lots"]) * contract.cards_per_lot * contract.hours
    metrics = outcome_of(simulation).metrics
    assert sold[Profile.PEAK] > 0 < sold[Profile.BASE]
    assert metrics["conversion"] * metrics["posted_card_hours"] == pytest.approx(sum(sold.values()))
