"""The history, filled beside a server that a test runs in its own process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exchange_server import Served

from exchange.api import history as api
from exchange.client import ExchangeClient, ExchangeError
from exchange.history.follower import Follower


@contextmanager
def filling(data_dir: Path) -> Iterator[None]:
    """Fill the history beside the server, in a thread instead of a process."""
    stop = threading.Event()
    with Follower(data_dir) as follower:
        thread = threading.Thread(target=follower.run, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


async def caught_up(served: Served, client: ExchangeClient) -> api.HistoryStatus:
    """Wait until the history is where the exchange is."""
    async with asyncio.timeout(60):
        while True:
            try:
                status = await client.history.status()
                if status.as_of_seq == served.exchange.views.seq:
                    return status
            except ExchangeError as refused:
                assert refused.code == "HISTORY_UNAVAILABLE"
            await asyncio.sleep(0.01)
