"""What a population is to the simulation: accounts, places for orders, and one call for each wake."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from exchange.domain.messages import MemberKind
from matching.records import Records
from sims.engine.board import Board
from sims.engine.outbox import Outbox
from sims.engine.world import World

PERISHES: Final = 0.8
"""From this share of a contract's last trading day on, what isn't sold soon earns nothing."""


@dataclass(slots=True)
class Moment:
    """When a population is woken."""

    wake: int
    """Counts the wakes of the run."""
    progress: float
    """Share of the day's time for orders that has passed, 0 … 1."""
    day: int
    """Days since 1970-01-01."""
    last_day: NDArray[np.bool_]
    """By row: whether the contract trades for the last time."""
    days_left: NDArray[np.int32]
    """By row: trading days that follow."""
    call: bool = False
    """Whether orders are collected for a call, in which those that take at once are refused (clause 3.13)."""
    last_taking: bool = False
    """Whether it is the last wake of the day at which an order may take at once."""

    @property
    def perishing(self) -> NDArray[np.bool_]:
        """By row: whether the contract is in the last part of its last trading day."""
        return self.last_day & (self.progress >= PERISHES)


@dataclass(frozen=True, slots=True)
class Seats:
    """Where a population sits: its accounts, what it sees, and what makes its members differ."""

    accounts: NDArray[np.int32]
    world: World
    board: Board
    rows_max: int
    """Most contracts that trade on a day."""
    draws: np.random.Generator


class Crowd(ABC):
    """A population. Account i of it has the refs from `first_ref + i × refs_each` on."""

    member_kind: ClassVar[MemberKind] = "market-maker"

    def __init__(self, name: str, accounts: NDArray[np.int32], world: World, board: Board) -> None:
        self.name = name
        self.accounts = accounts
        self.world = world
        self.board = board
        self.first_ref = 0
        self.desks = accounts
        """Account from which each member's orders go; another one where fills are given up."""
        self.hosts: NDArray[np.int32] = np.zeros(0, np.int32)
        """Accounts of those through whom the members trade; they send nothing themselves."""
        self._outbox = Outbox(0)

    @property
    @abstractmethod
    def refs_each(self) -> int:
        """How many orders a member can have open; fixed."""

    def commands(self, now: Moment, draws: np.random.Generator) -> Records:
        """Return the commands (dtype COMMAND) of a wake; valid until the next one."""
        room = self._outbox.room(self.commands_max)
        return room[: self.wake(now, draws, room)]

    def on_events(self, events: Records) -> None:  # noqa: B027  (most populations look at the board)
        """See the events (dtype EVENT) of a wake's commands."""

    @property
    @abstractmethod
    def commands_max(self) -> int:
        """Most commands in one wake."""

    @abstractmethod
    def wake(self, now: Moment, draws: np.random.Generator, out: Records) -> int:
        """Write commands (dtype COMMAND) into `out`; return how many.

        `draws` is this population's own stream for this wake.
        """

    def open_day(self, now: Moment) -> None:  # noqa: B027  (most populations keep nothing by row)
        """Prepare for a day's rows."""

    def close_day(self, now: Moment) -> None:  # noqa: B027  (most populations keep nothing from day to day)
        """Look at what the day came to, before its rows go."""

    @property
    def homes(self) -> list[str]:
        """Region of each member: east, west or central; empty for those that live nowhere."""
        return [""] * self.size

    def unit_worth(self, contracts: Records) -> NDArray[np.float64]:
        """Return what a lot-hour of contracts (columns of COSTING) is worth to each member if it is
        delivered, or costs it to deliver, ticks, shape (members, contracts); here what the market says, not
        a number, so that a position gains nothing by itself.
        """
        return np.full((len(self.accounts), len(contracts)), np.nan)

    def limit_factor(self, buys: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return what a limit is multiplied by so that it is kept after fees, for those who buy or sell."""
        worse = self.world.dearer.worse
        return np.where(buys, 1 - worse, 1 + worse)

    @property
    def size(self) -> int:
        """Members."""
        return len(self.accounts)

    @property
    def books(self) -> NDArray[np.int32]:
        """Accounts in which its members trade and hold, ascending."""
        return np.union1d(self.accounts, self.desks)

    @property
    def living(self) -> NDArray[np.bool_]:
        """Members that still trade."""
        if not self.world.dead:
            return np.ones(self.size, np.bool_)
        return ~np.isin(self.accounts, list(self.world.dead))


class RowCrowd(Crowd):
    """A population that has at most one order of each member in every contract."""

    def __init__(self, name: str, seats: Seats) -> None:
        super().__init__(name, seats.accounts, seats.world, seats.board)
        self._rows_max = seats.rows_max

    @property
    def refs_each(self) -> int:
        """One a row."""
        return self._rows_max
