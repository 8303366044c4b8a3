"""Views of accounts: orders, fills, positions, money and margin."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from exchange.clearing.default import Layer
from exchange.clearing.ledger import LedgerKind
from exchange.domain.calendar import NS_PER_DAY, day_of, epoch_day
from exchange.domain.phases import MarketPhase
from exchange.service.clientorders import ClientOrder
from exchange.service.coreviews import CoreViews
from exchange.service.handle_default import in_default
from exchange.service.handle_positions import LargePosition, large_positions
from exchange.service.margins import Explained, explained
from exchange.service.state import HOUSE, MarginCall
from exchange.service.viewtypes import (
    SIDES,
    BalanceView,
    ClaimView,
    FillView,
    LedgerLine,
    Liquidity,
    OrderView,
    PositionView,
    StatementView,
)
from exchange.service.whatif import Trial, trial_of
from matching.records import OrderFlag, OrderType, Records, StpMode, TimeInForce


class AccountViews(CoreViews):
    """What accounts have, owe and did."""

    def client_order(self, account: int, client_id: int) -> ClientOrder | None:
        """Return the order that was applied under a client order id; don't change it."""
        return self._state.client_orders.get(account, client_id)

    def trial(self, account: int, commands: Records) -> Trial:
        """Return order commands (dtype COMMAND, shape (n,)) of a member's account, ready to be tried on a
        copy of the books as they are now.
        """
        return trial_of(self._state, account, commands, self.seq + 1)

    def open_orders(self, account: int, symbol: str | None = None) -> list[OrderView]:
        """Return an account's open orders in acceptance order."""
        rows = self._state.engine.open_orders(account)
        orders = (self._order_view(row) for row in rows)
        return [order for order in orders if symbol is None or order.symbol == symbol]

    def fills(self, account: int, limit: int = 100, symbol: str | None = None) -> list[FillView]:
        """Return an account's latest fills, newest first, as far as the tape reaches."""
        rows = self._tape.latest(self._mask(account, symbol), limit)
        fills = [fill for row in rows for fill in self._fill_views(row, account)]
        return fills[:limit]

    def sides_of(self, trade_id: int, account: int) -> list[FillView]:
        """Return an account's side of a trade, both if it traded with itself; none beyond the tape."""
        rows = self._tape.latest(self._tape.rows()["trade_id"] == trade_id, 1)
        return [fill for row in rows for fill in self._fill_views(row, account)]

    def positions(self, account: int) -> list[PositionView]:
        """Return an account's positions other than 0, in the order in which they arose."""
        rows = self._state.positions.rows
        return [self._position_view(row) for row in rows[(rows["account"] == account) & (rows["lots"] != 0)]]

    def balance(self, account: int) -> BalanceView | None:
        """Return an account's cash and what holds it."""
        if account not in self._state.members_by_account:
            return None
        exposure = self._state.engine.exposure(account)
        fees = self._state.unsettled_charges_of(account)
        return BalanceView(
            account=account,
            cash_fen=int(self._state.cash[account]),
            delivery_hold_fen=int(self._state.delivery_hold[account]),
            equity_fen=exposure.equity_fen - fees,
            margin_fen=exposure.requirement_fen - exposure.offset_fen,
            available_fen=exposure.equity_fen - fees - exposure.requirement_fen + exposure.offset_fen,
        )

    def statement(self, account: int, day: date) -> StatementView:
        """Return an account's calendar day; today's fees are in it before settlement enters them (clause
        8.6).
        """
        number = epoch_day(day)
        ledger = self._state.ledger
        opening = ledger.before(account, number)
        lines = [
            LedgerLine(kind.label, None if contract < 0 else self.symbol(contract), amount)
            for kind, contract, amount in ledger.lines(account, number)
        ]
        if day == self._state.day.trading_day and self._state.day.phase is not MarketPhase.SETTLED:
            lines += self._unsettled_fee_lines(account)
        total = sum(line.amount_fen for line in lines)
        return StatementView(account, day, opening, tuple(lines), opening + total)

    def withdrawable_fen(self, account: int) -> int:
        """Return what may be paid out of an account that is set up now (clause 8.4), fen; 0 or more."""
        return max(0, self._state.free_cash(account))

    def margin(self, account: int) -> Explained:
        """Return where the margin of an account that is set up comes from, line by line."""
        return explained(self._state, account)

    def margin_calls(self) -> list[MarginCall]:
        """Return the margin calls that aren't met, in the order in which they were issued; don't change
        them.
        """
        return list(self._state.calls.values())

    def in_default(self) -> list[int]:
        """Return the accounts whose losses are to be shared (clause 6.10)."""
        return [account for account in self._state.calls if in_default(self._state, account)]

    def claims(self) -> list[ClaimView]:
        """Return what defaulters owe, in the order in which it arose."""
        return [
            ClaimView(
                seq=int(row["seq"]),
                debtor=int(row["debtor"]),
                creditor=int(row["creditor"]),
                layer=Layer(int(row["layer"])).label,
                amount_fen=int(row["amount"]),
                open_fen=int(row["open"]),
            )
            for row in self._state.claims.rows
        ]

    def contribution(self, account: int) -> int:
        """Return what an account has in the default fund, fen; the house's is its capital tranche."""
        return int(self._state.fund[account])

    def large_positions(self) -> list[LargePosition]:
        """Return the positions that operators are told of, by contract and account (clause 5.14)."""
        return large_positions(self._state)

    def _order_view(self, row: Any) -> OrderView:
        return OrderView(
            order_id=int(row["order_id"]),
            arrival=int(row["arrival"]),
            client_id=int(row["client_id"]),
            symbol=self.symbol(int(row["instrument"])),
            side=SIDES[row["side"]],
            price=int(row["price"]),
            lots=int(row["remaining"]) + int(row["executed"]),
            open_lots=int(row["remaining"]),
            shown_lots=int(row["visible"]),
            display_lots=int(row["display"]),
            order_type=OrderType(int(row["type"])),
            trigger=int(row["trigger"]),
            offset=int(row["offset"]),
            time_in_force=TimeInForce(int(row["tif"])).name.lower(),  # type: ignore[arg-type]
            expiry_day=day_of(int(row["expiry_day"]) * NS_PER_DAY) if row["expiry_day"] else None,
            flags=OrderFlag(int(row["flags"])),
            stp=StpMode(int(row["stp"])),
            group=int(row["group"]),
        )

    def _mask(self, account: int, symbol: str | None) -> NDArray[np.bool_]:
        rows = self._tape.rows()
        mask: NDArray[np.bool_] = (rows["account"] == account) | (rows["contra_account"] == account)
        if symbol is not None:
            contract = self._state.contracts_by_symbol.get(symbol)
            mask &= rows["instrument"] == (-1 if contract is None else contract.index)
        return mask

    def _fill_views(self, row: Any, account: int) -> Iterator[FillView]:
        """Yield the account's side of a trade, or both sides if it traded with itself."""
        if row["account"] == account:
            yield self._fill_view(row, int(row["order_id"]), int(row["side"]), "taker")
        if row["contra_account"] == account:
            yield self._fill_view(row, int(row["contra_id"]), 1 - int(row["side"]), "maker")

    def _fill_view(self, row: Any, order_id: int, side: int, role: Literal["maker", "taker"]) -> FillView:
        contract, price, lots = int(row["instrument"]), int(row["price"]), int(row["quantity"])
        liquidity: Liquidity = "auction" if row["auction"] else role
        return FillView(
            trade_id=int(row["trade_id"]),
            seq=int(row["seq"]),
            time_ns=int(row["time_ns"]),
            symbol=self.symbol(contract),
            order_id=order_id,
            side=SIDES[side],
            price=price,
            lots=lots,
            liquidity=liquidity,
            fee_fen=self.fee_fen(int(row["seq"]), contract, price * lots, liquidity),
        )

    def _position_view(self, row: Any) -> PositionView:
        index = int(row["contract"])
        terms = self._state.contract_row(index)
        reference = int(terms["reference"])
        mark = int(terms["last_price"]) or reference
        result = (
            int(row["lots"]) * mark - int(row["settled_lots"]) * reference - int(row["day_value"])
        ) * int(terms["hours"])
        return PositionView(self.symbol(index), int(row["lots"]), reference, result)

    def _unsettled_fee_lines(self, account: int) -> list[LedgerLine]:
        """Return today's fees by contract; the house's are what all others paid."""
        rows = self._state.positions.rows
        mine = rows[(rows["day_fees"] != 0) & ((rows["account"] == account) | (account == HOUSE))]
        sign = 1 if account == HOUSE else -1
        sums: dict[int, int] = {}
        for row in mine:
            contract = int(row["contract"])
            sums[contract] = sums.get(contract, 0) + sign * int(row["day_fees"])
        label = LedgerKind.FEE.label
        return [LedgerLine(label, self.symbol(contract), amount) for contract, amount in sums.items()]
