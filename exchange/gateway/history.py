"""The history: trades and candles for anyone, orders, fills and the ledger for the account that they belong
to.

Answered from SQLite as far as `as_of_seq`, which may lie behind the exchange by what isn't folded yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Any, Final, Literal

from exchange.api import history as api
from exchange.api.codes import RequestCode, refuse
from exchange.api.formats import day_text, parse_any_day, parse_time_ns, price_text, time_text
from exchange.api.requests import INT64_MAX
from exchange.clearing.ledger import LedgerKind
from exchange.domain.calendar import NS_PER_SECOND, date_of, epoch_day
from exchange.gateway.call import FROM_HISTORY, Call
from exchange.gateway.paging import position
from exchange.gateway.public import unknown_symbol
from exchange.gateway.translate import price_or_none
from exchange.history import queries
from exchange.history.queries import Row, Span
from exchange.history.reader import read_progress
from exchange.history.rows import CANDLE, ENTRY, ORDER, TRADE, OrderStatus
from matching.records import CancelReason, OrderType, TimeInForce

_SYMBOL_HELP: Final = {"symbol": "GRADE.HUB.PERIOD, such as H100.GUIAN.2701 or H100.GUIAN.2701-PEAK"}
_INTERVALS_S: Final[dict[api.Interval, int]] = {"1m": 60, "5m": 300, "1h": 3_600, "1d": 86_400}
_SIDES: Final[tuple[Literal["buy"], Literal["sell"]]] = ("buy", "sell")
_STATUS: Final[dict[OrderStatus, Literal["open", "filled", "cancelled"]]] = {
    OrderStatus.OPEN: "open",
    OrderStatus.FILLED: "filled",
    OrderStatus.CANCELLED: "cancelled",
}
_KINDS: Final = {kind.label: int(kind) for kind in LedgerKind}
_UNSIGNED: Final = 1 << 64
_DAY_MAX: Final = date.max.toordinal()


async def status(call: Call) -> api.HistoryStatus:
    """Answer how far the history goes and how much is in it.

    Refused, as every question to the history: HISTORY_UNAVAILABLE, HISTORY_BUSY, HISTORY_TIMEOUT.
    """
    _, progress = await call.history.run(read_progress)
    return api.HistoryStatus(
        orders=progress.orders,
        trades=progress.trades,
        ledger_entries=progress.entries,
        behind=max(0, call.exchange.views.seq - progress.as_of_seq),
        as_of_seq=progress.as_of_seq,
    )


async def trades(call: Call) -> api.HistoryTrades:
    """Answer trades of a contract, latest first. Refused: UNKNOWN_SYMBOL."""
    query: api.HistoryQuery = call.query
    symbol = call.path["symbol"]
    ask = partial(
        queries.trades,
        instrument=_instrument(call, symbol),
        span=_span(query),
        before=_before(query.cursor),
        limit=query.limit + 1,
    )
    seq, rows = await call.history.run(ask)
    shown, cursor = _page(rows, query.limit, lambda row: row[0])
    return api.HistoryTrades(
        symbol=symbol, trades=[_trade(row) for row in shown], as_of_seq=seq, next_cursor=cursor
    )


async def candles(call: Call) -> api.Candles:
    """Answer candles of a contract in market time, latest first. Refused: UNKNOWN_SYMBOL."""
    query: api.CandlesQuery = call.query
    symbol = call.path["symbol"]
    before = _before(query.cursor)
    to_s = INT64_MAX if query.to_time is None else -(-_time(query.to_time, "to_time") // NS_PER_SECOND) - 1
    from_s = 0 if query.from_time is None else -(-_time(query.from_time, "from_time") // NS_PER_SECOND)
    ask = partial(
        queries.candles,
        instrument=_instrument(call, symbol),
        interval=_INTERVALS_S[query.interval],
        from_s=_bounded(from_s),
        to_s=_bounded(to_s if before is None else min(to_s, before - 1)),
        limit=query.limit + 1,
    )
    seq, rows = await call.history.run(ask)
    shown, cursor = _page(rows, query.limit, lambda row: row[2])
    return api.Candles(
        symbol=symbol,
        interval=query.interval,
        candles=[_candle(row) for row in shown],
        as_of_seq=seq,
        next_cursor=cursor,
    )


async def orders(call: Call) -> api.HistoryOrders:
    """Answer the account's accepted orders with what became of them, latest first.

    Refused: UNKNOWN_SYMBOL.
    """
    query: api.OwnHistoryQuery = call.query
    ask = partial(
        queries.orders,
        account=call.caller.account,
        instrument=None if query.symbol is None else _instrument(call, query.symbol),
        side=_side(query.side),
        span=_span(query),
        before=_before(query.cursor),
        limit=query.limit + 1,
    )
    seq, rows = await call.history.run(ask)
    shown, cursor = _page(rows, query.limit, lambda row: row[0])
    return api.HistoryOrders(orders=[_order(call, row) for row in shown], as_of_seq=seq, next_cursor=cursor)


async def fills(call: Call) -> api.HistoryFills:
    """Answer the account's fills, latest first; a trade with itself is two. Refused: UNKNOWN_SYMBOL."""
    query: api.OwnHistoryQuery = call.query
    # one number for (trade, side): twice the trade, plus the side
    before = _before(query.cursor)
    ask = partial(
        queries.fills,
        account=call.caller.account,
        instrument=None if query.symbol is None else _instrument(call, query.symbol),
        side=_side(query.side),
        span=_span(query),
        before=None if before is None else divmod(before, 2),
        limit=query.limit + 1,
    )
    seq, rows = await call.history.run(ask)
    shown, cursor = _page(rows, query.limit, lambda row: 2 * row[1] + row[0])
    return api.HistoryFills(fills=[_fill(call, row) for row in shown], as_of_seq=seq, next_cursor=cursor)


async def ledger(call: Call) -> api.LedgerEntries:
    """Answer every movement of the account's money, latest first (clause 8.5). Refused: UNKNOWN_SYMBOL."""
    query: api.LedgerQuery = call.query
    kinds: list[int] | None = None
    if query.kind is not None:
        kinds = [_kind(query.kind)]
    elif query.symbol is not None:
        kinds = list(_KINDS.values())
    ask = partial(
        queries.entries,
        account=call.caller.account,
        instrument=None if query.symbol is None else _instrument(call, query.symbol),
        kinds=kinds,
        span=Span(
            from_seq=query.from_seq,
            to_seq=query.to_seq,
            from_day=_day(query.from_day, "from_day"),
            to_day=_day(query.to_day, "to_day"),
        ),
        before=_before(query.cursor),
        limit=query.limit + 1,
    )
    seq, rows = await call.history.run(ask)
    shown, cursor = _page(rows, query.limit, lambda row: row[0])
    return api.LedgerEntries(entries=[_entry(call, row) for row in shown], as_of_seq=seq, next_cursor=cursor)


async def statements(call: Call) -> api.DayStatements:
    """Answer the days on which the account's money moved, with sums by kind, latest first.

    What the ledger holds: the fees of the open day are in `/v1/statements` (clause 8.6).
    """
    query: api.DaysQuery = call.query
    before, to_day = _before(query.cursor), _day(query.to_day, "to_day")
    last = _DAY_MAX if to_day is None else to_day
    ask = partial(
        queries.days,
        account=call.caller.account,
        from_day=_day(query.from_day, "from_day"),
        to_day=last if before is None else min(last, before - 1),
        limit=query.limit + 1,
    )
    seq, found = await call.history.run(ask)
    shown = found[: query.limit]
    return api.DayStatements(
        days=[_statement(day) for day in shown],
        as_of_seq=seq,
        next_cursor=str(shown[-1].day) if len(found) > query.limit else None,
    )


# -- parameters


def _instrument(call: Call, symbol: str) -> int:
    view = call.exchange.views.contract(symbol)
    if view is None:
        raise unknown_symbol(symbol)
    return view.contract.index


def _side(side: str | None) -> int | None:
    return None if side is None else _SIDES.index(side)


def _kind(label: str) -> int:
    kind = _KINDS.get(label)
    if kind is None:
        known = ", ".join(_KINDS)
        raise refuse(
            RequestCode.INVALID_PARAMETER, f"There is no kind {label!r}; there are: {known}.", "kind"
        )
    return kind


def _span(query: api.HistoryQuery) -> Span:
    return Span(
        from_ns=None if query.from_time is None else _time(query.from_time, "from_time"),
        to_ns=None if query.to_time is None else _time(query.to_time, "to_time"),
        from_seq=query.from_seq,
        to_seq=query.to_seq,
    )


def _time(text: str, field: str) -> int:
    return parse_time_ns(text, field, RequestCode.INVALID_PARAMETER)


def _day(text: str | None, field: str) -> int | None:
    return None if text is None else epoch_day(parse_any_day(text, field, RequestCode.INVALID_PARAMETER))


def _before(cursor: str | None) -> int | None:
    return None if cursor is None else _bounded(position(cursor))


def _bounded(number: int) -> int:
    return max(-INT64_MAX, min(INT64_MAX, number))


# -- answers


def _page(rows: list[Row], limit: int, key: Any) -> tuple[list[Row], str | None]:
    """Return the rows to show, and where the next page begins: one row more was asked for than is shown."""
    shown = rows[:limit]
    return shown, str(key(shown[-1])) if len(rows) > limit else None


def _named(dtype: Any, row: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(dtype.names, row, strict=True))


def _trade(row: Row) -> api.HistoryTrade:
    of = _named(TRADE, row)
    return api.HistoryTrade(
        trade_id=str(of["trade_id"]),
        seq=of["seq"],
        time=time_text(of["time_ns"]),
        price=price_text(of["price"]),
        quantity=of["quantity"],
        value_fen=of["value"],
        aggressor="auction" if of["auction"] else _SIDES[of["side"]],
    )


def _fill(call: Call, row: Row) -> api.HistoryFill:
    side, of = row[0], _named(TRADE, row[1:])
    taker = side == of["side"]
    liquidity: Literal["maker", "taker"] = "taker" if taker else "maker"
    return api.HistoryFill(
        fill_id=f"{of['trade_id']}-{_SIDES[side]}",
        seq=of["seq"],
        time=time_text(of["time_ns"]),
        order_id=str(of["order_id"] if taker else of["contra_id"]),
        symbol=call.exchange.views.symbol(of["instrument"]),
        side=_SIDES[side],
        price=price_text(of["price"]),
        quantity=of["quantity"],
        value_fen=of["value"],
        fee_fen=of["fee"] if taker else of["contra_fee"],
        liquidity="auction" if of["auction"] else liquidity,
    )


def _order(call: Call, row: Row) -> api.HistoryOrder:
    of = _named(ORDER, row)
    return api.HistoryOrder(
        order_id=str(of["order_id"]),
        client_order_id=str(of["client_id"] % _UNSIGNED) if of["client_id"] else None,
        symbol=call.exchange.views.symbol(of["instrument"]),
        side=_SIDES[of["side"]],
        type=OrderType(of["type"]).name.lower(),
        time_in_force=TimeInForce(of["tif"]).name.lower(),
        price=price_or_none(of["price"]),
        quantity=of["quantity"],
        open_quantity=of["open"],
        filled_quantity=of["executed"],
        status=_STATUS[OrderStatus(of["status"])],
        reason=CancelReason(of["reason"]).name if of["reason"] else None,
        accepted_seq=of["accepted_seq"],
        accepted=time_text(of["accepted_ns"]),
        updated_seq=of["updated_seq"],
        updated=time_text(of["updated_ns"]),
    )


def _entry(call: Call, row: Row) -> api.LedgerEntry:
    of = _named(ENTRY, row)
    return api.LedgerEntry(
        entry_id=str(of["entry"]),
        seq=of["seq"],
        day=_day_text(of["day"]),
        kind=LedgerKind(of["kind"]).label,
        symbol=None if of["instrument"] < 0 else call.exchange.views.symbol(of["instrument"]),
        amount_fen=of["amount"],
        cash_fen=of["cash"],
    )


def _statement(day: queries.DayOfAccount) -> api.DayStatement:
    return api.DayStatement(
        day=_day_text(day.day),
        opening_cash_fen=day.opening,
        sums=[api.KindSum(kind=LedgerKind(kind).label, amount_fen=amount) for kind, amount in day.sums],
        closing_cash_fen=day.opening + sum(amount for _, amount in day.sums),
    )


def _candle(row: Row) -> api.Candle:
    of = _named(CANDLE, row)
    return api.Candle(
        start=time_text(of["start"] * NS_PER_SECOND),
        open=price_text(of["open"]),
        high=price_text(of["high"]),
        low=price_text(of["low"]),
        close=price_text(of["close"]),
        volume_lots=of["volume"],
        value_fen=of["value"],
        trades=of["trades"],
    )


def _day_text(day: int) -> str:
    return day_text(date_of(day))


ROUTES = (
    FROM_HISTORY(
        path="/v1/history/status",
        handler=status,
        answer=api.HistoryStatus,
        summary="How far the history goes",
        tag="history",
    ),
    FROM_HISTORY(
        path="/v1/history/trades/{symbol}",
        handler=trades,
        answer=api.HistoryTrades,
        summary="All trades of a contract",
        tag="history",
        query=api.HistoryQuery,
        path_help=_SYMBOL_HELP,
    ),
    FROM_HISTORY(
        path="/v1/history/candles/{symbol}",
        handler=candles,
        answer=api.Candles,
        summary="Candles of a contract",
        tag="history",
        query=api.CandlesQuery,
        path_help=_SYMBOL_HELP,
    ),
    FROM_HISTORY(
        path="/v1/history/orders",
        handler=orders,
        answer=api.HistoryOrders,
        summary="All orders of the account",
        tag="history",
        scope="read",
        query=api.OwnHistoryQuery,
    ),
    FROM_HISTORY(
        path="/v1/history/fills",
        handler=fills,
        answer=api.HistoryFills,
        summary="All fills of the account, with fees",
        tag="history",
        scope="read",
        query=api.OwnHistoryQuery,
    ),
    FROM_HISTORY(
        path="/v1/history/ledger",
        handler=ledger,
        answer=api.LedgerEntries,
        summary="The account's ledger, entry by entry",
        tag="history",
        scope="read",
        query=api.LedgerQuery,
    ),
    FROM_HISTORY(
        path="/v1/history/statements",
        handler=statements,
        answer=api.DayStatements,
        summary="The account's money day by day",
        tag="history",
        scope="read",
        query=api.DaysQuery,
    ),
)
