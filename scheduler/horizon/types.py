"""What a planning problem over many slots is made of: frozen, typed and validated as a whole.

Time is a horizon of equal slots, numbered from 0; a range of slots is ``first`` (inclusive) to ``end``
(exclusive). Integers throughout, in the units of `scheduler.types`: milli-cards, micro-CNY per card-hour (or
per GB, kWh, kg as the name says), money inside the package in nano-CNY, carbon in µg.

A figure that may differ from slot to slot is `PerSlot`: one integer for every slot, or a tuple of one a slot.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from nodes.types import HubKind, Region, Residency
from scheduler.types import Need, Network, Number, Origin, milli_cards

PerSlot = int | tuple[int, ...]
"""One figure for every slot, or one a slot."""

GB_MAX = 10**9
"""The most GB that a line may take in a slot: as good as no limit."""


def per_slot(value: PerSlot, slots: int) -> tuple[int, ...]:
    """The figure of each of so many slots."""
    return value if isinstance(value, tuple) else (value,) * slots


def at(value: PerSlot, slot: int) -> int:
    """The figure of one slot."""
    return value[slot] if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True)
class Horizon:
    """The slots: ``slots`` of ``slot_hours`` each, from ``start`` (with a time zone)."""

    start: datetime
    slots: int
    slot_hours: int = 1


class Alternative(NamedTuple):
    """One way to do a workload: cards each member needs, and for how many slots."""

    needs: tuple[Need, ...]
    slots: int


class RunMode(StrEnum):
    """Whether a workload may pause."""

    CONTIGUOUS = "contiguous"
    """Once started it runs to its end."""
    PREEMPTIBLE = "preemptible"
    """It may pause between slots; always at the same site, with the same alternative."""


class GangScope(StrEnum):
    """Where the members of a gang may be; they always run in the same slots."""

    SITE = "site"
    """All at one site."""
    CITY = "city"
    """Spread over sites of one city, each member whole at a site."""


@dataclass(frozen=True, slots=True)
class HorizonWorkload:
    """One piece of work that is done whole within the horizon, or left out.

    It runs in slots from ``earliest`` to before ``latest_end``, which is hard. Ending after ``due`` is
    allowed at ``lateness_micro_cny`` for each slot. ``gang_size`` members need the cards of an alternative
    *each*, in the same slots. ``data_gb`` travels from the origin to each site used, in the first slot the
    work runs. ``budget_micro_cny`` bounds what its cards cost at the sites' list prices, with the transfer.

    Workloads with the same ``together`` label share one site (those that are placed); of those with the same
    ``apart`` label no two are at one site in the same slot. ``best_effort`` work gives way first: leaving it
    out counts its demand at list price once. ``latency_ms_max`` bounds the *round trip*; ``inf`` for none.
    Work that may come with ``chance_milli`` in a thousand (None: known work) has room kept for it: leaving it
    out counts that share of what it would.
    """

    id: str
    origin: str
    latency_ms_max: float
    alternatives: tuple[Alternative, ...]
    earliest: int
    latest_end: int
    mode: RunMode = RunMode.CONTIGUOUS
    due: int | None = None
    lateness_micro_cny: int = 0
    priority: int = 0
    best_effort: bool = False
    gang_size: int = 1
    gang_scope: GangScope = GangScope.SITE
    together: str = ""
    apart: str = ""
    residency: Residency = Residency.ANY
    data_gb: int = 0
    budget_micro_cny: int | None = None
    latency_class: str = ""
    chance_milli: int | None = None

    @property
    def gives_way(self) -> bool:
        """Whether other work comes first: best-effort work and what is only expected."""
        return self.best_effort or self.chance_milli is not None


def timed_alternatives(
    demand: Mapping[str, Number], slots: int, allowed: Mapping[str, Number] | None = None
) -> tuple[Alternative, ...]:
    """The demand itself for ``slots``, then each other grade with its speed: as many cards, another time.

    ``timed_alternatives({"A100": 8}, 6, {"H100": 2})``: 8 A100 for 6 slots, or 8 H100 for 3. Slots are
    divided by the speed and rounded up. Only a demand for a single grade can be given other grades; raises
    ``ValueError`` otherwise, and for a speed that is not above 0.
    """
    needs = tuple(Need(grade, milli_cards(cards)) for grade, cards in demand.items())
    found = [Alternative(needs, slots)]
    if allowed and len(needs) != 1:
        raise ValueError(
            "other grades can only be allowed for a demand of one grade; name the vectors instead"
        )
    for grade, speed in (allowed or {}).items():
        exact = Fraction(repr(speed)) if isinstance(speed, float) else Fraction(speed)
        if exact <= 0:
            raise ValueError(f"the speed of {grade} must be above 0, not {speed}")
        found.append(Alternative((Need(grade, needs[0].milli_cards),), -int(-slots // exact)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class GradeSlots:
    """One grade at a site over the slots.

    ``capacity_milli_cards`` bounds what reservations and offers may add up to in each slot. The list price
    (per card-hour) serves penalties, budgets and baselines. ``watts`` is what one card draws, before PUE.
    """

    grade: str
    capacity_milli_cards: PerSlot
    list_price_micro_cny: int
    watts: int = 0


@dataclass(frozen=True, slots=True)
class HorizonSite:
    """A hub where work can run; power price per kWh, carbon in g per kWh, ``pue_milli`` in thousandths.

    Electricity is usually part of the rent; where it is ``power_metered`` a plan pays for it on top.
    """

    code: str
    city: str
    province: str
    region: Region
    kind: HubKind
    grades: tuple[GradeSlots, ...]
    power_micro_cny_per_kwh: PerSlot = 0
    pue_milli: PerSlot = 1000
    carbon_g_per_kwh: PerSlot = 0
    power_metered: bool = False

    def power_micro_cny(self, grade: GradeSlots, slot: int) -> int:
        """Electricity of one card-hour in micro-CNY, rounded half up."""
        exact = grade.watts * at(self.pue_milli, slot) * at(self.power_micro_cny_per_kwh, slot)
        return (exact + 500_000) // 1_000_000

    def carbon_mg(self, grade: GradeSlots, slot: int) -> int:
        """Carbon dioxide of one card-hour in mg, rounded half up."""
        exact = grade.watts * at(self.pue_milli, slot) * at(self.carbon_g_per_kwh, slot)
        return (exact + 500) // 1_000


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A site, or one grade of it (``grade`` empty: all), that is down from ``first`` to before ``end``.

    So many of its cards (None: all) cannot be used then, whatever reservations and offers say: the dearest
    steps of the price curve go first. Rows for the same slot add up.
    """

    site: str
    first: int
    end: int
    grade: str = ""
    milli_cards: int | None = None


@dataclass(frozen=True, slots=True)
class SlotReservation:
    """Capacity bought for a range of slots; ``paid`` is sunk, ``worth`` what a card-hour would fetch."""

    id: str
    site: str
    grade: str
    first: int
    end: int
    milli_cards: int
    paid_micro_cny: int
    worth_micro_cny: int = 0


@dataclass(frozen=True, slots=True)
class SlotOffer:
    """A step of the marginal price curve in each slot of a range. Divisible in cards and in slots."""

    id: str
    site: str
    grade: str
    first: int
    end: int
    milli_cards: int
    price_micro_cny: int


@dataclass(frozen=True, slots=True)
class Link:
    """The line from an origin city to a site: how many GB it takes in a slot, and what a GB costs.

    Where there is no link, data is moved without limit at the network's price (free if that has none).
    """

    origin: str
    site: str
    gb_per_slot: PerSlot
    price_micro_cny_per_gb: int = 0


class Part(NamedTuple):
    """How many members of a workload are at a site."""

    site: str
    members: int


@dataclass(frozen=True, slots=True)
class Running:
    """A workload that runs now, and where; its alternatives say what is left to do.

    Going on costs nothing extra and moves no data: the same parts and alternative and, unless it is pre-
    emptible, from slot 0. Anything else is a move and costs ``migration_micro_cny`` and the transfer.
    """

    workload: str
    alternative: int
    parts: tuple[Part, ...]
    migration_micro_cny: int = 0


@dataclass(frozen=True, slots=True)
class CarbonRule:
    """Carbon as a price per kg, minimised with the money, as a cap in grams over the horizon, or both."""

    price_micro_cny_per_kg: int = 0
    cap_g: int | None = None


@dataclass(frozen=True, eq=False, slots=True)
class HorizonProblem:
    """Everything one plan over many slots needs; `scheduler.horizon.validation.checked` validates it.

    ``network`` gives round trips, and transfer prices where no link does. ``moves_max`` bounds how many
    running workloads may be moved that could have stayed (None: any number). With ``best_effort_yields`` no
    other work is left out that would have a place if best-effort and expected work gave way; else all is
    weighed. The order of ``workloads`` is the order of arrival, which only baselines look at.
    """

    horizon: Horizon
    workloads: tuple[HorizonWorkload, ...]
    origins: tuple[Origin, ...]
    sites: tuple[HorizonSite, ...]
    network: Network
    reservations: tuple[SlotReservation, ...] = ()
    offers: tuple[SlotOffer, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    links: tuple[Link, ...] = ()
    running: tuple[Running, ...] = ()
    carbon: CarbonRule = field(default=CarbonRule())
    moves_max: int | None = None
    best_effort_yields: bool = False


def list_price_offers(
    sites: Sequence[HorizonSite], horizon: Horizon, reservations: Sequence[SlotReservation] = ()
) -> tuple[SlotOffer, ...]:
    """What every site has beyond the reservations, offered at its list price: one offer a grade and slot."""
    reserved: dict[tuple[str, str, int], int] = {}
    for item in reservations:
        for slot in range(item.first, item.end):
            key = (item.site, item.grade, slot)
            reserved[key] = reserved.get(key, 0) + item.milli_cards
    return tuple(
        SlotOffer(
            f"list/{site.code}/{g.grade}/{slot}",
            site.code,
            g.grade,
            slot,
            slot + 1,
            free,
            g.list_price_micro_cny,
        )
        for site in sites
        for g in site.grades
        for slot in range(horizon.slots)
        if (free := at(g.capacity_milli_cards, slot) - reserved.get((site.code, g.grade, slot), 0)) > 0
    )
