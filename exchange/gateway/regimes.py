"""Pricing regimes on the wire (clauses 4.11 to 4.14)."""

from __future__ import annotations

from exchange.api import regimes as api
from exchange.api.formats import parse_price_ticks, price_text
from exchange.domain.regimes import Regime, SetRegime
from exchange.gateway.call import Call, Route


async def regimes(call: Call) -> api.Regimes:
    """Answer the regimes of grades at hubs; where none is named, prices are the market's (clause 4.11)."""
    views = call.exchange.views
    named = [shown(regime) for regime in views.regimes() if regime.kind != "market"]
    return api.Regimes(regimes=named, as_of_seq=views.seq)


def shown(regime: Regime) -> api.Regime:
    """Return a regime with its prices as text."""
    return api.Regime(
        grade=regime.grade,
        hub=regime.hub,
        kind=regime.kind,
        floor=price_text(regime.floor_ticks) if regime.floor_ticks else None,
        ceiling=price_text(regime.ceiling_ticks) if regime.ceiling_ticks else None,
    )


def wanted_regime(told: api.ProposeRegime) -> SetRegime:
    """Return what a body proposes. Raises RequestRefused for a price that is none."""
    return SetRegime(
        regime=Regime(
            grade=told.grade,
            hub=told.hub,
            kind=told.kind,
            floor_ticks=0 if told.floor is None else parse_price_ticks(told.floor, "floor"),
            ceiling_ticks=0 if told.ceiling is None else parse_price_ticks(told.ceiling, "ceiling"),
        ),
        reason=told.reason,
    )


ROUTES = (
    Route(
        method="GET",
        path="/v1/regimes",
        handler=regimes,
        answer=api.Regimes,
        summary="Pricing regimes",
        tag="market",
    ),
)
