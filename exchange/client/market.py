"""What anyone may ask: the state of the market, contracts, books, trades, settlement prices."""

from typing import Any

from exchange.api import answers, requests
from exchange.client.transport import Transport, segment


class MarketCalls(Transport):
    """The public side; needs no profile."""

    async def alive(self) -> answers.Alive:
        """Whether the process answers."""
        return await self.get("/livez", answers.Alive)

    async def status(self) -> answers.Status:
        """Market time, trading day, phase, state hash."""
        return await self.get("/v1/status", answers.Status)

    async def hubs(self) -> list[answers.Hub]:
        """All delivery points."""
        return (await self.get("/v1/hubs", answers.Hubs)).hubs

    async def grades(self) -> list[answers.Grade]:
        """All grades."""
        return (await self.get("/v1/grades", answers.Grades)).grades

    async def contracts_page(self, query: requests.ContractsQuery) -> answers.Contracts:
        """One page of contracts."""
        return await self.get("/v1/contracts", answers.Contracts, query)

    async def contracts(
        self,
        *,
        grade: str | None = None,
        hub: str | None = None,
        kind: Any = None,
        active: bool | None = True,
    ) -> list[answers.Contract]:
        """All contracts that pass the filters, page by page; each carries the top of its book."""
        found: list[answers.Contract] = []
        cursor: str | None = None
        while True:
            query = requests.ContractsQuery(
                grade=grade, hub=hub, kind=kind, active=active, limit=requests.PAGE_MAX, cursor=cursor
            )
            page = await self.contracts_page(query)
            found += page.contracts
            cursor = page.next_cursor
            if cursor is None:
                return found

    async def contract(self, symbol: str) -> answers.Contract:
        """One contract."""
        return (await self.get(f"/v1/contracts/{segment(symbol)}", answers.ContractAnswer)).contract

    async def book(self, symbol: str, depth: int = 10) -> answers.Book:
        """Both sides of a book, `depth` levels each."""
        query = requests.BookQuery(depth=depth)
        return await self.get(f"/v1/book/{segment(symbol)}", answers.Book, query)

    async def trades(self, symbol: str, limit: int = 100) -> answers.Trades:
        """The latest trades, newest first."""
        query = requests.TradesQuery(limit=limit)
        return await self.get(f"/v1/trades/{segment(symbol)}", answers.Trades, query)

    async def settlements(self, day: str | None = None) -> answers.Settlements:
        """Settlement prices of a trading day; of the latest settled one if `day` is absent."""
        return await self.get("/v1/settlements", answers.Settlements, requests.SettlementsQuery(day=day))
