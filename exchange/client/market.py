"""What anyone may ask: the state of the market, contracts, books, trades, settlement prices."""

from typing import Any

from exchange.api import brokerage, requests
from exchange.api.calendar import Calendar
from exchange.api.health import HealthHistory, HealthQuery, MarketHealth
from exchange.api.listing import Listing
from exchange.api.margins import MarginRules, MarginTerms
from exchange.api.market import (
    Book,
    Contract,
    ContractAnswer,
    Contracts,
    Grade,
    Grades,
    Hub,
    Hubs,
    Settlements,
    Trades,
)
from exchange.api.regimes import Regime, Regimes
from exchange.api.specification import Specification
from exchange.api.status import Alive, Status
from exchange.client.transport import Transport, segment


class MarketCalls(Transport):
    """The public side; needs no profile."""

    async def alive(self) -> Alive:
        """Whether the process answers."""
        return await self.get("/livez", Alive)

    async def status(self) -> Status:
        """Market time, trading day, phase, state hash."""
        return await self.get("/v1/status", Status)

    async def calendar(self) -> Calendar:
        """Sessions and closed days."""
        return await self.get("/v1/calendar", Calendar)

    async def specification(self, symbol: str) -> Specification:
        """A contract's full terms."""
        return await self.get(f"/v1/contracts/{segment(symbol)}/specification", Specification)

    async def regimes(self) -> list[Regime]:
        """The pricing regimes other than the market's."""
        return (await self.get("/v1/regimes", Regimes)).regimes

    async def hubs(self) -> list[Hub]:
        """All delivery points."""
        return (await self.get("/v1/hubs", Hubs)).hubs

    async def fees(self) -> brokerage.Fees:
        """What a trade pays, and how that is shared."""
        return await self.get("/v1/fees", brokerage.Fees)

    async def health(self) -> MarketHealth:
        """The market health index now, overall and by hub."""
        return await self.get("/v1/health-index", MarketHealth)

    async def health_of(self, hub: str, query: HealthQuery | None = None) -> HealthHistory:
        """A page of a hub's market health over time, latest first; "overall" is all hubs together."""
        return await self.get(f"/v1/health-index/{segment(hub)}", HealthHistory, query)

    async def listing(self) -> Listing:
        """What is listed when a day opens, and which hours are peak and valley at each hub."""
        return await self.get("/v1/listing", Listing)

    async def margin_rules(self) -> MarginTerms:
        """What margin is computed from."""
        return (await self.get("/v1/margin-rules", MarginRules)).rules

    async def grades(self) -> list[Grade]:
        """All grades."""
        return (await self.get("/v1/grades", Grades)).grades

    async def contracts_page(self, query: requests.ContractsQuery) -> Contracts:
        """One page of contracts."""
        return await self.get("/v1/contracts", Contracts, query)

    async def contracts(
        self,
        *,
        grade: str | None = None,
        hub: str | None = None,
        kind: Any = None,
        profile: Any = None,
        active: bool | None = True,
    ) -> list[Contract]:
        """All contracts that pass the filters, page by page; each carries the top of its book."""
        found: list[Contract] = []
        cursor: str | None = None
        while True:
            query = requests.ContractsQuery(
                grade=grade,
                hub=hub,
                kind=kind,
                profile=profile,
                active=active,
                limit=requests.PAGE_MAX,
                cursor=cursor,
            )
            page = await self.contracts_page(query)
            found += page.contracts
            cursor = page.next_cursor
            if cursor is None:
                return found

    async def contract(self, symbol: str) -> Contract:
        """One contract."""
        return (await self.get(f"/v1/contracts/{segment(symbol)}", ContractAnswer)).contract

    async def book(self, symbol: str, depth: int = 10) -> Book:
        """Both sides of a book, `depth` levels each."""
        query = requests.BookQuery(depth=depth)
        return await self.get(f"/v1/book/{segment(symbol)}", Book, query)

    async def trades(self, symbol: str, limit: int = 100) -> Trades:
        """The latest trades, newest first."""
        query = requests.TradesQuery(limit=limit)
        return await self.get(f"/v1/trades/{segment(symbol)}", Trades, query)

    async def settlements(self, day: str | None = None) -> Settlements:
        """Settlement prices of a trading day; of the latest settled one if `day` is absent."""
        return await self.get("/v1/settlements", Settlements, requests.SettlementsQuery(day=day))
