"""Where surplus was lost: what the market could have given its members besides, by cause."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sims.engine.simulation import Simulation
from sims.engine.surplus import delivered, owed, own_worth
from sims.engine.world import costing, days_traded_out

FEN = 100


def losses_cny(simulation: Simulation, idle: NDArray[np.float64]) -> dict[str, float]:
    """Return what was lost, CNY; `idle` card-hours of each good that providers had and didn't sell.

    Unserved: needs that nobody served although cards of the grade stood idle; worth less cost, both means
    over the grade's hubs and the delivery days that were traded out. That some of them were too far away is
    left out, so it is the most that this can have cost. Undelivered: what was sold to those who need it and
    didn't come, at its worth to them. Unused: what it cost to deliver to those who have no use for it.
    """
    state = simulation.market.core.state
    rows, own = state.reservations.rows, own_worth(simulation)
    came = delivered(simulation)
    worth = own[rows["buyer"], rows["contract"]]
    cost = np.nan_to_num(own[rows["provider"], rows["contract"]])
    return {
        "lost_unserved_cny": _unserved_fen(simulation, idle) / FEN,
        "lost_undelivered_cny": float(((owed(state) - came) * np.nan_to_num(worth)).sum()) / FEN,
        "lost_unused_cny": float((came * cost)[np.isnan(worth)].sum()) / FEN,
    }


def _unserved_fen(simulation: Simulation, idle: NDArray[np.float64]) -> float:
    world, lost = simulation.world, 0.0
    buyers, sellers = simulation.enterprises(), simulation.providers()
    state = simulation.market.core.state
    days = np.array([contract.index for contract in days_traded_out(state)], np.int64)
    if not buyers or not sellers or not len(days):
        return 0.0
    contracts = costing(state, world, days)
    worth, cost = (
        np.mean([crowd.unit_worth(contracts).mean(axis=0) for crowd in crowds], axis=0)
        for crowds in (buyers, sellers)
    )
    for number, grade in enumerate(world.grades):
        of_grade = world.grade_of == number
        sums = [crowd.balance(list(range(crowd.size)), grade) for crowd in buyers]
        missing = sum(needed - got for needed, got in sums)
        free = float((idle / world.cards_per_lot)[of_grade].sum())
        gain = (worth - cost)[of_grade[contracts["good"]]]
        lost += min(missing, free) * max(0.0, float(gain.mean()))
    return lost
