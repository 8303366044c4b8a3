"""How many give-ups may be offered (clause 8.15); tests/scenarios/give_up*.toml tell what they move."""

from __future__ import annotations

from exchange.domain import brokerage as b
from exchange.domain.rejects import RejectCode
from exchange.service.handle_brokers import GIVE_UPS_MAX
from exchange.service.results import RareResult

SYMBOL = "H100.GUIAN.261208"


def offer(market, account: int, side: str, to_member: str) -> RareResult:
    offered = b.OfferGiveUp(
        account=account,
        trade_id=1,
        symbol=SYMBOL,
        side=side,
        price_ticks=1_200,
        trade_lots=1,
        lots=1,
        to_member=to_member,
    )
    return market.send(offered)


def test_an_account_offers_a_thousand_a_day_and_keeps_nobody_else_from_offering(market_type) -> None:
    market = market_type()
    market.open()
    market.trade(SYMBOL, seller=1, buyer=2, lots=1, price=1_200)
    for number in range(1, GIVE_UPS_MAX + 1):
        offer(market, 2, "buy", "coral")
        market.do(b.AnswerGiveUp(account=2, give_up_id=number, accept=False))
    assert offer(market, 2, "buy", "coral").code is RejectCode.GIVE_UP_LIMIT
    assert offer(market, 1, "sell", "coral").data == {"give_up_id": GIVE_UPS_MAX + 1}
