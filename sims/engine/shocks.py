"""What a scenario's shocks do to the world and the market, at their time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from exchange.domain.calendar import moment_ns
from exchange.domain.messages import Halt, Withdraw
from matching.records import Side, mass_cancel, new_order
from sims.agents.provider import ProviderCrowd
from sims.engine.world import BASIS
from sims.scenario.shocks import (
    CableCut,
    DemandSurge,
    FatFinger,
    HubOutage,
    NewGeneration,
    PowerPrice,
    ProviderDefault,
    Shock,
    Subsidy,
)

if TYPE_CHECKING:
    from sims.engine.simulation import Simulation


@dataclass(frozen=True, slots=True)
class _Step:
    """The beginning or the end of a shock."""

    at_ns: int
    shock: Shock
    ends: bool


class Timetable:
    """The shocks of the open day that are still to come.

    It keeps no simulation: a simulation that is over is freed at once, not when the collector of cycles runs.
    """

    def __init__(self) -> None:
        self._today: list[_Step] = []

    def open_day(self, simulation: Simulation, number: int) -> None:
        """Take up the shocks of the open day, the first being 1."""
        day = simulation.market.views.status().trading_day
        if day is None:
            raise RuntimeError("no day is open")
        self._today = []
        for shock in simulation.scenario.shock:
            if shock.day != number:
                continue
            self._today.append(_Step(moment_ns(day, shock.at), shock, ends=False))
            until = getattr(shock, "until", None)
            if until is not None:
                self._today.append(_Step(moment_ns(day, until), shock, ends=True))
        self._today.sort(key=lambda step: step.at_ns)

    def change(self, simulation: Simulation, number: int, now_ns: int) -> None:
        """Take up the shocks of another scenario from a moment on. What was due by then and waits for a wake
        still happens; what has begun ends as it would have, unless the other scenario says when.
        """
        coming = [step for step in self._today if step.at_ns > now_ns]
        due = [step for step in self._today if step.at_ns <= now_ns]
        begin = {step.shock.name for step in coming if not step.ends}
        self.open_day(simulation, number)
        later = [step for step in self._today if step.at_ns > now_ns]
        told = {step.shock.name for step in later if step.ends}
        ends = [step for step in coming if step.ends and step.shock.name not in begin | told]
        self._today = sorted((*due, *ends, *later), key=lambda step: step.at_ns)

    def run(self, simulation: Simulation, now_ns: int) -> None:
        """Do what is due."""
        while self._today and self._today[0].at_ns <= now_ns:
            step = self._today.pop(0)
            begin, end = effects(simulation, step.shock)
            if not step.ends:
                begin()
            elif end is not None:
                end()


def effects(simulation: Simulation, shock: Shock) -> tuple[Callable[[], None], Callable[[], None] | None]:
    """Return what a shock does and, if it can end, what ends it."""
    world = simulation.world
    match shock:
        case HubOutage():
            return lambda: _outage(simulation, shock), lambda: _halt(simulation, shock.hub, False)
        case CableCut():
            hubs = np.isin(world.hubs, shock.hubs)
            return lambda: _set(world.far, hubs, True), lambda: _set(world.far, hubs, False)
        case DemandSurge():
            return lambda: _surge(simulation, shock), None
        case PowerPrice():
            goods = np.isin([good.hub for good in world.goods], shock.hubs)
            return lambda: _power(simulation, goods, shock), None
        case Subsidy():
            goods = np.isin([good.hub for good in world.goods], shock.hubs)
            paid = world.reference[goods] * shock.share / BASIS
            return lambda: _set(world.subsidy, goods, paid), None
        case NewGeneration():
            of_grade = np.array([good.grade == shock.grade for good in world.goods])
            return lambda: _revalue(simulation, of_grade, shock.worth), None
        case FatFinger():
            return lambda: _fat_finger(simulation, shock), None
        case ProviderDefault():
            return lambda: _default(simulation, shock), None


def _set(array: NDArray[Any], where: NDArray[Any], value: object) -> None:
    array[where] = value


def _halt(simulation: Simulation, hub: str, halted: bool) -> None:
    simulation.market.done(Halt(halted=halted, hub=hub))
    world, rows = simulation.world, simulation.board.rows
    rows["halted"][world.hub_of[rows["good"]] == world.hubs.index(hub)] = halted


def _outage(simulation: Simulation, shock: HubOutage) -> None:
    world = simulation.world
    world.lost_basis_points[world.hubs.index(shock.hub)] = shock.lost
    _halt(simulation, shock.hub, True)


def _surge(simulation: Simulation, shock: DemandSurge) -> None:
    simulation.world.demand *= shock.factor
    _revalue(simulation, np.ones(len(simulation.world.goods), np.bool_), shock.worth)


def _power(simulation: Simulation, goods: NDArray[Any], shock: PowerPrice) -> None:
    simulation.world.power_factor[goods] *= shock.factor
    simulation.world.worth[goods] *= shock.worth


def _revalue(simulation: Simulation, goods: NDArray[Any], factor: float) -> None:
    simulation.world.worth[goods] *= factor
    simulation.world.outside[goods] *= factor


def _fat_finger(simulation: Simulation, shock: FatFinger) -> None:
    """Send the order into the contract of the good in which most lots stand to be hit."""
    board, world = simulation.board, simulation.world
    good = next(i for i, g in enumerate(world.goods) if (g.grade, g.hub) == (shock.grade, shock.hub))
    side = Side.BUY if shock.side == "buy" else Side.SELL
    standing = board.ask_lots if side is Side.BUY else board.bid_lots
    row = board.rows[max(np.flatnonzero(board.rows["good"] == good).tolist(), key=standing)]
    order = new_order(
        account=int(simulation.fat_fingers[0]),
        instrument=int(row["contract"]),
        side=side,
        quantity=shock.lots,
        price=int(row["high"] if side is Side.BUY else row["low"]),
    )
    simulation.market.hot(order)


def _default(simulation: Simulation, shock: ProviderDefault) -> None:
    """Let the provider with the most cards withdraw its orders and its free cash, and vanish."""
    crowd = next(crowd for crowd in simulation.crowds if crowd.name == shock.population)
    if not isinstance(crowd, ProviderCrowd):
        raise TypeError(f"{shock.population} isn't a population of providers")
    cards = (crowd.capacity * simulation.world.cards_per_lot).sum(axis=1)
    account = int(crowd.accounts[int(np.argmax(cards))])
    simulation.world.dead.add(account)
    simulation.market.hot(mass_cancel(account=account))
    member = simulation.market.core.state.members_by_account[account].name
    free = simulation.market.core.state.free_cash(account)
    if free > 0:
        simulation.market.done(Withdraw(member=member, amount_fen=free))
