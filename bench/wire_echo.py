"""The floor of the wire benchmark: a server that does nothing with commands but answer as many bytes.

What it reads in one turn it answers with one BLOCK and one ACCEPTED a command, copied from a prepared array.
So the client, the sockets and the event loop are those of the exchange, and all else is left out.

Prints its port and serves one connection after another until its standard input ends.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import numpy as np

from exchange.api.binary import LOGON_SIZE, Answer, AnswerKind, pack_answer
from exchange.gateway.binary.connection import BUFFER_RECORDS
from exchange.ops.loop import keep_what_is_loaded, loop_factory
from matching.records import COMMAND, EVENT, EventKind


class Echo(asyncio.BufferedProtocol):
    """One connection."""

    def __init__(self) -> None:
        self._buffer = bytearray(BUFFER_RECORDS * COMMAND.itemsize)
        self._filled = 0
        self._answered = 0
        self._logged_on = False
        events = np.zeros(BUFFER_RECORDS, EVENT)
        events["kind"] = EventKind.ACCEPTED
        self._events = memoryview(events.tobytes())
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, _: int) -> memoryview:
        """Return where to read to."""
        return memoryview(self._buffer)[self._filled :]

    def buffer_updated(self, count: int) -> None:
        """Answer every whole record."""
        self._filled += count
        if not self._logged_on:
            self._logged_on = self._filled >= LOGON_SIZE
            if self._logged_on:
                self._filled = 0
                self._transport.write(pack_answer(Answer(kind=AnswerKind.WELCOME, number=1)))
            return
        whole = self._filled // COMMAND.itemsize
        rest = self._buffer[whole * COMMAND.itemsize : self._filled]
        self._buffer[: len(rest)] = rest
        self._filled = len(rest)
        if whole:
            block = Answer(kind=AnswerKind.BLOCK, number=self._answered + 1, count=whole)
            self._answered += whole
            self._transport.writelines((pack_answer(block), self._events[: whole * EVENT.itemsize]))


async def serve() -> None:
    """Serve until standard input ends."""
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    keep_what_is_loaded()
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve())
