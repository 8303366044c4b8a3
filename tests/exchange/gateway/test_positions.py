"""Position limits and large positions over HTTP and on the command line (clauses 5.13, 5.14)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import msgspec
import pytest
from exchange_server import serving

from exchange.api.positions import SetPositionRules
from exchange.api.requests import NewOrder
from exchange.client import ExchangeError
from tests.support.program import run

SYMBOL = "H100.GUIAN.2702"


async def test_limits_hold_and_large_positions_are_reported(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        acme, blue = [await served.admit(name, "enterprise") for name in ("acme", "blue")]
        async with (
            served.client(served.operator) as operator,
            served.client(acme) as sells,
            served.client(blue) as buys,
        ):
            rules = SetPositionRules(
                contracts=[],
                day_cards=5,
                week_cards=6,
                month_cards=10,
                quarter_cards=4,
                report_limit_basis_points=5_000,
                report_share_basis_points=10_000,
                report_cards=0,
            )
            with pytest.raises(ExchangeError, match="INVALID_RULE"):  # a quarter's limit below a month's
                await operator.set_position_rules(rules)
            await operator.set_position_rules(msgspec.structs.replace(rules, quarter_cards=20))
            await served.at(9, 30)
            price = (await sells.contract(SYMBOL)).reference_price
            too_many = NewOrder(symbol=SYMBOL, side="buy", price=price, quantity=11)
            with pytest.raises(ExchangeError, match="POSITION_LIMIT"):
                await buys.place(too_many)
            await sells.place(NewOrder(symbol=SYMBOL, side="sell", price=price, quantity=5))
            await buys.place(NewOrder(symbol=SYMBOL, side="buy", price=price, quantity=5))
            found = await operator.large_positions()
            assert [(one.member, one.quantity, one.limit) for one in found.positions] == [
                ("acme", -5, 10),
                ("blue", 5, 10),
            ]
            assert (found.month_cards, found.positions[0].open_interest_lots) == (10, 5)
            with pytest.raises(ExchangeError, match="SCOPE_REQUIRED"):
                await buys.large_positions()
            profile = served.operator
            shown = await asyncio.to_thread(
                run,
                "large-positions",
                "--json",
                DONGXI_BASE_URL=profile.base_url,
                DONGXI_KEY_ID=profile.key_id,
                DONGXI_SECRET=profile.secret,
                DONGXI_MEMBER=profile.member,
            )
            assert json.loads(shown.stdout)["positions"][1]["quantity"] == 5, shown.stderr
