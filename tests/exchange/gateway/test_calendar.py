"""Sessions, closed days and pricing regimes over HTTP (clauses 4.9 to 4.14)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec
import pytest
from exchange_server import serving

from exchange.api.calendar import TradingHours
from exchange.api.regimes import ProposeRegime
from exchange.client import ExchangeError
from nodes.catalogue import load_catalogue
from nodes.types import Profile


async def test_an_operator_sets_sessions_and_closed_days(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, served.client(served.operator) as operator:
        before = await operator.calendar()
        assert before.next.continuous == [TradingHours(start="09:00", end="14:55")]
        assert before.next.close == "15:00"
        wanted = msgspec.structs.replace(
            before.next,
            continuous=[TradingHours(start="09:00", end="11:30"), TradingHours(start="13:00", end="14:50")],
        )
        await operator.set_sessions(wanted)
        with pytest.raises(ExchangeError, match="INVALID_SESSIONS"):
            await operator.set_sessions(msgspec.structs.replace(wanted, close="14:00"))
        days = [*before.closed_days, "2028-05-17"]
        await operator.set_closed_days(sorted(days), before.calendar_end)
        with pytest.raises(ExchangeError, match="2026-02-30"):
            await operator.set_closed_days(["2026-02-30"], before.calendar_end)
        async with served.client() as anyone:
            now = await anyone.calendar()
        assert (now.next, now.closed_days[-1]) == (wanted, "2028-05-17")
        await served.at(12)
        assert (await operator.status()).phase == "break"
        await served.at(14, 52)
        assert (await operator.status()).phase == "closing-call"
        blue = await served.admit("blue", "enterprise")
        async with served.client(blue) as member:
            with pytest.raises(ExchangeError, match="SCOPE_REQUIRED"):
                await member.set_sessions(wanted)


async def test_two_operators_set_a_regime(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.at(8, 45)
        second = await served.add_operator("second", "market")
        treasurer = await served.add_operator("third", "treasury")
        body = ProposeRegime(
            grade="H100", hub="GUIAN", kind="guided", floor="11.00", ceiling="12.50", reason="notice 12"
        )
        async with (
            served.client(served.operator) as operator,
            served.client(second) as other,
            served.client(treasurer) as third,
        ):
            proposed = await operator.propose_regime(body)
            assert (proposed.kind, proposed.member, proposed.reason) == ("regime", None, "notice 12")
            with pytest.raises(ExchangeError, match="SAME_OPERATOR"):
                await operator.decide(proposed, approve=True)
            with pytest.raises(ExchangeError, match="ROLE_REQUIRED"):
                await third.decide(proposed, approve=True)
            assert await other.regimes() == []
            assert (await other.decide(proposed, approve=True)).approved
            (regime,) = await other.regimes()
            with pytest.raises(ExchangeError, match="INVALID_REGIME"):
                await other.propose_regime(msgspec.structs.replace(body, ceiling=None))
        async with served.client() as anyone:
            terms = await anyone.specification("H100.GUIAN.26W51")
            with pytest.raises(ExchangeError, match="UNKNOWN_SYMBOL"):
                await anyone.specification("H100.GUIAN.999999")
        assert (terms.regime, terms.floor, terms.ceiling) == ("guided", "11.00", "12.50")
        assert (terms.card_hours, terms.tick_value_fen) == (168, 168)
        peak = load_catalogue().profile_hours("GUIAN", date(2026, 12, 14), Profile.PEAK)
        assert tuple(terms.peak_hours) == peak  # clause 2.9
        assert not set(peak) & set(terms.valley_hours)
        assert terms.becomes == [f"H100.GUIAN.2612{day:02d}" for day in range(14, 21)]  # clause 6.4
        assert (regime.kind, regime.floor, regime.ceiling) == ("guided", "11.00", "12.50")
