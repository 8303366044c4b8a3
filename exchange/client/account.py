"""An account: what it has open, holds, owes and was paid."""

from exchange.api import requests
from exchange.api.answers import Done
from exchange.api.defaults import AuctionLot, Auctions, MarginCall, MarginCalls
from exchange.api.delivering import Reservation, Reservations
from exchange.api.money import Balances, MarginExplained, Position, Positions, Statement
from exchange.api.operating import Killed
from exchange.api.trading import Fill, Fills, Order, Orders
from exchange.client.transport import Transport


class AccountCalls(Transport):
    """What the account's own key may read, and its kill switch."""

    async def orders(self, symbol: str | None = None) -> list[Order]:
        """All open orders of the account."""
        found: list[Order] = []
        cursor: str | None = None
        while True:
            query = requests.OrdersQuery(symbol=symbol, limit=requests.PAGE_MAX, cursor=cursor)
            page = await self.get("/v1/orders", Orders, query, signed=True)
            found += page.orders
            cursor = page.next_cursor
            if cursor is None:
                return found

    async def fills(self, symbol: str | None = None, limit: int = 200) -> list[Fill]:
        """The account's latest fills, newest first."""
        query = requests.FillsQuery(symbol=symbol, limit=limit)
        return (await self.get("/v1/fills", Fills, query, signed=True)).fills

    async def positions(self) -> list[Position]:
        """The account's positions that are not flat."""
        return (await self.get("/v1/positions", Positions, signed=True)).positions

    async def balances(self) -> Balances:
        """The account's cash and margin."""
        return await self.get("/v1/balances", Balances, signed=True)

    async def margin_calls(self) -> list[MarginCall]:
        """The account's margin call, if there is one."""
        return (await self.get("/v1/margin/calls", MarginCalls, signed=True)).calls

    async def auctions(self) -> list[AuctionLot]:
        """What restricted accounts hold and may be bid for."""
        return (await self.get("/v1/auctions", Auctions, signed=True)).lots

    async def bid(self, bid: requests.AuctionBid) -> Done:
        """Bids for positions of a restricted account."""
        return await self.send("POST", "/v1/auctions/bids", Done, bid)

    async def explain_margin(self) -> MarginExplained:
        """Where the account's margin comes from, line by line."""
        return await self.get("/v1/margin/explain", MarginExplained, signed=True)

    async def statement(self, day: str | None = None) -> Statement:
        """The account's money of a day, line by line."""
        query = requests.StatementQuery(day=day)
        return await self.get("/v1/statements", Statement, query, signed=True)

    async def reservations(self, day: str | None = None) -> list[Reservation]:
        """The account's reservations, as buyer and as provider; of one delivery day if `day` is given."""
        found: list[Reservation] = []
        cursor: str | None = None
        while True:
            query = requests.ReservationsQuery(day=day, limit=requests.PAGE_MAX, cursor=cursor)
            page = await self.get("/v1/reservations", Reservations, query, signed=True)
            found += page.reservations
            cursor = page.next_cursor
            if cursor is None:
                return found

    async def kill(self) -> Killed:
        """Cancels all orders and stops trading until the operator approves the account again."""
        return await self.send("POST", "/v1/account/kill", Killed)
