"""What planning over many slots answers: plain frozen data, money in nano-CNY."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from scheduler.horizon.types import Part
from scheduler.plan import PlanStatus, Timings
from scheduler.sums import InFen, Proved


class HorizonReason(StrEnum):
    """Why a workload is left out, the first that applies."""

    LATENCY = "latency"
    """No site is within its latency bound."""
    RESIDENCY = "residency"
    """Sites are near enough, but none where its data may go."""
    NO_GRADE = "no_grade"
    """No such site ever has capacity of every grade that one of its alternatives needs."""
    TOO_LARGE = "too_large"
    """Such sites exist, but none has enough for the whole workload long enough, in any slots, even empty."""
    WINDOW = "window"
    """It would fit alone at other times, but not within its window."""
    BUDGET = "budget"
    """It would fit alone within its window, but only beyond its budget."""
    LINK = "link"
    """It would fit alone within window and budget, but no line takes its data in time."""
    CARBON = "carbon"
    """It would fit alone, but only beyond the whole carbon cap."""
    TOO_DEAR = "too_dear"
    """It would fit alone, but even with every site empty serving it costs no less than leaving it out.

    Gangs over the sites of a city are not looked at, and where there is a cap on carbon it is not.
    """
    CAPACITY = "capacity"
    """It would fit alone; beside the others it, or what it displaces, costs more than leaving it out."""


class Relaxation(NamedTuple):
    """A change of one figure of a workload.

    ``field`` is a field of the workload, and ``value`` what it would have to be (`none`: given up); or
    ``cards``, the share that is left of them, or ``slots``, those left of the first alternative.
    """

    field: str
    value: str


Relaxed = tuple[tuple[Relaxation, ...], ...]
"""The ways to place a workload, everything else left as planned: each one change, or two together, every one
the smallest that does.
"""


class HorizonPlacement(NamedTuple):
    """A workload with its slots, ascending, and the members at each site (one site but for a gang)."""

    workload: str
    alternative: int
    slots: tuple[int, ...]
    parts: tuple[Part, ...]


class HorizonUnplaced(NamedTuple):
    """A workload left out: why, in figures too, and what would place it (None: not looked for in time)."""

    workload: str
    reason: HorizonReason
    detail: str
    relaxed: Relaxed | None = None


class MoveReason(StrEnum):
    """Why running work does not go on as it was."""

    BARRED = "barred"
    """It could not, even alone: its site is down or full of maintenance, or no longer allowed."""
    GIVES_WAY = "gives way"
    """It could alone, but others are where it was."""
    GAIN = "gain"
    """It could, beside everyone else as planned; elsewhere or later costs less."""


class Move(NamedTuple):
    """Running work that moves: from where to where, and what that gains, in nano-CNY.

    ``stay`` is what going on would cost beside everyone else as planned (None where it could not), ``go``
    what the new place costs; moving costs the migration and the transfer of its data on top.
    """

    workload: str
    reason: MoveReason
    before: tuple[Part, ...]
    after: tuple[Part, ...]
    stay_nano_cny: int | None
    go_nano_cny: int
    migration_nano_cny: int
    transfer_nano_cny: int

    @property
    def gain_nano_cny(self) -> int | None:
        """What it saves before the cost of moving; None where it could not stay."""
        return None if self.stay_nano_cny is None else self.stay_nano_cny - self.go_nano_cny

    @property
    def cost_nano_cny(self) -> int:
        """What moving itself costs."""
        return self.migration_nano_cny + self.transfer_nano_cny


class SlotPurchase(NamedTuple):
    """Cards to buy from one offer for one slot; ``cost_nano_cny`` is exact."""

    offer: str
    site: str
    grade: str
    slot: int
    milli_cards: int
    price_micro_cny: int
    cost_nano_cny: int


class SlotPrice(NamedTuple):
    """A price on one milli-card of a grade at a site in a slot, in nano-CNY; never negative."""

    site: str
    grade: str
    slot: int
    nano_cny: int


class LinkPrice(NamedTuple):
    """A price on one GB over a link in a slot, in nano-CNY; never negative."""

    origin: str
    site: str
    slot: int
    nano_cny: int


@dataclass(frozen=True, slots=True)
class HorizonCertificate:
    """A lower bound anyone can check: with these prices no plan's value is below the bound.

    Charge every use of capacity, lines and carbon (``carbon_nano_cny_per_g``), let each workload take its
    cheapest option on its own or stay out at its penalty, and take off what all capacity is worth above its
    own price: by Lagrangian duality that is at most the value of any plan. Integers, so that the check is
    exact (`scheduler.horizon.checker.certified_bound`). Whatever is not listed has the price 0.
    """

    capacity: tuple[SlotPrice, ...]
    links: tuple[LinkPrice, ...]
    carbon_nano_cny_per_g: int
    bound_nano_cny: int


@dataclass(frozen=True, slots=True)
class HorizonTotals(InFen):
    """What a set of placements costs, draws and emits; all but the counts in nano-CNY, carbon in µg.

    ``purchase`` is for offers, ``forgone`` what the reserved cards used would still have fetched,
    ``reserved_value`` their sunk price. ``power`` is all electricity, ``metered_power`` what is paid on top
    of the rent, ``carbon_price`` what the carbon rule's price makes of the carbon.
    """

    placed: int
    moved: int
    milli_card_hours: int
    purchase_nano_cny: int
    transfer_nano_cny: int
    migration_nano_cny: int
    lateness_nano_cny: int
    metered_power_nano_cny: int
    carbon_price_nano_cny: int
    forgone_nano_cny: int
    reserved_value_nano_cny: int
    power_nano_cny: int
    carbon_ug: int

    @property
    def cost_nano_cny(self) -> int:
        """New money: purchases, transfer, migration and metered power."""
        money = self.purchase_nano_cny + self.transfer_nano_cny
        return money + self.migration_nano_cny + self.metered_power_nano_cny

    @property
    def influenced_nano_cny(self) -> int:
        """All a plan influences but penalties: new money, forgone money, lateness, carbon at its price."""
        others = self.forgone_nano_cny + self.lateness_nano_cny + self.carbon_price_nano_cny
        return self.cost_nano_cny + others

    @property
    def kgco2(self) -> float:
        """Carbon dioxide in kg, for display."""
        return self.carbon_ug / 1e9


@dataclass(frozen=True, slots=True)
class HorizonPlan(Proved):
    """A plan over many slots with its proof.

    ``value_nano_cny`` is what was minimised: ``totals.influenced_nano_cny`` and the penalties of what is left
    out; ``lower_bound_nano_cny`` holds for every possible plan or, where the exact search proved it, for
    every one that keeps the rule of pre-emption. ``rule_nano_cny`` is how much less the best plan found
    comes to that weighs best-effort work instead of letting it give way. ``moves`` are the running workloads
    that do not go on as they were, each with what that gains. ``bound_from`` is ``"certificate"`` or
    ``"exact search"``. ``model`` names the model used (``exact``, ``classes`` or ``columns``) and ``why``
    says in a sentence why it was picked. ``shadow_prices`` say what one more
    milli-card would be worth in the relaxation, for the slot.
    """

    placements: tuple[HorizonPlacement, ...]
    unplaced: tuple[HorizonUnplaced, ...]
    purchases: tuple[SlotPurchase, ...]
    moves: tuple[Move, ...]
    totals: HorizonTotals
    status: PlanStatus
    value_nano_cny: int
    lower_bound_nano_cny: int
    rule_nano_cny: int
    bound_from: str
    certificate: HorizonCertificate
    shadow_prices: tuple[SlotPrice, ...]
    model: str
    why: str
    timings: Timings

    @property
    def moved(self) -> tuple[str, ...]:
        """The running workloads that move."""
        return tuple(move.workload for move in self.moves)

    @property
    def influenced_nano_cny(self) -> int:
        """What the gap is a share of: all money that a plan influences but penalties."""
        return self.totals.influenced_nano_cny
