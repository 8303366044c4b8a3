"""Delivery's endpoints beside readings: a buyer's nominations, disputes, the operator's overview."""

from __future__ import annotations

from exchange.api import delivering as api
from exchange.api.answers import Done
from exchange.api.formats import parse_id
from exchange.clearing.shortfall import score
from exchange.domain import delivering
from exchange.gateway.call import ANY_OPERATOR, Call, Route
from exchange.service.deliverystate import BuyIn, Dispute
from exchange.service.views import Views

ID_MAX = 2**62


async def nominate(call: Call) -> api.NominationMade:
    """Say what will run on reserved cards, before the gate closes (clause 7.11)."""
    wanted: api.Nominate = call.body
    message = delivering.NominateWorkload(
        account=call.caller.account,
        reservation_id=parse_id(call.path["reservation_id"], "reservation_id", ID_MAX),
        workload=wanted.workload,
        use=wanted.use,
        cards=wanted.cards,
        first_hour=wanted.first_hour,
        hours=wanted.hours,
    )
    result = await call.submit(message)
    made = str((result.data or {})["nomination_id"])
    return api.NominationMade(nomination_id=made, as_of_seq=call.exchange.views.seq)


async def nominations(call: Call) -> api.Nominations:
    """Answer the account's nominations that stand."""
    views = call.exchange.views
    found = [
        api.Nomination(
            nomination_id=str(number),
            reservation_id=str(nomination.terms.reservation_id),
            workload=nomination.terms.workload,
            use=nomination.terms.use,
            cards=nomination.terms.cards,
            first_hour=nomination.terms.first_hour,
            hours=nomination.terms.hours,
        )
        for number, nomination in enumerate(views.delivering.nominations, start=1)
        if nomination.terms.account == call.caller.account and not nomination.withdrawn
    ]
    return api.Nominations(nominations=found, as_of_seq=views.seq)


async def withdraw_nomination(call: Call) -> Done:
    """Take a nomination back, before the gate closes (clause 7.11)."""
    nomination_id = parse_id(call.path["nomination_id"], "nomination_id", ID_MAX)
    message = delivering.WithdrawNomination(account=call.caller.account, nomination_id=nomination_id)
    return await call.done(message)


async def open_dispute(call: Call) -> api.DisputeMade:
    """Contest what was metered on a finished reservation (clause 7.12)."""
    message = delivering.OpenDispute(
        account=call.caller.account,
        reservation_id=parse_id(call.body.reservation_id, "reservation_id", ID_MAX),
        card_hours=call.body.card_hours,
        reason=call.body.reason,
    )
    result = await call.submit(message)
    made = str((result.data or {})["dispute_id"])
    return api.DisputeMade(dispute_id=made, as_of_seq=call.exchange.views.seq)


async def disputes(call: Call) -> api.Disputes:
    """Answer the disputes about reservations of the account, on either side."""
    views, account = call.exchange.views, call.caller.account
    mine = {view.reservation_id for view in views.reservations(account)}
    return _disputes(call, mine)


async def all_disputes(call: Call) -> api.Disputes:
    """Answer all disputes."""
    return _disputes(call, None)


async def decide_dispute(call: Call) -> Done:
    """Decide what was delivered, and put right what was paid (clause 7.12)."""
    message = delivering.DecideDispute(
        dispute_id=parse_id(call.path["dispute_id"], "dispute_id", ID_MAX),
        card_hours=call.body.card_hours,
        reason=call.body.reason,
    )
    return await call.done(message)


async def buy_ins(call: Call) -> api.BuyIns:
    """Answer what was bought in for the account or at its cost (clause 7.13)."""
    views, account = call.exchange.views, call.caller.account
    found = [
        _buy_in(views, number, of)
        for number, of in enumerate(views.delivering.buy_ins, start=1)
        if account in (of.provider, of.buyer)
    ]
    return api.BuyIns(buy_ins=found, as_of_seq=views.seq)


def _buy_in(views: Views, number: int, of: BuyIn) -> api.BuyIn:
    return api.BuyIn(
        buy_in_id=str(number),
        provider=str(of.provider),
        buyer=str(of.buyer),
        symbol=views.symbol(of.contract),
        card_hours=of.card_hours,
        waiting=not of.done,
        replacement=views.symbol(of.replacement) if of.replacement >= 0 else None,
        quantity=of.lots,
        cost_fen=of.cost_fen,
    )


async def deliveries(call: Call) -> api.Deliveries:
    """Answer the insurance fund, what is claimed, and how reliable providers are (clauses 7.9, 7.10)."""
    views = call.exchange.views
    state = views.delivering
    providers = sorted({provider for _, provider, _, _ in state.record})
    return api.Deliveries(
        fund_fen=state.fund_fen,
        claims=[
            api.Claim(
                claim_id=str(number),
                debtor=str(claim.debtor),
                creditor=str(claim.creditor),
                amount_fen=claim.amount_fen,
                open_fen=claim.open_fen,
            )
            for number, claim in enumerate(state.claims, start=1)
        ],
        reliability=[_reliability(provider, state.days_of(provider)) for provider in providers],
        as_of_seq=views.seq,
    )


def _reliability(provider: int, days: list[tuple[int, int]]) -> api.Reliability:
    return api.Reliability(
        account=str(provider),
        reserved_card_hours=sum(day[0] for day in days),
        delivered_card_hours=sum(day[1] for day in days),
        score_basis_points=score(days),
    )


def _disputes(call: Call, reservations: set[int] | None) -> api.Disputes:
    views = call.exchange.views
    found = [
        _dispute(number, dispute)
        for number, dispute in enumerate(views.delivering.disputes, start=1)
        if reservations is None or dispute.opened.reservation_id in reservations
    ]
    return api.Disputes(disputes=found, as_of_seq=views.seq)


def _dispute(number: int, dispute: Dispute) -> api.Dispute:
    return api.Dispute(
        dispute_id=str(number),
        reservation_id=str(dispute.opened.reservation_id),
        opened_by=str(dispute.opened.account),
        card_hours=dispute.opened.card_hours,
        reason=dispute.opened.reason,
        decided_card_hours=None if dispute.decided_card_hours < 0 else dispute.decided_card_hours,
        decision=dispute.decision or None,
    )


ROUTES = (
    Route(
        method="POST",
        path="/v1/reservations/{reservation_id}/nominations",
        handler=nominate,
        answer=api.NominationMade,
        summary="Nominate a workload for reserved cards",
        tag="delivery",
        scope="trade",
        body=api.Nominate,
        path_help={"reservation_id": "id of the reservation"},
    ),
    Route(
        method="GET",
        path="/v1/nominations",
        handler=nominations,
        answer=api.Nominations,
        summary="The account's nominations",
        tag="delivery",
        scope="read",
    ),
    Route(
        method="DELETE",
        path="/v1/nominations/{nomination_id}",
        handler=withdraw_nomination,
        answer=Done,
        summary="Take a nomination back",
        tag="delivery",
        scope="trade",
        path_help={"nomination_id": "id of the nomination"},
    ),
    Route(
        method="POST",
        path="/v1/disputes",
        handler=open_dispute,
        answer=api.DisputeMade,
        summary="Contest a finished reservation",
        tag="delivery",
        scope="trade",
        body=api.OpenDispute,
    ),
    Route(
        method="GET",
        path="/v1/disputes",
        handler=disputes,
        answer=api.Disputes,
        summary="Disputes about the account's reservations",
        tag="delivery",
        scope="read",
    ),
    Route(
        method="GET",
        path="/v1/buy-ins",
        handler=buy_ins,
        answer=api.BuyIns,
        summary="Shortfalls of the account's deliveries, and what was bought in for them",
        tag="delivery",
        scope="read",
    ),
    Route(
        method="GET",
        path="/v1/operator/disputes",
        handler=all_disputes,
        answer=api.Disputes,
        summary="All disputes",
        tag="operator",
        scope="operate",
        roles=ANY_OPERATOR,
    ),
    Route(
        method="POST",
        path="/v1/operator/disputes/{dispute_id}",
        handler=decide_dispute,
        answer=Done,
        summary="Decide a dispute",
        tag="operator",
        scope="operate",
        roles=("market", "risk"),
        body=api.DecideDispute,
        path_help={"dispute_id": "id of the dispute"},
    ),
    Route(
        method="GET",
        path="/v1/operator/deliveries",
        handler=deliveries,
        answer=api.Deliveries,
        summary="Insurance fund, claims and reliability",
        tag="operator",
        scope="operate",
        roles=ANY_OPERATOR,
    ),
)
