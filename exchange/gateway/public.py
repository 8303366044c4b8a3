"""What anyone may read: the market, its contracts, books, trades and settlement prices."""

from __future__ import annotations

from importlib.metadata import version

from exchange.api.codes import RequestCode, RequestRefused, refuse
from exchange.api.formats import day_text, parse_day, time_text
from exchange.api.market import Book, ContractAnswer, Contracts, Grade, Grades, Hub, Hubs, Settlements, Trades
from exchange.api.requests import BookQuery, ContractsQuery, SettlementsQuery, TradesQuery
from exchange.api.status import Alive, Ready, Status, Version
from exchange.domain.calendar import day_of, is_trading_day
from exchange.domain.contracts import PeriodKind
from exchange.gateway import translate
from exchange.gateway.call import Call, Route
from exchange.gateway.paging import position
from exchange.service.exchange import Exchange
from nodes.catalogue import load_catalogue
from nodes.types import HubKind, Profile

API_VERSION = "1"
_SYMBOL_HELP = {"symbol": "GRADE.HUB.PERIOD, such as H100.GUIAN.2701 or H100.GUIAN.2701-PEAK"}


async def livez(_: Call) -> Alive:
    """Answer as long as the process does."""
    return Alive(alive=True)


async def readyz(call: Call) -> Ready:
    """Answer whether commands are acknowledged. Refused: NOT_READY."""
    if call.exchange.draining:
        raise refuse(
            RequestCode.NOT_READY, "The exchange is stopping; it comes back when it is started again."
        )
    why = call.exchange.failure
    if why is not None:
        raise refuse(
            RequestCode.NOT_READY,
            f"Nothing is acknowledged any more: {why}. Reads go on; the operator has to restart it.",
        )
    return Ready(ready=True)


async def version_of(_: Call) -> Version:
    """Answer what runs here."""
    return Version(name="dongxi", version=version("dongxi"), api=API_VERSION)


async def status(call: Call) -> Status:
    """Answer market time, trading day, phase, and the hash of the whole state."""
    return market_status(call.exchange)


def market_status(exchange: Exchange) -> Status:
    """Return the market as a whole."""
    view, views = exchange.status(), exchange.views
    today = day_of(view.market_time_ns)
    hashed_seq, state_hash = exchange.recent_state_hash()
    return Status(
        market_time=time_text(view.market_time_ns),
        trading_day=day_text(view.trading_day or exchange.config.first_day),
        phase=view.phase.label,
        is_trading_day=is_trading_day(today, views.closed_days),
        clock_speed=exchange.clock.speed,
        contracts_active=view.contracts_active,
        members=view.members,
        cash_total_fen=views.money().cash_total_fen,
        state_hash=state_hash,
        state_hash_seq=hashed_seq,
        as_of_seq=view.seq,
    )


async def hubs(call: Call) -> Hubs:
    """Answer all delivery points, with the grades delivered there."""
    catalogue = load_catalogue()
    grades: dict[str, list[str]] = {}
    for product in call.exchange.views.products():
        grades.setdefault(product.hub, []).append(product.grade)
    return Hubs(
        hubs=[
            Hub(
                code=hub.code,
                name_en=hub.name_en,
                name_zh=hub.name_zh,
                kind="cluster" if hub.kind is HubKind.CLUSTER else "edge",
                node=hub.national_node,
                province=hub.province,
                city=hub.city,
                lat=hub.point.latitude_deg,
                lon=hub.point.longitude_deg,
                grades=grades.get(hub.code, []),
            )
            for hub in catalogue.hubs.values()
        ]
    )


async def grades(_: Call) -> Grades:
    """Answer what is delivered: the grades and their minimum."""
    return Grades(
        grades=[
            Grade(
                code=grade.code,
                name_en=grade.name_en,
                name_zh=grade.name_zh,
                cards_per_lot=grade.cards_per_lot,
                reference_power_kw=grade.power_kw,
                fp16_pflops=grade.fp16_pflops,
                h100_hour_per_card_hour=grade.h100_equivalent,
                minimum=grade.minimum,
                minimum_fp16_gflops=grade.minimum_fp16_gflops,
                minimum_memory_gb=grade.memory_gb,
                standard_unit_price_cny=round(grade.standard_unit_price_cny, 4),
            )
            for grade in load_catalogue().grades.values()
        ]
    )


async def contracts(call: Call) -> Contracts:
    """Answer contracts in order of listing, each with the top of its book."""
    query: ContractsQuery = call.query
    rows = call.exchange.views.contracts(
        query.active,
        grade=query.grade,
        hub=query.hub,
        kind=None if query.kind is None else PeriodKind(query.kind),
        profile=None if query.profile is None else Profile(query.profile),
        after=position(query.cursor),
        limit=query.limit + 1,
    )
    shown, more = rows[: query.limit], len(rows) > query.limit
    return Contracts(
        contracts=[translate.contract(view) for view in shown],
        as_of_seq=call.exchange.views.seq,
        next_cursor=str(shown[-1].contract.index) if more else None,
    )


async def contract(call: Call) -> ContractAnswer:
    """Answer one contract, also one that no longer trades. Refused: UNKNOWN_SYMBOL."""
    view = call.exchange.views.contract(call.path["symbol"])
    if view is None:
        raise unknown_symbol(call.path["symbol"])
    return ContractAnswer(contract=translate.contract(view), as_of_seq=call.exchange.views.seq)


async def book(call: Call) -> Book:
    """Answer both sides of a book, best price first; in a call auction with its indicative price.

    Refused: UNKNOWN_SYMBOL.
    """
    view = call.exchange.views.book(call.path["symbol"], call.query.depth)
    if view is None:
        raise unknown_symbol(call.path["symbol"])
    return translate.book(view, call.exchange.status().phase.label)


async def trades(call: Call) -> Trades:
    """Answer the latest trades of a contract, newest first. Refused: UNKNOWN_SYMBOL."""
    symbol = call.path["symbol"]
    if call.exchange.views.contract(symbol) is None:
        raise unknown_symbol(symbol)
    rows = call.exchange.views.trades(symbol, call.query.limit)
    return Trades(
        symbol=symbol, trades=[translate.trade(row) for row in rows], as_of_seq=call.exchange.views.seq
    )


async def settlements(call: Call) -> Settlements:
    """Answer the settlement prices of a trading day, and by which rule each was found (clause 6.1)."""
    views = call.exchange.views
    asked = (
        None if call.query.day is None else parse_day(call.query.day, "day", RequestCode.INVALID_PARAMETER)
    )
    day = asked or views.settled_day
    rows = views.settlements(day)
    return Settlements(
        day=None if day is None else day_text(day),
        settlements=[translate.settlement(row) for row in rows],
        as_of_seq=views.seq,
    )


def unknown_symbol(symbol: str) -> RequestRefused:
    """Return the refusal of a symbol that names no contract."""
    return refuse(
        RequestCode.UNKNOWN_SYMBOL,
        f"There is no contract {symbol[:64]!r}; GET /v1/contracts lists them.",
        "symbol",
    )


ROUTES = (
    Route(method="GET", path="/livez", handler=livez, answer=Alive, summary="Is it alive?", tag="health"),
    Route(
        method="GET",
        path="/readyz",
        handler=readyz,
        answer=Ready,
        summary="Does it acknowledge?",
        tag="health",
    ),
    Route(
        method="GET",
        path="/version",
        handler=version_of,
        answer=Version,
        summary="What runs here?",
        tag="health",
    ),
    Route(
        method="GET",
        path="/v1/status",
        handler=status,
        answer=Status,
        summary="The market as a whole",
        tag="market",
    ),
    Route(
        method="GET",
        path="/v1/hubs",
        handler=hubs,
        answer=Hubs,
        summary="Delivery points",
        tag="market",
    ),
    Route(
        method="GET",
        path="/v1/grades",
        handler=grades,
        answer=Grades,
        summary="What is delivered",
        tag="market",
    ),
    Route(
        method="GET",
        path="/v1/contracts",
        handler=contracts,
        answer=Contracts,
        summary="Contracts with the top of their books",
        tag="market",
        query=ContractsQuery,
    ),
    Route(
        method="GET",
        path="/v1/contracts/{symbol}",
        handler=contract,
        answer=ContractAnswer,
        summary="One contract",
        tag="market",
        path_help=_SYMBOL_HELP,
    ),
    Route(
        method="GET",
        path="/v1/book/{symbol}",
        handler=book,
        answer=Book,
        summary="The order book",
        tag="market",
        query=BookQuery,
        path_help=_SYMBOL_HELP,
    ),
    Route(
        method="GET",
        path="/v1/trades/{symbol}",
        handler=trades,
        answer=Trades,
        summary="The latest trades",
        tag="market",
        query=TradesQuery,
        path_help=_SYMBOL_HELP,
    ),
    Route(
        method="GET",
        path="/v1/settlements",
        handler=settlements,
        answer=Settlements,
        summary="Settlement prices",
        tag="market",
        query=SettlementsQuery,
    ),
)
