"""The panes that are tables: trades, own orders, fills, positions, alerts."""

from __future__ import annotations

import textwrap

from exchange.api.formats import price_text
from exchange.client import LocalOrders
from exchange.terminal.paint.cells import Cell, Column, Ink, Line, Span, cny, cut, filled, moved_ink, table
from exchange.terminal.paint.ladder import queue_ahead
from exchange.terminal.state.account import Side, Working
from exchange.terminal.state.alerts import Alert
from exchange.terminal.state.model import Outgoing, TradingModel

Size = tuple[int, int]


def paint_tape(model: TradingModel, size: Size) -> list[Line]:
    """The latest trades of the contract, newest first, in the colour of the side that took."""
    say = model.say
    columns = [
        Column(say("time"), 8),
        Column(say("price"), 7, figures=True),
        Column(say("lots"), 5, figures=True),
    ]
    columns.append(Column(say("side"), 7))
    rows: list[list[Cell]] = []
    for one in list(model.tape.prints)[: size[1]]:
        ink: Ink = "up" if one.aggressor == "buy" else "down" if one.aggressor == "sell" else "dim"
        price = price_text(one.price)
        rows.append(
            [(clock(one.time), "dim"), (price, ink), (str(one.lots), "plain"), (say(one.aggressor), ink)]
        )
    return table(columns, rows, size, empty=say("no_trades"))


def own_orders(model: TradingModel) -> list[Working | Outgoing]:
    """Own orders as the pane lists them: those in doubt first, then those that stand, newest first."""
    standing = sorted(model.account.orders.values(), key=lambda one: int(one.order_id), reverse=True)
    return [*model.outgoing.values(), *standing]


def paint_orders(model: TradingModel, size: Size, cursor: int | None) -> list[Line]:
    """Own orders; under one that is in doubt stands what is certain of it."""
    say = model.say
    columns = [
        Column(say("contract"), 0, least=22),
        Column(say("side"), 4),
        Column(say("price"), 7, figures=True),
    ]
    columns += [Column(say("open_lots"), 6, figures=True), Column(say("state"), 8)]
    columns.append(Column(say("ahead"), 6, figures=True))
    rows = []
    for one in own_orders(model):
        if isinstance(one, Outgoing):
            order, ink = one.order, _side_ink(one.order.side)
            price = order.price or say("at_market")
            state: Cell = (say("unknown"), "alarm") if one.unknown else (say("sending"), "warn")
            rows.append(_order(order.symbol, (say(order.side), ink), price, order.quantity, "", state))
        else:
            ahead = _ahead(model.book if one.symbol == model.symbol else None, one)
            price = "–" if one.price is None else price_text(one.price)
            side = (say(one.side), _side_ink(one.side))
            rows.append(_order(one.symbol, side, price, one.open_lots, ahead, (say("working"), "own")))
    return table(columns, rows, size, cursor, empty=say("no_rows"))


def _order(symbol: str, side: Cell, price: str, lots: int, ahead: str, state: Cell) -> list[Cell]:
    return [(symbol, "plain"), side, (price, side[1]), (str(lots), "plain"), state, (ahead, "dim")]


def _ahead(book: LocalOrders | None, order: Working) -> str:
    found = queue_ahead(book, [order])
    return "" if found is None else str(found)


def paint_fills(model: TradingModel, size: Size, cursor: int | None) -> list[Line]:
    """Own fills, newest first."""
    say = model.say
    columns = [Column(say("time"), 8), Column(say("contract"), 0, least=22), Column(say("side"), 4)]
    columns += [
        Column(say(key), width, figures=True) for key, width in (("price", 7), ("lots", 5), ("fee", 8))
    ]
    columns.append(Column(say("taker"), 7))
    words = {"maker": say("maker_word"), "taker": say("taker_word"), "auction": say("auction")}
    rows: list[list[Cell]] = []
    for one in list(model.account.fills):
        ink = _side_ink(one.side)
        rows.append(
            [
                (clock(one.time), "dim"),
                (one.symbol, "plain"),
                (say(one.side), ink),
                (price_text(one.price), ink),
                (str(one.lots), "plain"),
                (cny(one.fee_fen), "dim"),
                (words[one.liquidity], "dim"),
            ]
        )
    return table(columns, rows, size, cursor, empty=say("no_rows"))


def paint_positions(model: TradingModel, size: Size, cursor: int | None) -> list[Line]:
    """Positions in lots, what they are marked at, and the day's profit; then the sum."""
    say, account = model.say, model.account
    keys = (("lots", 6), ("profit", 14), ("last", 7), ("settled", 8))
    columns = [
        Column(say("contract"), 0, least=22),
        *(Column(say(key), width, figures=True) for key, width in keys),
    ]
    rows: list[list[Cell]] = []
    for symbol in position_symbols(model):
        quote = model.quotes.by_symbol.get(symbol)
        lots = account.positions.get(symbol, 0)
        row: list[Cell] = [(symbol, "plain"), (f"{lots:+d}" if lots else "0", moved_ink(lots))]
        if quote is None:
            row += [("–", "dim")] * 3
        else:
            last = "–" if quote.last is None else price_text(quote.last)
            fen = account.profit_fen(symbol, quote) if account.traded_complete else None
            profit: Cell = (
                (say("not_known"), "dim") if fen is None else (cny(fen, signed=True), moved_ink(fen))
            )
            row += [profit, (last, moved_ink(quote.change)), (price_text(quote.reference), "dim")]
        rows.append(row)
    return table(columns, rows, size, cursor, empty=say("no_rows"))


def position_symbols(model: TradingModel) -> list[str]:
    """The contracts in which something is held, or was traded since the last settlement."""
    return sorted({*model.account.positions, *model.account.traded})


def paint_alerts(model: TradingModel, size: Size) -> list[Line]:
    """The log, newest first, long lines folded."""
    width, height = size
    lines: list[Line] = []
    for alert in model.alerts.log:
        if len(lines) >= height:
            break
        lines += _folded(alert, width)
    return filled(lines or [cut((Span(model.say("no_rows"), "dim"),), width)], size)


def _folded(alert: Alert, width: int) -> list[Line]:
    ink: Ink = "alarm" if alert.grave else "own" if alert.kind == "fill" else "warn"
    if alert.kind in ("note", "connection", "order") and not alert.grave:
        ink = "plain"
    room = max(width - 10, 8) // (1 if alert.text.isascii() else 2)
    parts = textwrap.wrap(alert.text, room) or [""]
    stamps = [clock(alert.time).ljust(9), *([" " * 9] * (len(parts) - 1))]
    return [
        cut((Span(stamp, "dim"), Span(text, ink)), width) for stamp, text in zip(stamps, parts, strict=True)
    ]


def clock(time: str) -> str:
    """The time of day of a time of the exchange."""
    return time[11:19]


def _side_ink(side: Side) -> Ink:
    return "bid" if side == "buy" else "ask"
