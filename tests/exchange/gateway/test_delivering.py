"""A delivery over HTTP: nominated, metered by the site's agent, short, insured, disputed and decided."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from exchange_server import SATURDAY, serving

from exchange.api import requests
from exchange.api.attest import AgentKey
from exchange.api.delivering import Nominate
from exchange.api.uses import RefusedUse
from exchange.client import ExchangeError
from exchange.client.metering import sign_readings
from exchange.domain.calendar import local_datetime

KEY = AgentKey(bytes(range(32)))
SYMBOL = "H100.GUIAN.261205"
POST = requests.PostCapacity(
    grade="H100", hub="GUIAN", cards=8, first_day="2026-12-05", last_day="2026-12-06", site_id="1"
)


def order(side, price) -> requests.NewOrder:
    return requests.NewOrder(symbol=SYMBOL, side=side, quantity=2, price=price)


async def resold(provider, buyer, number) -> None:
    """Offers over HTTP (clause 7.14): made, seen, refused to the provider, withdrawn."""
    offer = await buyer.delivery.offer(number, 1, "12.34")
    (seen,) = await provider.delivery.offers()
    assert (seen.offer_id, seen.quantity, seen.price, seen.to_account) == (offer, 1, "12.34", None)
    with pytest.raises(ExchangeError, match="OWN_RESERVATION"):
        await provider.delivery.take_offer(offer, 1)
    await buyer.delivery.withdraw_offer(offer)
    assert await buyer.delivery.offers() == []


async def test_a_delivery_from_nomination_to_decision(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.at(8, 45)
        acme, blue = await served.admit("acme", "provider"), await served.admit("blue", "enterprise")
        async with (
            served.client(acme) as provider,
            served.client(blue) as buyer,
            served.client(served.operator) as operator,
        ):
            site = await provider.primary.register_site("hall 1", "GUIAN", {"H100": 8}, KEY.public_bytes)
            posted = await provider.post_capacity(POST)
            now = local_datetime(served.exchange.status().market_time_ns)
            assert await provider.primary.attest(site, KEY, posted.capacity_id, now, 8, 950_000, 80) == "1"
            await served.at(9, 30)
            price = (await buyer.contract(SYMBOL)).reference_price
            await provider.place(order("sell", price))
            await buyer.place(order("buy", price))
            await served.at(15, 45)

            (reservation,) = await buyer.reservations()
            number = reservation.reservation_id
            made = await buyer.delivery.nominate(number, Nominate(workload="llm", use="training", cards=1))
            with pytest.raises(ExchangeError, match="USE_NOT_ALLOWED"):
                await buyer.delivery.nominate(
                    number, Nominate(workload="x", use="virtual-currency mining", cards=1)
                )
            (everywhere,) = await buyer.delivery.refused_uses()
            here = RefusedUse(hub="GUIAN", use="scraping")
            with pytest.raises(ExchangeError, match="SCOPE_REQUIRED"):
                await buyer.delivery.set_refused_uses([])
            with pytest.raises(ExchangeError, match="INVALID_RULE"):
                await operator.delivery.set_refused_uses([everywhere, RefusedUse(hub="ATLANTIS", use="x")])
            await operator.delivery.set_refused_uses([everywhere, here])
            assert await buyer.delivery.refused_uses() == [everywhere, here]
            for use in ("Scraping", "virtual-currency  Mining "):
                with pytest.raises(ExchangeError, match="USE_NOT_ALLOWED"):
                    await buyer.delivery.nominate(number, Nominate(workload="z", use=use, cards=1))
            assert [n.use for n in await buyer.delivery.nominations()] == ["training"]
            await buyer.delivery.withdraw_nomination(made)
            assert await buyer.delivery.nominations() == []

            await resold(provider, buyer, number)

            await served.at(23, 30, SATURDAY)
            with pytest.raises(ExchangeError, match="NOMINATION_TOO_LATE"):
                await buyer.delivery.nominate(number, Nominate(workload="y", use="training", cards=1))
            start = datetime.fromisoformat(reservation.start)
            readings = [
                requests.Reading(
                    reservation_id=number,
                    hour_start=(start + timedelta(hours=hour)).isoformat(),
                    cards_delivered=2,
                )
                for hour in range(23)
            ]
            with pytest.raises(ExchangeError, match="SIGNATURE_REQUIRED"):
                await provider.send_readings(readings)
            with pytest.raises(ExchangeError, match="FORGED_SIGNATURE"):
                forged = sign_readings(readings, site.site_id, 2, AgentKey(bytes(32)))
                await provider.send_readings(readings, forged)
            signed = sign_readings(readings, site.site_id, 2, KEY)
            assert (await provider.send_readings(readings, signed)).accepted == 23
            with pytest.raises(ExchangeError, match="AGENT_MESSAGE_REPEATED"):
                await provider.send_readings(readings, signed)

            await served.at(1, 30, SATURDAY + timedelta(days=1))
            (done,) = await buyer.reservations()
            assert (done.finished, done.shortfall_card_hours) == (True, 2)
            overview = await operator.delivery.overview()
            assert overview.fund_fen > 0
            assert [r.score_basis_points for r in overview.reliability] == [9_583]  # clause 7.9: 46 of 48
            (waiting,) = await buyer.delivery.buy_ins()  # clause 7.13
            assert (waiting.card_hours, waiting.waiting, waiting.replacement) == (2, True, None)
            dispute = await buyer.delivery.dispute(number, 40, "our own log")
            assert [d.dispute_id for d in await provider.delivery.disputes()] == [dispute]
            await operator.delivery.decide(dispute, 44, "seen in the hall's log")
            (decided,) = await operator.delivery.all_disputes()
            assert (decided.card_hours, decided.decided_card_hours) == (40, 44)
            kinds = {line.kind for line in (await buyer.statement("2026-12-06")).lines}
            assert {"delivery payment", "shortfall", "dispute"} <= kinds
