"""What a placement answers: plain frozen data, money in nano-CNY inside and in fen where it is shown."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from scheduler.sums import InFen, Proved
from scheduler.types import Need


class PlanStatus(StrEnum):
    """How good a plan is proved to be."""

    OPTIMAL = "optimal"
    """No plan is better: the lower bound equals the plan's value."""
    WITHIN_GAP = "within_gap"
    """At most ``gap_nano_cny`` worse than the best plan possible."""
    TIME_LIMIT = "time_limit"
    """The time limit stopped the search; the gap stated still holds."""


class Progress(NamedTuple):
    """How far a search is: what a callback is given. Gaps are shares of the money a plan can influence."""

    elapsed_s: float
    stage: str
    incumbent_nano_cny: int
    bound_nano_cny: int
    gap: float


class UnplacedReason(StrEnum):
    """Why a workload has no site, the first that applies."""

    LATENCY = "latency"
    """No site is within its latency bound."""
    RESIDENCY = "residency"
    """Sites are near enough, but none where its data may go."""
    NO_GRADE = "no_grade"
    """No such site has capacity of every grade that one of its alternatives needs."""
    TOO_LARGE = "too_large"
    """Such sites exist, but none has enough for the whole workload, even empty."""
    TOO_DEAR = "too_dear"
    """It would fit alone, but even with every site empty serving it costs no less than leaving it out."""
    CAPACITY = "capacity"
    """It would be served alone; beside the others it, or what it displaces, costs more than that."""


class Placement(NamedTuple):
    """A workload at its site with the cards it gets; ``alternative`` is the index of the demand vector."""

    workload: str
    site: str
    alternative: int
    needs: tuple[Need, ...]


class Unplaced(NamedTuple):
    """A workload without a site: why, and a sentence with the figures."""

    workload: str
    reason: UnplacedReason
    detail: str


class Purchase(NamedTuple):
    """Cards to buy from one offer for the whole slot; ``cost_nano_cny`` is exact."""

    offer: str
    site: str
    grade: str
    milli_cards: int
    price_micro_cny: int
    cost_nano_cny: int


class ShadowPrice(NamedTuple):
    """What one more milli-card of a grade at a site for the slot is worth, in nano-CNY; never negative."""

    site: str
    grade: str
    nano_cny_per_milli_card: int


@dataclass(frozen=True, slots=True)
class Totals(InFen):
    """What a set of placements costs, draws and emits.

    ``cost`` is new money: purchases and transfer. ``reserved_value`` is the sunk price of the reserved cards
    used, so that plans can be compared as if nothing had been bought before; ``forgone`` is what those cards
    would still have fetched. ``carbon`` is what the problem's price of carbon charges. Cards are
    taken by what using them costs, reserved before offered. ``power`` is what the sites pay for
    electricity: part of the rent, so never added to cost. ``milli_card_hours`` counts running hours.
    """

    placed: int
    milli_card_hours: int
    purchase_nano_cny: int
    transfer_nano_cny: int
    reserved_value_nano_cny: int
    forgone_nano_cny: int
    carbon_nano_cny: int
    power_nano_cny: int
    kgco2: float

    @property
    def cost_nano_cny(self) -> int:
        """New money: purchases and transfer."""
        return self.purchase_nano_cny + self.transfer_nano_cny

    @property
    def card_hours(self) -> float:
        """Card-hours run, all grades added up: for display only."""
        return self.milli_card_hours / 1000


class ClassSummary(NamedTuple):
    """One latency class in a plan; the round trips are over its placed workloads (0 if none)."""

    latency_class: str
    workloads: int
    placed: int
    milli_card_hours: int
    mean_rtt_ms: float
    max_rtt_ms: float


class CertificateRow(NamedTuple):
    """A price on one capacity inequality that every plan fulfils (`scheduler.capacity_rows` derives it).

    ``level`` counts the price steps that are taken as capacity next to what is free; ``grain`` is the
    size in milli-cards that whole workloads round to (1: plain capacity); ``nano_cny`` is per unit of it.
    """

    site: str
    grade: str
    level: int
    grain: int
    nano_cny: int


@dataclass(frozen=True, slots=True)
class Certificate:
    """A lower bound anyone can check: with these prices on capacity no plan's value is below the bound.

    Charge every use of a priced row, let each workload take its cheapest option on its own (or stay out at
    its penalty), and take off what the priced capacity is worth: by Lagrangian duality that is at most the
    value of any plan. Integers, so that the check is exact (`scheduler.checker.certified_bound`).

    Instead of rows a certificate may hold what a place is worth to each workload, in the problem's order:
    then the bound is Σ min(penalty, worth) less the most that each site and grade could gain by taking a set
    of whole workloads at their worths (`scheduler.worths`).
    """

    rows: tuple[CertificateRow, ...]
    bound_nano_cny: int
    worths_nano_cny: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds of wall time spent on building the model, solving it, and everything."""

    build_s: float
    solve_s: float
    total_s: float


@dataclass(frozen=True, slots=True)
class Plan(Proved):
    """A placement with its proof.

    ``value_nano_cny`` is what was minimised: new money, what the reserved cards used would have fetched, the
    charge for carbon and the penalties of unplaced work; ``lower_bound_nano_cny`` holds for every possible
    plan; their difference is the gap. ``gap`` sets it against the money the plan can influence, sunk cost and
    penalties left out.
    ``bound_from`` is ``"certificate"`` or, where an exact search proved more, ``"exact search"``.
    ``model`` names the model used and ``why`` says in a sentence why it was picked.
    """

    placements: tuple[Placement, ...]
    unplaced: tuple[Unplaced, ...]
    purchases: tuple[Purchase, ...]
    totals: Totals
    by_latency_class: tuple[ClassSummary, ...]
    status: PlanStatus
    value_nano_cny: int
    lower_bound_nano_cny: int
    bound_from: str
    certificate: Certificate
    shadow_prices: tuple[ShadowPrice, ...]
    model: str
    why: str
    timings: Timings

    @property
    def influenced_nano_cny(self) -> int:
        """New and forgone money: what the gap is a share of."""
        return self.totals.cost_nano_cny + self.totals.forgone_nano_cny
