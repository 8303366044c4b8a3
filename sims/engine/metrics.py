"""The figures of a run: one number a name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exchange.clearing.ledger import LedgerKind
from exchange.domain.hours import HOURS_PER_DAY
from exchange.service.state import HOUSE, State
from matching.records import Records
from sims.engine.losses import losses_cny
from sims.engine.rows import ALL_HUBS
from sims.engine.simulation import Simulation
from sims.engine.surplus import gained_fen
from sims.engine.world import World, days_traded_out, goods_of

FEN = 100


def metrics_of(simulation: Simulation, welfare: float) -> dict[str, float]:
    """Return the figures of the market; shares as such, prices relative to what goods are worth."""
    state, world, seen = simulation.market.core.state, simulation.world, simulation.monitor
    reserved, done = _reserved(state, world)
    sold, posted = _sold(simulation, reserved)
    sold_of, capacity = float(sold.sum()), float(posted.sum())
    calls = [row for row in simulation.margin_diary.rows if row.step == "call"]
    losses = [row.amount for row in simulation.margin_diary.rows if row.step == "loss"]
    health = [row.health for row in simulation.hub_days.rows if row.hub == ALL_HUBS and row.health >= 0]
    return {
        "welfare_cny": welfare,
        "volume_lots": float(state.settlements.rows["lots"].sum()),
        "spread": seen.spread,
        "mispricing": seen.mispricing,
        "worst_mispricing": seen.worst,
        "dispersion": seen.dispersion,
        "health_index": float(np.mean(health)) if health else 0.0,
        "conversion": sold_of / capacity if capacity else 0.0,
        "posted_card_hours": capacity,
        "delivered": done,
        "west_share": _share(
            reserved[world.west[reserved["good"]]]["card_hours"].sum(), reserved["card_hours"].sum()
        ),
        **_regional_shares(simulation),
        **_regional_prices(simulation),
        **losses_cny(simulation, np.maximum(0.0, posted - sold)),
        "margin_calls": float(len(calls)),
        "called_cny": sum(row.amount for row in calls),
        "closed_out_lots": float(sum(row.lots for row in simulation.margin_diary.rows)),
        "defaults": float(len(losses)),
        "default_loss_cny": sum(losses),
        "fees_cny": _paid_fen(state, LedgerKind.FEE) / FEN,
        "compensation_cny": _paid_fen(state, LedgerKind.SHORTFALL) / FEN,
        "commissions_cny": _paid_fen(state, LedgerKind.COMMISSION) / FEN,
        "give_up_fees_cny": _paid_fen(state, LedgerKind.GIVE_UP_FEE) / FEN,
        "given_up_lots": _given_up_lots(state),
        "fat_finger_cny": _fat_finger_fen(simulation) / FEN,
    }


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0


_RESERVED = np.dtype([("provider", "<i4"), ("good", "<i8"), ("card_hours", "<i8")])


def _reserved(state: State, world: World) -> tuple[Records, float]:
    """Return what was reserved (dtype _RESERVED), and which share of what was due was delivered; 1 if nothing
    was due yet.
    """
    rows = state.reservations.rows
    terms = state.contract_table.rows[rows["contract"]]
    found = np.zeros(len(rows), _RESERVED)
    found["provider"] = rows["provider"]
    found["good"] = goods_of(state, world, rows["contract"])
    found["card_hours"] = rows["lots"] * terms["cards_per_lot"] * terms["hours"]
    over = rows["finished"] == 1
    due = found["card_hours"][over].sum()
    delivered = np.maximum(rows["metered"][over], 0).sum()
    return found, float(delivered / due) if due else 1.0


def _sold(simulation: Simulation, reserved: Records) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the card-hours of each good that providers sold for the delivery days that were traded out, and
    those that they had.
    """
    state, world = simulation.market.core.state, simulation.world
    days = {contract.period.first for contract in days_traded_out(state)}
    sellers = [account for crowd in simulation.providers() for account in crowd.accounts.tolist()]
    theirs = reserved[np.isin(reserved["provider"], sellers)]
    sold, had = np.zeros(len(world.goods)), np.zeros(len(world.goods))
    np.add.at(sold, theirs["good"], theirs["card_hours"])
    for crowd in simulation.providers():
        had += crowd.capacity.sum(axis=0) * world.cards_per_lot * (HOURS_PER_DAY * len(days))
    return sold, had


def _regional_shares(simulation: Simulation) -> dict[str, float]:
    """Return which share of what enterprises of a region bought stands in the other one, by card-hours."""
    world, shares = simulation.world, {}
    for home, away in (("east", "west"), ("west", "east")):
        there = world.in_region(away)
        bought = np.zeros(len(world.goods))
        for crowd in simulation.enterprises():
            theirs = crowd.accounts[np.array(crowd.homes) == home]
            bought += simulation.board.flows[theirs, :, 1].sum(axis=0) * world.cards_per_lot
        shares[f"{home}_to_{away}"] = _share(bought[there].sum(), bought.sum())
    return shares


def _regional_prices(simulation: Simulation) -> dict[str, float]:
    """Return what was paid at the hubs of a region, over all trades, as a multiple of their reference prices;
    1 if there were none.
    """
    world = simulation.world
    bought = simulation.board.flows[:, :, :2].sum(axis=0)
    found = {}
    for region in ("east", "west"):
        paid, lot_hours = bought[world.in_region(region)].T
        usual = float(lot_hours @ world.reference[world.in_region(region)])
        found[f"price_{region}"] = float(paid.sum()) / usual if usual else 1.0
    return found


def _paid_fen(state: State, kind: LedgerKind) -> int:
    """Return what members paid of a kind, fen."""
    rows = state.ledger.rows
    amounts = rows["amount"][(rows["kind"] == kind) & (rows["account"] != HOUSE)]
    return -int(amounts[amounts < 0].sum())


def _given_up_lots(state: State) -> float:
    """Return the lots that were executed at one broker and cleared at another."""
    taken = [of.offer.lots for of in state.brokerage.give_ups if of.state == "accepted"]
    return float(sum(taken))


def _fat_finger_fen(simulation: Simulation) -> float:
    """Return what a mistaken order gained or cost by what the goods were worth, fen."""
    state, world = simulation.market.core.state, simulation.world
    account = int(simulation.fat_fingers[0])
    rows = state.positions.rows
    rows = rows[(rows["account"] == account) & (rows["lots"] != 0)]
    worth = world.worth[goods_of(state, world, rows["contract"])]
    terms = state.contract_table.rows[rows["contract"]]
    held = (rows["lots"] * terms["hours"] * (worth - terms["reference"])).sum()
    return float(gained_fen(state)[account] + held)
