"""The worked examples of docs/protocol.md are what the code sends and reads."""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from typing import get_args

import msgspec
import numpy as np

from exchange.api.binary import (
    SIGNED_SIZE,
    Answer,
    AnswerKind,
    CloseCode,
    Logon,
    RequestKind,
    pack_answer,
    pack_request,
    unpack_answer,
    unpack_logon,
)
from exchange.api.feed import Channel, FeedMessage
from exchange.client import Market, Profile
from exchange.client.binary import logon_bytes
from matching.records import EVENT, EventKind, Side, new_order

LINE = re.compile(r"^ *(\d+)  ((?:[0-9a-f]{2} ?)+)$")


def example(root: Path, name: str) -> bytes:
    """The bytes of a hex block; every line begins with its offset."""
    page = (root / "docs/protocol.md").read_text(encoding="utf-8")
    data = b""
    for line in page.split(f"```{name}\n", 1)[1].split("\n```", 1)[0].splitlines():
        found = LINE.match(line)
        assert found, line
        assert int(found[1]) == len(data)
        data += bytes.fromhex(found[2])
    return data


def test_the_logon(root: Path) -> None:
    profile = Profile(
        member="red", account="2", key_id="k0123456789abcdef", secret=bytes(range(32)).hex(), base_url=""
    )
    logon = Logon(
        key_id=profile.key_id,
        timestamp_ms=1_700_000_000_000,
        nonce=bytes(range(16)),
        session=7,
        heartbeat_ms=5_000,
        group=3,
        flags=1,
    )
    raw = example(root, "logon")
    assert raw == logon_bytes(profile, logon)
    assert unpack_logon(raw[:SIGNED_SIZE]) == logon


def test_what_a_client_sends(root: Path) -> None:
    order = new_order(account=0, instrument=5, side=Side.SELL, price=1190, quantity=2, client_id=9, group=3)
    assert example(root, "order") == order.tobytes()
    assert example(root, "logout") == pack_request(RequestKind.LOGOUT)


def test_what_a_client_gets(root: Path) -> None:
    block = Answer(kind=AnswerKind.BLOCK, seq=1001, number=1, count=1, time_ns=1_796_346_300_000_000_000)
    assert example(root, "block") == pack_answer(block)
    assert unpack_answer(example(root, "block")) == block
    (event,) = np.frombuffer(example(root, "event"), EVENT)
    assert (event["kind"], event["seq"], event["client_id"]) == (EventKind.ACCEPTED, 1001, 9)
    assert (event["price"], event["remaining"], event["account"]) == (1190, 2, 2)
    assert unpack_answer(example(root, "close")).code == CloseCode.LOGGED_OUT


def test_every_close_code_is_listed(root: Path) -> None:
    page = (root / "docs/protocol.md").read_text(encoding="utf-8")
    for code in CloseCode:
        assert f"| {code.value} | {code.name} | {code.sentence} |" in page


def test_the_feed_s_books_and_their_checksums(root: Path) -> None:
    page = (root / "docs/protocol.md").read_text(encoding="utf-8")
    lines = page.split("```json feed\n", 1)[1].split("\n```", 1)[0].splitlines()
    market = Market()
    for line in lines:  # a wrong checksum raises
        assert market.follow(msgspec.json.decode(line, type=FeedMessage))  # type: ignore[arg-type]
    rows = page.split("```checksum\n", 1)[1].split("\n```", 1)[0].splitlines()
    checked = b"".join(bytes.fromhex(row) for row in rows) + bytes(8 * 12) + bytes(10 * 12)
    assert zlib.crc32(checked) == market.books["H100.GUIAN.2701"].checksum()


def test_every_channel_and_message_of_the_feed_is_described(root: Path) -> None:
    page = (root / "docs/protocol.md").read_text(encoding="utf-8")
    types = [kind.__struct_config__.tag for kind in get_args(FeedMessage)]
    for name in (*get_args(Channel), *types):
        assert f"`{name}`" in page, name
