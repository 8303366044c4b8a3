"""What the views show: frozen, in the core's own integers (ticks, lots, fen, ns)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from exchange.clearing.settlement import PriceLabel
from exchange.domain.contracts import Contract
from exchange.domain.messages import MemberKind
from exchange.domain.phases import MarketPhase
from exchange.domain.regimes import Regime
from matching.records import OrderFlag, OrderType, StpMode

Liquidity = Literal["maker", "taker", "auction"]
"""A side of a trade: it rested, it took, or it traded in an auction."""
SIDES: tuple[Literal["buy"], Literal["sell"]] = ("buy", "sell")
"""By a record's `side`."""


@dataclass(frozen=True, slots=True)
class ContractView:
    """A contract with its market. Prices in ticks (fen per lot-hour); 0 where there is none."""

    contract: Contract
    active: bool
    """Whether it still trades (its last trading day isn't settled)."""
    price_low: int
    price_high: int
    reference_price: int
    """The last settlement price, or the listing price before the first settlement."""
    settled: bool
    """Whether `reference_price` is a settlement price."""
    margin_long_fen: int
    margin_short_fen: int
    """Initial margin of one lot on its own (clause 5.1)."""
    last_price: int
    bid_price: int
    bid_lots: int
    ask_price: int
    ask_lots: int
    volume_lots: int
    """Traded today."""
    open_interest_lots: int
    halted: bool


@dataclass(frozen=True, slots=True)
class LevelView:
    """One price level: shown lots and orders."""

    price: int
    lots: int
    orders: int


@dataclass(frozen=True, slots=True)
class BookView:
    """A book, best price first. `indicative_price` and `_lots` are 0 outside a call auction or when
    nothing crosses.
    """

    symbol: str
    bids: tuple[LevelView, ...]
    asks: tuple[LevelView, ...]
    indicative_price: int
    indicative_lots: int
    as_of_seq: int


@dataclass(frozen=True, slots=True)
class TradeView:
    """One trade; `trade_id` is its position in the sequence of all trades, from 1."""

    trade_id: int
    seq: int
    time_ns: int
    symbol: str
    price: int
    lots: int
    aggressor: Literal["buy", "sell", "auction"]


@dataclass(frozen=True, slots=True)
class FillView:
    """One account's side of a trade. `fee_fen` is what it paid to the house."""

    trade_id: int
    seq: int
    time_ns: int
    symbol: str
    order_id: int
    side: Literal["buy", "sell"]
    price: int
    lots: int
    liquidity: Liquidity
    fee_fen: int


@dataclass(frozen=True, slots=True)
class OrderView:
    """An open order."""

    order_id: int
    arrival: int
    """Its place in the order in which orders were accepted."""
    client_id: int
    """0 if the client gave none."""
    symbol: str
    side: Literal["buy", "sell"]
    price: int
    lots: int
    """Ordered, executed ones included."""
    open_lots: int
    shown_lots: int
    display_lots: int
    """0 shows everything."""
    order_type: OrderType
    trigger: int
    """Ticks; 0 if the order has none."""
    offset: int
    """Of a trailing stop, ticks; else 0."""
    time_in_force: Literal["day", "gtc", "gtd", "ioc", "fok", "at_open", "at_close"]
    expiry_day: date | None
    flags: OrderFlag
    stp: StpMode
    group: int


@dataclass(frozen=True, slots=True)
class PositionView:
    """Net lots in one contract, long positive, and its last settlement price in ticks."""

    symbol: str
    lots: int
    settlement_price: int
    day_result_fen: int
    """What variation margin would pay if the contract settled at its last price (else reference price)
    now.
    """


@dataclass(frozen=True, slots=True)
class BalanceView:
    """Cash and what holds it, fen. `available = equity − margin`; equity = cash − delivery hold +
    today's trades marked.
    """

    account: int
    cash_fen: int
    delivery_hold_fen: int
    """Value of bought reservations that are not invoiced yet (clause 5.3)."""
    equity_fen: int
    margin_fen: int
    available_fen: int


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """Money that moved on an account and day, summed by kind and contract; in positive, out negative."""

    kind: str
    symbol: str | None
    amount_fen: int


@dataclass(frozen=True, slots=True)
class StatementView:
    """One account, one calendar day (Asia/Shanghai): opening + Σ lines = closing."""

    account: int
    day: date
    opening_cash_fen: int
    lines: tuple[LedgerLine, ...]
    closing_cash_fen: int


@dataclass(frozen=True, slots=True)
class ReservationView:
    """Cards at a hub for a delivery day."""

    reservation_id: int
    buyer: int
    provider: int
    symbol: str
    grade: str
    hub: str
    day: date
    cards: int
    lots: int
    start_ns: int
    """When its first hour begins."""
    end_ns: int
    """When its last hour is over."""
    hours: int
    """Bit h is set if hour h of the day (0 … 23) is delivered."""
    price: int
    """Final settlement price, ticks per lot-hour."""
    delivered_card_hours: int
    metered_hours: int
    """Bit h is set if hour h of the day (0 … 23) has its reading."""
    finished: bool
    invoiced_fen: int
    shortfall_card_hours: int
    """0 until the delivery day is finished."""


@dataclass(frozen=True, slots=True)
class CapacityView:
    """Posted capacity; `first_day` and `last_day` are both delivered."""

    capacity_id: int
    account: int
    grade: str
    hub: str
    cards: int
    first_day: date
    last_day: date
    reserve_price: int
    withdrawn: bool
    site_id: int
    """0 without one."""
    attested: bool


@dataclass(frozen=True, slots=True)
class SettlementView:
    """A contract's settlement on a day. `rule`: which clause-6.1 step gave the price."""

    symbol: str
    day: date
    price: int
    rule: PriceLabel
    volume_lots: int
    open_interest_lots: int
    """After settlement; 0 for a contract that cascaded or expired."""


@dataclass(frozen=True, slots=True)
class MemberView:
    """A member and its account."""

    name: str
    account: int
    kind: MemberKind | Literal["client"]
    state: Literal["applied", "approved", "suspended"]
    """A client's is its broker's."""
    roles: tuple[str, ...]
    """An operator's."""
    broker: str | None
    cash_fen: int


@dataclass(frozen=True, slots=True)
class KeyView:
    """An API key as journaled: decrypt with `Exchange.secret_of(key)`."""

    key_id: str
    member: str
    account: int
    kind: MemberKind | Literal["client"]
    roles: tuple[str, ...]
    """Those of an operator's key; none while the operator isn't approved."""
    scopes: tuple[str, ...]
    ciphertext: bytes
    networks: tuple[str, ...]
    enabled: bool


@dataclass(frozen=True, slots=True)
class ProposalView:
    """What an operator proposed. Operators by name; `decided_by` is None while none has decided."""

    proposal_id: int
    kind: Literal["cash", "restore", "regime"]
    member: str | None
    """None for a regime."""
    amount_fen: int
    """0 but for cash."""
    regime: Regime | None
    reason: str
    proposed_by: str
    expires_ns: int
    decided_by: str | None
    approved: bool


@dataclass(frozen=True, slots=True)
class MoneyView:
    """The exchange's money, fen: `deposits − withdrawals = Σ cash of all accounts, the house's included, and
    the default fund with its capital tranche`.
    """

    deposits_fen: int
    withdrawals_fen: int
    cash_total_fen: int
    house_cash_fen: int
    fund_fen: int


@dataclass(frozen=True, slots=True)
class ClaimView:
    """What a defaulter owes to an account that paid for it (clause 6.10)."""

    seq: int
    debtor: int
    creditor: int
    layer: str
    amount_fen: int
    open_fen: int
    """What isn't repaid yet (clause 6.12)."""


@dataclass(frozen=True, slots=True)
class ConversionView:
    """Posted capacity of one provider, grade and hub, and how much of it was first sold, card-hours
    (clause 7.2).
    """

    account: int
    grade: str
    hub: str
    posted_card_hours: int
    sold_card_hours: int


@dataclass(frozen=True, slots=True)
class StatusView:
    """The market as a whole."""

    market_time_ns: int
    trading_day: date | None
    """The day that is open, or the last one; None before the first."""
    phase: MarketPhase
    seq: int
    members: int
    contracts_active: int
    acknowledging: bool
    """False once the journal failed."""
