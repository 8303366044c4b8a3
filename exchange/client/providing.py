"""A provider's capacity and meter readings."""

from collections.abc import Sequence

from exchange.api import requests
from exchange.api.answers import Done
from exchange.api.delivering import ReadingsAnswer
from exchange.api.primary import Capacity, CapacityAnswer, CapacityPost
from exchange.client.transport import Transport, segment


class ProviderCalls(Transport):
    """Posting what is for sale, and saying what was delivered."""

    async def post_capacity(self, post: requests.PostCapacity) -> CapacityPost:
        """Posts capacity."""
        return (await self.send("POST", "/v1/capacity", CapacityAnswer, post)).capacity

    async def capacity(self) -> list[CapacityPost]:
        """The account's posted capacity."""
        return (await self.get("/v1/capacity", Capacity, signed=True)).capacity

    async def withdraw_capacity(self, capacity_id: str) -> Done:
        """Takes back a capacity post."""
        return await self.send("DELETE", f"/v1/capacity/{segment(capacity_id)}", Done)

    async def send_readings(
        self, readings: Sequence[requests.Reading], signed: requests.SignedBy | None = None
    ) -> ReadingsAnswer:
        """Sends meter readings; all are taken in or none. `signed`: see `client.metering`."""
        body = requests.Readings(readings=list(readings), signed=signed)
        return await self.send("POST", "/v1/deliveries/readings", ReadingsAnswer, body)
