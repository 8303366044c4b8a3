"""The history's queries and answers: what was, newest first, as far as `as_of_seq`.

Every page is cut by a cursor that names its last row, so rows that come in meanwhile move nothing.
"""

from typing import Annotated, Literal

from msgspec import Meta

from exchange.api.answers import Answer
from exchange.api.requests import INT64_MAX, Cursor, Day, Moment, Request, Symbol

HISTORY_PAGE_MAX = 500
"""Most rows of one page of history."""

Rows = Annotated[int, Meta(ge=1, le=HISTORY_PAGE_MAX, description=f"rows a page, 1 … {HISTORY_PAGE_MAX}")]
Seq = Annotated[int, Meta(ge=0, le=INT64_MAX, description="a sequence number, itself included")]
FromTime = Annotated[Moment, Meta(description="market time from which on, RFC 3339 with an offset")]
ToTime = Annotated[Moment, Meta(description="market time before which, RFC 3339 with an offset")]
Side = Literal["buy", "sell"]
Interval = Literal["1m", "5m", "1h", "1d"]
Kind = Annotated[str, Meta(max_length=32, description='why money moved, such as "variation margin"')]


class HistoryQuery(Request, frozen=True, kw_only=True):
    """Which page, and between which times and sequence numbers."""

    from_time: FromTime | None = None
    to_time: ToTime | None = None
    from_seq: Seq | None = None
    to_seq: Seq | None = None
    limit: Rows = 100
    cursor: Cursor | None = None


class OwnHistoryQuery(HistoryQuery, frozen=True, kw_only=True):
    """The same of one's own orders or fills, perhaps of one contract or one side."""

    symbol: Symbol | None = None
    side: Side | None = None


class LedgerQuery(Request, frozen=True, kw_only=True):
    """Filters of the ledger; both days and both sequence numbers are included."""

    symbol: Symbol | None = None
    kind: Kind | None = None
    from_day: Day | None = None
    to_day: Day | None = None
    from_seq: Seq | None = None
    to_seq: Seq | None = None
    limit: Rows = 100
    cursor: Cursor | None = None


class DaysQuery(Request, frozen=True, kw_only=True):
    """Days of the statement, both included."""

    from_day: Day | None = None
    to_day: Day | None = None
    limit: Rows = 100
    cursor: Cursor | None = None


class CandlesQuery(Request, frozen=True, kw_only=True):
    """Length of the candles, and between which times they begin."""

    interval: Interval = "1m"
    from_time: FromTime | None = None
    to_time: ToTime | None = None
    limit: Rows = 100
    cursor: Cursor | None = None


class HistoryStatus(Answer, frozen=True, kw_only=True):
    """How far the history goes; `behind` is how many commands the exchange is ahead of it."""

    orders: int
    trades: int
    ledger_entries: int
    behind: int
    as_of_seq: int


class HistoryTrade(Answer, frozen=True, kw_only=True, gc=False):
    """One trade. `aggressor` is the side that took, or "auction"."""

    trade_id: str
    seq: int
    time: str
    price: str
    quantity: int
    value_fen: int
    aggressor: Literal["buy", "sell", "auction"]


class HistoryTrades(Answer, frozen=True, kw_only=True):
    """Trades of one contract."""

    symbol: str
    trades: list[HistoryTrade]
    as_of_seq: int
    next_cursor: str | None = None


class HistoryFill(Answer, frozen=True, kw_only=True, gc=False):
    """One execution of the account's own order, with the fee that it paid."""

    fill_id: str
    seq: int
    time: str
    order_id: str
    symbol: str
    side: Side
    price: str
    quantity: int
    value_fen: int
    fee_fen: int
    liquidity: Literal["maker", "taker", "auction"]


class HistoryFills(Answer, frozen=True, kw_only=True):
    """The account's fills."""

    fills: list[HistoryFill]
    as_of_seq: int
    next_cursor: str | None = None


class HistoryOrder(Answer, frozen=True, kw_only=True, gc=False):
    """An order and what became of it. `reason` says why what was cancelled of it last was."""

    order_id: str
    client_order_id: str | None
    symbol: str
    side: Side
    type: str
    time_in_force: str
    price: str | None
    quantity: int
    open_quantity: int
    filled_quantity: int
    status: Literal["open", "filled", "cancelled"]
    reason: str | None
    accepted_seq: int
    accepted: str
    updated_seq: int
    updated: str


class HistoryOrders(Answer, frozen=True, kw_only=True):
    """The account's orders in the order of their acceptance, latest first."""

    orders: list[HistoryOrder]
    as_of_seq: int
    next_cursor: str | None = None


class LedgerEntry(Answer, frozen=True, kw_only=True, gc=False):
    """One movement of money; `cash_fen` is the account's ledger after it."""

    entry_id: str
    seq: int
    day: str
    kind: str
    symbol: str | None
    amount_fen: int
    cash_fen: int


class LedgerEntries(Answer, frozen=True, kw_only=True):
    """The account's ledger."""

    entries: list[LedgerEntry]
    as_of_seq: int
    next_cursor: str | None = None


class KindSum(Answer, frozen=True, kw_only=True, gc=False):
    """Everything of one kind that moved on a day."""

    kind: str
    amount_fen: int


class DayStatement(Answer, frozen=True, kw_only=True, gc=False):
    """One day on which money moved: opening cash + sums = closing cash, to the fen."""

    day: str
    opening_cash_fen: int
    sums: list[KindSum]
    closing_cash_fen: int


class DayStatements(Answer, frozen=True, kw_only=True):
    """The account's days on which money moved, latest first."""

    days: list[DayStatement]
    as_of_seq: int
    next_cursor: str | None = None


class Candle(Answer, frozen=True, kw_only=True, gc=False):
    """The trades of one stretch of market time; it may still go on."""

    start: str
    open: str
    high: str
    low: str
    close: str
    volume_lots: int
    value_fen: int
    trades: int


class Candles(Answer, frozen=True, kw_only=True):
    """Candles of one contract; a stretch without a trade has none."""

    symbol: str
    interval: Interval
    candles: list[Candle]
    as_of_seq: int
    next_cursor: str | None = None
