"""A contract's specification: its terms, put together from catalogue, rules and calendar."""

from __future__ import annotations

from exchange.api.regimes import Regime
from exchange.api.specification import Specification
from exchange.domain import regimes as domain
from exchange.domain.contracts import Contract
from exchange.domain.hours import hours_of
from exchange.gateway import public, translate
from exchange.gateway.call import Call, Route
from exchange.gateway.regimes import shown
from nodes.types import Profile


async def specification(call: Call) -> Specification:
    """Answer the full terms of a contract, also of one that no longer trades. Refused: UNKNOWN_SYMBOL."""
    views = call.exchange.views
    view = views.contract(call.path["symbol"])
    if view is None:
        raise public.unknown_symbol(call.path["symbol"])
    listed, rules = view.contract, views.rules
    hubs, grades = await public.hubs(call), await public.grades(call)
    regime = _regime(call, listed.grade, listed.hub)
    return Specification(
        contract=translate.contract(view),
        grade=next(grade for grade in grades.grades if grade.code == listed.grade),
        hub=next(hub for hub in hubs.hubs if hub.code == listed.hub),
        card_hours=listed.hours * listed.cards_per_lot,
        tick_value_fen=listed.hours,
        becomes=[str(part) for part in listed.terms.parts()],
        hours_of_day=list(hours_of(listed.delivery.days()[0][1])),
        peak_hours=_hours(call, listed, Profile.PEAK),
        valley_hours=_hours(call, listed, Profile.VALLEY),
        regime=regime.kind,
        floor=regime.floor,
        ceiling=regime.ceiling,
        limit_basis_points=rules.limit_basis_points,
        position_limit=views.position_limit(listed.index) or None,
        maker_basis_points=rules.maker_basis_points,
        taker_basis_points=rules.taker_basis_points,
        as_of_seq=views.seq,
    )


def _hours(call: Call, listed: Contract, profile: Profile) -> list[int]:
    """Return the hours of a profile at the hub on the first day; none if the hub has no profiles then."""
    month = listed.period.first.replace(day=1)
    known = call.exchange.views.load_profiles.of(listed.hub, month)
    return [] if known is None else list(hours_of(known.mask(profile, month.month)))


def _regime(call: Call, grade: str, hub: str) -> Regime:
    market = domain.Regime(grade=grade, hub=hub, kind="market")
    named = {(regime.grade, regime.hub): regime for regime in call.exchange.views.regimes()}
    return shown(named.get((grade, hub), market))


ROUTES = (
    Route(
        method="GET",
        path="/v1/contracts/{symbol}/specification",
        handler=specification,
        answer=Specification,
        summary="A contract's full terms",
        tag="market",
        path_help={"symbol": "GRADE.HUB.PERIOD"},
    ),
)
