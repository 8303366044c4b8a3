"""What a placement problem is made of: frozen, typed and validated as a whole.

Integers throughout, so that a checker can recompute every figure exactly:

- cards in *milli-cards* (0.46 of a card = 460), because inference tasks share cards;
- prices in *micro-CNY per card-hour* (1 tick of 0.01 CNY on an 8-card lot is 1,250 micro-CNY a card);
- their product, money inside the package, in *nano-CNY* (1 fen = 10,000,000 nano-CNY).

A problem spans one slot of ``slot_hours`` (24 for a delivery day). A placed workload holds its cards for
the whole slot, since that is what a reservation or an offer delivers; its ``hours`` (≤ the slot) are what it
runs, and what power and carbon are counted for. A workload is placed whole, at one site. Cards are added up
over a site: which physical card a share of 0.46 lands on is for the site's own packing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nodes.types import HubKind, Region, Residency

MILLI = 1_000
"""Milli-cards in a card."""
MICRO = 1_000_000
"""Micro-CNY in a CNY."""
NANO_PER_FEN = 10_000_000
"""Nano-CNY in a fen."""
MICRO_PER_TICK = 10_000
"""Micro-CNY in a tick of 0.01 CNY."""
PRIORITY_MAX = 9
"""The highest priority a workload can have."""

Number = int | float | Decimal | Fraction


class Fault(NamedTuple):
    """One thing wrong with the input: which table, which row (0-based), whose, which field, and what."""

    table: str
    row: int
    key: str
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.table} row {self.row} ({self.key}), {self.field}: {self.message}"


FAULTS_SHOWN_MAX = 20


class InvalidProblem(ValueError):
    """The input cannot be planned as it is; ``faults`` names each row and field that is wrong."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        shown = [str(fault) for fault in self.faults[:FAULTS_SHOWN_MAX]]
        rest = len(self.faults) - len(shown)
        super().__init__("; ".join([*shown, f"and {rest} more"] if rest > 0 else shown))

    def __reduce__(self) -> tuple[type["InvalidProblem"], tuple[tuple[Fault, ...]]]:
        """From one process to another with its faults, not with its sentence."""
        return InvalidProblem, (self.faults,)


class InvariantViolation(RuntimeError):
    """Something the scheduler guarantees about its own results does not hold: a defect, never bad input."""


def scaled(value: Number, scale: int) -> int:
    """``value × scale`` rounded half up to an integer; raises ``ValueError`` for NaN and infinities."""
    exact = Decimal(repr(value)) if isinstance(value, float) else value
    if isinstance(exact, Decimal):
        if not exact.is_finite():
            raise ValueError(f"{value} is not a finite number")
        return int((exact * scale).to_integral_value(ROUND_HALF_UP))
    return int((Fraction(exact) * scale + Fraction(1, 2)) // 1)


def milli_cards(cards: Number) -> int:
    """Cards as milli-cards, e.g. ``0.46`` → ``460``."""
    return scaled(cards, MILLI)


def micro_cny(cny: Number) -> int:
    """CNY (per card-hour) as micro-CNY, e.g. ``1.68`` → ``1_680_000``."""
    return scaled(cny, MICRO)


def micro_cny_from_ticks(price_ticks: int, cards_per_lot: int) -> int:
    """The price of one card-hour in micro-CNY from a contract's price in ticks per lot-hour.

    Exact for 1, 2, 4, 5, 8, 10 and 16 cards a lot; raises ``ValueError`` where it could not be exact.
    """
    micro, rest = divmod(price_ticks * MICRO_PER_TICK, cards_per_lot)
    if rest:
        raise ValueError(f"{price_ticks} ticks over {cards_per_lot} cards is not a whole number of micro-CNY")
    return micro


class Need(NamedTuple):
    """Cards of one grade, in milli-cards."""

    grade: str
    milli_cards: int


@dataclass(frozen=True, slots=True)
class Workload:
    """One piece of work that is placed whole, or not at all.

    ``alternatives`` are the demand vectors that would each do, e.g. 2 A100 + 0.2 CPU64 or 1 H100 + 0.2 CPU64;
    `alternatives_of` makes them from allowed grades and speed factors. ``latency_ms_max`` bounds the *round
    trip* between origin city and site (``inf``: none). ``data_gb`` is what must be moved to the site.
    ``priority`` 0–9 raises the penalty of leaving it out; ``latency_class`` is a label.
    """

    id: str
    origin: str
    latency_ms_max: float
    alternatives: tuple[tuple[Need, ...], ...]
    residency: Residency = Residency.ANY
    latency_class: str = ""
    priority: int = 0
    hours: int = 24
    data_gb: int = 0


def alternatives_of(
    demand: Mapping[str, Number], allowed: Mapping[str, Mapping[str, Number]] | None = None
) -> tuple[tuple[Need, ...], ...]:
    """Demand vectors from cards per grade, and per grade the grades allowed in its place with their speed.

    ``allowed={"A100": {"H100": 2}}``: an H100 does the work of two A100. Cards are divided by the speed and
    rounded up: to whole cards where the demand is in whole cards (a gang does not share), else to
    milli-cards. The first alternative is the demand itself. Plain: ``alternatives_of({"L20": 0.46})``.
    """
    choices: list[list[Need]] = [[]]
    for grade, cards in demand.items():
        need = milli_cards(cards)
        swaps = [Need(grade, need)]
        swaps += [
            Need(other, _at_speed(need, speed)) for other, speed in (allowed or {}).get(grade, {}).items()
        ]
        choices = [[*head, swap] for swap in swaps for head in choices]
    return tuple(tuple(choice) for choice in choices)


def _at_speed(need: int, speed: Number) -> int:
    grain = MILLI if need % MILLI == 0 else 1
    exact = Fraction(need) / (Fraction(repr(speed)) if isinstance(speed, float) else Fraction(speed))
    return -(-exact // grain) * grain


@dataclass(frozen=True, slots=True)
class Origin:
    """A city work comes from; ``home_site`` is its edge pool: the one site that residency "site" allows."""

    city: str
    province: str
    home_site: str


@dataclass(frozen=True, slots=True)
class SiteGrade:
    """One grade at a site, prices and power in micro-CNY and carbon in kg, each per card-hour.

    ``capacity_milli_cards`` bounds what reservations and offers there may add up to. The list price serves
    comparisons that assume capacity beyond the offers; a plan itself only ever pays offers.
    """

    grade: str
    capacity_milli_cards: int
    list_price_micro_cny: int
    power_micro_cny: int
    kgco2: float


@dataclass(frozen=True, slots=True)
class Site:
    """A hub where work can run."""

    code: str
    city: str
    province: str
    region: Region
    kind: HubKind
    grades: tuple[SiteGrade, ...]


@dataclass(frozen=True, slots=True)
class Reservation:
    """Capacity already bought for the slot; the price paid per card-hour is sunk.

    ``worth_micro_cny`` is what an unused card-hour would still fetch, e.g. by selling it on: that, and
    nothing else, is what using it costs. With 0 a plan has no reason to prefer one reservation over another.
    """

    id: str
    site: str
    grade: str
    milli_cards: int
    paid_micro_cny: int
    worth_micro_cny: int = 0


@dataclass(frozen=True, slots=True)
class Offer:
    """Posted capacity at one price (per card-hour): a step of the marginal price curve. Divisible."""

    id: str
    site: str
    grade: str
    milli_cards: int
    price_micro_cny: int


@dataclass(frozen=True, eq=False, slots=True)
class Network:
    """Round trips from origins to sites: ``rtt_ms`` float64 (origins × sites); and what moving data costs.

    ``transfer_micro_cny_per_gb`` is int64 of the same shape, or None where moving data is free.
    """

    origins: tuple[str, ...]
    sites: tuple[str, ...]
    rtt_ms: NDArray[np.float64]
    transfer_micro_cny_per_gb: NDArray[np.int64] | None = None

    @classmethod
    def from_function(
        cls, origins: Sequence[str], sites: Sequence[str], round_trip_ms: Callable[[str, str], float]
    ) -> "Network":
        """The network that a function ``(origin city, site code) -> round trip in ms`` describes."""
        rtt_ms = np.array([[round_trip_ms(o, s) for s in sites] for o in origins], dtype=np.float64)
        return cls(tuple(origins), tuple(sites), rtt_ms.reshape(len(origins), len(sites)))


def carbon_rate(g: SiteGrade, price_micro_cny_per_kg: int) -> int:
    """Nano-CNY that a running milli-card-hour is charged for its carbon, rounded half up.

    Micro-CNY a kg × kg a card-hour is nano-CNY a milli-card-hour: both are a thousandth.
    """
    return scaled(Fraction(g.kgco2) * price_micro_cny_per_kg, 1)


def offers_at_list_price(
    sites: Sequence[Site], reservations: Sequence[Reservation] = ()
) -> tuple[Offer, ...]:
    """Every site's capacity beyond the reservations as one offer a grade at its list price."""
    reserved: dict[tuple[str, str], int] = {}
    for item in reservations:
        reserved[item.site, item.grade] = reserved.get((item.site, item.grade), 0) + item.milli_cards
    return tuple(
        Offer(f"list/{site.code}/{g.grade}", site.code, g.grade, free, g.list_price_micro_cny)
        for site in sites
        for g in site.grades
        if (free := g.capacity_milli_cards - reserved.get((site.code, g.grade), 0)) > 0
    )


@dataclass(frozen=True, eq=False, slots=True)
class Problem:
    """Everything one placement needs. `scheduler.validation.checked` (called by `place`) validates it.

    The order of ``workloads`` is the order of arrival, which only baselines look at.
    """

    workloads: Sequence[Workload]
    """A tuple, or a `scheduler.workload_table.WorkloadTable` where there are very many."""
    origins: tuple[Origin, ...]
    sites: tuple[Site, ...]
    network: Network
    reservations: tuple[Reservation, ...] = field(default=())
    offers: tuple[Offer, ...] = field(default=())
    slot_hours: int = 24
    carbon_price_micro_cny_per_kg: int = 0
    """What a kg of CO2 counts; charged by the running milli-card-hour, see `carbon_rate`."""
