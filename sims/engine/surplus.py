"""Who gained what: money, and what deliveries are worth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exchange.clearing.ledger import LedgerKind
from exchange.service.state import HOUSE, State
from sims.engine.delivering import serving
from sims.engine.simulation import Simulation
from sims.engine.world import BASIS, costing, goods_of


def gained_fen(state: State) -> NDArray[np.int64]:
    """Return what each account gained or lost in money, fen: what it has less what it paid in."""
    rows = state.ledger.rows
    outside = np.isin(rows["kind"], (LedgerKind.DEPOSIT, LedgerKind.WITHDRAWAL))
    paid = np.zeros(len(state.cash), np.int64)
    np.add.at(paid, rows["account"][outside], rows["amount"][outside])
    paid[HOUSE] += state.deposits_fen - state.withdrawals_fen - int(paid.sum())  # its capital tranche
    gained: NDArray[np.int64] = state.cash + state.fund - paid
    return gained


def surplus_fen(simulation: Simulation) -> NDArray[np.float64]:
    """Return each account's surplus, fen: money, and what deliveries are worth to it or cost it.

    Deliveries that are still to come count at the price that is fixed, as far as a provider can deliver. What
    is delivered to a member that isn't an enterprise is worth nothing to it. Open positions are marked at
    settlement already; to a hedger they are worth its own value beyond that.
    """
    state = simulation.market.core.state
    own = own_worth(simulation)
    surplus = gained_fen(state).astype(np.float64)
    _add_positions(surplus, own, state)
    _add_reservations(surplus, np.nan_to_num(own), simulation)
    return surplus


def own_worth(simulation: Simulation) -> NDArray[np.float64]:
    """Return what a lot-hour of each contract is worth to each account that uses it, or costs the one that
    delivers it, ticks, shape (accounts, contracts); not a number for all others.
    """
    state = simulation.market.core.state
    contracts = costing(state, simulation.world, np.arange(len(state.contracts)))
    own = np.full((len(state.cash), len(contracts)), np.nan)
    for crowd in simulation.crowds:
        own[crowd.accounts] = own[crowd.desks] = crowd.unit_worth(contracts)
    return own


def delivered(simulation: Simulation) -> NDArray[np.float64]:
    """Return the lot-hours that each reservation delivered, or will as far as its provider can."""
    state, world = simulation.market.core.state, simulation.world
    rows = state.reservations.rows
    goods = goods_of(state, world, rows["contract"])
    metered = np.maximum(rows["metered"], 0).sum(axis=1) / world.cards_per_lot[goods]
    expected = owed(state) * (1 - world.lost_basis_points[world.hub_of[goods]] / BASIS)
    for day in np.unique(rows["day"][rows["finished"] == 0]).tolist():
        here = rows["day"] == day
        shares = serving(simulation, day)[rows["provider"][here]]
        hours = np.array(
            [state.contracts[at].delivery.grid()[1][0] for at in rows["contract"][here].tolist()]
        )
        expected[here] *= (shares * hours).sum(axis=1) / hours.sum(axis=1) / BASIS
    lot_hours: NDArray[np.float64] = np.where(rows["finished"] == 1, metered, expected)
    return lot_hours


def owed(state: State) -> NDArray[np.int64]:
    """Return the lot-hours that each reservation is for."""
    rows = state.reservations.rows
    lot_hours: NDArray[np.int64] = rows["lots"] * state.contract_table.rows["hours"][rows["contract"]]
    return lot_hours


def _add_positions(surplus: NDArray[np.float64], own: NDArray[np.float64], state: State) -> None:
    rows = state.positions.rows[state.positions.rows["lots"] != 0]
    terms = state.contract_table.rows[rows["contract"]]
    unit = own[rows["account"], rows["contract"]]
    beyond = np.where(np.isnan(unit), 0.0, unit - terms["reference"])
    np.add.at(surplus, rows["account"], rows["lots"] * terms["hours"] * beyond)


def _add_reservations(surplus: NDArray[np.float64], own: NDArray[np.float64], simulation: Simulation) -> None:
    state = simulation.market.core.state
    rows, lot_hours = state.reservations.rows, delivered(simulation)
    contracts = rows["contract"]
    price = np.where(rows["finished"] == 1, 0, rows["price"])  # finished ones are paid
    np.add.at(surplus, rows["buyer"], lot_hours * (own[rows["buyer"], contracts] - price))
    np.add.at(surplus, rows["provider"], lot_hours * (price - own[rows["provider"], contracts]))
