"""A broker's clients."""

from exchange.api import answers, requests
from exchange.client.transport import Transport


class BrokerCalls(Transport):
    """Sub-accounts of the broker's clients."""

    async def add_client(self, name: str) -> answers.Client:
        """Opens a sub-account for a client."""
        body = requests.AddClient(name=name)
        return (await self.send("POST", "/v1/clients", answers.ClientAnswer, body)).client

    async def clients(self) -> list[answers.Client]:
        """The broker's clients."""
        return (await self.get("/v1/clients", answers.Clients, signed=True)).clients
