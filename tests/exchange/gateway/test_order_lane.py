"""Single order commands are answered ahead of the application: nobody can tell by the answers, in whatever
pieces and company the requests come.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import orjson
import pytest
import pytest_asyncio
from exchange_server import Served, serving
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plain_http import PlainAnswer, PlainConnection, connected, order, request

from exchange.client import Profile
from exchange.gateway import trading
from exchange.gateway.call import BODY_BYTES_MAX
from exchange.gateway.rates import RateLimit

pytestmark = pytest.mark.asyncio(loop_scope="module")
ORDERS = "/v1/orders"


@dataclass
class Stage:
    served: Served
    member: Profile

    def placing(self, *lines: str, **fields: object) -> bytes:
        return request(self.member, "POST", ORDERS, order(**fields), *lines)

    async def ask(self, raw: bytes) -> PlainAnswer:
        async with connected(self.served.base_url) as connection:
            await connection.send(raw)
            return await connection.answer()

    def open_orders(self) -> int:
        return len(self.served.exchange.views.open_orders(int(self.member.account)))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with serving(tmp_path_factory.mktemp("exchange")) as served:
        member = await served.admit("blue", "enterprise")
        await served.at(9, 30)
        yield Stage(served, member)


def steady(answer: PlainAnswer) -> tuple[object, ...]:
    """What must be the same both ways: ids and seqs of different orders differ in digits only."""
    body = "".join("0" if letter.isdigit() else letter for letter in answer.body.decode())
    headers = [(name, value) for name, value in answer.steady if name != "Content-Length"]
    return answer.status, headers, body if answer.status == 200 else answer.body


BODIES = [
    order(),
    order(client_order_id="77"),
    order(client_order_id="77", quantity=2),
    order(price="99.00"),
    order(price="1.001"),
    order(symbol="nothing"),
    order(side="up"),
    order(quantity=0),
    order(price=...),
    order(colour="red"),
    order(type="market", price=..., time_in_force="ioc"),
    b"{",
    b"[]",
    b'{"symbol":"\xff"}',
]


@pytest.mark.parametrize("body", BODIES)
async def test_an_order_gets_the_same_bytes_both_ways(stage: Stage, body: bytes) -> None:
    ahead = await stage.ask(request(stage.member, "POST", ORDERS, body))
    usual = await stage.ask(request(stage.member, "POST", ORDERS, body, chunked=True))
    assert steady(ahead) == steady(usual)
    assert int(dict(ahead.headers)["Content-Length"]) == len(ahead.body)


@pytest.mark.parametrize(
    ("method", "order_id", "body"),
    [
        ("DELETE", "1", b""),
        ("PATCH", "1", b'{"price":"11.00"}'),
        ("PATCH", "1", b"{}"),
        ("PATCH", "99999999999999999999", b'{"quantity":3}'),
        ("DELETE", "01", b""),
        ("DELETE", "99999999999999999999", b""),
    ],
)
async def test_changes_of_unknown_orders_too(stage: Stage, method: str, order_id: str, body: bytes) -> None:
    target = f"{ORDERS}/{order_id}"
    ahead = await stage.ask(request(stage.member, method, target, body))
    usual = await stage.ask(request(stage.member, method, target, body, "Expect: 100-continue"))
    if usual.status == 100:  # the interim answer that was asked for
        usual = await stage.ask(request(stage.member, method, target, body, "Content-Encoding: identity"))
    assert ahead.status >= 400
    assert steady(ahead) == steady(usual)


@pytest.mark.parametrize("name", ["Dongxi-Key", "Dongxi-Timestamp", "Dongxi-Nonce", "Dongxi-Signature"])
@pytest.mark.parametrize("value", ["", "x", "0" * 64, "1" * 13, "k" * 65])
async def test_forged_headers_get_the_same_refusal(stage: Stage, name: str, value: str) -> None:
    def forged(*, chunked: bool) -> bytes:
        head, _, body = request(stage.member, "POST", ORDERS, order(), chunked=chunked).partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.startswith(f"{name}:".encode())]
        return b"\r\n".join([*lines, f"{name}: {value}".encode(), b"", body])

    ahead, usual = await stage.ask(forged(chunked=False)), await stage.ask(forged(chunked=True))
    assert (ahead.status, ahead.steady) == (usual.status, usual.steady)
    assert orjson.loads(ahead.body)["error"]["code"] == orjson.loads(usual.body)["error"]["code"]
    assert ahead.status == 401


async def test_an_amend_and_a_cancel_of_an_order_are_answered(stage: Stage) -> None:
    placed = orjson.loads((await stage.ask(stage.placing(quantity=5))).body)["order"]["order_id"]
    target = f"{ORDERS}/{placed}"
    amended = await stage.ask(request(stage.member, "PATCH", target, b'{"quantity":3}'))
    assert orjson.loads(amended.body)["order"]["open_quantity"] == 3
    cancelled = await stage.ask(request(stage.member, "DELETE", target))
    assert orjson.loads(cancelled.body)["order"]["status"] == "cancelled"
    assert (await stage.ask(request(stage.member, "DELETE", target))).status == 404


async def test_a_request_id_comes_back_if_it_is_a_plain_word(stage: Stage) -> None:
    kept = dict((await stage.ask(stage.placing("X-Request-Id: mine-7"))).headers)["X-Request-Id"]
    made = dict((await stage.ask(stage.placing("X-Request-Id: not a word"))).headers)["X-Request-Id"]
    assert kept == "mine-7"
    assert len(made) == 16


async def test_a_fault_of_the_server_is_logged_under_the_request_id(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(trading, "answer_of", None)
    ahead = await stage.ask(stage.placing("X-Request-Id: ahead-8"))
    usual = await stage.ask(
        request(stage.member, "POST", ORDERS, order(), "X-Request-Id: usual-8", chunked=True)
    )
    assert (ahead.status, ahead.steady, ahead.body) == (usual.status, usual.steady, usual.body)
    assert (ahead.status, orjson.loads(ahead.body)["error"]["code"]) == (500, "INTERNAL")
    failures = [line for line in capsys.readouterr().out.splitlines() if "request failed" in line]
    assert ["ahead-8" in failures[0], "usual-8" in failures[1]] == [True, True]


async def test_a_nonce_is_good_for_one_request_whichever_way(stage: Stage) -> None:
    raw = stage.placing()
    assert (await stage.ask(raw)).status == 200
    assert b"NONCE_REPLAYED" in (await stage.ask(raw)).body
    assert b"NONCE_REPLAYED" in (await stage.ask(raw.replace(b"Host:", b"Expect:\r\nHost:"))).body


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kinds=st.lists(st.sampled_from("pgcdw"), min_size=1, max_size=12), cuts=st.sets(st.integers(1, 3_000)))
async def test_answers_keep_the_order_of_requests_however_they_are_cut(
    stage: Stage, kinds: list[str], cuts: set[int]
) -> None:
    """p: an order; g: a read; c: a chunked order; d: a cancel of nothing; w: a wrong order."""
    made: dict[str, tuple[Callable[[], bytes], int]] = {
        "p": (stage.placing, 200),
        "g": (lambda: request(stage.member, "GET", "/v1/balances"), 200),
        "c": (lambda: request(stage.member, "POST", ORDERS, order(), chunked=True), 200),
        "d": (lambda: request(stage.member, "DELETE", f"{ORDERS}/7"), 404),
        "w": (lambda: stage.placing(price="1.001"), 422),
    }
    tagged = [
        made[kind][0]().replace(b"Host:", f"X-Request-Id: n{place}\r\nHost:".encode(), 1)
        for place, kind in enumerate(kinds)
    ]
    stream = b"".join(tagged)
    ends = sorted({cut for cut in cuts if cut < len(stream)} | {len(stream)})
    pieces = [stream[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]
    async with connected(stage.served.base_url) as connection:
        await connection.send(*pieces)
        answers = [await connection.answer() for _ in kinds]
    assert [dict(one.headers)["X-Request-Id"] for one in answers] == [f"n{at}" for at in range(len(kinds))]
    assert [one.status for one in answers] == [made[kind][1] for kind in kinds]


async def test_a_client_that_expects_to_be_told_to_continue_is_told(stage: Stage) -> None:
    head, _, body = stage.placing("Expect: 100-continue").partition(b"\r\n\r\n")
    async with connected(stage.served.base_url) as connection:
        await connection.send(head + b"\r\n\r\n")
        told = await connection.answer()
        await connection.send(body)
        answer = await connection.answer()
    assert (told.status, answer.status) == (100, 200)


async def test_a_body_that_is_too_large_is_refused(stage: Stage) -> None:
    answer = await stage.ask(stage.placing(symbol="x" * BODY_BYTES_MAX))
    assert (answer.status, orjson.loads(answer.body)["error"]["code"]) == (413, "BODY_TOO_LARGE")


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_connection_that_is_to_end_ends_after_its_answer(stage: Stage, version: str) -> None:
    raw = stage.placing("Connection: close").replace(b"HTTP/1.1", f"HTTP/{version}".encode())
    async with connected(stage.served.base_url) as connection:
        await connection.send(raw)
        answer = await connection.answer()
        assert await connection.ended()
    assert answer.status == 200


async def test_an_order_of_a_client_that_hangs_up_is_placed(stage: Stage) -> None:
    before = stage.open_orders()
    async with connected(stage.served.base_url) as connection:
        await connection.send(stage.placing())
        connection.writer.write_eof()
        await connection.reader.read()
    await stage.ask(stage.placing())  # what came before it is applied before it
    assert stage.open_orders() == before + 2


async def test_many_connections_at_once_each_get_their_own_answer(stage: Stage) -> None:
    async def one(number: int) -> tuple[str, str]:
        answer = await stage.ask(stage.placing(client_order_id=str(9_000 + number)))
        return str(9_000 + number), orjson.loads(answer.body)["order"]["client_order_id"]

    pairs = await asyncio.gather(*(one(number) for number in range(40)))
    assert [asked for asked, _ in pairs] == [got for _, got in pairs]


async def test_more_than_there_is_room_for_is_refused_one_by_one(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        member = await served.admit("blue", "enterprise")
        await served.at(9, 30)
        small = Stage(served, member)
        served.exchange.config = replace(served.exchange.config, queue_commands_max=4)
        answers = await asyncio.gather(*(small.ask(small.placing()) for _ in range(40)))
        placed = [answer for answer in answers if answer.status == 200]
        busy = [answer for answer in answers if answer.status == 503]
        assert len(placed) + len(busy) == 40
        assert small.open_orders() == len(placed) > 0
        assert all(dict(answer.headers)["Retry-After"] == "1" for answer in busy)


async def test_the_rate_of_a_key_holds(tmp_path: Path) -> None:
    async with serving(tmp_path, rate_limit=RateLimit(per_second=1, burst=4)) as served:
        member = await served.admit("blue", "enterprise")
        await served.at(9, 30)
        limited = Stage(served, member)
        answers = [await limited.ask(limited.placing()) for _ in range(6)]
        assert [answer.status for answer in answers] == [200, 200, 200, 200, 429, 429]
        assert "Retry-After" in dict(answers[-1].headers)


async def test_a_client_that_does_not_read_its_answers_is_not_read_either(stage: Stage) -> None:
    ours, theirs = socket.socketpair()
    for one in (ours, theirs):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
    loop = asyncio.get_running_loop()
    await loop.connect_accepted_socket(stage.served.protocol, theirs)
    reader, writer = await asyncio.open_connection(sock=ours, limit=256)
    connection = PlainConnection(reader, writer)
    unread, seq = 0, -1
    while stage.served.exchange.views.seq > seq:
        seq = stage.served.exchange.views.seq
        writer.write(stage.placing())
        unread += 1
        for _ in range(200):
            await asyncio.sleep(0)
    assert unread > 1
    answers = [(await connection.answer()).status for _ in range(unread)]
    assert answers == [200] * unread
    writer.close()
