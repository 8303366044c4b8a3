"""What a member reads of its own account: fills, positions, money, reservations."""

from __future__ import annotations

from operator import attrgetter

from exchange.api import requests
from exchange.api.codes import RequestCode
from exchange.api.delivering import Reservations
from exchange.api.formats import parse_day
from exchange.api.money import Balances, MarginExplained, Positions, Statement
from exchange.api.trading import Fills
from exchange.domain.calendar import day_of
from exchange.gateway import translate
from exchange.gateway.call import Call, Route
from exchange.gateway.paging import page


async def fills(call: Call) -> Fills:
    """Answer the account's latest fills, newest first."""
    query: requests.FillsQuery = call.query
    rows = call.exchange.views.fills(call.caller.account, query.limit, query.symbol)
    return Fills(fills=[translate.fill(row) for row in rows], as_of_seq=call.exchange.views.seq)


async def positions(call: Call) -> Positions:
    """Answer the account's positions that aren't flat."""
    rows = call.exchange.views.positions(call.caller.account)
    return Positions(positions=[translate.position(row) for row in rows], as_of_seq=call.exchange.views.seq)


async def balances(call: Call) -> Balances:
    """Answer the account's cash, and what holds it (chapter 5)."""
    views, account = call.exchange.views, call.caller.account
    view = views.balance(account)
    if view is None:
        raise AssertionError(f"account {account} has a key and no balance")
    return Balances(
        account=str(account),
        cash_fen=view.cash_fen,
        delivery_hold_fen=view.delivery_hold_fen,
        margin_fen=view.margin_fen,
        available_fen=view.available_fen,
        withdrawable_fen=views.withdrawable_fen(account),
        as_of_seq=views.seq,
    )


async def explain_margin(call: Call) -> MarginExplained:
    """Answer where the account's margin comes from, line by line (chapter 5)."""
    views, account = call.exchange.views, call.caller.account
    balance, explained = views.balance(account), views.margin(account)
    if balance is None:
        raise AssertionError(f"account {account} has a key and no balance")
    return MarginExplained(
        account=str(account),
        portfolio=[translate.margin_line(line) for line in explained.portfolio],
        portfolio_fen=explained.portfolio_fen,
        gate=[translate.margin_line(line) for line in explained.gate],
        margin_fen=explained.gate_fen,
        equity_fen=balance.equity_fen,
        available_fen=balance.available_fen,
        as_of_seq=views.seq,
    )


async def statements(call: Call) -> Statement:
    """Answer every fen that moved on a day: opening cash + lines = closing cash (clause 8.5)."""
    exchange = call.exchange
    if call.query.day is None:
        day = day_of(exchange.status().market_time_ns)
    else:
        day = parse_day(call.query.day, "day", RequestCode.INVALID_PARAMETER)
    return translate.statement(exchange.views.statement(call.caller.account, day), exchange.views.seq)


async def reservations(call: Call) -> Reservations:
    """Answer the account's reservations, as buyer or as provider, of one delivery day or of all."""
    query: requests.ReservationsQuery = call.query
    views, account = call.exchange.views, call.caller.account
    day = None if query.day is None else parse_day(query.day, "day", RequestCode.INVALID_PARAMETER)
    rows, following = page(
        views.reservations(account, day), query.cursor, query.limit, attrgetter("reservation_id")
    )
    return Reservations(
        reservations=[translate.reservation(row, account) for row in rows],
        as_of_seq=views.seq,
        next_cursor=following,
    )


ROUTES = (
    Route(
        method="GET",
        path="/v1/fills",
        handler=fills,
        answer=Fills,
        summary="The account's fills",
        tag="account",
        scope="read",
        query=requests.FillsQuery,
    ),
    Route(
        method="GET",
        path="/v1/positions",
        handler=positions,
        answer=Positions,
        summary="The account's positions",
        tag="account",
        scope="read",
    ),
    Route(
        method="GET",
        path="/v1/balances",
        handler=balances,
        answer=Balances,
        summary="The account's cash and margin",
        tag="account",
        scope="read",
    ),
    Route(
        method="GET",
        path="/v1/margin/explain",
        handler=explain_margin,
        answer=MarginExplained,
        summary="Where the account's margin comes from",
        tag="account",
        scope="read",
    ),
    Route(
        method="GET",
        path="/v1/statements",
        handler=statements,
        answer=Statement,
        summary="The account's money of a day",
        tag="account",
        scope="read",
        query=requests.StatementQuery,
    ),
    Route(
        method="GET",
        path="/v1/reservations",
        handler=reservations,
        answer=Reservations,
        summary="The account's reservations",
        tag="account",
        scope="read",
        query=requests.ReservationsQuery,
    ),
)
