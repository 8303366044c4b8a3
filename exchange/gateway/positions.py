"""Operators' endpoints of position limits and large positions (clauses 5.13, 5.14)."""

from __future__ import annotations

import msgspec

from exchange.api import positions as api
from exchange.api.answers import Done
from exchange.domain.positions import ContractLimit, SetPositionRules
from exchange.gateway.call import Call, Route


async def large_positions(call: Call) -> api.LargePositions:
    """Answer the positions that are large now, and the rules that make them so."""
    views = call.exchange.views
    names = {view.account: view.name for view in views.members()}
    found = [
        api.LargePosition(
            member=names[large.account],
            account=str(large.account),
            symbol=views.symbol(large.contract),
            quantity=large.lots,
            limit=large.limit_lots or None,
            open_interest_lots=large.open_interest,
        )
        for large in views.large_positions()
    ]
    rules = msgspec.structs.asdict(views.position_rules)
    rules.pop("by")
    own = [api.ContractLimit(symbol=one.symbol, cards=one.cards) for one in rules.pop("contracts")]
    return api.LargePositions(positions=found, contracts=own, as_of_seq=views.seq, **rules)


async def set_position_rules(call: Call) -> Done:
    """Set position limits, which contracts that trade have from the next settlement on, and what is
    reported (clauses 5.13, 5.14).
    """
    told = msgspec.structs.asdict(call.body)
    own = tuple(ContractLimit(one.symbol, one.cards) for one in told.pop("contracts"))
    return await call.done(SetPositionRules(contracts=own, **told))


ROUTES = (
    Route(
        method="GET",
        path="/v1/operator/large-positions",
        handler=large_positions,
        answer=api.LargePositions,
        summary="Large positions",
        tag="operator",
        scope="operate",
        roles=("market", "risk"),
    ),
    Route(
        method="POST",
        path="/v1/operator/position-rules",
        handler=set_position_rules,
        answer=Done,
        summary="Set position limits and what is reported",
        tag="operator",
        scope="operate",
        roles=("risk",),
        body=api.SetPositionRules,
    ),
)
