"""The primary market over HTTP, by the client: from a site to collateral and back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from exchange_server import serving

from exchange.api import requests
from exchange.api.attest import AgentKey
from exchange.api.formats import parse_time_ns, time_text
from exchange.client import ExchangeError
from exchange.domain.calendar import local_datetime

KEY = AgentKey(bytes(range(32)))
POST = requests.PostCapacity(
    grade="H100",
    hub="GUIAN",
    cards=8,
    first_day="2026-12-05",
    last_day="2026-12-06",
    site_id="1",
    maintenance=[requests.MaintenanceWindow(first_day="2026-12-06", last_day="2026-12-06", cards=3)],
    attributes={"fabric": "NVLink"},
)


async def test_a_site_is_certified_handed_on_pledged_and_revoked(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.at(8, 45)
        acme, blue = await served.admit("acme", "provider"), await served.admit("blue", "enterprise")
        async with served.client(acme) as provider, served.client(served.operator) as operator:
            site = await provider.primary.register_site("hall 1", "GUIAN", {"H100": 8}, KEY.public_bytes)
            posted = await provider.post_capacity(POST)
            measured = local_datetime(served.exchange.status().market_time_ns) - timedelta(minutes=5)
            figures = (posted.capacity_id, measured, 8, 950_000, 80)
            with pytest.raises(ExchangeError, match="FORGED_SIGNATURE"):
                await provider.primary.attest(site, AgentKey(bytes(32)), *figures)
            assert await provider.primary.attest(site, KEY, *figures) == "1"
            with pytest.raises(ExchangeError, match="AGENT_MESSAGE_REPEATED"):
                await provider.primary.attest(site, KEY, *figures)
            (certificate,) = (await provider.primary.certificates()).certificates
            assert [day.cards for day in certificate.days] == [8, 5]  # clause 10.3
            assert await provider.primary.transfer("1", "blue", 2) == "2"
            with pytest.raises(ExchangeError, match="CERTIFICATE_IN_USE"):
                await provider.primary.transfer("1", "blue", 4)
            assert (await provider.primary.pledge("1", 1)).collateral_fen > 0
            with pytest.raises(ExchangeError, match="OVER_CERTIFIED"):
                await operator.primary.certify(posted.capacity_id, 1)
            await operator.primary.revoke("1", "fire")
            assert [c.revoked for c in await operator.primary.all_certificates()] == ["fire", None]
            assert (await provider.primary.certificates()).collateral_fen == 0
            moved = await provider.primary.set_agent_key(site.site_id, AgentKey(bytes(32)).public_bytes)
            assert moved.next_sequence == 2
            assert await provider.primary.sites() == [moved]
        async with served.client(blue) as enterprise:
            (mine,) = (await enterprise.primary.certificates()).certificates
            assert (mine.source_certificate_id, mine.days[0].free) == ("1", 2)


async def test_posted_capacity_is_kept_on_sale(tmp_path: Path) -> None:
    """Clause 10.8: posted with a price before the day begins, in the book from the day's call on."""
    async with serving(tmp_path) as served:
        await served.at(8, 45)
        acme = await served.admit("acme", "provider")
        async with served.client(acme) as provider:
            site = await provider.primary.register_site("hall 1", "GUIAN", {"H100": 8}, KEY.public_bytes)
            with pytest.raises(ExchangeError, match="INVALID_SALE"):
                await provider.post_capacity(msgspec.structs.replace(POST, sell_in=["day"]))
            price = (await provider.contract("H100.GUIAN.261205")).reference_price
            post = msgspec.structs.replace(POST, sell_in=["day"], reserve_price=price)
            posted = await provider.post_capacity(post)
            measured = local_datetime(served.exchange.status().market_time_ns)
            await provider.primary.attest(site, KEY, posted.capacity_id, measured, 8, 950_000, 80)
            (sale,) = await provider.primary.sales()
            assert (sale.kind, sale.price) == ("day", price)
            assert await provider.orders() == []
            await served.at(8, 56)
            orders = {order.symbol: order.open_quantity for order in await provider.orders()}
            assert orders == {"H100.GUIAN.261205": 8, "H100.GUIAN.261206": 5}
            assert await provider.primary.set_sale("H100", "GUIAN", "day", "0.00") == []
            assert await provider.orders() == []
            (sale,) = await provider.primary.set_sale("H100", "GUIAN", "day", price, "peak")
            assert (sale.kind, sale.profile) == ("day", "peak")
        served.exchange.check()


def test_times_are_read_as_they_are_signed() -> None:
    assert parse_time_ns(time_text(1_000), "t") == 1_000
