"""The history over HTTP: page by page, or row by row with the pages hidden.

A page has `next_cursor`, which the next query takes as its `cursor`. The iterators do that by themselves.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

import msgspec

from exchange.api import history as api

A = TypeVar("A")
R = TypeVar("R")


class _Page(Protocol):
    @property
    def next_cursor(self) -> str | None: ...


P = TypeVar("P", bound=_Page)
Q = TypeVar("Q", bound=msgspec.Struct)


class HistoryClient:
    """What was, latest first. Every answer carries `as_of_seq`: what came after it isn't in there yet."""

    def __init__(self, get: Callable[..., Awaitable[Any]]) -> None:
        self._get = get

    async def status(self) -> api.HistoryStatus:
        """How far the history goes."""
        return await self._page("status", api.HistoryStatus)

    async def trades(self, symbol: str, query: api.HistoryQuery | None = None) -> api.HistoryTrades:
        """Trades of a contract."""
        return await self._page(f"trades/{quote(symbol, safe='')}", api.HistoryTrades, query)

    async def candles(self, symbol: str, query: api.CandlesQuery | None = None) -> api.Candles:
        """Candles of a contract."""
        return await self._page(f"candles/{quote(symbol, safe='')}", api.Candles, query)

    async def orders(self, query: api.OwnHistoryQuery | None = None) -> api.HistoryOrders:
        """The account's orders and what became of them."""
        return await self._page("orders", api.HistoryOrders, query, signed=True)

    async def fills(self, query: api.OwnHistoryQuery | None = None) -> api.HistoryFills:
        """The account's fills, with fees."""
        return await self._page("fills", api.HistoryFills, query, signed=True)

    async def ledger(self, query: api.LedgerQuery | None = None) -> api.LedgerEntries:
        """The account's ledger, entry by entry."""
        return await self._page("ledger", api.LedgerEntries, query, signed=True)

    async def statements(self, query: api.DaysQuery | None = None) -> api.DayStatements:
        """The account's money day by day."""
        return await self._page("statements", api.DayStatements, query, signed=True)

    def each_trade(
        self, symbol: str, query: api.HistoryQuery | None = None
    ) -> AsyncIterator[api.HistoryTrade]:
        """Every trade of a contract."""

        async def page(asked: api.HistoryQuery) -> api.HistoryTrades:
            return await self.trades(symbol, asked)

        return _each(page, query or api.HistoryQuery(), lambda found: found.trades)

    def each_order(self, query: api.OwnHistoryQuery | None = None) -> AsyncIterator[api.HistoryOrder]:
        """Every order of the account."""
        return _each(self.orders, query or api.OwnHistoryQuery(), lambda found: found.orders)

    def each_fill(self, query: api.OwnHistoryQuery | None = None) -> AsyncIterator[api.HistoryFill]:
        """Every fill of the account."""
        return _each(self.fills, query or api.OwnHistoryQuery(), lambda found: found.fills)

    def each_entry(self, query: api.LedgerQuery | None = None) -> AsyncIterator[api.LedgerEntry]:
        """Every entry of the account's ledger."""
        return _each(self.ledger, query or api.LedgerQuery(), lambda found: found.entries)

    def each_day(self, query: api.DaysQuery | None = None) -> AsyncIterator[api.DayStatement]:
        """Every day on which the account's money moved."""
        return _each(self.statements, query or api.DaysQuery(), lambda found: found.days)

    async def _page(self, path: str, answer: type[A], query: Any = None, *, signed: bool = False) -> A:
        page: A = await self._get(f"/v1/history/{path}", answer, query, signed=signed)
        return page


async def _each(
    fetch: Callable[[Q], Awaitable[P]], query: Q, rows: Callable[[P], list[R]]
) -> AsyncIterator[R]:
    while True:
        page = await fetch(query)
        for row in rows(page):
            yield row
        if page.next_cursor is None:
            return
        query = msgspec.structs.replace(query, cursor=page.next_cursor)
