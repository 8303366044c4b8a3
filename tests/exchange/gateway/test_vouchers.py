"""Compute vouchers over HTTP: opened by an operator, given by the issuer, spent, and shown (chapter 11)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from exchange_server import SATURDAY, serving

from exchange.api import requests
from exchange.api.vouchers import OpenProgramme
from exchange.client import ExchangeError
from exchange.domain.calendar import NS_PER_HOUR, day_start_ns, local_datetime

SYMBOL = "H100.GUIAN.261205"
PROGRAMME = OpenProgramme(
    issuer="city", name="GUIAN 30 %", budget_fen=500_000, share_basis_points=3_000, last_day="2026-12-05"
)


async def test_a_voucher_from_issue_to_the_end(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.at(9, 30)
        acme, blue = await served.admit("acme", "provider"), await served.admit("blue", "enterprise")
        city = await served.admit("city", "enterprise")
        async with (
            served.client(acme) as provider,
            served.client(blue) as buyer,
            served.client(city) as issuer,
            served.client(served.operator) as operator,
        ):
            programme = await operator.vouchers.open_programme(PROGRAMME)
            assert await issuer.vouchers.issue(programme, "blue", 60_000) == "1"
            with pytest.raises(ExchangeError, match="VOUCHER_BUDGET"):
                await issuer.vouchers.issue(programme, "blue", 440_001)
            with pytest.raises(ExchangeError, match="SCOPE_REQUIRED"):
                await issuer.vouchers.open_programme(PROGRAMME)
            price = (await buyer.contract(SYMBOL)).reference_price
            for client, side in ((provider, "sell"), (buyer, "buy")):
                await client.place(
                    requests.NewOrder(symbol=SYMBOL, side=side, quantity=1, price=price)  # type: ignore[arg-type]
                )
            await served.at(15, 45)
            (reservation,) = await buyer.reservations()
            await served.at(0, 30, date(2026, 12, 6))
            start = day_start_ns(SATURDAY)
            hours = [local_datetime(start + hour * NS_PER_HOUR).isoformat() for hour in range(24)]
            await provider.send_readings(
                [
                    requests.Reading(
                        reservation_id=reservation.reservation_id, hour_start=hour, cards_delivered=1
                    )
                    for hour in hours
                ]
            )
            await served.at(1, 0, date(2026, 12, 6))
            mine = await buyer.vouchers.mine()
            invoiced = (await buyer.reservations())[0].invoiced_fen
            spent = invoiced * 3_000 // 10_000
            (voucher,) = mine.vouchers
            assert (voucher.spent_fen, voucher.outstanding_fen) == (spent, 0)
            assert [(line.kind, line.amount_fen) for line in mine.lines] == [
                ("issued", 60_000),
                ("spent", spent),
                ("expired", 60_000 - spent),
            ]
            lines = (await buyer.statement("2026-12-06")).lines
            assert [line.amount_fen for line in lines if line.kind == "voucher"] == [spent]
            (shown,) = await issuer.vouchers.programmes()
            assert (shown.issued_fen, shown.spent_fen, shown.expired_fen) == (60_000, spent, 60_000 - spent)
            assert shown.ended
