"""From a scenario's tables to populations."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exchange.domain.messages import MemberKind
from sims.agents.arbitrage import ArbitrageCrowd
from sims.agents.brokers import BrokerCrowd
from sims.agents.crowd import Crowd, Seats
from sims.agents.enterprise import EnterpriseCrowd
from sims.agents.maker import MakerCrowd
from sims.agents.noise import PoissonCrowd, ZeroIntelligenceCrowd
from sims.agents.planner import PlannerCrowd
from sims.agents.provider import ProviderCrowd
from sims.agents.reactive import ReactiveCrowd
from sims.agents.views import MomentumCrowd, ValueCrowd
from sims.agents.zips import ZipCrowd
from sims.engine.board import Board
from sims.engine.world import World
from sims.scenario.populations import (
    Arbitrageur,
    Broker,
    Enterprise,
    MarketMaker,
    Momentum,
    Planner,
    PoissonFlow,
    Population,
    Provider,
    Reactive,
    Value,
    ZeroIntelligence,
    ZipTraders,
)

_CROWDS: dict[type, type[Crowd]] = {
    ZeroIntelligence: ZeroIntelligenceCrowd,
    ZipTraders: ZipCrowd,
    PoissonFlow: PoissonCrowd,
    MarketMaker: MakerCrowd,
    Momentum: MomentumCrowd,
    Value: ValueCrowd,
    Reactive: ReactiveCrowd,
    Provider: ProviderCrowd,
    Enterprise: EnterpriseCrowd,
    Planner: PlannerCrowd,
    Broker: BrokerCrowd,
    Arbitrageur: ArbitrageCrowd,
}


def member_kind(spec: Population) -> MemberKind:
    """Return what members of a population are to the exchange."""
    return _CROWDS[type(spec)].member_kind


def make_crowd(
    spec: Population,
    accounts: NDArray[np.int32],
    world: World,
    board: Board,
    rows_max: int,
    draws: np.random.Generator,
) -> Crowd:
    """Return the population of a table. `draws` makes what differs between its members."""
    seats = Seats(accounts, world, board, rows_max, draws)
    match spec:
        case ZeroIntelligence():
            return ZeroIntelligenceCrowd(spec, accounts, world, board, draws)
        case ZipTraders():
            return ZipCrowd(spec, seats)
        case PoissonFlow():
            return PoissonCrowd(spec, accounts, world, board)
        case MarketMaker():
            return MakerCrowd(spec, accounts, world, board, rows_max)
        case Momentum() | Value() | Reactive():
            return _watcher(spec, seats)
        case Provider():
            return ProviderCrowd(spec, seats)
        case Enterprise():
            return EnterpriseCrowd(spec, seats)
        case Planner():
            return PlannerCrowd(spec, seats)
        case Broker():
            return BrokerCrowd(spec, seats)
        case Arbitrageur():
            return ArbitrageCrowd(spec, accounts, world, board)


def _watcher(spec: Momentum | Value | Reactive, seats: Seats) -> Crowd:
    """Return a population that watches prices."""
    match spec:
        case Momentum():
            return MomentumCrowd(spec, seats.accounts, seats.world, seats.board)
        case Value():
            return ValueCrowd(spec, seats.accounts, seats.world, seats.board, seats.draws)
        case Reactive():
            return ReactiveCrowd(spec, seats)
