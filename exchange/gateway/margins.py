"""Endpoints of what margin is computed from: anyone reads it, an operator for risk sets it (clause 5.15)."""

from __future__ import annotations

import msgspec

from exchange.api import margins as api
from exchange.api.answers import Done
from exchange.domain.messages import MarginStep, SetMarginRules
from exchange.gateway.call import Call, Route


async def margin_rules(call: Call) -> api.MarginRules:
    """Answer the rates."""
    rules = msgspec.structs.asdict(call.exchange.views.margin_rules)
    rules.pop("by")
    steps = [api.MarginStep(**msgspec.structs.asdict(step)) for step in rules.pop("near_delivery")]
    terms = api.MarginTerms(near_delivery=steps, **rules)
    return api.MarginRules(rules=terms, as_of_seq=call.exchange.views.seq)


async def set_margin_rules(call: Call) -> Done:
    """Set the rates, of lots from the next settlement on and of netting from the next run on (5.15)."""
    rules = msgspec.structs.asdict(call.body.rules)
    steps = tuple(MarginStep(**msgspec.structs.asdict(step)) for step in rules.pop("near_delivery"))
    return await call.done(SetMarginRules(near_delivery=steps, **rules))


ROUTES = (
    Route(
        method="GET",
        path="/v1/margin-rules",
        handler=margin_rules,
        answer=api.MarginRules,
        summary="What margin is computed from",
        tag="market",
    ),
    Route(
        method="POST",
        path="/v1/operator/margin-rules",
        handler=set_margin_rules,
        answer=Done,
        summary="Set what margin is computed from",
        tag="operator",
        scope="operate",
        roles=("risk",),
        body=api.SetMarginRules,
    ),
)
