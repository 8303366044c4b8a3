"""Listing rules and load profiles over HTTP, and what comes of them (clauses 2.9, 4.2)."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from exchange_server import serving

from exchange.api.listing import HubHours, ListingRule
from exchange.client import ExchangeError

PEAK, VALLEY = [10, 11, 12, 17], [0, 1, 2]
HOURS = HubHours(hub="GUIAN", peak=[PEAK] * 12, valley=[VALLEY] * 12)


async def test_an_operator_sets_hours_and_rules_and_a_day_lists_by_them(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        acme = await served.admit("acme", "enterprise")
        async with served.client(served.operator) as operator, served.client(acme) as member:
            both = msgspec.structs.replace(HOURS, valley=[PEAK] * 12)
            with pytest.raises(ExchangeError, match="INVALID_RULE"):
                await operator.set_load_profiles("2026-12-01", [both])
            with pytest.raises(ExchangeError, match="INVALID_FIELD"):
                await operator.set_load_profiles("2026-13-01", [HOURS])
            with pytest.raises(ExchangeError, match="SCOPE_REQUIRED"):
                await member.set_load_profiles("2026-12-01", [HOURS])
            await operator.set_load_profiles("2026-12-01", [HOURS])
            rules = [
                ListingRule(kind="hour", ahead=1, profile="base", grade="H100", hub="GUIAN"),
                ListingRule(kind="day", ahead=2, profile="peak", grade="*", hub="GUIAN"),
            ]
            await operator.set_listing_rules([*(await member.listing()).rules, *rules])
            told = await member.listing()
            assert told.rules[-2:] == rules
            assert HOURS in [one.hours for one in told.profiles]
            await served.at(9, 30)
            found = await member.contracts(hub="GUIAN", profile="peak", grade="H100")
            assert [one.symbol for one in found] == ["H100.GUIAN.261205-PEAK", "H100.GUIAN.261206-PEAK"]
            assert (found[0].hours, found[0].delivery_start[:16], found[0].delivery_end[:16]) == (
                4,
                "2026-12-05T10:00",
                "2026-12-05T18:00",
            )
            terms = await member.specification(found[0].symbol)
            assert (terms.hours_of_day, terms.valley_hours) == (PEAK, VALLEY)
            assert len(await member.contracts(kind="hour")) == 72
