"""A broker's clients, and give-ups between accounts."""

from exchange.api import brokerage as api
from exchange.api import requests
from exchange.api.access import Client, ClientAnswer, Clients
from exchange.api.answers import Done
from exchange.client.transport import Transport, segment


class BrokerCalls(Transport):
    """Sub-accounts of the broker's clients, what they pay, and fills that go to another account."""

    async def add_client(self, name: str) -> Client:
        """Opens a sub-account for a client."""
        body = requests.AddClient(name=name)
        return (await self.send("POST", "/v1/clients", ClientAnswer, body)).client

    async def clients(self) -> list[Client]:
        """The broker's clients."""
        return (await self.get("/v1/clients", Clients, signed=True)).clients

    async def set_commission(self, client: str, *, basis_points: int = 0, fen_per_lot: int = 0) -> Done:
        """Sets what a client pays from tomorrow on."""
        body = api.SetCommission(client=client, basis_points=basis_points, fen_per_lot=fen_per_lot)
        return await self.send("POST", "/v1/commissions", Done, body)

    async def commissions(self) -> list[api.Commission]:
        """What the broker's clients pay."""
        return (await self.get("/v1/commissions", api.Commissions, signed=True)).commissions

    async def offer_give_up(self, fill_id: str, lots: int, to: str, fee_fen: int = 0) -> api.GiveUp:
        """Offers lots of one of today's fills to another account."""
        body = api.OfferGiveUp(fill_id=fill_id, lots=lots, to=to, fee_fen=fee_fen)
        return (await self.send("POST", "/v1/give-ups", api.GiveUpAnswer, body)).give_up

    async def answer_give_up(self, give_up_id: str, *, accept: bool) -> api.GiveUp:
        """Takes what is offered, declines it, or withdraws one's own offer."""
        body = api.AnswerGiveUp(accept=accept)
        path = f"/v1/give-ups/{segment(give_up_id)}"
        return (await self.send("POST", path, api.GiveUpAnswer, body)).give_up

    async def give_ups(self) -> list[api.GiveUp]:
        """The account's give-ups on either side, latest first."""
        return (await self.get("/v1/give-ups", api.GiveUps, signed=True)).give_ups
