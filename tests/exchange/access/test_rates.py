"""How often a key may ask (clause 9.12)."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest
from exchange_server import Served, serving
from hypothesis import given
from hypothesis import strategies as st

from exchange.api.codes import RequestRefused
from exchange.api.feed import FeedError, FeedResults
from exchange.api.requests import NewOrder
from exchange.api.signing import signed_headers
from exchange.client import ExchangeClient, Profile
from exchange.gateway.rates import KEYS_MAX, RateLimit, Rates

SECOND_NS = 10**9


class Buckets:
    """The rulebook's bucket, written down slowly: tokens as exact fractions of nanoseconds."""

    def __init__(self, limit: RateLimit) -> None:
        self.interval = SECOND_NS // limit.per_second
        self.full = limit.burst * self.interval
        self.held: dict[str, int] = {}
        self.at = 0

    def spend(self, key: str, now: int) -> bool:
        for known in self.held:
            self.held[known] = min(self.full, self.held[known] + now - self.at)
        self.at = now
        if self.held.setdefault(key, self.full) < self.interval:
            return False
        self.held[key] -= self.interval
        return True


@given(
    st.sampled_from([RateLimit(2, 3), RateLimit(7, 1), RateLimit(1_000, 20)]),
    st.lists(st.tuples(st.integers(0, SECOND_NS), st.sampled_from("abc")), max_size=80),
)
def test_it_is_the_token_bucket_of_the_rulebook(limit: RateLimit, steps: list[tuple[int, str]]) -> None:
    now = 0
    rates, slow = Rates(limit, lambda: now), Buckets(limit)
    for ahead, key in steps:
        now += ahead
        try:
            rates.spend(key)
            taken = True
        except RequestRefused as refused:
            taken = False
            assert refused.retry_after_s is not None
            assert refused.retry_after_s >= 1
        assert taken == slow.spend(key, now)


def test_the_rulebook_example_and_the_wait_is_enough() -> None:
    now = 0
    rates = Rates(RateLimit(2, 3), lambda: now)
    for _ in range(3):
        rates.spend("k")
    with pytest.raises(RequestRefused) as refused:
        rates.spend("k")
    assert (refused.value.code, refused.value.retry_after_s) == ("RATE_LIMIT", 1)
    rates.spend("other")
    now = SECOND_NS // 2
    rates.spend("k")
    with pytest.raises(RequestRefused):
        rates.spend("k")
    now += SECOND_NS
    rates.spend("k")


def test_the_memory_is_bounded_and_forgets_the_quietest() -> None:
    rates = Rates(RateLimit(1, 1), lambda: 0)
    for number in range(KEYS_MAX + 1):
        rates.spend(str(number))
    with pytest.raises(RequestRefused):
        rates.spend("1")
    rates.spend("0")


async def retry_after(served: Served, profile: Profile) -> int:
    """Ask until it is too often, and return the seconds to wait."""
    async with aiohttp.ClientSession(served.base_url) as session:
        while True:
            headers = signed_headers(profile.key_id, profile.secret_bytes, "GET", "/v1/balances")
            async with session.get("/v1/balances", headers=headers) as answer:
                if answer.status == 429:
                    return int(answer.headers["Retry-After"])


async def test_each_key_has_its_own_and_nothing_is_done_beyond_it(tmp_path: Path) -> None:
    async with serving(tmp_path, rate_limit=RateLimit(1, 8)) as served:
        blue, red = await served.admit("blue", "enterprise"), await served.admit("red", "enterprise")
        await served.at(9)
        before = served.exchange.views.seq
        order = b'{"symbol":"H100.GUIAN.261208","side":"buy","quantity":1,"price":"12.00"}'
        codes = []
        for _ in range(30):
            _, answer = await served.raw("POST", "/v1/orders", order, profile=blue)
            error = answer.get("error")
            codes.append(str(error["code"]) if isinstance(error, dict) else "taken")
        assert codes[:8] == ["taken"] * 8
        assert codes.count("RATE_LIMIT") >= 10  # a slow machine earns some tokens meanwhile
        assert set(codes) == {"taken", "RATE_LIMIT"}
        placed = codes.count("taken")
        assert served.exchange.views.seq == before + 2 * placed  # each with the note of its nonce
        assert await retry_after(served, blue) >= 1
        assert (await served.raw("GET", "/v1/balances", profile=red))[0] == 200
        assert (await served.raw("GET", "/v1/status"))[0] == 200
        # a wrong signature costs its owner nothing, and a patient client gets through
        wrong = {"Dongxi-Signature": "0" * 64}
        for _ in range(20):
            await served.raw("GET", "/v1/balances", profile=red, headers=wrong)
        assert (await served.raw("GET", "/v1/balances", profile=red))[0] == 200
        async with ExchangeClient(served.base_url, blue) as patient:
            assert (await patient.balances()).account == blue.account


async def test_orders_of_the_private_channel_count(tmp_path: Path) -> None:
    async with serving(tmp_path, rate_limit=RateLimit(1, 4)) as served:
        blue = await served.admit("blue", "enterprise")
        await served.at(9)
        order = NewOrder(symbol="H100.GUIAN.261208", side="buy", quantity=1, price="12.00")
        async with served.client(blue) as client, await client.feed() as feed:
            await feed.log_on()
            for number in range(12):
                await feed.enter(str(number), [order])
            heard: dict[str, str] = {}
            async for message in feed:
                if isinstance(message, (FeedResults, FeedError)) and message.id is not None:
                    heard[message.id] = getattr(message, "code", "taken")
                if len(heard) == 12:
                    break
        codes = [heard[str(number)] for number in range(12)]
        assert codes[:3] == ["taken"] * 3  # the log-on was the first of four
        assert "RATE_LIMIT" in codes
