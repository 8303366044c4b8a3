"""What a run came to: figures of the market, and who gained what."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from exchange.clearing.ledger import LedgerKind
from exchange.domain.calendar import epoch_day
from exchange.domain.contracts import PeriodKind
from exchange.service.state import HOUSE, State
from sims.agents.crowd import Crowd
from sims.engine.delivering import HOURS, delivering_accounts
from sims.engine.simulation import Simulation
from sims.engine.world import BASIS, World

FEN = 100


class ClassResult(msgspec.Struct, frozen=True):
    """A population's result; money in CNY, quantities in lot-hours."""

    population: str
    members: int
    surplus: float
    cash: float
    """Gained or lost in money alone."""
    bought: float
    bought_price: float
    """Mean, CNY per lot-hour; 0 if nothing was bought."""
    sold: float
    sold_price: float


class PriceRow(msgspec.Struct, frozen=True):
    """One contract's settlement on one day."""

    day: int
    """Days since 1970-01-01."""
    good: str
    kind: str
    first_day: int
    price: int
    """Ticks."""
    lots: int
    open_interest: int


class Outcome(msgspec.Struct, frozen=True):
    """A finished run. The same scenario and seed give the same outcome to the bit."""

    scenario: str
    seed: int
    journal_hash: str
    state_hash: str
    commands: int
    events: int
    trades: int
    metrics: dict[str, float]
    classes: list[ClassResult]
    prices: list[PriceRow]


def outcome_of(simulation: Simulation) -> Outcome:
    """Return what a simulation that has run came to."""
    state = simulation.market.core.state
    surplus = surplus_fen(simulation) / FEN
    classes = [_class(crowd, surplus, simulation) for crowd in simulation.crowds]
    market = simulation.market
    return Outcome(
        scenario=simulation.scenario.name,
        seed=simulation.seed,
        journal_hash=market.journal_hash(),
        state_hash=market.core.state_hash().hex(),
        commands=market.commands,
        events=market.events,
        trades=simulation.board.trades,
        metrics=_metrics(simulation, float(surplus.sum())),
        classes=classes,
        prices=_prices(state),
    )


def _class(crowd: Crowd, surplus: NDArray[np.float64], simulation: Simulation) -> ClassResult:
    bought_fen, bought, sold_fen, sold = simulation.board.flows[crowd.accounts].sum(axis=0).tolist()
    money = gained_fen(simulation.market.core.state)[crowd.accounts].sum()
    return ClassResult(
        population=crowd.name,
        members=crowd.size,
        surplus=float(surplus[crowd.accounts].sum()),
        cash=float(money) / FEN,
        bought=float(bought),
        bought_price=bought_fen / bought / FEN if bought else 0.0,
        sold=float(sold),
        sold_price=sold_fen / sold / FEN if sold else 0.0,
    )


def gained_fen(state: State) -> NDArray[np.int64]:
    """Return what each account gained or lost in money, fen: what it has less what it paid in."""
    rows = state.ledger.rows
    outside = np.isin(rows["kind"], (LedgerKind.DEPOSIT, LedgerKind.WITHDRAWAL))
    paid = np.zeros(len(state.cash), np.int64)
    np.add.at(paid, rows["account"][outside], rows["amount"][outside])
    gained: NDArray[np.int64] = state.cash + state.fund - paid
    return gained


def surplus_fen(simulation: Simulation) -> NDArray[np.float64]:
    """Return each account's surplus, fen: money, and what deliveries are worth to it or cost it.

    Deliveries that are still to come count at the price that is fixed, as far as a provider can deliver. What
    is delivered to a member that isn't an enterprise is worth nothing to it. Open positions are marked at
    settlement already; to a hedger they are worth its own value beyond that.
    """
    state, world = simulation.market.core.state, simulation.world
    own = np.full((len(state.cash), len(world.goods)), np.nan)
    for crowd in simulation.crowds:
        own[crowd.accounts] = crowd.unit_worth()
    surplus = gained_fen(state).astype(np.float64)
    _add_positions(surplus, own, state, world)
    _add_reservations(surplus, np.nan_to_num(own), state, world, delivering_accounts(simulation))
    return surplus


def _goods_of(state: State, world: World, contracts: NDArray[Any]) -> NDArray[np.int64]:
    numbers = {(good.grade, good.hub): number for number, good in enumerate(world.goods)}
    named = [state.contracts[index] for index in contracts.tolist()]
    return np.array([numbers[contract.grade, contract.hub] for contract in named], np.int64)


def _add_positions(
    surplus: NDArray[np.float64], own: NDArray[np.float64], state: State, world: World
) -> None:
    rows = state.positions.rows[state.positions.rows["lots"] != 0]
    terms = state.contract_table.rows[rows["contract"]]
    unit = own[rows["account"], _goods_of(state, world, rows["contract"])]
    beyond = np.where(np.isnan(unit), 0.0, unit - terms["reference"])
    np.add.at(surplus, rows["account"], rows["lots"] * terms["hours"] * beyond)


def _add_reservations(
    surplus: NDArray[np.float64],
    own: NDArray[np.float64],
    state: State,
    world: World,
    delivering: set[int],
) -> None:
    rows = state.reservations.rows
    goods = _goods_of(state, world, rows["contract"])
    metered = np.maximum(rows["metered"], 0).sum(axis=1) / world.cards_per_lot[goods]
    expected = rows["lots"] * HOURS * (1 - world.lost_basis_points[world.hub_of[goods]] / BASIS)
    expected[~np.isin(rows["provider"], list(delivering))] = 0
    lot_hours = np.where(rows["finished"] == 1, metered, expected)
    price = np.where(rows["finished"] == 1, 0, rows["price"])  # finished ones are paid
    np.add.at(surplus, rows["buyer"], lot_hours * (own[rows["buyer"], goods] - price))
    np.add.at(surplus, rows["provider"], lot_hours * (price - own[rows["provider"], goods]))


def _metrics(simulation: Simulation, welfare: float) -> dict[str, float]:
    """Return the figures of the market; shares as such, prices relative to what goods are worth."""
    state, world, seen = simulation.market.core.state, simulation.world, simulation.monitor
    settled = state.settlements.rows
    reserved = state.reservations.rows
    sellers = [account for crowd in simulation.providers() for account in crowd.accounts.tolist()]
    ours = reserved[np.isin(reserved["provider"], sellers)]
    capacity = sum(int(crowd.capacity.sum()) for crowd in simulation.providers())
    days = len(
        {c.period.first for c in state.contracts if c.kind is PeriodKind.DAY and _over(state, c.index)}
    )
    done = reserved[reserved["finished"] == 1]
    due = done["lots"] * world.cards_per_lot[_goods_of(state, world, done["contract"])] * HOURS
    west = world.west[_goods_of(state, world, reserved["contract"])]
    return {
        "welfare_cny": welfare,
        "volume_lots": float(settled["lots"].sum()),
        "spread": seen.spread,
        "mispricing": seen.mispricing,
        "worst_mispricing": seen.worst,
        "conversion": float(ours["lots"].sum() / (capacity * days)) if capacity * days else 0.0,
        "delivered": float(np.maximum(done["metered"], 0).sum() / due.sum()) if len(done) else 1.0,
        "west_share": float(reserved["lots"][west].sum() / max(1, reserved["lots"].sum())),
        "margin_calls": float(len(state.calls)),
        "default_loss_cny": float(state.claims.rows["amount"].sum()) / FEN if len(state.claims) else 0.0,
        "fees_cny": float(state.cash[HOUSE]) / FEN,
        "fat_finger_cny": _fat_finger_fen(simulation) / FEN,
    }


def _fat_finger_fen(simulation: Simulation) -> float:
    """Return what a mistaken order gained or cost by what the goods were worth, fen."""
    state, world = simulation.market.core.state, simulation.world
    account = int(simulation.fat_fingers[0])
    rows = state.positions.rows
    rows = rows[(rows["account"] == account) & (rows["lots"] != 0)]
    worth = world.worth[_goods_of(state, world, rows["contract"])]
    terms = state.contract_table.rows[rows["contract"]]
    held = (rows["lots"] * terms["hours"] * (worth - terms["reference"])).sum()
    return float(gained_fen(state)[account] + held)


def _over(state: State, contract: int) -> bool:
    return not state.contract_table.rows["active"][contract]


def _prices(state: State) -> list[PriceRow]:
    found = []
    for row in state.settlements.rows.tolist():
        day, index, price, lots, interest, _rule = row
        contract = state.contracts[index]
        found.append(
            PriceRow(
                day=day,
                good=f"{contract.grade}.{contract.hub}",
                kind=contract.kind.value,
                first_day=epoch_day(contract.period.first),
                price=price,
                lots=lots,
                open_interest=interest,
            )
        )
    return found
