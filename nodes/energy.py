"""What a card-hour costs in electricity and carbon at a hub, and which hours count as peak and valley.

Hours are those of Asia/Shanghai; a tariff knows months and hours, not weekends or holidays
(docs/catalogue.md).
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from nodes.types import Grade, Hub, PowerBasis, Profile, Tariff, TariffPeriod

SHANGHAI = ZoneInfo("Asia/Shanghai")

# Rulebook clause 2.9: sharp counts as peak, deep valley as valley.
PROFILE_PERIODS = {
    Profile.BASE: frozenset(TariffPeriod),
    Profile.PEAK: frozenset({TariffPeriod.PEAK, TariffPeriod.SHARP}),
    Profile.VALLEY: frozenset({TariffPeriod.VALLEY, TariffPeriod.DEEP_VALLEY}),
}


def profile_hours(tariff: Tariff, day: date, profile: Profile) -> tuple[int, ...]:
    """The hours 0–23 of a day that a profile delivers; flat hours are in base only."""
    wanted = PROFILE_PERIODS[profile]
    return tuple(hour for hour, period in enumerate(tariff.periods[day.month - 1]) if period in wanted)


def cny_per_kwh(hub: Hub, tariff: Tariff, at: datetime, basis: PowerBasis = PowerBasis.TARIFF) -> float:
    """All-in electricity price in the hour of ``at``; raises ``ValueError`` if ``at`` has no time zone.

    On the planning basis every hour moves by the same amount, so that the mean is the planning price.
    """
    if at.tzinfo is None:
        raise ValueError("the time of a power price needs a time zone, e.g. +08:00")
    local = at.astimezone(SHANGHAI)
    return _all_in(hub, tariff.multipliers[local.month - 1][local.hour], basis)


def cny_per_kwh_of_year(hub: Hub, tariff: Tariff) -> tuple[tuple[float, ...], ...]:
    """The same on the tariff basis for every month, January's first, and of it every hour 0–23."""
    return tuple(
        tuple(_all_in(hub, multiplier, PowerBasis.TARIFF) for multiplier in hours)
        for hours in tariff.multipliers
    )


def _all_in(hub: Hub, multiplier: float, basis: PowerBasis) -> float:
    price = hub.tou_floating_cny_per_kwh * multiplier + hub.tou_fixed_cny_per_kwh
    return price + hub.demand_charge_cny_per_kwh + _basis_shift(hub, basis)


def _basis_shift(hub: Hub, basis: PowerBasis) -> float:
    if basis is PowerBasis.PLANNING:
        return hub.planning_price_cny_per_kwh - hub.all_in_cny_per_kwh
    return 0.0


def mean_cny_per_kwh(hub: Hub, basis: PowerBasis = PowerBasis.TARIFF) -> float:
    """The price of a load that never varies: the mean over all hours, months weighing the same."""
    return hub.all_in_cny_per_kwh + _basis_shift(hub, basis)


def facility_kw(hub: Hub, grade: Grade) -> float:
    """Power one card draws from the grid: its reference draw times the hub's PUE, in kW."""
    return grade.power_kw * hub.pue


def kgco2_per_card_hour(hub: Hub, grade: Grade) -> float:
    """Location-based carbon of a card-hour in kg: the provincial grid's average × PUE × kW."""
    return hub.grid_factor_kg_per_kwh * facility_kw(hub, grade)


def kgco2_per_card_hour_contracted_green(hub: Hub, grade: Grade) -> float | None:
    """Market-based carbon in kg where the hub's contracted green share is published, else None.

    The green share counts as carbon-free and the rest at the grid average; a residual mix would be dirtier.
    """
    if hub.green_share is None:
        return None
    return kgco2_per_card_hour(hub, grade) * (1 - hub.green_share)


def kgco2_per_card_hour_if_green_target_met(hub: Hub, grade: Grade) -> float:
    """Carbon in kg *if* the hub met the goal for new data centres (80 % green): a what-if, no fact."""
    return kgco2_per_card_hour(hub, grade) * (1 - hub.green_target_new_dc)
