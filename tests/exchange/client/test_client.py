"""The client against another side that is busy, breaks off, or doesn't know what became of a command."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from exchange_server import serving

from exchange.api.codes import NOTHING_DONE, RequestCode
from exchange.api.requests import NewOrder
from exchange.api.signing import NONCE_HEADER
from exchange.client import ExchangeClient, ExchangeError, FeedClosed, Profile
from exchange.domain.rejects import KERNEL_REJECTS, RejectCode

ORDER = NewOrder(symbol="H100.GUIAN.261205", side="buy", price="11.85", quantity=2)
DONE = {"as_of_seq": 7}
PLACED = {
    "order": {
        "order_id": "1",
        "client_order_id": None,
        "status": "resting",
        "open_quantity": 2,
        "filled_quantity": 0,
        "fills": [],
    },
    "as_of_seq": 7,
}
ALIVE = {"alive": True}

Answer = Callable[[web.Request], web.StreamResponse]
Command = Callable[[ExchangeClient], Awaitable[object]]


def says(status: int, body: object, **headers: str) -> Answer:
    """An answer with this status and JSON body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: web.json_response(body, status=status, headers=named)


def refuses(status: int, code: str, **headers: str) -> Answer:
    return says(status, {"error": {"code": code, "message": "A sentence."}}, **headers)


def breaks_off(request: web.Request) -> web.StreamResponse:
    """Close the connection without an answer."""
    assert request.transport is not None
    request.transport.close()
    return web.Response()


@dataclass
class OtherSide:
    """A plain server that gives the answers in order and keeps the nonces that it saw."""

    answers: list[Answer]
    base_url: str = ""
    nonces: list[str] = field(default_factory=list)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        self.nonces.append(request.headers.get(NONCE_HEADER, ""))
        return self.answers.pop(0)(request)

    def client(self, retries: int = 5) -> ExchangeClient:
        profile = Profile(member="blue", account="1", key_id="k", secret="ab" * 32, base_url=self.base_url)
        return ExchangeClient(self.base_url, profile, retries=retries)


@asynccontextmanager
async def answering(*answers: Answer) -> AsyncIterator[OtherSide]:
    """The other side, which must have given all its answers at the end."""
    side = OtherSide(list(answers))
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", side.serve)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        side.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield side
    finally:
        await runner.cleanup()
    assert side.answers == []


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What is slept from here on; time itself passes no slower for it."""
    slept: list[float] = []
    real = asyncio.sleep

    async def sleep(delay: float, result: object = None) -> object:
        slept.append(delay)
        return await real(0, result)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return slept


async def place(client: ExchangeClient) -> object:
    return (await client.place(ORDER)).order.status


async def cancel(client: ExchangeClient) -> object:
    return (await client.withdraw_capacity("1")).as_of_seq


COMMANDS = pytest.mark.parametrize(
    ("command", "good", "result"), [(place, PLACED, "resting"), (cancel, DONE, 7)], ids=["place", "cancel"]
)


@COMMANDS
async def test_a_busy_exchange_is_asked_again_with_a_fresh_nonce_when_it_said(
    pauses: list[float], command: Command, good: object, result: object
) -> None:
    busy = [refuses(429, "TOO_FAST", Retry_After="3"), refuses(503, "BUSY", Retry_After="2")]
    async with answering(*busy, says(200, good)) as side, side.client() as client:
        assert await command(client) == result
        assert pauses == [3, 2]
    assert len(set(side.nonces)) == 3
    assert all(side.nonces)


@pytest.mark.parametrize("said", ["later", "nan", "Sun, 06 Nov 2033 08:49:37 GMT", "1e3"])
async def test_a_pause_that_cannot_be_read_is_replaced_by_a_growing_one(
    pauses: list[float], said: str
) -> None:
    busy = [refuses(503, "BUSY", Retry_After=said)] * 2
    async with answering(*busy, says(200, ALIVE)) as side, side.client() as client:
        assert (await client.alive()).alive
        first, second = pauses
        assert 0 < first < second


async def test_a_pause_is_bounded(pauses: list[float]) -> None:
    busy = [refuses(503, "BUSY", Retry_After=said) for said in ("86400", "-5")]
    async with answering(*busy, says(200, ALIVE)) as side, side.client() as client:
        await client.alive()
        assert pauses == [10, 0]


async def test_the_last_refusal_is_told(pauses: list[float]) -> None:
    async with answering(*[refuses(503, "BUSY")] * 3) as side, side.client(retries=2) as client:
        with pytest.raises(ExchangeError) as refused:
            await client.place(ORDER)
        assert (refused.value.code, refused.value.status, len(pauses)) == ("BUSY", 503, 2)


@COMMANDS
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (breaks_off, "CONNECTION_FAILED"),
        (refuses(500, "NOT_ACKNOWLEDGING", Retry_After="0"), "NOT_ACKNOWLEDGING"),
        (refuses(503, "SOMETHING_NEW", Retry_After="0"), "SOMETHING_NEW"),
        (refuses(500, "INTERNAL"), "INTERNAL"),
        (lambda _: web.Response(status=503, text="<html>down"), "HTTP_503"),
        (lambda _: web.Response(status=504, text="<html>slow"), "HTTP_504"),
        (lambda _: web.Response(text="<html>welcome"), "UNREADABLE_ANSWER"),
        (says(200, {"as_of_seq": "seven"}), "UNREADABLE_ANSWER"),
    ],
)
@pytest.mark.parametrize("connection", ["new", "used"])
async def test_a_command_of_unknown_outcome_is_never_sent_again(
    pauses: list[float],
    command: Command,
    good: object,
    result: object,
    answer: Answer,
    code: str,
    connection: str,
) -> None:
    before = [says(200, ALIVE)] if connection == "used" else []
    async with answering(*before, answer, says(200, ALIVE)) as side, side.client() as client:
        if before:
            await client.alive()
        with pytest.raises(ExchangeError) as failed:
            await command(client)
        assert failed.value.code == code
        assert pauses == []
        assert len(side.nonces) == 1 + len(before)
        if failed.value.code in ("CONNECTION_FAILED", "UNREADABLE_ANSWER"):
            assert "outcome is unknown" in failed.value.message
        assert (await client.alive()).alive, "the client goes on"


async def test_an_answer_that_ends_too_early_leaves_the_outcome_open() -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(half, "127.0.0.1", 0)
    async with server, ExchangeClient(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as client:
        with pytest.raises(ExchangeError, match="outcome is unknown") as failed:
            await client.cancel("1")
    assert failed.value.code == "CONNECTION_FAILED"


@pytest.mark.parametrize("connection", ["new", "used"])
async def test_a_read_is_sent_again_signed_anew_whatever_went_wrong(
    pauses: list[float], connection: str
) -> None:
    good = says(200, {"positions": [], "as_of_seq": 7})
    before = [good] if connection == "used" else []
    wrong = [breaks_off, refuses(503, "BUSY"), breaks_off]
    async with answering(*before, *wrong, good) as side, side.client() as client:
        for _ in [*before, good]:
            assert await client.positions() == []
        assert len(pauses) == len(wrong)
    assert len(set(side.nonces)) == len(side.nonces)


async def test_nobody_there_is_said() -> None:
    async with answering() as side:
        pass
    async with side.client(retries=0) as client:
        for call in (client.alive(), client.feed(), client.place(ORDER)):
            with pytest.raises(ExchangeError) as failed:
                await call
            assert failed.value.code == "CONNECTION_FAILED"


async def test_a_feed_that_is_refused_is_an_exchange_error() -> None:
    async with answering(refuses(503, "TOO_MANY_READERS")) as side, side.client() as client:
        with pytest.raises(ExchangeError) as refused:
            await client.feed()
        assert refused.value.status == 503


def test_every_code_of_503_says_that_nothing_was_done() -> None:
    codes = {code.name for code in RejectCode if code.status == 503}
    codes |= {code.name for code in RequestCode if code.status == 503}
    codes |= {code.name for code, (status, _) in KERNEL_REJECTS.items() if status == 503}
    assert codes == NOTHING_DONE


async def feed_end(end: Callable[[web.Request, web.WebSocketResponse], Awaitable[None]]) -> FeedClosed:
    """Let the other side end the feed; return what the reader is told."""

    async def serve(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str('{"type":"pong","seq":3}')
        await end(request, socket)
        return socket

    app = web.Application()
    app.router.add_get("/v1/feed", serve)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with ExchangeClient(url) as client, await client.feed() as feed:
            seqs = []
            with pytest.raises(FeedClosed) as closed:
                async for message in feed:
                    seqs.append(message.seq)  # type: ignore[union-attr]  # noqa: PERF401
            assert seqs == [3]
            return closed.value
    finally:
        await runner.cleanup()


async def test_the_end_of_a_feed_has_its_code_and_reason() -> None:
    async def behind(_: web.Request, socket: web.WebSocketResponse) -> None:
        await socket.close(code=1013, message=b"too far behind")

    closed = await feed_end(behind)
    assert (closed.close_code, closed.reason) == (1013, "too far behind")
    assert "1013" in str(closed)


async def test_a_feed_whose_connection_breaks_does_not_just_end() -> None:
    async def cut(request: web.Request, _: web.WebSocketResponse) -> None:
        assert request.transport is not None
        request.transport.abort()

    assert (await feed_end(cut)).close_code == 1006


async def test_a_feed_closed_from_this_side_just_ends(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, served.client() as client:
        feed = await client.feed(["status"])
        types = []
        async for message in feed:
            types.append(type(message).__name__)
            await feed.close()
        assert types == ["FeedSubscribed"]


async def test_any_text_is_signed_as_it_is_sent(tmp_path: Path) -> None:
    odd = "A/B c?d=ü&e%20#+"
    async with (
        serving(tmp_path) as served,
        served.client(await served.admit("blue", "enterprise")) as client,
    ):
        with pytest.raises(ExchangeError) as refused:
            await client.cancel(odd)
        assert (refused.value.code, refused.value.field) == ("INVALID_FIELD", "order_id")
        assert await client.orders(odd) == []
        with pytest.raises(ExchangeError) as refused:
            await client.contract(odd)
        assert refused.value.code == "UNKNOWN_SYMBOL"


def test_the_client_is_light() -> None:
    program = "import exchange.client, json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert "aiohttp" in loaded
    assert loaded & {"numba", "numpy", "ortools", "matching", "nodes", "scheduler"} == set()
