"""A provider's capacity and meter readings."""

from collections.abc import Sequence

from exchange.api import answers, requests
from exchange.client.transport import Transport, segment


class ProviderCalls(Transport):
    """Posting what is for sale, and saying what was delivered."""

    async def post_capacity(self, post: requests.PostCapacity) -> answers.CapacityPost:
        """Posts capacity."""
        return (await self.send("POST", "/v1/capacity", answers.CapacityAnswer, post)).capacity

    async def capacity(self) -> list[answers.CapacityPost]:
        """The account's posted capacity."""
        return (await self.get("/v1/capacity", answers.Capacity, signed=True)).capacity

    async def withdraw_capacity(self, capacity_id: str) -> answers.Done:
        """Takes back a capacity post."""
        return await self.send("DELETE", f"/v1/capacity/{segment(capacity_id)}", answers.Done)

    async def send_readings(
        self, readings: Sequence[requests.Reading], signed: requests.SignedBy | None = None
    ) -> answers.ReadingsAnswer:
        """Sends meter readings; all are taken in or none. `signed`: see `client.metering`."""
        body = requests.Readings(readings=list(readings), signed=signed)
        return await self.send("POST", "/v1/deliveries/readings", answers.ReadingsAnswer, body)
