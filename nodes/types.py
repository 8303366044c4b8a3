"""What compute is and where it is: plain frozen data, no input or output.

This is the only module of ``nodes`` that ``scheduler`` may import. Everything here is made by
`nodes.catalogue.load_catalogue`, which checks it; the types themselves only hold it.

Units are last in names: kW, CNY/kWh, kgCO2/kWh, ms round trip, degrees WGS84.
"""

from dataclasses import dataclass
from enum import StrEnum


class UnknownName(LookupError):
    """A name that the catalogue does not have; the sentence says which kind of name and what is allowed."""

    def __init__(self, kind: str, name: str, allowed: tuple[str, ...]) -> None:
        super().__init__(f"unknown {kind} {name!r}; known: {', '.join(allowed)}")
        self.kind = kind
        self.name = name
        self.allowed = allowed


class Confidence(StrEnum):
    """How far a figure can be trusted, strongest first."""

    READ = "read"
    """Seen in a source's text or file."""
    READ_LOW = "read_low"
    """Seen, but the source is weak (a forum post, a machine-written page, an old figure)."""
    DERIVED = "derived"
    """Computed from other figures of the catalogue."""
    GENERAL_KNOWLEDGE = "general_knowledge"
    """From memory, not confirmed by a source."""
    ASSUMPTION = "assumption"
    """Chosen for the catalogue."""


class Region(StrEnum):
    """East, central or west, as the programme speaks of them."""

    EAST = "east"
    CENTRAL = "central"
    WEST = "west"


class HubKind(StrEnum):
    """A data-centre cluster of a national node, or a city's pool of edge rooms."""

    CLUSTER = "cluster"
    EDGE_POOL = "edge_pool"


class PlaceLevel(StrEnum):
    """The four levels of the place tree, the widest first."""

    NATIONAL_NODE = "national_node"
    PROVINCE = "province"
    CITY = "city"
    SITE = "site"


class NetworkTier(StrEnum):
    """The kind of line between two places; each has its own fitted latency formula."""

    OTN_DIRECT = "otn_direct"
    """A wavelength or OTN line of one's own: the best case."""
    IP_PRIVATE = "ip_private"
    """A carrier's premium IP network or a cloud backbone: what scheduling assumes by default."""
    IP_PUBLIC = "ip_public"
    """The public internet on its best path."""
    POLICY_GOAL = "policy_goal"
    """The goal of the 2023 action plan (1.5 × the theoretical delay); no network of today."""


class TariffPeriod(StrEnum):
    """The kind of an hour in a provincial time-of-use tariff."""

    SHARP = "sharp"
    PEAK = "peak"
    FLAT = "flat"
    VALLEY = "valley"
    DEEP_VALLEY = "deep_valley"


class Profile(StrEnum):
    """Which hours of a delivery period a contract delivers."""

    BASE = "base"
    PEAK = "peak"
    VALLEY = "valley"


class PowerBasis(StrEnum):
    """Which electricity price a power cost is computed from."""

    TARIFF = "tariff"
    """The modelled tariff (purchase, grid, funds, losses, demand charge): the base case."""
    PLANNING = "planning"
    """The tariff averaged with prices reported for data centres there, if any were read."""


class Residency(StrEnum):
    """How far from its origin a workload's data may go. Every hub is inside China."""

    SITE = "site"
    CITY = "city"
    PROVINCE = "province"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Source:
    """Where figures come from. ``strength`` says how strong the source is, in words."""

    code: str
    what: str
    address: str
    year: str
    strength: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One value with its unit, the year it speaks of, and where it comes from."""

    entity: str
    name: str
    value: float
    unit: str
    year: str
    source: str
    confidence: Confidence
    note: str


@dataclass(frozen=True, slots=True)
class NationalNode:
    """One of the eight national hub nodes (国家枢纽节点) of the programme."""

    code: str
    name_en: str
    name_zh: str
    region: Region
    role_zh: str


@dataclass(frozen=True, slots=True)
class Point:
    """A position in degrees (WGS84), good to 0.05–0.1 degrees: a city's centre, not a building."""

    latitude_deg: float
    longitude_deg: float


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the place tree.

    ``code`` is the path from the root (``YRD/ZHEJIANG/HANGZHOU``), ``name`` its last part. ``parent`` is
    empty at a root: a national node, or a province outside the eight. Cities and sites have a ``point``; a
    site names the ``hub`` that delivers there.
    """

    code: str
    level: PlaceLevel
    parent: str
    name_en: str
    name_zh: str
    point: Point | None
    hub: str

    @property
    def name(self) -> str:
        """The last part of the path; unique among places of one level."""
        return self.code.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Hub:
    """A delivery point: one of the ten clusters or thirteen edge pools. Only hubs have contracts.

    ``national_node`` is empty for the two edge cities outside the eight nodes. Prices are CNY/kWh: an hour
    costs ``tou_floating × multiplier + tou_fixed + demand_charge``. ``all_in`` is that hour's mean for a
    constant load, ``planning_price`` the same averaged with reported prices. ``grid_factor_kg_per_kwh`` is
    the province's grid average (kgCO2/kWh); ``green_share`` is the share of contracted green power of the
    cluster's data centres, where one is published; ``green_target_new_dc`` is the national goal for new
    data centres.
    """

    code: str
    kind: HubKind
    name_en: str
    name_zh: str
    national_node: str
    province: str
    city: str
    region: Region
    point: Point
    tariff: str
    pue: float
    tou_floating_cny_per_kwh: float
    tou_fixed_cny_per_kwh: float
    demand_charge_cny_per_kwh: float
    all_in_cny_per_kwh: float
    planning_price_cny_per_kwh: float
    grid_factor_kg_per_kwh: float
    green_share: float | None
    green_target_new_dc: float


@dataclass(frozen=True, slots=True)
class Grade:
    """A quality of compute that is delivered, with its minimum specification.

    ``power_kw`` is the reference draw of one card with its share of the server, before PUE. ``fp16_pflops``
    is dense FP16 (for CPU64 FP32: see its note). ``reference_price_cny_per_card_hour`` is the national
    level used to open new contracts. ``cards_per_lot`` is 8 below 5 CNY an hour, else 1.
    """

    code: str
    name_en: str
    name_zh: str
    minimum: str
    memory_gb: int
    cards_per_lot: int
    power_kw: float
    fp16_pflops: float
    h100_equivalent: float
    reference_price_cny_per_card_hour: float
    minimum_fp16_gflops: int
    """Dense FP16 that a card must reach to be delivered as this grade; 0 where the minimum names none."""

    @property
    def standard_unit_price_cny(self) -> float:
        """The reference level of one H100-equivalent hour of this grade, CNY."""
        return self.reference_price_cny_per_card_hour / self.h100_equivalent

    @property
    def p_hours_per_card_hour(self) -> float:
        """P·hours (PFLOPS × hours) in one card-hour: the figure of ``fp16_pflops``."""
        return self.fp16_pflops


@dataclass(frozen=True, slots=True)
class TierModel:
    """Round trip of a network tier: ``2 × km × route_factor × ms_per_km_one_way + equipment_rtt_ms``."""

    tier: NetworkTier
    route_factor: float
    equipment_rtt_ms: float
    ms_per_km_one_way: float


@dataclass(frozen=True, slots=True)
class Tariff:
    """A provincial time-of-use tariff.

    ``periods[month - 1][hour]`` and ``multipliers[month - 1][hour]``, hours of Asia/Shanghai: hour 0 is
    00:00–01:00. The multiplier applies to the floating part of the price only.
    """

    code: str
    province_zh: str
    document: str
    periods: tuple[tuple[TariffPeriod, ...], ...]
    multipliers: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class WorkloadClass:
    """A kind of work with its network budget: the longest *round trip* between user and site, in ms.

    ``shiftable_hours`` is how long a job may be delayed (all assumptions).
    """

    code: str
    name_en: str
    name_zh: str
    rtt_budget_ms: float
    residency: Residency
    shiftable_hours: int
    placement_note: str
    confidence: Confidence
