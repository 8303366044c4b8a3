"""An account: what it has open, holds, owes and was paid."""

from exchange.api import answers, requests
from exchange.client.transport import Transport


class AccountCalls(Transport):
    """What the account's own key may read, and its kill switch."""

    async def orders(self, symbol: str | None = None) -> list[answers.Order]:
        """All open orders of the account."""
        found: list[answers.Order] = []
        cursor: str | None = None
        while True:
            query = requests.OrdersQuery(symbol=symbol, limit=requests.PAGE_MAX, cursor=cursor)
            page = await self.get("/v1/orders", answers.Orders, query, signed=True)
            found += page.orders
            cursor = page.next_cursor
            if cursor is None:
                return found

    async def fills(self, symbol: str | None = None, limit: int = 200) -> list[answers.Fill]:
        """The account's latest fills, newest first."""
        query = requests.FillsQuery(symbol=symbol, limit=limit)
        return (await self.get("/v1/fills", answers.Fills, query, signed=True)).fills

    async def positions(self) -> list[answers.Position]:
        """The account's positions that are not flat."""
        return (await self.get("/v1/positions", answers.Positions, signed=True)).positions

    async def balances(self) -> answers.Balances:
        """The account's cash and margin."""
        return await self.get("/v1/balances", answers.Balances, signed=True)

    async def margin_calls(self) -> list[answers.MarginCall]:
        """The account's margin call, if there is one."""
        return (await self.get("/v1/margin/calls", answers.MarginCalls, signed=True)).calls

    async def auctions(self) -> list[answers.AuctionLot]:
        """What restricted accounts hold and may be bid for."""
        return (await self.get("/v1/auctions", answers.Auctions, signed=True)).lots

    async def bid(self, bid: requests.AuctionBid) -> answers.Done:
        """Bids for positions of a restricted account."""
        return await self.send("POST", "/v1/auctions/bids", answers.Done, bid)

    async def explain_margin(self) -> answers.MarginExplained:
        """Where the account's margin comes from, line by line."""
        return await self.get("/v1/margin/explain", answers.MarginExplained, signed=True)

    async def statement(self, day: str | None = None) -> answers.Statement:
        """The account's money of a day, line by line."""
        query = requests.StatementQuery(day=day)
        return await self.get("/v1/statements", answers.Statement, query, signed=True)

    async def reservations(self, day: str | None = None) -> list[answers.Reservation]:
        """The account's reservations, as buyer and as provider; of one delivery day if `day` is given."""
        found: list[answers.Reservation] = []
        cursor: str | None = None
        while True:
            query = requests.ReservationsQuery(day=day, limit=requests.PAGE_MAX, cursor=cursor)
            page = await self.get("/v1/reservations", answers.Reservations, query, signed=True)
            found += page.reservations
            cursor = page.next_cursor
            if cursor is None:
                return found

    async def kill(self) -> answers.Killed:
        """Cancels all orders and stops trading until the operator approves the account again."""
        return await self.send("POST", "/v1/account/kill", answers.Killed)
