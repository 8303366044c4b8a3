"""The client of the HTTP part of the wire benchmark: requests that are made and signed before the clock runs,
over plain sockets, so that the client isn't what is measured.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator
from itertools import cycle, islice, repeat
from typing import Any

import orjson

from exchange.api.signing import signed_headers
from exchange.client import Profile

RATE_MAX = 20_000
"""Orders that are prepared for each second of a run."""
_RECEIVE_BYTES = 1 << 16


def constant_requests() -> Iterator[bytes]:
    """Return requests of the bare handler, without an end."""
    return repeat(_request("/constant", b"", {}))


def order_requests(member: Profile, contracts: list[dict[str, Any]], seconds: float) -> Iterator[bytes]:
    """Return orders that rest, each signed, for a run of `seconds`; by turns in contracts enough that no
    position limit is reached.
    """
    bodies = [
        orjson.dumps(
            {"symbol": one["symbol"], "side": "buy", "price": f"{one['low'] / 100:.2f}", "quantity": 1}
        )
        for one in contracts
    ]
    target = "/v1/orders"
    made = [
        _request(target, body, signed_headers(member.key_id, member.secret_bytes, "POST", target, body))
        for body in islice(cycle(bodies), int(seconds * RATE_MAX))
    ]
    return iter(made)


def _request(target: str, body: bytes, headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = (
        f"POST {target} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{lines}\r\n"
    )
    return head.encode() + body


def exchange_all(port: int, connections: int, requests: Iterator[bytes], seconds: float) -> tuple[int, float]:
    """Send one request after another on each connection; return how many were answered 200, and the seconds
    that it took: until the time is up or there are no more. Raises RuntimeError for another answer.
    """
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    waiting = {one.fileno(): one for one in sockets}
    done = 0
    with select.epoll() as ready:
        begin = time.perf_counter()
        for one, request in zip(sockets, requests, strict=False):
            ready.register(one, select.EPOLLIN)
            one.sendall(request)
        while waiting:
            for number, _ in ready.poll():
                _take_answer(waiting[number])
                done += 1
                over = time.perf_counter() - begin > seconds
                request = b"" if over else next(requests, b"")
                if request:
                    waiting[number].sendall(request)
                else:
                    waiting.pop(number).close()
    return done, time.perf_counter() - begin


def _take_answer(one: socket.socket) -> None:
    answer = one.recv(_RECEIVE_BYTES)
    while not _is_whole(answer):
        more = one.recv(_RECEIVE_BYTES)
        if not more:
            raise RuntimeError(f"the connection ended after {answer!r}")
        answer += more
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(answer.decode())


def _is_whole(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    _, named, length = head.lower().partition(b"content-length: ")
    return bool(named) and len(body) == int(length.partition(b"\r\n")[0])
