"""Read-only views of the exchange, answered by the core itself.

The core applies a frame only once it is durable, so whatever a view shows survives a crash. Call them from
the event loop; each answer belongs to `seq`.
"""

from __future__ import annotations

from exchange.service.accountviews import AccountViews
from exchange.service.brokerstate import Brokerage
from exchange.service.core import Core
from exchange.service.dayviews import DayViews
from exchange.service.deliveryviews import DeliveryViews
from exchange.service.marketviews import MarketViews
from exchange.service.memberviews import MemberViews
from exchange.service.state import HOUSE
from exchange.service.tape import Tape
from exchange.service.viewtypes import MoneyView, StatusView
from exchange.service.voucherstate import Vouchers


class Views(DayViews, MarketViews, MemberViews, AccountViews, DeliveryViews):
    """What the exchange shows. Unknown symbols, names and accounts give None or an empty list."""

    def __init__(self, core: Core, tape: Tape) -> None:
        super().__init__(core, tape)
        self._hash = (-1, "")

    def state_hash(self) -> str:
        """Return the state hash as hex; computed once a seq."""
        if self._hash[0] != self.seq:
            self._hash = (self.seq, self._core.state_hash().hex())
        return self._hash[1]

    def status(self, market_time_ns: int | None = None, acknowledging: bool = True) -> StatusView:
        """Return the market as a whole; `market_time_ns` is the last journaled time unless given."""
        state = self._state
        return StatusView(
            market_time_ns=self._core.time_ns if market_time_ns is None else market_time_ns,
            trading_day=state.day.trading_day,
            phase=state.day.phase,
            seq=self.seq,
            members=len(state.members),
            contracts_active=len(state.active_contracts()),
            acknowledging=acknowledging,
        )

    def money(self) -> MoneyView:
        """Return the exchange's money; its two sides are equal to the fen."""
        state = self._state
        return MoneyView(
            state.deposits_fen,
            state.withdrawals_fen,
            int(state.cash.sum()),
            int(state.cash[HOUSE]),
            int(state.fund.sum()),
        )

    @property
    def vouchers(self) -> Vouchers:
        """Voucher programmes, balances and their ledger; don't write."""
        return self._state.vouchers

    @property
    def brokerage(self) -> Brokerage:
        """Return commissions, the revenue split and give-ups; don't write."""
        return self._state.brokerage
