"""What margin is computed from, over HTTP (clause 5.15)."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from exchange_server import serving

from exchange.api.margins import MarginStep
from exchange.client import ExchangeError
from exchange.service.bootstrap import MARGIN_RULES

TUESDAY = "H100.GUIAN.261208"


async def test_an_operator_for_risk_sets_rates_that_hold_from_the_settlement_on(tmp_path: Path) -> None:
    """Clause 5.15's example."""
    async with serving(tmp_path) as served:
        acme = await served.admit("acme", "enterprise")
        async with served.client(served.operator) as operator, served.client(acme) as member:
            await served.at(9, 30)
            before = await member.margin_rules()
            assert before.calendar_basis_points == MARGIN_RULES.calendar_basis_points
            wanted = msgspec.structs.replace(
                before,
                near_delivery=[
                    MarginStep(trading_days_left=0, basis_points=1_200),
                    MarginStep(trading_days_left=2, basis_points=750),
                ],
            )
            with pytest.raises(ExchangeError, match="SCOPE_REQUIRED"):
                await member.set_margin_rules(wanted)
            rising = msgspec.structs.replace(wanted, near_delivery=wanted.near_delivery[::-1])
            with pytest.raises(ExchangeError, match="near_delivery"):
                await operator.set_margin_rules(rising)
            assert await member.margin_rules() == before
            await operator.set_margin_rules(wanted)
            assert await member.margin_rules() == wanted
            assert (await member.contract(TUESDAY)).margin_long_fen == 2_162
            await served.at(16, 0)
            assert (await member.contract(TUESDAY)).margin_long_fen == 3_459
