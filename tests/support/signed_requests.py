"""A served exchange in a thread of its own with its history, and `requests` signed by a caller fit for each
endpoint.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import requests
from exchange_server import Served, serving

from exchange.api.requests import NewOrder
from exchange.api.signing import signed_headers
from exchange.client import Profile
from exchange.history.follower import Follower

SYMBOL = "H100.GUIAN.2701"


@dataclass(frozen=True)
class Callers:
    """Where the exchange listens, and who asks for what. `spare` is there to be killed."""

    base_url: str
    operator: Profile
    provider: Profile
    broker: Profile
    spare: Profile
    order_id: str
    """An open order of the broker."""

    def caller_for(self, path: str) -> Profile:
        """The member whose business a path is."""
        if path.startswith("/v1/operator"):
            return self.operator
        if path.startswith(("/v1/capacity", "/v1/deliveries")):
            return self.provider
        return self.spare if path.startswith("/v1/account/kill") else self.broker


class Signer(requests.auth.AuthBase):
    """Signs each request as it goes out, whatever its headers were."""

    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the four headers."""
        target = prepared.path_url
        profile = self._callers.caller_for(target)
        body = prepared.body or b""
        raw = body.encode() if isinstance(body, str) else bytes(body)
        prepared.headers.update(
            signed_headers(profile.key_id, profile.secret_bytes, prepared.method or "", target, raw)
        )
        return prepared


@contextmanager
def served_in_thread(folder: Path) -> Iterator[Callers]:
    """Serve an exchange in continuous trading with members, cash, orders and a trade."""
    started, found = threading.Event(), list[Callers | BaseException]()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        try:
            async with serving(folder) as served:
                found.append(await _callers(served))
                started.set()
                await stop.wait()
        except BaseException as broken:
            found.append(broken)
            started.set()
            raise

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    started.wait()
    try:
        first = found[0]
        if isinstance(first, BaseException):
            raise first
        with _history(folder / "data"):
            yield first
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


@contextmanager
def _history(data_dir: Path) -> Iterator[None]:
    """Fill the history beside the server; begin when it can be asked."""
    stop, opened = threading.Event(), threading.Event()
    with Follower(data_dir) as follower:
        thread = threading.Thread(target=follower.run, args=(stop, opened.set))
        thread.start()
        opened.wait()
        try:
            yield
        finally:
            stop.set()
            thread.join()


async def _callers(served: Served) -> Callers:
    provider = await served.admit("guian-provider", "provider")
    broker = await served.admit("bank", "broker")
    spare = await served.admit("spare", "enterprise")
    async with served.client(served.operator) as operator:
        key = await operator.add_key("spare", ["risk"])
    spare = msgspec.structs.replace(spare, key_id=key.key_id, secret=key.secret)
    await served.at(9, 30)
    async with served.client(provider) as sells, served.client(broker) as buys:
        await buys.add_client("one")
        await sells.place(NewOrder(symbol=SYMBOL, side="sell", quantity=5, price="12.10"))
        await buys.place(NewOrder(symbol=SYMBOL, side="buy", quantity=2, price="12.10"))
        resting = await buys.place(NewOrder(symbol=SYMBOL, side="buy", quantity=9, price="11.90"))
    return Callers(served.base_url, served.operator, provider, broker, spare, resting.order.order_id)
