"""What is noted as a run goes on: each hub's day, and every step from a margin call to its end."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from exchange.clearing.default import Layer
from exchange.domain.calendar import epoch_day, local_datetime
from exchange.domain.defaults import CloseAuction, CloseOut, CoverDefault
from exchange.domain.messages import RareMessage
from exchange.health.measuring import OVERALL, Figures, Places, measure
from exchange.health.scores import FULL, Component, Group, Raw, groups, index, score
from exchange.service.results import RareResult
from exchange.service.state import State
from matching.records import Records
from nodes.types import Region
from sims.engine.rows import ALL_HUBS, HubRow, MarginRow
from sims.engine.world import World

FEN = 100
UNKNOWN = -1.0


def places_of(world: World) -> Places:
    """Return what the health index asks of the catalogue."""
    catalogue = world.catalogue

    def hubs(region: Region) -> frozenset[str]:
        return frozenset(hub for hub in world.hubs if catalogue.hub(hub).region is region)

    return Places(catalogue.reference_price_ticks, hubs(Region.EAST), hubs(Region.WEST))


class HubDays:
    """Spread, volume and health of every hub, day by day."""

    def __init__(self, world: World) -> None:
        self.rows: list[HubRow] = []
        self._world = world
        self._places = places_of(world)
        self._figures: Figures = {}
        self._spreads = np.zeros(len(world.hubs))
        self._quoted = np.zeros(len(world.hubs), np.int64)

    def note(self, rows: Records) -> None:
        """Look at the quotes of the board (dtype ROW) after a wake."""
        quoted = rows[(rows["bid"] > 0) & (rows["ask"] > 0)]
        hubs = self._world.hub_of[quoted["good"]]
        shares = 2 * (quoted["ask"] - quoted["bid"]) / (quoted["ask"] + quoted["bid"])
        np.add.at(self._spreads, hubs, shares)
        np.add.at(self._quoted, hubs, 1)

    def measure(self, state: State) -> None:
        """Take the health index; the day's last one counts."""
        self._figures = measure(state, self._places)

    def close(self, state: State, board: Records) -> None:
        """End a day, whose board (dtype ROW) still stands."""
        if state.day.trading_day is None:
            raise RuntimeError("no day is open")
        day = epoch_day(state.day.trading_day)
        hubs = self._world.hub_of[board["good"]]
        for number, hub in enumerate(self._world.hubs):
            lots = int(board["lots"][hubs == number].sum())
            spread = _mean(self._spreads[number], self._quoted[number])
            health = health_of(self._figures.get(state.hub_indices[hub], {}))
            self.rows.append(HubRow(day, hub, lots, spread, *health))
        spread = _mean(self._spreads.sum(), self._quoted.sum())
        health = health_of(self._figures.get(OVERALL, {}))
        self.rows.append(HubRow(day, ALL_HUBS, int(board["lots"].sum()), spread, *health))
        self._spreads[:] = 0
        self._quoted[:] = 0


def _mean(total: float, count: int) -> float:
    return float(total / count) if count else UNKNOWN


def health_of(figures: dict[Component, Raw]) -> tuple[float, float, float, float]:
    """Return the index and its three groups, 0 to 100 each; UNKNOWN for what can't be measured."""
    scores = {component: score(component, raw) for component, raw in figures.items()}
    of_groups = groups({component: value for component, value in scores.items() if value is not None})
    whole = index(of_groups)
    parts = [of_groups.get(group) for group in Group]
    told = [UNKNOWN if value is None else 100 * value / FULL for value in (whole, *parts)]
    return told[0], told[1], told[2], told[3]


class MarginDiary:
    """Calls, close-outs, auctions and losses, in the order in which they came."""

    def __init__(self) -> None:
        self.rows: list[MarginRow] = []
        self._open: dict[int, bool] = {}
        """Accounts that are called, and whether they are restricted."""
        self._lost: set[int] = set()
        """Accounts whose last call ended, or will, with a loss that others covered."""

    def note(self, state: State, message: RareMessage, result: RareResult, time_ns: int) -> None:
        """Look at the state after a message was applied."""
        data = result.data or {}
        if isinstance(message, CloseOut) and int(data.get("closed", 0)):
            self._add(state, time_ns, message.account, "close-out", int(data["closed"]))
        elif isinstance(message, CloseAuction) and int(data.get("transferred", 0)):
            self._add(state, time_ns, message.account, "auction", int(data["transferred"]))
        elif isinstance(message, CoverDefault) and result.ok:
            self._lost.add(message.account)
            for step, fen in loss_by_layer(state, message.account, result):
                self._add(state, time_ns, message.account, step, amount_fen=fen)
        if state.calls.keys() != self._open.keys() or any(
            call.restricted != self._open[account] for account, call in state.calls.items()
        ):
            self._follow(state, time_ns)

    def _follow(self, state: State, time_ns: int) -> None:
        for account, call in state.calls.items():
            if account not in self._open:
                self._lost.discard(account)
                self._add(state, time_ns, account, "call", amount_fen=call.amount_fen)
            if call.restricted and not self._open.get(account, False):
                self._add(state, time_ns, account, "restricted", amount_fen=call.amount_fen)
        for account in sorted(self._open.keys() - state.calls.keys() - self._lost):
            self._add(state, time_ns, account, "met")
        self._open = {account: call.restricted for account, call in state.calls.items()}

    def _add(
        self, state: State, time_ns: int, account: int, step: str, lots: int = 0, amount_fen: int = 0
    ) -> None:
        day = state.day.trading_day
        if day is None:
            raise RuntimeError("margin without a day")
        member = state.members_by_account[account].name
        clock = local_datetime(time_ns).strftime("%H:%M:%S")
        self.rows.append(MarginRow(epoch_day(day), clock, member, step, lots, amount_fen / FEN))


def loss_by_layer(state: State, debtor: int, result: RareResult) -> Iterator[tuple[str, int]]:
    """Yield what a default left to be covered, and what each layer of the waterfall paid of it, fen.

    Claims are of what others paid (clause 6.12); the rest of the loss was the defaulter's own share of the
    fund.
    """
    loss = int((result.data or {})["loss_fen"])
    yield "loss", loss
    rows = state.claims.rows
    rows = rows[(rows["seq"] == result.seq) & (rows["debtor"] == debtor)]
    own = loss - int(rows["amount"].sum())
    paid = [(Layer.OWN_FUND, own)] if own else []
    paid += [(layer, int(rows["amount"][rows["layer"] == layer].sum())) for layer in Layer]
    yield from ((layer.label, fen) for layer, fen in paid if fen)
