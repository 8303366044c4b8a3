"""Margin calls, auctions of what restricted accounts hold, default fund, claims (clauses 6.6 to 6.10)."""

from __future__ import annotations

from exchange.api import requests
from exchange.api.answers import Done
from exchange.api.defaults import AuctionLot, Auctions, Claim, Claims, MarginCall, MarginCalls
from exchange.api.formats import day_text, parse_id, parse_price_ticks, price_text, time_text
from exchange.domain import messages
from exchange.domain.defaults import BidForPosition, SetContribution
from exchange.gateway.call import Call, Route
from exchange.service import state


async def auctions(call: Call) -> Auctions:
    """Answer what restricted accounts hold and may be bid for, by account (clause 6.9)."""
    views = call.exchange.views
    lots = [
        AuctionLot(
            account=str(margin_call.account),
            symbol=position.symbol,
            quantity=position.lots,
            settlement_price=price_text(contract.reference_price),
        )
        for margin_call in views.margin_calls()
        if margin_call.restricted
        for position in views.positions(margin_call.account)
        if (contract := views.contract(position.symbol)) is not None
    ]
    return Auctions(lots=lots, as_of_seq=views.seq)


async def bid(call: Call) -> Done:
    """Bid for positions of a restricted account; a later bid for them replaces it (clause 6.9)."""
    wanted: requests.AuctionBid = call.body
    message = BidForPosition(
        account=call.caller.account,
        restricted=parse_id(wanted.account, "account"),
        symbol=wanted.symbol,
        lots=wanted.quantity,
        price_ticks=parse_price_ticks(wanted.price),
    )
    return await call.done(message)


async def margin_calls(call: Call) -> MarginCalls:
    """Answer the account's margin call, if there is one (clause 6.7)."""
    views = call.exchange.views
    mine = [of for of in views.margin_calls() if of.account == call.caller.account]
    return _calls(call, mine)


async def all_margin_calls(call: Call) -> MarginCalls:
    """Answer all margin calls that aren't met, in the order in which they were issued (clause 6.7)."""
    return _calls(call, call.exchange.views.margin_calls())


def _calls(call: Call, found: list[state.MarginCall]) -> MarginCalls:
    listed = [
        MarginCall(
            account=str(of.account),
            amount_fen=of.amount_fen,
            issued=day_text(of.issued),
            due_at=time_text(of.due_ns) if of.due_ns else None,
            restricted=of.restricted,
        )
        for of in found
    ]
    return MarginCalls(calls=listed, as_of_seq=call.exchange.views.seq)


async def run_margin(call: Call) -> MarginCalls:
    """Run margin now and call for what is lacking at the present prices (clause 6.11)."""
    message = messages.RunMargin(call_minutes=call.body.call_minutes, extra=True)
    await call.submit(message)
    return await all_margin_calls(call)


async def set_contribution(call: Call) -> Done:
    """Set a member's contribution to the default fund, or the house's capital tranche (clause 6.6)."""
    wanted: requests.Contribution = call.body
    message = SetContribution(member=wanted.member, amount_fen=wanted.amount_fen)
    return await call.done(message)


async def claims(call: Call) -> Claims:
    """Answer what defaulters owe to those who paid for them, in the order in which it arose (clause 6.10)."""
    views = call.exchange.views
    rows = [
        Claim(
            seq=row.seq,
            debtor=str(row.debtor),
            creditor=str(row.creditor),
            layer=row.layer,
            amount_fen=row.amount_fen,
            open_fen=row.open_fen,
        )
        for row in views.claims()
    ]
    return Claims(claims=rows, as_of_seq=views.seq)


ROUTES = (
    Route(
        method="GET",
        path="/v1/margin/calls",
        handler=margin_calls,
        answer=MarginCalls,
        summary="The account's margin call",
        tag="account",
        scope="read",
    ),
    Route(
        method="GET",
        path="/v1/auctions",
        handler=auctions,
        answer=Auctions,
        summary="Positions of restricted accounts",
        tag="account",
        scope="read",
    ),
    Route(
        method="POST",
        path="/v1/auctions/bids",
        handler=bid,
        answer=Done,
        summary="Bid for positions of a restricted account",
        tag="orders",
        scope="trade",
        body=requests.AuctionBid,
    ),
    Route(
        method="GET",
        path="/v1/operator/margin-calls",
        handler=all_margin_calls,
        answer=MarginCalls,
        summary="All margin calls",
        tag="operator",
        scope="operate",
        roles=("risk", "treasury"),
    ),
    Route(
        method="POST",
        path="/v1/operator/margin-runs",
        handler=run_margin,
        answer=MarginCalls,
        summary="Run margin now and call for what is lacking",
        tag="operator",
        scope="operate",
        roles=("risk",),
        body=requests.MarginRun,
    ),
    Route(
        method="POST",
        path="/v1/operator/contributions",
        handler=set_contribution,
        answer=Done,
        summary="Set a contribution to the default fund",
        tag="operator",
        scope="operate",
        roles=("treasury",),
        body=requests.Contribution,
    ),
    Route(
        method="GET",
        path="/v1/operator/claims",
        handler=claims,
        answer=Claims,
        summary="Claims on defaulters",
        tag="operator",
        scope="operate",
        roles=("risk", "treasury"),
    ),
)
