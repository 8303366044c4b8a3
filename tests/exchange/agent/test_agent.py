"""An agent through a day of delivery: cut off, restarted, its clock jumping; nothing is lost or doubled."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from agent_site import Site, site_file
from exchange_server import SATURDAY, Served, serving
from proxy import Proxy, proxied

from exchange.agent.agent import agent_key
from exchange.agent.config import read_config
from exchange.agent.measure import gemm_gflops, memory_gb_per_s
from exchange.api.delivering import Reservation
from exchange.api.requests import NewOrder
from exchange.client import ExchangeClient, Profile


@dataclass
class Provided:
    """Two cards a site sold for Saturday, behind a proxy that only the agents go through."""

    served: Served
    proxy: Proxy
    sites: dict[str, Site]
    owner: Profile
    passed: list[float]
    """The server's monotonic clock, in seconds."""

    async def silent(self) -> dict[str, bool]:
        """Which sites the operator is warned of."""
        async with self.served.client(self.served.operator) as operator:
            return {site.hub: site.silent for site in await operator.primary.all_sites()}

    async def hour(self, hour: int, *hubs: str) -> list[bool]:
        """Half past an hour of Saturday: the agents of these hubs make a round."""
        day, of_day = divmod(hour, 24)
        await self.served.at(of_day, 30, SATURDAY + timedelta(days=day))
        for site in self.sites.values():
            site.monotonic_s += 3_600
        return [await self.sites[hub].agent.round() for hub in hubs]

    async def delivered(self, hub: str) -> Reservation:
        async with self.served.client(self.owner) as client:
            (found,) = [one for one in await client.reservations() if one.hub == hub]
            return found


@asynccontextmanager
async def provided(folder: Path, *hubs: str) -> AsyncIterator[Provided]:
    passed = [0.0]
    async with serving(folder, monotonic=lambda: passed[0]) as served, proxied(served.base_url) as proxy:
        await served.at(8, 45)
        acme, blue = await served.admit("acme", "provider"), await served.admit("blue", "enterprise")
        async with (
            ExchangeClient(proxy.base_url, acme, retries=0) as through,
            served.client(acme) as seller,
            served.client(blue) as buyer,
        ):
            sites = {}
            for hub in hubs:
                sites[hub] = Site(through, site_file(folder, hub))
                assert await sites[hub].agent.round()
                assert await sites[hub].agent.round(), "nothing is registered, posted or attested twice"
            await served.at(9, 30)
            for hub in hubs:
                symbol = f"H100.{hub}.261205"
                price = (await buyer.contract(symbol)).reference_price
                await seller.place(NewOrder(symbol=symbol, side="sell", quantity=2, price=price))
                await buyer.place(NewOrder(symbol=symbol, side="buy", quantity=2, price=price))
            await served.at(15, 45)
            market = Provided(served, proxy, sites, acme, passed)
            yield market
            for site in sites.values():
                site.close()


async def test_a_cut_of_hours_with_restarts_and_lost_answers_loses_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    async with provided(tmp_path, "GUIAN") as market:
        site = market.sites["GUIAN"]
        for hour in range(5):
            assert await market.hour(hour, "GUIAN") == [True]
        market.proxy.cut()
        for hour in range(5, 14):
            assert await market.hour(hour, "GUIAN") == [False]
            if hour in (7, 9):
                site.restart()
        assert site.agent.spool.counts()["taken"] == 4
        market.proxy.mend()
        for hour in range(14, 25):
            if hour in (16, 20):
                market.proxy.lose_answer = b"POST /v1/deliveries/readings"
            assert await market.hour(hour, "GUIAN") == [hour not in (16, 20)]
            if hour == 16:
                site.restart()
        done = await market.delivered("GUIAN")
        assert (done.delivered_card_hours, done.metered_hours) == (48, list(range(24)))
        assert site.agent.spool.counts() == {"waiting": 0, "taken": 24, "refused": 0}
        assert sum("out of touch" in said for said in site.said) == 5, (
            "said when it changes, and after a restart"
        )


async def test_a_clock_that_jumps_moves_no_hour(tmp_path: Path) -> None:
    async with provided(tmp_path, "GUIAN") as market:
        site = market.sites["GUIAN"]
        await market.hour(0, "GUIAN")
        market.proxy.cut()
        site.monotonic_s += 5 * 3_600
        await market.hour(1, "GUIAN")
        market.proxy.mend()
        await market.hour(1, "GUIAN")
        counts = site.agent.spool.counts()
        assert counts == {"waiting": 0, "taken": 1, "refused": 0}, "no hour that isn't over was read"
        for hour in range(2, 25):
            await market.hour(hour, "GUIAN")
        assert (await market.delivered("GUIAN")).delivered_card_hours == 48


async def test_a_site_that_fails_closes_nothing_of_another(tmp_path: Path) -> None:
    async with provided(tmp_path, "GUIAN", "TIANFU") as market:
        await market.hour(0, "GUIAN", "TIANFU")
        await market.hour(1, "GUIAN", "TIANFU")
        assert await market.silent() == {"GUIAN": False, "TIANFU": False}
        market.passed[0] += 3 * 30 + 1  # three rounds of an agent
        for hour in range(2, 25):
            await market.hour(hour, "GUIAN")
        assert await market.silent() == {"GUIAN": False, "TIANFU": True}
        assert (await market.delivered("GUIAN")).delivered_card_hours == 48
        failed = await market.delivered("TIANFU")
        assert (failed.delivered_card_hours, failed.metered_hours) == (2, [0])
        await market.hour(25)
        assert (await market.delivered("GUIAN")).shortfall_card_hours == 0
        assert (await market.delivered("TIANFU")).shortfall_card_hours == 46


async def test_of_an_hour_the_fewest_cards_count_and_what_comes_too_late_is_on_record(tmp_path: Path) -> None:
    async with provided(tmp_path, "GUIAN") as market:
        site = market.sites["GUIAN"]
        await market.hour(0, "GUIAN")
        site.down = 7
        await market.hour(0, "GUIAN")
        site.down = 0
        await market.hour(0, "GUIAN")
        await market.hour(1, "GUIAN")
        assert (await market.delivered("GUIAN")).delivered_card_hours == 1
        market.proxy.cut()
        for hour in range(2, 26):
            await market.hour(hour, "GUIAN")
        market.proxy.mend()
        while site.agent.spool.counts()["refused"] < 23:
            assert await site.agent.round()
        assert site.agent.spool.counts() == {"waiting": 0, "taken": 1, "refused": 23}


async def test_what_is_offered_in_vain_stops_no_meter_and_is_tried_once_an_hour(tmp_path: Path) -> None:
    async with provided(tmp_path, "GUIAN") as market:
        site = market.sites["GUIAN"]
        offered = '[[offers]]\ngrade = "H100"\ncards = 9\nfirst_day = "2026-12-05"\nlast_day = "2026-12-06"\n'
        site.file.write_text(site.file.read_text("utf-8") + offered, "utf-8")
        for hour in range(3):
            assert await market.hour(hour, "GUIAN") == [True]
            assert await site.agent.round()
        assert site.agent.spool.counts()["taken"] == 2
        assert sum("INVALID_CAPACITY" in said for said in site.said) == 3


def test_a_key_that_was_half_written_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / f"agent.{os.getpid()}.tmp").write_bytes(b"cut off")
    key = agent_key(tmp_path)
    assert agent_key(tmp_path).public_bytes == key.public_bytes
    assert [path.name for path in tmp_path.iterdir()] == ["agent.key"]


def test_the_benchmark_gives_figures() -> None:
    assert gemm_gflops() > 0.1
    assert memory_gb_per_s() > 0.01


def test_a_wrong_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text("site = 'hall 1'\ninventorie = []\n", "utf-8")
    with pytest.raises(ValueError, match=r"inventorie.*docs/agent\.md"):
        read_config(file)
