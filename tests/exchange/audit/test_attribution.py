"""Who did what is in the journal: every command is traced to the key or session that it came by."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
from binary_session import SYMBOL, Heard, hear_until, wired
from exchange_server import Served
from logged_in import PASSWORD, browsing

from exchange.api.requests import NewOrder
from exchange.audit.subject import Subject
from exchange.audit.tracing import trace
from exchange.client import Profile
from matching.records import Side

ORDERS = 20


async def second_key(served: Served, profile: Profile) -> Profile:
    """Another key of the same member."""
    async with served.client(served.operator) as operator:
        made = await operator.add_key(profile.member, ["read", "trade"])
    return msgspec.structs.replace(profile, key_id=made.key_id, secret=made.secret)


async def place(served: Served, profile: Profile, price: str) -> None:
    async with served.client(profile) as client:
        await client.place(NewOrder(symbol=SYMBOL, side="buy", quantity=1, price=price))


async def test_every_command_is_traced_to_the_key_or_session_it_came_by(tmp_path: Path) -> None:
    async with wired(tmp_path) as wire, browsing(wire.served) as browser:
        served = wire.served
        blue = await served.admit("blue", "enterprise")
        other = await second_key(served, blue)
        async with served.client(served.operator) as operator:
            await operator.set_password("blue", PASSWORD)
        prices = [f"11.{at:02}" for at in range(ORDERS)]
        keys = [(blue, other)[at * 7 % 3 % 2] for at in range(ORDERS)]  # in no simple order
        # at once, so that orders of both keys come in one turn of the server's loop
        await asyncio.gather(*(place(served, key, price) for key, price in zip(keys, prices, strict=True)))
        await browser.log_in("blue")
        order = {"symbol": SYMBOL, "side": "buy", "quantity": 1, "price": "10.90"}
        assert (await browser.ask("POST", "/v1/orders", order))[0] == 200
        async with await wire.connect(other) as binary:
            await binary.send(wire.order(Side.BUY, price=1_091))
            await hear_until(binary, Heard(), 1)
        operator_key = served.operator.key_id
    records = trace(tmp_path / "data", Subject("blue"), lambda _: None).records
    came_by = {r.text.rpartition(" at ")[2]: (r.who, r.by) for r in records if r.what == "order"}
    wanted = {price: ("blue", key.key_id) for price, key in zip(prices, keys, strict=True)}
    wanted |= {"10.90": ("blue", "session of blue"), "10.91": ("blue", other.key_id)}
    assert came_by == wanted
    told = [(r.text, r.who, r.by) for r in records if r.what == "message"]
    assert told[:2] == [("AddMember", "operator", operator_key), ("Deposit", "operator", operator_key)]
