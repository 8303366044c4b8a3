"""Views of contracts: their terms, books, trades and settlements."""

from __future__ import annotations

from datetime import date
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from exchange.clearing.portfolio.terms import margin_long, margin_short
from exchange.clearing.settlement import PriceRule
from exchange.domain.calendar import date_of, epoch_day
from exchange.domain.contracts import Contract, PeriodKind
from exchange.domain.positions import SetPositionRules
from exchange.service.core import Core
from exchange.service.coreviews import CoreViews
from exchange.service.handle_settlement import open_interest
from exchange.service.tape import Tape
from exchange.service.viewtypes import (
    SIDES,
    BookView,
    ContractView,
    LevelView,
    SettlementView,
    TradeView,
)
from matching.records import Side
from nodes.types import Profile


class MarketViews(CoreViews):
    """Contracts and what anyone sees of their markets."""

    def __init__(self, core: Core, tape: Tape) -> None:
        super().__init__(core, tape)
        self._contract_views: dict[int, tuple[int, ContractView]] = {}
        self._interest: tuple[int, NDArray[np.int64]] = (-1, np.zeros(0, np.int64))

    def contracts(
        self,
        active: bool | None = True,
        *,
        grade: str | None = None,
        hub: str | None = None,
        kind: PeriodKind | None = None,
        profile: Profile | None = None,
        after: int = -1,
        limit: int | None = None,
    ) -> list[ContractView]:
        """Return contracts in order of listing: those that trade, those that ended (False), or all (None).

        Narrowed to a grade, a hub, a kind and a profile; at most `limit` of them, with an index above
        `after`.
        """
        state = self._state
        flags = state.contract_table.rows["active"]
        chosen = range(len(flags)) if active is None else np.flatnonzero(flags == active).tolist()
        wanted = (
            index
            for index in chosen
            if index > after
            and grade in (None, state.contracts[index].grade)
            and hub in (None, state.contracts[index].hub)
            and kind in (None, state.contracts[index].kind)
            and profile in (None, state.contracts[index].profile)
        )
        return [self._contract_view(index) for index in islice(wanted, limit)]

    def contract(self, symbol: str) -> ContractView | None:
        """Return one contract, ended ones included."""
        contract = self._state.contracts_by_symbol.get(symbol)
        return None if contract is None else self._contract_view(contract.index)

    def contract_at(self, index: int) -> Contract | None:
        """Return the contract of an instrument index."""
        return self._state.contracts[index] if 0 <= index < len(self._state.contracts) else None

    def hours(self, index: int) -> int:
        """Return the delivery hours of an instrument index. Raises IndexError for an unknown one."""
        return self._state.contracts[index].hours

    def index(self, symbol: str) -> int | None:
        """Return the instrument index of a contract that trades."""
        contract = self._state.contracts_by_symbol.get(symbol)
        if contract is None or not self._state.contract_row(contract.index)["active"]:
            return None
        return contract.index

    def hub_codes(self) -> list[str]:
        """Return the hubs by their numbers."""
        return list(self._state.hub_indices)

    def hub_index(self, hub: str) -> int | None:
        """Return a hub's number, the kernel's mass-cancel filter; None if no such hub is registered."""
        return self._state.hub_indices.get(hub)

    def book(self, symbol: str, depth: int = 10) -> BookView | None:
        """Return both sides of a book, at most `depth` levels each; an ended contract has an empty one."""
        contract = self._state.contracts_by_symbol.get(symbol)
        if contract is None:
            return None
        if not self._state.contract_row(contract.index)["active"]:
            return BookView(symbol, (), (), 0, 0, self.seq)
        indicative = self._state.engine.indicative(contract.index)
        bids, asks = (self._levels(contract.index, side, depth) for side in (Side.BUY, Side.SELL))
        return BookView(symbol, bids, asks, indicative.price, indicative.quantity, self.seq)

    def trades(self, symbol: str, limit: int = 100) -> list[TradeView]:
        """Return the latest trades of a contract, newest first, as far as the tape reaches."""
        contract = self._state.contracts_by_symbol.get(symbol)
        if contract is None:
            return []
        rows = self._tape.latest(self._tape.rows()["instrument"] == contract.index, limit)
        return [
            TradeView(
                int(row["trade_id"]),
                int(row["seq"]),
                int(row["time_ns"]),
                symbol,
                int(row["price"]),
                int(row["quantity"]),
                "auction" if row["auction"] else SIDES[row["side"]],
            )
            for row in rows
        ]

    def settlements(self, day: date | None = None) -> list[SettlementView]:
        """Return the settlements of a trading day; of the latest settled one if None."""
        day = day or self.settled_day
        if day is None:
            return []
        rows = self._state.settlements.rows
        return [
            SettlementView(
                symbol=self.symbol(int(row["contract"])),
                day=day,
                price=int(row["price"]),
                rule=PriceRule(int(row["rule"])).label,
                volume_lots=int(row["lots"]),
                open_interest_lots=int(row["open_interest"]),
            )
            for row in rows[rows["day"] == epoch_day(day)]
        ]

    @property
    def settled_day(self) -> date | None:
        """The latest settled trading day."""
        rows = self._state.settlements.rows
        return date_of(int(rows["day"][-1])) if len(rows) else None

    def _contract_view(self, index: int) -> ContractView:
        built = self._contract_views.get(index)
        if built is None or built[0] < self._core.changes.last(index):
            built = self._contract_views[index] = (self.seq, self._build_contract_view(index))
        return built[1]

    def _build_contract_view(self, index: int) -> ContractView:
        state = self._state
        row = state.contract_row(index)
        active = bool(row["active"])
        top = state.engine.l1(index) if active else None
        return ContractView(
            contract=state.contracts[index],
            active=active,
            price_low=int(row["price_low"]),
            price_high=int(row["price_high"]),
            reference_price=int(row["reference"]),
            settled=bool(row["settled"]),
            margin_long_fen=margin_long(row),
            margin_short_fen=margin_short(row),
            last_price=int(row["last_price"]),
            bid_price=top.bid_price if top else 0,
            bid_lots=top.bid_quantity if top else 0,
            ask_price=top.ask_price if top else 0,
            ask_lots=top.ask_quantity if top else 0,
            volume_lots=int(row["day_lots"]),
            open_interest_lots=int(self._open_interest()[index]),
            halted=bool(row["halted"]),
        )

    def _open_interest(self) -> NDArray[np.int64]:
        if self._interest[0] != self.seq:
            self._interest = (self.seq, open_interest(self._state))
        return self._interest[1]

    def _levels(self, index: int, side: Side, depth: int) -> tuple[LevelView, ...]:
        rows = self._state.engine.depth(index, side, depth)
        return tuple(LevelView(int(row["price"]), int(row["quantity"]), int(row["orders"])) for row in rows)

    @property
    def position_rules(self) -> SetPositionRules:
        """Return the position limits, and what is reported."""
        return self._state.position_rules

    def position_limit(self, contract: int) -> int:
        """Return the lots of a contract that one account may hold (clause 5.13); 0: any, or it has ended."""
        if not self._state.contract_row(contract)["active"]:
            return 0
        return self._state.engine.terms(contract).position_limit
