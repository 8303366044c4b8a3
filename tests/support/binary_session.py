"""The binary gateway of a served exchange, and a session that sorts what it gets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from exchange_server import Served, serving

from exchange.api.binary import ANSWER_SIZE, Answer, AnswerKind, CloseCode, Logon, unpack_answer
from exchange.client import Profile
from exchange.client.binary import BinaryClient, SessionClosed
from exchange.gateway.binary.gateway import BinaryGateway, BinaryLimits
from matching.records import EVENT, EventKind, Records, Side, new_order

SYMBOL = "H100.GUIAN.261205"


@dataclass
class Wire:
    """A served exchange with its binary gateway."""

    served: Served
    gateway: BinaryGateway
    host: str
    port: int

    @property
    def contract(self) -> int:
        """Index of the contract that tests trade."""
        index = self.served.exchange.views.index(SYMBOL)
        assert index is not None
        return index

    async def connect(self, profile: Profile, logon: Logon | None = None) -> BinaryClient:
        """Log on."""
        return await BinaryClient.connect(self.host, self.port, profile, logon)

    async def quiet(self) -> None:
        """Return when the account's disconnected sessions have had their orders cancelled."""
        while self.served.exchange.waiting_commands or self.gateway.connections:  # noqa: ASYNC110
            await asyncio.sleep(0.001)

    def order(
        self, side: Side, price: int = 1_190, quantity: int = 1, client_id: int = 0, group: int = 0
    ) -> bytes:
        """The bytes of one order."""
        return new_order(
            account=0,
            instrument=self.contract,
            side=side,
            price=price,
            quantity=quantity,
            client_id=client_id,
            group=group,
        ).tobytes()


@dataclass
class Heard:
    """What a session got, sorted: EVENT records in order, session records in order, and the end."""

    raw: bytes = b""
    answers: list[Answer] = field(default_factory=list)
    closed: CloseCode | None = None

    def add(self, records: bytes) -> None:
        """Sort more of it."""
        self.raw += records
        for row in np.frombuffer(records, EVENT):
            if row["kind"] >= AnswerKind.WELCOME:
                self.answers.append(unpack_answer(row.tobytes()))

    @property
    def events(self) -> Records:
        """EVENT records."""
        rows = np.frombuffer(self.raw, EVENT)
        return rows[rows["kind"] < AnswerKind.WELCOME]

    def of(self, kind: EventKind) -> Records:
        """EVENT records of a kind."""
        return self.events[self.events["kind"] == kind]

    def answered(self) -> int:
        """How many commands were told to be durable."""
        return sum(answer.count for answer in self.answers if answer.kind == AnswerKind.BLOCK)

    def told(self, kind: AnswerKind) -> list[Answer]:
        """Session records of a kind."""
        return [answer for answer in self.answers if answer.kind == kind]


async def hear_until(client: BinaryClient, heard: Heard, commands: int) -> Heard:
    """Read until so many commands are answered, with their events."""
    last = -1
    while heard.answered() < commands or (len(heard.events) == 0 or int(heard.events["seq"].max()) < last):
        heard.add(await client.receive())
        last = max((block.seq + block.count - 1 for block in heard.told(AnswerKind.BLOCK)), default=-1)
    return heard


async def hear_out(client: BinaryClient, heard: Heard | None = None) -> Heard:
    """Read until the server closes."""
    heard = heard or Heard()
    try:
        while True:
            heard.add(await client.receive())
    except SessionClosed as closed:
        heard.closed = closed.code
    return heard


@asynccontextmanager
async def wired(folder: Path, limits: BinaryLimits | None = None) -> AsyncIterator[Wire]:
    """Serve an exchange in continuous trading with its binary gateway."""
    async with serving(folder) as served:
        gateway = BinaryGateway(served.exchange, limits=limits)
        host, port = await gateway.start("127.0.0.1", 0)
        try:
            await served.at(9, 5)
            yield Wire(served, gateway, host, port)
        finally:
            await gateway.stop()


assert EVENT.itemsize == ANSWER_SIZE
