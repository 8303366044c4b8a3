"""What a run came to: figures of the market, and who gained what."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exchange.domain.calendar import epoch_day
from exchange.service.state import HOUSE, State
from nodes.catalogue import Catalogue
from sims.agents.buyers import Buyers
from sims.agents.crowd import Crowd
from sims.engine.metrics import metrics_of
from sims.engine.rows import ClassResult, DeliveryRow, FlowRow, NeedRow, Outcome, PriceRow
from sims.engine.simulation import Simulation
from sims.engine.surplus import gained_fen, surplus_fen
from sims.engine.world import World

FEN = 100


def outcome_of(simulation: Simulation) -> Outcome:
    """Return what a simulation that has run came to."""
    state = simulation.market.core.state
    surplus = surplus_fen(simulation) / FEN
    market = simulation.market
    return Outcome(
        scenario=simulation.scenario.name,
        seed=simulation.seed,
        journal_hash=market.journal_hash(),
        state_hash=market.core.state_hash().hex(),
        commands=market.commands,
        events=market.events,
        trades=simulation.board.trades,
        metrics=metrics_of(simulation, float(surplus.sum())),
        classes=_classes(simulation, surplus),
        prices=_prices(state),
        flows=_flows(simulation),
        needs=[row for crowd in simulation.enterprises() for row in _needs(crowd, simulation)],
        hubs=simulation.hub_days.rows,
        deliveries=_deliveries(state),
        margin=simulation.margin_diary.rows,
    )


def _classes(simulation: Simulation, surplus: NDArray[np.float64]) -> list[ClassResult]:
    """Return every population's result; then brokers beside their clients, and the exchange."""
    books = {_traders(crowd): (crowd.books, crowd.size) for crowd in simulation.crowds}
    hosts = {crowd.name: crowd.hosts for crowd in simulation.crowds if len(crowd.hosts)}
    others = hosts | {"exchange": np.array([HOUSE], np.int32)}
    books |= {name: (accounts, len(accounts)) for name, accounts in others.items()}
    return [_class(name, *theirs, surplus, simulation) for name, theirs in books.items()]


def _traders(crowd: Crowd) -> str:
    """Return what those of a population who trade are called."""
    return f"clients of {crowd.name}" if len(crowd.hosts) else crowd.name


def _class(
    name: str, accounts: NDArray[np.int32], members: int, surplus: NDArray[np.float64], simulation: Simulation
) -> ClassResult:
    bought_fen, bought, sold_fen, sold = simulation.board.flows[accounts].sum(axis=(0, 1)).tolist()
    money = gained_fen(simulation.market.core.state)[accounts].sum()
    return ClassResult(
        population=name,
        members=members,
        surplus=float(surplus[accounts].sum()),
        cash=float(money) / FEN,
        bought=float(bought),
        bought_price=bought_fen / bought / FEN if bought else 0.0,
        sold=float(sold),
        sold_price=sold_fen / sold / FEN if sold else 0.0,
    )


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


def _deliveries(state: State) -> list[DeliveryRow]:
    """Return what each hub owed and delivered on each delivery day that is over; card-hours."""
    rows = state.reservations.rows[state.reservations.rows["finished"] == 1]
    sums: dict[tuple[int, str], tuple[float, float]] = {}
    for row in rows:
        contract = state.contracts[int(row["contract"])]
        key = int(row["day"]), contract.hub
        due, delivered = sums.get(key, (0.0, 0.0))
        owed = int(row["lots"]) * contract.cards_per_lot * contract.hours
        sums[key] = due + owed, delivered + float(np.maximum(row["metered"], 0).sum())
    return [DeliveryRow(*key, *sums[key]) for key in sorted(sums)]


def _flows(simulation: Simulation) -> list[FlowRow]:
    """Return what each population traded, by the region of its members and by good; card-hours."""
    world, found = simulation.world, []
    for crowd in simulation.crowds:
        homes = np.array(crowd.homes)
        for home in dict.fromkeys(crowd.homes):
            there = np.union1d(crowd.accounts[homes == home], crowd.desks[homes == home])
            sums = simulation.board.flows[there].sum(axis=0)
            for number in np.flatnonzero(sums.any(axis=1)).tolist():
                bought_fen, bought, sold_fen, sold = sums[number].tolist()
                good, cards = world.goods[number], int(world.cards_per_lot[number])
                found.append(
                    FlowRow(
                        population=_traders(crowd),
                        home=home,
                        grade=good.grade,
                        hub=good.hub,
                        region=world.catalogue.hub(good.hub).region.value,
                        bought=float(bought * cards),
                        bought_cny=bought_fen / FEN,
                        sold=float(sold * cards),
                        sold_cny=sold_fen / FEN,
                    )
                )
    return found


def _needs(crowd: Buyers, simulation: Simulation) -> list[NeedRow]:
    """Return what each city of a population needed, what of it was bought, and at which prices."""
    found = []
    for city in dict.fromkeys(crowd.cities):
        members = [number for number, of in enumerate(crowd.cities) if of == city]
        flows = simulation.board.flows[crowd.accounts[members], :, :2].sum(axis=0)
        for grade in simulation.world.grades:
            needed, bought = crowd.balance(members, grade)
            if needed:
                found.append(_need(crowd.name, city, grade, (needed, bought), flows, simulation.world))
    return found


def _need(
    name: str, city: str, grade: str, lot_hours: tuple[int, int], flows: NDArray[np.int64], world: World
) -> NeedRow:
    """Return a row; `flows` (goods, 2) fen and lot-hours that the city's members bought."""
    of_grade = world.grade_of == world.grades.index(grade)
    fen, traded = flows[of_grade].sum(axis=0).tolist()
    cards = world.catalogue.grade(grade).cards_per_lot
    reference = float((flows[of_grade, 1] * world.reference[of_grade]).sum())
    per_card_hour = FEN * cards * traded
    return NeedRow(
        population=name,
        city=city,
        grade=grade,
        needed=float(lot_hours[0] * cards),
        bought=float(lot_hours[1] * cards),
        price=fen / per_card_hour if traded else 0.0,
        home_price=home_price(world.catalogue, city, grade),
        hub_price=reference / per_card_hour if traded else 0.0,
    )


def home_price(catalogue: Catalogue, city: str, grade: str) -> float:
    """Return the reference price in a city's own pool, CNY a card-hour: what it costs without a market."""
    ticks = catalogue.reference_price_ticks(grade, catalogue.edge_pool_of(city).code)
    return ticks / FEN / catalogue.grade(grade).cards_per_lot
