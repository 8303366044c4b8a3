"""What a fresh exchange begins with: the rules from the catalogue, and the operator with a first key."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Final

from exchange.domain.brokerage import SetRevenueSplit
from exchange.domain.calendar import is_trading_day
from exchange.domain.delivering import PremiumStep, RefusedUse, SetDeliveryRules
from exchange.domain.hours import MONTHS, mask_of
from exchange.domain.listing import BASE_RULES, SetListingRules, fine_rules, room_for
from exchange.domain.messages import (
    AddMember,
    FirstKey,
    MarginStep,
    Product,
    RareMessage,
    Role,
    SetMarginRules,
    SetRules,
)
from exchange.domain.positions import SetPositionRules
from exchange.domain.primary import GradeMinimum, SetPrimaryRules
from exchange.domain.profiles import HubProfiles, SetLoadProfiles
from exchange.domain.sessions import Sessions, SetSessions, Stretch
from exchange.service.core import LIMITS
from exchange.service.exchange import Exchange
from exchange.service.results import RareResult
from exchange.service.secrets import new_key_id, new_secret
from nodes.catalogue import Catalogue, load_catalogue
from nodes.types import Profile

OPERATOR = "operator"
OPERATOR_ROLES: Final[tuple[Role, ...]] = ("market", "risk", "treasury", "admin")
OPERATOR_SCOPES = ("read", "risk", "operate")
CALENDAR_DAYS = 600
"""How far ahead closed days are journaled; the longest contract begins about 215 days ahead."""

SESSIONS = Sessions(continuous=(Stretch(start=time(9), end=time(14, 55)),))
"""What a fresh exchange trades by: five minutes of closing call, and no break, since nobody leaves a desk."""

MARGIN_RULES = SetMarginRules(
    near_delivery=(MarginStep(0, 1_000), MarginStep(2, 750)),
    calendar_basis_points=3_000,
    inter_hub_basis_points=4_000,
    roll_basis_points=800,
    roll_after_days=60,
    buy_in_basis_points=500,
    damages_basis_points=300,
    concentration_share_basis_points=2_500,
    concentration_floor_fen=100_000_000,
    concentration_basis_points=5_000,
    lock_limit_basis_points=300,
    lock_margin_basis_points=200,
    model_neighbours=2,
)
"""What a fresh exchange computes margin from; the rulebook's examples use them."""


class BootstrapError(Exception):
    """The exchange refused what it must begin with."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key with its secret, for a profile file."""

    member: str
    account: int
    key_id: str
    secret: bytes
    scopes: tuple[str, ...]


def market_rules(catalogue: Catalogue, first: date) -> SetRules:
    """Return the rules that the catalogue gives: every grade at every hub that has capacity of it, and the
    closed days.

    Closed days reach `CALENDAR_DAYS` from `first`.
    """
    products = tuple(
        Product(grade.code, hub, grade.cards_per_lot)
        for hub in catalogue.hubs
        for grade in catalogue.grades.values()
        if catalogue.default_capacity_cards(hub, grade.code) > 0
    )
    end = first + timedelta(days=CALENDAR_DAYS - 1)
    days = [first + timedelta(days=ahead) for ahead in range(CALENDAR_DAYS)]
    closed = tuple(day for day in days if is_trading_day(day, ()) and not catalogue.is_trading_day(day))
    return SetRules(products=products, closed_days=closed, calendar_end=end)


def load_profiles(catalogue: Catalogue, hubs: Iterable[str], first: date) -> SetLoadProfiles:
    """Return the peak and valley hours that the catalogue has of hubs, from the month of `first` on."""
    return SetLoadProfiles(
        from_month=first.replace(day=1),
        hubs=tuple(
            HubProfiles(
                hub=hub, **{p.value: _masks(catalogue, hub, p) for p in (Profile.PEAK, Profile.VALLEY)}
            )
            for hub in hubs
        ),
    )


def _masks(catalogue: Catalogue, hub: str, profile: Profile) -> tuple[int, ...]:
    months = (date(2000, month, 1) for month in range(1, MONTHS + 1))
    return tuple(mask_of(catalogue.profile_hours(hub, month, profile)) for month in months)


def primary_rules(catalogue: Catalogue) -> SetPrimaryRules:
    """Return the grade ladder of the catalogue; a good attestation certifies at once (clause 10.2)."""
    standard = catalogue.grades["H100"].reference_price_cny_per_card_hour
    ladder = tuple(
        GradeMinimum(
            grade=grade.code,
            memory_gb=grade.memory_gb,
            gflops=grade.minimum_fp16_gflops,
            standard_milli=max(1, round(grade.h100_equivalent * 1_000)),
            premium_basis_points=round((grade.standard_unit_price_cny / standard - 1) * 10_000),
        )
        for grade in catalogue.grades.values()
    )
    return SetPrimaryRules(ladder=ladder, automatic=True)


DELIVERY_RULES = SetDeliveryRules(
    premiums=(
        PremiumStep(score_basis_points=9_950, premium_basis_points=20),
        PremiumStep(score_basis_points=9_700, premium_basis_points=50),
        PremiumStep(score_basis_points=9_000, premium_basis_points=100),
        PremiumStep(score_basis_points=0, premium_basis_points=200),
    ),
    refused_uses=(RefusedUse(hub="*", use="virtual-currency mining"),),
)
"""What a fresh exchange insures deliveries by, and what no hub takes."""


REVENUE_SPLIT = SetRevenueSplit(provider=4, broker=3, platform=3)
"""How a fresh exchange shares its trading fees (clause 8.14)."""


POSITION_RULES = SetPositionRules(
    day_cards=20_000, week_cards=40_000, month_cards=60_000, quarter_cards=100_000, report_cards=1_000
)
"""How much of a contract one account may hold, and what is reported (clauses 5.13, 5.14)."""


async def bootstrap(exchange: Exchange) -> Credentials | None:
    """Journal what is missing of a fresh exchange's beginnings; killed at any point, the next start does the
    rest.

    Returns the first key of the operator that it makes, decrypted; None once it was revoked, or if the
    exchange was begun with operators of other names (`dongxi init`).
    """
    await journal_rules(exchange)
    if not any(member.kind == "operator" for member in exchange.views.members()):
        await _do(exchange, new_operator(exchange, OPERATOR, OPERATOR_ROLES)[0])
    first = next((key for key in exchange.views.api_keys() if key.member == OPERATOR), None)
    if first is None or not first.enabled:
        return None
    return Credentials(OPERATOR, first.account, first.key_id, exchange.secret_of(first), first.scopes)


async def journal_rules(exchange: Exchange) -> None:
    """Journal the catalogue's rules where there are none."""
    if not exchange.views.products():
        await _do(exchange, MARGIN_RULES)
        await _do(exchange, primary_rules(load_catalogue()))
        await _do(exchange, DELIVERY_RULES)
        await _do(exchange, SetSessions(sessions=SESSIONS))
        await _do(exchange, REVENUE_SPLIT)
        await _do(exchange, POSITION_RULES)
        rules = market_rules(load_catalogue(), exchange.config.first_day)
        await _do(exchange, _listing(exchange.config.fine_listing, rules.products))
        await _do(exchange, rules)
    if not exchange.views.load_profiles.by_hub:
        hubs = dict.fromkeys(product.hub for product in exchange.views.products())
        await _do(exchange, load_profiles(load_catalogue(), hubs, exchange.config.first_day))


def _listing(fine: Collection[str], products: Iterable[Product]) -> SetListingRules:
    """Return what is listed of products that aren't journaled yet.

    Raises BootstrapError if there is no room for it.
    """
    rules = (*BASE_RULES, *fine_rules(fine))
    needed = room_for(rules, [(product.grade, product.hub) for product in products])
    if needed > LIMITS.max_instruments:
        raise BootstrapError(
            f"fine_listing names {len(fine)} products: with all others {needed:,} contracts, and "
            f"there is room for {LIMITS.max_instruments:,}; name fewer"
        )
    return SetListingRules(rules=rules)


def new_operator(exchange: Exchange, name: str, roles: tuple[Role, ...]) -> tuple[AddMember, bytes]:
    """Return the command that admits an operator with a first key, and the key's secret."""
    secret, key_id = new_secret(), new_key_id()
    key = FirstKey(key_id, OPERATOR_SCOPES, exchange.encrypt_secret(secret, key_id))
    return AddMember(name=name, kind="operator", roles=roles, key=key), secret


async def _do(exchange: Exchange, message: RareMessage) -> RareResult:
    result = await exchange.submit_rare(message)
    if not result.ok:
        raise BootstrapError(f"{type(message).__name__} was refused: {result.sentence}")
    return result
