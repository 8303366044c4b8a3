"""Orders over HTTP: place, change, cancel, preview."""

from collections.abc import Sequence

from exchange.api import requests
from exchange.api.preview import PreviewAnswer
from exchange.api.trading import BatchAnswer, MassCancelAnswer, OrderAnswer
from exchange.client.transport import Transport, segment


class OrderCalls(Transport):
    """Order entry. `exchange.client.desk` adds what becomes of an order whose answer was lost."""

    async def place(self, order: requests.NewOrder) -> OrderAnswer:
        """Places one order; resolves when it is durable."""
        return await self.send("POST", "/v1/orders", OrderAnswer, order)

    async def batch(
        self, items: Sequence[requests.NewOrder | requests.Cancel | requests.Amend]
    ) -> BatchAnswer:
        """Up to 500 order commands in one request; look at each result."""
        return await self.send("POST", "/v1/orders/batch", BatchAnswer, requests.Batch(items=list(items)))

    async def preview(
        self, items: Sequence[requests.NewOrder | requests.Cancel | requests.Amend]
    ) -> PreviewAnswer:
        """What up to 500 order commands would do now, with fees and margin; changes nothing."""
        return await self.send("POST", "/v1/orders/preview", PreviewAnswer, requests.Batch(items=list(items)))

    async def amend(
        self,
        order_id: str,
        *,
        price: str | None = None,
        quantity: int | None = None,
        trigger_price: str | None = None,
    ) -> OrderAnswer:
        """Changes price, total quantity or trigger price of an own order."""
        body = requests.AmendOrder(price=price, quantity=quantity, trigger_price=trigger_price)
        return await self.send("PATCH", f"/v1/orders/{segment(order_id)}", OrderAnswer, body)

    async def cancel(self, order_id: str) -> OrderAnswer:
        """Cancels an own order."""
        return await self.send("DELETE", f"/v1/orders/{segment(order_id)}", OrderAnswer)

    async def cancel_all(
        self,
        *,
        symbol: str | None = None,
        hub: str | None = None,
        side: requests.Side | None = None,
        group: int = 0,
    ) -> MassCancelAnswer:
        """Cancels the account's orders that pass every filter given."""
        body = requests.MassCancel(symbol=symbol, hub=hub, side=side, group=group)
        return await self.send("POST", "/v1/orders/cancel", MassCancelAnswer, body)
