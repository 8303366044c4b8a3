"""A contract's whole life by three people's scripts: posted, certified, bought, filled on the stream,
nominated, delivered by the site's agent, and on both statements.
"""

from __future__ import annotations

from pathlib import Path

from agent_site import Site, deliver, site_file
from exchange_server import serving

from exchange.api.delivering import Nominate
from exchange.api.feed import FeedAccount
from exchange.api.requests import NewOrder
from exchange.client import ExchangeClient, OrderDesk, OrderState, Stream

SYMBOL = "H100.GUIAN.261205"
PAID_FEN = 5 * 24 * 1_190
"""5 cards, 24 h, 11.90 CNY."""


async def certified(operator: ExchangeClient, site: Site) -> None:
    """The agent posts and attests what stands at its site; the operator certifies six of the eight cards."""
    await operator.primary.set_certification(at_once=False)
    assert await site.agent.round()
    (waiting,) = (await operator.primary.certification()).capacity
    assert (waiting.site, waiting.may_be_certified) == ("GUIAN", 8)
    await operator.primary.certify(waiting.capacity_id, 6)


async def traded(provider: ExchangeClient, enterprise: ExchangeClient) -> None:
    """Five of six lots offered are bought, four by a bid that stood; its fill comes by the stream."""
    bid = NewOrder(symbol=SYMBOL, side="buy", quantity=4, price="11.90")
    desk = OrderDesk(enterprise)
    async with Stream(enterprise, own=True) as stream:
        told = aiter(stream)
        while not isinstance(await anext(told), FeedAccount):
            pass  # until what happens is told from here on
        ticket = await desk.submit(bid)
        assert (ticket.state, ticket.filled) == (OrderState.RESTING, 0)
        await OrderDesk(provider).submit(NewOrder(symbol=SYMBOL, side="sell", quantity=6, price="11.90"))
        async for message in told:
            if isinstance(message, FeedAccount):
                desk.follow(message)
            if ticket.state is OrderState.FILLED:
                break
        assert stream.account.positions == {SYMBOL: 4}
    taken = await desk.submit(NewOrder(symbol=SYMBOL, side="buy", quantity=1, price="11.90"))
    assert (taken.state, taken.filled) == (OrderState.FILLED, 1)


async def test_from_posted_capacity_to_the_statement(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        acme, blue = await served.admit("acme", "provider"), await served.admit("blue", "enterprise")
        await served.at(9, 30)
        async with (
            served.client(acme) as provider,
            served.client(served.operator) as operator,
            served.client(blue) as enterprise,
        ):
            site = Site(provider, site_file(tmp_path, "GUIAN"))
            await certified(operator, site)
            (certificate,) = (await provider.primary.certificates()).certificates
            assert [day.free for day in certificate.days] == [6, 6]
            await traded(provider, enterprise)

            await served.at(15, 45)
            (reservation,) = await enterprise.reservations()
            workload = Nominate(workload="llm-7b", use="training", cards=5)
            await enterprise.delivery.nominate(reservation.reservation_id, workload)
            await deliver(served, site)
            site.close()

            (done,) = await enterprise.reservations()
            assert (done.cards, done.delivered_card_hours, done.finished) == (5, 120, True)
            for client, sign in ((provider, 1), (enterprise, -1)):
                page = await client.statement("2026-12-06")  # paid when the day is over
                paid = [line.amount_fen for line in page.lines if line.kind == "delivery payment"]
                assert paid == [sign * PAID_FEN]
