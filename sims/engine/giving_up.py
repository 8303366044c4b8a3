"""Fills that are executed at one broker and cleared at another (clause 8.15)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from exchange.domain.brokerage import AnswerGiveUp, OfferGiveUp
from matching.constants import TRADE
from matching.records import Records, Side
from sims.engine.board import Board
from sims.engine.market import SimMarket


@dataclass(frozen=True, slots=True)
class Route:
    """Where the fills of a desk go."""

    clearing: int
    """Account."""
    fee_fen: int
    """What the client pays for each lot given up."""


@dataclass(frozen=True, slots=True)
class _Fill:
    """One side of a trade that a desk made."""

    desk: int
    trade_id: int
    contract: int
    side: Literal["buy", "sell"]
    price: int
    lots: int


class GivingUp:
    """Enters events into the board, and passes what desks traded on to the accounts that clear it.

    What the clearing account can't carry stays at the desk.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._routes: dict[int, Route] = {}
        self._desks: NDArray[np.int32] = np.zeros(0, np.int32)
        self._fills: list[_Fill] = []

    def direct(self, desks: Iterable[int], clearing: Iterable[int], fee_fen: int) -> None:
        """Route the fills of desks to accounts that aren't theirs."""
        pairs = zip(desks, clearing, strict=True)
        self._routes |= {desk: Route(account, fee_fen) for desk, account in pairs if desk != account}
        self._desks = np.array(list(self._routes), np.int32)

    def fold(self, events: Records) -> None:
        """Enter events (dtype EVENT), and remember the desks' trades; trades are numbered from 1."""
        before = self._board.trades
        self._board.fold(events)
        if not len(self._desks) or self._board.trades == before:
            return
        trades = events[events["kind"] == TRADE]
        for column, contra in (("account", False), ("contra_account", True)):
            for at in np.flatnonzero(np.isin(trades[column], self._desks)).tolist():
                trade = trades[at]
                fill = _Fill(
                    int(trade[column]),
                    before + at + 1,
                    int(trade["instrument"]),
                    "buy" if (trade["side"] == Side.BUY) != contra else "sell",
                    int(trade["price"]),
                    int(trade["quantity"]),
                )
                self._fills.append(fill)

    def pass_on(self, market: SimMarket) -> None:
        """Offer and take what was filled since the last time."""
        fills, self._fills = self._fills, []
        for fill in sorted(fills, key=lambda fill: fill.trade_id):
            if self._give(market, fill):
                signed = fill.lots if fill.side == "buy" else -fill.lots
                to = self._routes[fill.desk].clearing
                self._board.pass_on(fill.desk, to, fill.contract, fill.price, signed)

    def _give(self, market: SimMarket, fill: _Fill) -> bool:
        """Give up one fill; return whether it was taken."""
        state, route = market.core.state, self._routes[fill.desk]
        offer = OfferGiveUp(
            account=fill.desk,
            trade_id=fill.trade_id,
            symbol=state.contracts[fill.contract].symbol,
            side=fill.side,
            price_ticks=fill.price,
            trade_lots=fill.lots,
            lots=fill.lots,
            to_member=state.members_by_account[route.clearing].name,
            fee_fen=route.fee_fen * fill.lots,
        )
        offered = market.rare(offer)
        if not offered.ok:
            return False
        number = int((offered.data or {})["give_up_id"])
        if market.rare(AnswerGiveUp(account=route.clearing, give_up_id=number, accept=True)).ok:
            return True
        market.done(AnswerGiveUp(account=fill.desk, give_up_id=number, accept=False))
        return False
