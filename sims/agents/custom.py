"""Agents of one's own: a Python class with `wake`, `on_events` and orders by method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching.constants import CANCEL, CANCEL_TAKING, DAY, IOC, NEW
from matching.records import Records
from sims.agents.crowd import Crowd, Moment
from sims.engine.board import Board
from sims.engine.outbox import BUY, SELL
from sims.engine.world import World

FIRST_CLIENT_ID: Final = 1 << 32
"""Above every ref's: the board doesn't follow these orders, their agent does."""
_COLUMNS: Final = (
    "order_id",
    "client_id",
    "price",
    "quantity",
    "account",
    "instrument",
    "kind",
    "side",
    "tif",
    "stp",
)


class Agent:
    """Subclass it. The simulation sets `account`, `board` and `draws` before the first call.

    Orders given in `wake` or `on_events` are sent together at the end of the wake. Contracts are named by the
    row of `board.rows` (dtype ROW); prices are ticks, quantities lots.
    """

    account: int
    board: Board
    draws: np.random.Generator

    def __init__(self) -> None:
        self.sent: list[tuple[int, ...]] = []
        """What goes out with this wake."""
        self._client_id = FIRST_CLIENT_ID

    def wake(self, now: Moment) -> None:
        """Act: it may happen now."""

    def on_events(self, events: Records) -> None:
        """See what became of its own orders (dtype EVENT, those of its account)."""

    def buy(self, row: int, price: int, lots: int, *, at_once: bool = False) -> int:
        """Send a limit order to buy; `at_once` cancels what doesn't trade. Returns its client id."""
        return self._order(BUY, row, price, lots, at_once)

    def sell(self, row: int, price: int, lots: int, *, at_once: bool = False) -> int:
        """Send a limit order to sell. Returns its client id."""
        return self._order(SELL, row, price, lots, at_once)

    def cancel(self, order_id: int) -> None:
        """Cancel an order by the id that its ACCEPTED event gave."""
        self.sent.append((order_id, 0, 0, 0, self.account, 0, CANCEL, 0, 0, 0))

    def position(self, row: int) -> int:
        """Return the lots it holds, long positive."""
        return int(self.board.positions[self.account, row])

    def _order(self, side: int, row: int, price: int, lots: int, at_once: bool) -> int:
        self._client_id += 1
        contract = int(self.board.rows["contract"][row])
        tif = IOC if at_once else DAY
        order = (0, self._client_id, price, lots, self.account, contract, NEW, side, tif, CANCEL_TAKING)
        self.sent.append(order)
        return self._client_id


class AgentCrowd(Crowd):
    """Agents of one's own as a population."""

    refs_each = 0

    def __init__(
        self,
        name: str,
        agents: Sequence[Agent],
        accounts: NDArray[np.int32],
        world: World,
        board: Board,
        draws: np.random.Generator,
    ) -> None:
        super().__init__(name, accounts, world, board)
        self.agents = agents
        for agent, account in zip(agents, accounts.tolist(), strict=True):
            agent.account, agent.board, agent.draws = account, board, draws

    @property
    def commands_max(self) -> int:
        """What waits to be sent."""
        return sum(len(agent.sent) for agent in self.agents)

    def commands(self, now: Moment, draws: np.random.Generator) -> Records:
        """Wake every agent, then take what they sent."""
        for at in np.flatnonzero(self.living).tolist():
            self.agents[at].wake(now)
        return super().commands(now, draws)

    def wake(self, now: Moment, draws: np.random.Generator, out: Records) -> int:
        """Write what was sent, agent by agent."""
        sent = [order for agent in self.agents for order in agent.sent]
        for agent in self.agents:
            agent.sent.clear()
        if sent:
            for name, values in zip(_COLUMNS, np.array(sent, np.int64).T, strict=True):
                out[name] = values
        return len(sent)

    def on_events(self, events: Records) -> None:
        """Hand each agent the events of its own orders, in order."""
        parties = np.concatenate((events["account"], events["contra_account"]))
        order = np.argsort(parties, kind="stable")
        bounds = np.searchsorted(parties[order], np.stack((self.accounts, self.accounts + 1)))
        for agent, begin, end in zip(self.agents, *bounds.tolist(), strict=True):
            if end > begin:
                mine = order[begin:end] % len(events)
                mine.sort()  # nobody is both parties of a trade: self-trade prevention is on
                agent.on_events(events[mine])
