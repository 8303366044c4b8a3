"""A broker's clients."""

from exchange.api import requests
from exchange.api.access import Client, ClientAnswer, Clients
from exchange.client.transport import Transport


class BrokerCalls(Transport):
    """Sub-accounts of the broker's clients."""

    async def add_client(self, name: str) -> Client:
        """Opens a sub-account for a client."""
        body = requests.AddClient(name=name)
        return (await self.send("POST", "/v1/clients", ClientAnswer, body)).client

    async def clients(self) -> list[Client]:
        """The broker's clients."""
        return (await self.get("/v1/clients", Clients, signed=True)).clients
