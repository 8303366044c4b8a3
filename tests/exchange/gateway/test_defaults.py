"""A default over HTTP: call, restriction, bid, contributions and claim (clauses 6.6 to 6.10)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from exchange_server import DEPOSIT_FEN, FRIDAY, serving

from exchange.api.formats import parse_price_ticks, price_text
from exchange.api.requests import AuctionBid, NewOrder
from exchange.client import ExchangeError

MONDAY = FRIDAY + timedelta(days=3)
SYMBOL = "H100.GUIAN.2702"


async def test_a_default_from_the_call_to_the_claim(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        seller, buyer, other = [await served.admit(name, "enterprise") for name in ("acme", "blue", "coral")]
        await served.at(9, 30)
        async with (
            served.client(seller) as sells,
            served.client(buyer) as buys,
            served.client(other) as watches,
            served.client(served.operator) as operator,
        ):
            await operator.set_contribution("coral", 100_000)
            await operator.set_contribution(None, 200_000)
            contract = await buys.contract(SYMBOL)
            price, lots = contract.reference_price, 20
            await operator.withdraw("blue", DEPOSIT_FEN - lots * contract.margin_long_fen - 10_000)
            await sells.place(NewOrder(symbol=SYMBOL, side="sell", price=price, quantity=lots))
            await buys.place(NewOrder(symbol=SYMBOL, side="buy", price=price, quantity=lots))
            await served.at(14, 30)
            low = contract.price_low
            await sells.place(NewOrder(symbol=SYMBOL, side="sell", price=low, quantity=1))
            await watches.place(NewOrder(symbol=SYMBOL, side="buy", price=low, quantity=1))
            with pytest.raises(ExchangeError, match="SCOPE_REQUIRED"):
                await watches.run_margin(60)
            (within,) = await operator.run_margin(60)
            assert (within.account, within.due_at) == (
                buyer.account,
                "2026-12-04T15:30:00.000000+08:00",
            )  # clause 6.11
            await served.at(16, 0)
            (call,) = await buys.margin_calls()
            assert (call.amount_fen > 0, call.restricted, call.issued) == (True, False, "2026-12-04")
            assert await operator.all_margin_calls() == [call]
            assert await watches.margin_calls() == []
            await served.at(10, 5, MONDAY)
            assert (await buys.margin_calls())[0].restricted
            (lot,) = await watches.auctions()
            assert (lot.account, lot.symbol, lot.quantity) == (buyer.account, SYMBOL, lots)
            bid = AuctionBid(account=lot.account, symbol=SYMBOL, quantity=lots, price=lot.settlement_price)
            with pytest.raises(ExchangeError, match="MEMBER_NOT_APPROVED"):
                await buys.bid(bid)
            lower = AuctionBid(
                account=lot.account,
                symbol=SYMBOL,
                quantity=lots,
                price=price_text(parse_price_ticks(lot.settlement_price) - 50),
            )
            await watches.bid(lower)
            await served.at(16, 0, MONDAY)
            assert [position.quantity for position in await watches.positions()] == [lots + 1]
            claims = await operator.claims()
            assert [claim.layer for claim in claims][:2] == ["house", "mutual fund"]
            assert {claim.debtor for claim in claims} == {buyer.account}
            assert all(claim.open_fen == claim.amount_fen for claim in claims)
            with pytest.raises(ExchangeError, match="SCOPE_REQUIRED"):
                await watches.claims()
            await operator.deposit("blue", sum(claim.amount_fen for claim in claims))
            assert [claim.open_fen for claim in await operator.claims()] == [0] * len(claims)  # clause 6.12
            with pytest.raises(ExchangeError, match="UNKNOWN_CERTIFICATE"):
                await operator.primary.transfer_seized("1", "coral", 1)
            assert (await buys.balances()).cash_fen == 0
        served.exchange.check()


@pytest.mark.parametrize("account", ["0*", "²", "18446744073709551616"])
async def test_a_bid_for_what_is_no_account_is_refused(tmp_path: Path, account: str) -> None:
    async with serving(tmp_path) as served, served.client(await served.admit("blue", "enterprise")) as client:
        with pytest.raises(ExchangeError) as refused:
            await client.bid(AuctionBid(account=account, symbol=SYMBOL, quantity=1, price="12.00"))
        assert (refused.value.status, refused.value.field) == (422, "account")
