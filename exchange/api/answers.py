"""Bodies that the server answers with. `as_of_seq` is the journal sequence number that the state belongs to.

Prices are decimal strings in CNY per lot-hour, quantities integer lots, money integer fen, times RFC 3339 in
Asia/Shanghai, ids decimal strings. Fields may be added later; a client ignores those that it does not know.
"""

from typing import Literal

import msgspec

from exchange.api.requests import OrderType, PostOnly, SelfTradePrevention, TimeInForce

Liquidity = Literal["maker", "taker", "auction"]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Base of everything the server sends."""


class Problem(Answer, frozen=True, kw_only=True):
    """What was wrong: a stable code, one sentence, and the field at fault if there is one."""

    code: str
    message: str
    field: str | None = None


class ProblemAnswer(Answer, frozen=True, kw_only=True):
    """The body of every answer with a status of 400 or more."""

    error: Problem


class Alive(Answer, frozen=True, kw_only=True):
    """The process answers."""

    alive: bool


class Ready(Answer, frozen=True, kw_only=True):
    """Whether commands are accepted and acknowledged, and if not, why."""

    ready: bool
    reason: str | None = None


class Version(Answer, frozen=True, kw_only=True):
    """What runs here."""

    name: str
    version: str
    api: str


class Status(Answer, frozen=True, kw_only=True):
    """The market as a whole.

    `state_hash` is that of the whole state after `state_hash_seq`. Hashing takes a while and anyone may ask,
    so it is made anew at most once a second and may lie a little behind `as_of_seq`.
    """

    market_time: str
    trading_day: str
    phase: str
    is_trading_day: bool
    clock_speed: float
    contracts_active: int
    members: int
    cash_total_fen: int
    state_hash: str
    state_hash_seq: int
    as_of_seq: int


class Hub(Answer, frozen=True, kw_only=True):
    """A delivery point."""

    code: str
    name_en: str
    name_zh: str
    kind: Literal["cluster", "edge"]
    node: str
    province: str
    city: str
    lat: float
    lon: float
    grades: list[str]


class Hubs(Answer, frozen=True, kw_only=True):
    """All hubs in the catalogue's order."""

    hubs: list[Hub]


class Grade(Answer, frozen=True, kw_only=True):
    """What is delivered: a card of at least this specification. `standard_unit_price_cny` is the reference
    level of one H100-equivalent hour of this grade.
    """

    code: str
    name_en: str
    name_zh: str
    cards_per_lot: int
    reference_power_kw: float
    fp16_pflops: float
    h100_hour_per_card_hour: float
    minimum: str
    minimum_fp16_gflops: int
    minimum_memory_gb: int
    standard_unit_price_cny: float


class Grades(Answer, frozen=True, kw_only=True):
    """All grades in the catalogue's order."""

    grades: list[Grade]


class Contract(Answer, frozen=True, kw_only=True):
    """One contract with the top of its book. `price_low` and `price_high` are today's limits, included."""

    symbol: str
    grade: str
    hub: str
    kind: Literal["day", "week", "month", "quarter"]
    delivery_start: str
    delivery_end: str
    hours: int
    cards_per_lot: int
    last_trading_day: str
    tick: str
    price_low: str
    price_high: str
    reference_price: str
    settlement_price: str | None
    last_price: str | None
    bid: str | None
    bid_lots: int
    ask: str | None
    ask_lots: int
    margin_long_fen: int
    margin_short_fen: int
    active: bool
    halted: bool


class Contracts(Answer, frozen=True, kw_only=True):
    """One page of contracts in order of listing; `next_cursor` is absent on the last page."""

    contracts: list[Contract]
    as_of_seq: int
    next_cursor: str | None = None


class ContractAnswer(Answer, frozen=True, kw_only=True):
    """One contract."""

    contract: Contract
    as_of_seq: int


class Level(Answer, frozen=True, kw_only=True):
    """One price level of a book: shown quantity in lots and number of orders."""

    price: str
    quantity: int
    orders: int


class Indicative(Answer, frozen=True, kw_only=True):
    """At what price and for how many lots the call auction would match now."""

    price: str
    quantity: int


class Book(Answer, frozen=True, kw_only=True):
    """Both sides of a book, best price first."""

    symbol: str
    phase: str
    bids: list[Level]
    asks: list[Level]
    indicative: Indicative | None
    as_of_seq: int


class Trade(Answer, frozen=True, kw_only=True):
    """One trade. `aggressor` is the side that took, or "auction"."""

    trade_id: str
    symbol: str
    price: str
    quantity: int
    aggressor: Literal["buy", "sell", "auction"]
    time: str


class Trades(Answer, frozen=True, kw_only=True):
    """The latest trades of a contract, newest first."""

    symbol: str
    trades: list[Trade]
    as_of_seq: int


class Settlement(Answer, frozen=True, kw_only=True):
    """A contract's settlement price of a day and how it came about."""

    symbol: str
    settlement_price: str
    rule: str
    volume_lots: int
    open_interest_lots: int


class Settlements(Answer, frozen=True, kw_only=True):
    """Settlement prices of one trading day; `day` is null before the first settlement."""

    day: str | None
    settlements: list[Settlement]
    as_of_seq: int


class Fill(Answer, frozen=True, kw_only=True):
    """One execution of the account's own order, with the fee that it paid."""

    fill_id: str
    order_id: str
    symbol: str
    side: Literal["buy", "sell"]
    price: str
    quantity: int
    liquidity: Liquidity
    fee_fen: int
    time: str


class Order(Answer, frozen=True, kw_only=True):
    """An open order of the account: in a book, a stop that waits, or parked for the closing auction.

    `trigger_price` of a trailing stop is where it stands now.
    """

    order_id: str
    client_order_id: str | None
    symbol: str
    side: Literal["buy", "sell"]
    type: OrderType
    price: str | None
    trigger_price: str | None
    trailing_offset: str | None
    quantity: int
    open_quantity: int
    shown_quantity: int
    display_quantity: int | None
    time_in_force: TimeInForce
    expiry_day: str | None
    post_only: PostOnly | None
    reduce_only: bool
    self_trade_prevention: SelfTradePrevention
    group: int


class Orders(Answer, frozen=True, kw_only=True):
    """The account's open orders."""

    orders: list[Order]
    as_of_seq: int
    next_cursor: str | None = None


class Execution(Answer, frozen=True, kw_only=True, gc=False):
    """One trade of an order command, with the fee that the order's account paid."""

    price: str
    quantity: int
    liquidity: Liquidity
    fee_fen: int


class OrderResult(Answer, frozen=True, kw_only=True, gc=False):
    """What became of a new order, a cancel or an amend, once it was durable.

    `status`: "resting" (in the book, perhaps partly filled), "filled", "cancelled" (with `reason`, e.g. what
    an IOC could not fill). `fills` are those that this very command caused. `price` is that at which the
    order was accepted or amended, which post-only may have slid; null for a type without one.
    """

    order_id: str
    client_order_id: str | None
    status: Literal["resting", "filled", "cancelled"]
    open_quantity: int
    filled_quantity: int
    fills: list[Execution]
    reason: str | None = None
    price: str | None = None


class OrderAnswer(Answer, frozen=True, kw_only=True):
    """The result of one order command."""

    order: OrderResult
    as_of_seq: int


class MassCancelAnswer(Answer, frozen=True, kw_only=True):
    """How many orders a mass cancel ended."""

    cancelled: int
    as_of_seq: int


class BatchResult(Answer, frozen=True, kw_only=True, gc=False):
    """The result of one item: exactly one of `order` and `error`."""

    order: OrderResult | None = None
    error: Problem | None = None


class BatchAnswer(Answer, frozen=True, kw_only=True):
    """Results in the order of the items."""

    results: list[BatchResult]
    as_of_seq: int


class Preview(Answer, frozen=True, kw_only=True):
    """What an order command would do now; `status`, `fills`, `reason` and `price` as in its result.

    `average_price` is that of the fills, halves up to 0.0001 CNY; `value_fen` and `fee_fen` are their sums.
    What stays open is valued at the order's own price, with the fee if it rests until someone takes it
    (maker) and if it takes, as a stop does once it is triggered; null for an order without a price.
    """

    status: Literal["resting", "filled", "cancelled"]
    open_quantity: int
    filled_quantity: int
    fills: list[Execution]
    reason: str | None
    price: str | None
    average_price: str | None
    value_fen: int
    fee_fen: int
    open_value_fen: int | None
    open_maker_fee_fen: int | None
    open_taker_fee_fen: int | None


class PreviewResult(Answer, frozen=True, kw_only=True):
    """The preview of one item: exactly one of `order` and `error`."""

    order: Preview | None = None
    error: Problem | None = None


class MarginFigures(Answer, frozen=True, kw_only=True):
    """An account's equity, today's trades marked and fees paid; what margin holds of it; what remains."""

    equity_fen: int
    margin_fen: int
    available_fen: int


class PreviewAnswer(Answer, frozen=True, kw_only=True):
    """What the items would do now, one after the other, and the account before and after all of them."""

    results: list[PreviewResult]
    before: MarginFigures
    after: MarginFigures
    as_of_seq: int


class Fills(Answer, frozen=True, kw_only=True):
    """The account's latest fills, newest first."""

    fills: list[Fill]
    as_of_seq: int


class Position(Answer, frozen=True, kw_only=True):
    """Net lots in one contract: positive is bought (long), negative sold (short)."""

    symbol: str
    quantity: int
    settlement_price: str


class Positions(Answer, frozen=True, kw_only=True):
    """The account's positions."""

    positions: list[Position]
    as_of_seq: int


class Balances(Answer, frozen=True, kw_only=True):
    """The account's cash and what open positions and orders hold of it."""

    account: str
    cash_fen: int
    delivery_hold_fen: int
    margin_fen: int
    available_fen: int
    as_of_seq: int


class MarginLine(Answer, frozen=True, kw_only=True):
    """One amount of margin and the clause that asks for it; what lowers margin is negative."""

    clause: str
    what: str
    how: str
    amount_fen: int


class MarginExplained(Answer, frozen=True, kw_only=True):
    """Where an account's margin comes from.

    `portfolio` sums to `portfolio_fen`, what the positions as they are ask for; `gate` sums to `margin_fen`,
    what orders are checked against now.
    """

    account: str
    portfolio: list[MarginLine]
    portfolio_fen: int
    gate: list[MarginLine]
    margin_fen: int
    equity_fen: int
    available_fen: int
    as_of_seq: int


class MarginCall(Answer, frozen=True, kw_only=True):
    """What an account lacked when that was last looked at; `restricted` once its deadline passed unmet."""

    account: str
    amount_fen: int
    issued: str
    due_at: str | None
    """Deadline of a call within the day; null: that of the next trading day."""
    restricted: bool


class MarginCalls(Answer, frozen=True, kw_only=True):
    """Margin calls that aren't met."""

    calls: list[MarginCall]
    as_of_seq: int


class AuctionLot(Answer, frozen=True, kw_only=True):
    """A position that may be bid for; `quantity` in lots, long positive."""

    account: str
    symbol: str
    quantity: int
    settlement_price: str


class Auctions(Answer, frozen=True, kw_only=True):
    """What restricted accounts hold."""

    lots: list[AuctionLot]
    as_of_seq: int


class Claim(Answer, frozen=True, kw_only=True):
    """What a defaulter owes to an account that paid in a layer of the waterfall; account 0 is the house."""

    seq: int
    debtor: str
    creditor: str
    layer: str
    amount_fen: int
    open_fen: int
    """What isn't repaid yet."""


class Claims(Answer, frozen=True, kw_only=True):
    """Claims in the order in which they arose."""

    claims: list[Claim]
    as_of_seq: int


class StatementLine(Answer, frozen=True, kw_only=True):
    """Money that moved, summed by kind and contract. Positive came in, negative went out."""

    kind: str
    symbol: str | None
    amount_fen: int


class Statement(Answer, frozen=True, kw_only=True):
    """One account, one day: opening cash + lines = closing cash, to the fen."""

    account: str
    day: str
    opening_cash_fen: int
    lines: list[StatementLine]
    closing_cash_fen: int
    as_of_seq: int


class Reservation(Answer, frozen=True, kw_only=True):
    """Cards at a hub for a period: what a day contract became. `role` is the reader's side of it.

    `metered_hours` lists the hours (0 is the first of the period) for which a reading has been taken in.
    """

    reservation_id: str
    role: Literal["buyer", "provider"]
    symbol: str
    grade: str
    hub: str
    cards: int
    lots: int
    start: str
    end: str
    price: str
    delivered_card_hours: int
    invoiced_fen: int
    shortfall_card_hours: int
    metered_hours: list[int]
    finished: bool


class Reservations(Answer, frozen=True, kw_only=True):
    """The account's reservations, as buyer or as provider."""

    reservations: list[Reservation]
    as_of_seq: int
    next_cursor: str | None = None


class CapacityPost(Answer, frozen=True, kw_only=True):
    """Capacity that a provider posted."""

    capacity_id: str
    grade: str
    hub: str
    cards: int
    first_day: str
    last_day: str
    reserve_price: str


class Capacity(Answer, frozen=True, kw_only=True):
    """The account's posted capacity."""

    capacity: list[CapacityPost]
    as_of_seq: int


class CapacityAnswer(Answer, frozen=True, kw_only=True):
    """One capacity post."""

    capacity: CapacityPost
    as_of_seq: int


class Done(Answer, frozen=True, kw_only=True):
    """The command was applied and is durable."""

    as_of_seq: int


class Killed(Answer, frozen=True, kw_only=True):
    """The account is suspended; how many of its orders that ended."""

    cancelled: int
    as_of_seq: int


class Halted(Answer, frozen=True, kw_only=True):
    """How many contracts were halted, or resumed, that weren't before."""

    contracts: int
    as_of_seq: int


class MarketKilled(Answer, frozen=True, kw_only=True):
    """How many contracts were halted that weren't before, and how many orders were cancelled."""

    contracts: int
    cancelled: int
    as_of_seq: int


class ReadingsAnswer(Answer, frozen=True, kw_only=True):
    """How many readings were taken in."""

    accepted: int
    as_of_seq: int


class MemberAnswer(Answer, frozen=True, kw_only=True):
    """A new member with its first key. The secret is shown here and never again."""

    member: str
    account: str
    kind: str
    key_id: str
    secret: str
    scopes: list[str]
    as_of_seq: int


class KeyAnswer(Answer, frozen=True, kw_only=True):
    """A new key. The secret is shown here and never again."""

    member: str
    account: str
    key_id: str
    secret: str
    scopes: list[str]
    networks: list[str]
    as_of_seq: int


class Key(Answer, frozen=True, kw_only=True):
    """A key without its secret."""

    key_id: str
    member: str
    scopes: list[str]
    networks: list[str]
    """Where it may be used from; empty: anywhere."""
    enabled: bool


class Keys(Answer, frozen=True, kw_only=True):
    """Keys in the order in which they were made, revoked ones included."""

    keys: list[Key]
    as_of_seq: int


class SessionAnswer(Answer, frozen=True, kw_only=True):
    """Who is logged in at the screens, and what the session may do."""

    member: str
    account: str
    kind: str
    roles: list[str]
    scopes: list[str]
    csrf_token: str
    """What changes something must bring it in the header Dongxi-Csrf."""
    as_of_seq: int


class Proposal(Answer, frozen=True, kw_only=True):
    """What an operator proposed, and what a second one decided."""

    proposal_id: str
    kind: str
    """cash or restore."""
    member: str
    amount_fen: int
    reason: str
    proposed_by: str
    expires: str
    decided_by: str | None
    """None while nobody has; expired it can't be any more."""
    approved: bool


class ProposalAnswer(Answer, frozen=True, kw_only=True):
    """One proposal."""

    proposal: Proposal
    as_of_seq: int


class Proposals(Answer, frozen=True, kw_only=True):
    """Proposals, newest first."""

    proposals: list[Proposal]
    as_of_seq: int


class Client(Answer, frozen=True, kw_only=True):
    """A sub-account of a broker's client."""

    name: str
    account: str
    cash_fen: int


class ClientAnswer(Answer, frozen=True, kw_only=True):
    """A new sub-account."""

    client: Client
    as_of_seq: int


class Clients(Answer, frozen=True, kw_only=True):
    """The broker's clients in the order of their accounts."""

    clients: list[Client]
    as_of_seq: int


class Member(Answer, frozen=True, kw_only=True):
    """A member or a broker's client as the operator sees it."""

    member: str
    account: str
    kind: str
    state: str
    """applied, approved or suspended; a client's is its broker's."""
    roles: list[str]
    """An operator's."""
    cash_fen: int


class Members(Answer, frozen=True, kw_only=True):
    """All members, in the order of their accounts."""

    members: list[Member]
    as_of_seq: int
