"""Endpoints of the hubs' rules on what workloads are for (clause 7.11)."""

from __future__ import annotations

from msgspec.structs import replace

from exchange.api import uses as api
from exchange.api.answers import Done
from exchange.domain.delivering import RefusedUse
from exchange.gateway.call import BATCH_BYTES_MAX, Call, Route


async def refused_uses(call: Call) -> api.RefusedUses:
    """Answer which uses hubs refuse."""
    views = call.exchange.views
    refused = [api.RefusedUse(hub=one.hub, use=one.use) for one in views.delivering.rules.refused_uses]
    return api.RefusedUses(refused=refused, as_of_seq=views.seq)


async def set_refused_uses(call: Call) -> Done:
    """Set which uses hubs refuse; nominations that were taken stay."""
    wanted: api.SetRefusedUses = call.body
    refused = tuple(RefusedUse(hub=one.hub, use=one.use) for one in wanted.refused)
    return await call.done(replace(call.exchange.views.delivering.rules, refused_uses=refused))


ROUTES = (
    Route(
        method="GET",
        path="/v1/refused-uses",
        handler=refused_uses,
        answer=api.RefusedUses,
        summary="Uses of workloads that hubs refuse",
        tag="market",
    ),
    Route(
        method="POST",
        path="/v1/operator/refused-uses",
        handler=set_refused_uses,
        answer=Done,
        summary="Set which uses hubs refuse",
        tag="operator",
        scope="operate",
        roles=("market", "risk"),
        body=api.SetRefusedUses,
        body_bytes_max=BATCH_BYTES_MAX,
    ),
)
