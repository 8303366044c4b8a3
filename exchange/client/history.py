"""The history over HTTP, one page a call: pass `next_cursor` of a page as the cursor of the next query."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import quote

from exchange.api import history as api

A = TypeVar("A")


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

    async def _page(self, path: str, answer: type[A], query: Any = None, *, signed: bool = False) -> A:
        page: A = await self._get(f"/v1/history/{path}", answer, query, signed=signed)
        return page
