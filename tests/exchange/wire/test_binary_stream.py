"""However the stream is cut the answers are the same; garbage gets a reason and a close, never a crash."""

from __future__ import annotations

import asyncio
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from binary_session import Heard, Wire, wired
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.api.binary import (
    ANSWER_SIZE,
    LOGON_SIZE,
    AnswerKind,
    CloseCode,
    RequestKind,
    pack_request,
    unpack_answer,
)
from exchange.client.binary import logon_bytes, new_logon
from matching.records import COMMAND, CommandKind, Side, cancel, mass_cancel

Action = tuple[str, int]

ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("sell"), st.integers(1_180, 1_200)),
        st.tuples(st.just("buy"), st.integers(1_180, 1_200)),
        st.tuples(st.just("cancel"), st.integers(0, 1_000)),
        st.tuples(st.just("mass"), st.just(0)),
        st.tuples(st.just("heartbeat"), st.just(0)),
        st.tuples(st.just("wrong"), st.sampled_from([0, 5, 6, 99, 223, 226, 255])),
        st.tuples(st.just("logout"), st.just(0)),
    ),
    min_size=1,
    max_size=30,
)


def record(wire: Wire, action: Action) -> bytes:
    """The bytes of one action."""
    what, number = action
    if what in ("sell", "buy"):
        return wire.order(Side.SELL if what == "sell" else Side.BUY, price=number, client_id=number)
    if what == "cancel":
        return cancel(account=0, order_id=number).tobytes()
    if what == "mass":
        return mass_cancel(account=0).tobytes()
    if what == "heartbeat":
        return pack_request(RequestKind.HEARTBEAT)
    if what == "logout":
        return pack_request(RequestKind.LOGOUT)
    rows = np.zeros(1, COMMAND)
    rows["kind"] = number
    return rows.tobytes()


def ends_with(actions: list[Action]) -> tuple[int, CloseCode]:
    """How many commands come before the end, and what ends it: the rule in plain Python."""
    commands = 0
    for what, number in actions:
        if what == "logout":
            return commands, CloseCode.LOGGED_OUT
        if what == "wrong":
            operator = number == CommandKind.INDICATIVE
            return commands, CloseCode.OPERATOR_ONLY if operator else CloseCode.UNKNOWN_KIND
        commands += what != "heartbeat"
    return commands, CloseCode.LOGGED_OUT


async def converse(wire: Wire, stream: bytes, cuts: list[int]) -> list[bytes]:
    """Send a stream in pieces, end it, and return the records that came."""
    reader, writer = await asyncio.open_connection(wire.host, wire.port)
    places = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    for begin, end in pairwise(places):
        writer.write(stream[begin:end])
        await writer.drain()
        await asyncio.sleep(0)
    writer.write_eof()
    data = await reader.read()
    writer.close()
    assert len(data) % ANSWER_SIZE == 0
    return [data[at : at + ANSWER_SIZE] for at in range(0, len(data), ANSWER_SIZE)]


def in_substance(heard: Heard) -> list[tuple[int, ...]]:
    """What the events of its own commands say, without seqs and order ids, which depend on what came before.

    The cancels that the disconnect causes may or may not come before the close.
    """
    own = max((block.seq + block.count for block in heard.told(AnswerKind.BLOCK)), default=0)
    columns = ("kind", "price", "quantity", "remaining", "client_id", "side", "code", "flags")
    return [tuple(int(row[name]) for name in columns) for row in heard.events if row["seq"] < own]


async def check(actions: list[Action], cuts: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with wired(Path(folder)) as wire:
            red = await wire.served.admit("red", "provider")
            stream = b"".join(record(wire, action) for action in actions)
            told: list[list[tuple[int, ...]]] = []
            for cutting in ([], cuts):
                logon = logon_bytes(red, new_logon(red, cancel_group=0))
                first, *answers, last = await converse(wire, logon + stream, cutting)
                assert unpack_answer(first).kind == AnswerKind.WELCOME
                commands, code = ends_with(actions)
                assert unpack_answer(last).code == code
                heard = Heard()
                heard.add(b"".join(answers))
                assert heard.answered() == commands
                told.append(in_substance(heard))
                await wire.quiet()
            assert told[0] == told[1]


CAMPAIGN: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}


@settings(max_examples=5, **CAMPAIGN)
@given(actions=ACTIONS, cuts=st.lists(st.integers(0, 10_000), max_size=40))
def test_any_cutting_gives_the_same_answers(actions: list[Action], cuts: list[int]) -> None:
    asyncio.run(check(actions, cuts))


@pytest.mark.soak
@settings(max_examples=500, **CAMPAIGN)
@given(actions=ACTIONS, cuts=st.lists(st.integers(0, 10_000), max_size=200))
def test_any_cutting_gives_the_same_answers_long(actions: list[Action], cuts: list[int]) -> None:
    asyncio.run(check(actions, cuts))


async def garbage(streams: list[bytes]) -> list[int]:
    """Send each stream bare, behind a broken logon and behind a good one; return with what kinds of answer it
    ended.
    """
    ended: list[int] = []
    with tempfile.TemporaryDirectory() as folder:
        async with wired(Path(folder)) as wire:
            red = await wire.served.admit("red", "provider")
            for stream in streams:
                *_, last = await converse(wire, stream, [])
                ended.append(unpack_answer(last).kind)
                logon = logon_bytes(red, new_logon(red))
                at = len(stream) % LOGON_SIZE
                broken = logon[:at] + bytes([logon[at] ^ 1]) + logon[at + 1 :]
                (only,) = await converse(wire, broken + stream, [])
                assert unpack_answer(only).code in (
                    CloseCode.MALFORMED_LOGON,
                    CloseCode.BAD_SIGNATURE,
                    CloseCode.STALE_TIMESTAMP,
                )
                ended.append(unpack_answer(only).kind)
                *_, last = await converse(wire, logon + stream, [])
                ended.append(unpack_answer(last).kind)
            async with await wire.connect(red) as client:
                assert client.welcome.account == int(red.account)
    return ended


@settings(max_examples=3, **CAMPAIGN)
@given(st.lists(st.binary(max_size=400), min_size=1, max_size=8))
def test_garbage_gets_a_reason_and_a_close(streams: list[bytes]) -> None:
    assert asyncio.run(garbage(streams)) == [AnswerKind.CLOSE] * (3 * len(streams))
