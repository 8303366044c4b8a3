"""The scheduler's part of the day: the trace's tasks on what was bought and what is still on offer.

One problem is one delivery day. The enterprises' reservations are one pool, as if they lent one another what
they don't use; what providers posted and didn't sell is on offer at the settlement price.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from nodes.catalogue import Catalogue
from nodes.types import Hub, Region
from scheduler.comparison import Comparison, compare
from scheduler.placing import place
from scheduler.plan import Plan
from scheduler.types import (
    Need,
    Network,
    Offer,
    Origin,
    Problem,
    Reservation,
    Site,
    SiteGrade,
    Workload,
    alternatives_of,
    micro_cny,
    micro_cny_from_ticks,
    milli_cards,
)
from sims.demand import Demand
from sims.prices import ticks

Product = tuple[str, str]
"""(hub, grade)."""


@dataclass(frozen=True, slots=True)
class Supply:
    """Cards of one product on one delivery day: posted, reserved out of them, and its settlement price.

    ``price`` is the exchange's, CNY per lot-hour.
    """

    posted_cards: int
    reserved_cards: int
    price: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A plan and its comparison with the baselines."""

    plan: Plan
    comparison: Comparison


def place_day(
    catalogue: Catalogue, demands: Iterable[Demand], supply: Mapping[Product, Supply], time_limit_s: float
) -> Placed:
    """Place a delivery day's tasks and compare. Takes seconds of CPU; call it off the event loop."""
    problem = problem_of(catalogue, demands, supply)
    plan = place(problem, time_limit_s=time_limit_s)
    return Placed(plan, compare(problem, plan))


def problem_of(catalogue: Catalogue, demands: Iterable[Demand], supply: Mapping[Product, Supply]) -> Problem:
    """The scheduler's problem of one delivery day; tasks arrive in the order of the trace."""
    origins = tuple(_origin(catalogue, city) for city in catalogue.edge_cities)
    sites = tuple(_site(catalogue, hub, supply) for hub in catalogue.hubs.values())
    return Problem(
        workloads=tuple(_workload(catalogue, demand) for demand in demands),
        origins=origins,
        sites=sites,
        network=Network.from_function(
            [origin.city for origin in origins], [site.code for site in sites], catalogue.round_trip_ms
        ),
        reservations=tuple(_reservations(catalogue, supply)),
        offers=tuple(_offers(catalogue, supply)),
    )


def _origin(catalogue: Catalogue, city: str) -> Origin:
    home = catalogue.edge_pool_of(city)
    return Origin(city=city, province=home.province, home_site=home.code)


def _site(catalogue: Catalogue, hub: Hub, supply: Mapping[Product, Supply]) -> Site:
    grades = tuple(
        SiteGrade(
            grade=code,
            capacity_milli_cards=milli_cards(max(item.posted_cards, item.reserved_cards)),
            list_price_micro_cny=_micro(catalogue, code, item),
            power_micro_cny=micro_cny(catalogue.mean_power_cny_per_card_hour(hub.code, code)),
            kgco2=catalogue.kgco2_per_card_hour(hub.code, code),
        )
        for code in catalogue.grades
        if (item := supply.get((hub.code, code))) is not None
    )
    return Site(hub.code, hub.city, hub.province, hub.region, hub.kind, grades)


def _workload(catalogue: Catalogue, demand: Demand) -> Workload:
    kind = catalogue.workload_class(demand.latency_class)
    instead = dict.fromkeys(demand.grades[1:], 1)
    return Workload(
        id=f"task-{demand.number}",
        origin=demand.origin,
        latency_ms_max=kind.rtt_budget_ms,
        alternatives=_alternatives(demand, instead),
        residency=kind.residency,
        latency_class=demand.latency_class,
    )


def _alternatives(demand: Demand, instead: Mapping[str, int]) -> tuple[tuple[Need, ...], ...]:
    return alternatives_of({demand.grade: Fraction(demand.cards_milli, 1000)}, {demand.grade: instead})


def _micro(catalogue: Catalogue, grade: str, item: Supply) -> int:
    return micro_cny_from_ticks(ticks(item.price), catalogue.grade(grade).cards_per_lot)


def _reservations(catalogue: Catalogue, supply: Mapping[Product, Supply]) -> Iterable[Reservation]:
    for (hub, grade), item in supply.items():
        if item.reserved_cards:
            cards = milli_cards(item.reserved_cards)
            yield Reservation(f"reserved/{hub}/{grade}", hub, grade, cards, _micro(catalogue, grade, item))


def _offers(catalogue: Catalogue, supply: Mapping[Product, Supply]) -> Iterable[Offer]:
    for (hub, grade), item in supply.items():
        unsold = item.posted_cards - item.reserved_cards
        if unsold > 0:
            yield Offer(
                f"posted/{hub}/{grade}", hub, grade, milli_cards(unsold), _micro(catalogue, grade, item)
            )


def west_percent(catalogue: Catalogue, plan: Plan) -> float:
    """Share of the placed cards, all grades added up, that stand in the west."""
    placed: Counter[Region] = Counter()
    for placement in plan.placements:
        placed[catalogue.hub(placement.site).region] += sum(need.milli_cards for need in placement.needs)
    return 100 * placed[Region.WEST] / placed.total() if placed else 0.0
