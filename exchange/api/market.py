"""Public market data: hubs, grades, contracts, books, trades and settlement prices."""

from typing import Literal

from exchange.api.answers import Answer


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
    """One contract with the top of its book. `price_low` and `price_high` are today's limits, included.

    `delivery_start` is when the first of its `hours` delivered begins, `delivery_end` when the last one is
    over; a peak or valley contract doesn't deliver all hours between them.
    """

    symbol: str
    grade: str
    hub: str
    kind: Literal["hour", "day", "week", "month", "quarter"]
    profile: Literal["base", "peak", "valley"]
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
