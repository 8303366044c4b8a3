"""Bodies of planning over HTTP: workloads in, a plan job with progress, its result, and its acceptance.

Hours count from the plan's start; gaps are shares; money is fen, prices are decimal strings.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from exchange.api.answers import Answer, Problem
from exchange.api.requests import Day, Request
from exchange.api.trading import BatchResult

WORKLOADS_MAX = 2_000
"""Most workloads of one plan; larger ones are for `dongxi plan` on a machine of one's own."""
TIME_LIMIT_S_MAX = 60.0
HORIZON_DAYS_MAX = 7
MIGRATION_CNY_MAX = 1e9
CARBON_PRICE_CNY_MAX = 1000.0
ADVISED_ORDERS_MAX = 100
CARBON_CAP_KG_MAX = 1e9
FailedHub = Annotated[str, Meta(min_length=1, max_length=120)]

PlanState = Literal["queued", "running", "done", "failed", "refused", "cancelled"]


class NewPlan(Request, frozen=True, kw_only=True):
    """Workloads to plan on the account's reservations and the asks of the book.

    A workload has the fields of a workload file: docs/planning.md. With `skip_faulty` faulty ones are named
    and the rest is planned. `after` names an accepted plan of the account that began earlier: what has run is
    taken off, what runs goes on unless moving gains more than it costs, and at most `moves_max` move that
    could go on. `failed` are hubs that are down: `HUB`, or `HUB@0-4` for hours of it. `forecast` is work that
    may come, with a `probability` and a `count`, at most 2,000 in all: room is kept for it, nothing is
    ordered.

    `carbon_price_cny_per_kg` is charged with the money; what `carbon_cap_kg` forces out is left out.
    `explain` asks for what each constraint costs, `pareto` for the front between money and carbon: each is
    searched after the plan, as long again as `time_limit_s`. `advise` asks how much of each order to buy now.
    """

    workloads: Annotated[list[dict[str, Any]], Meta(min_length=1, max_length=WORKLOADS_MAX)]
    first_day: Annotated[Day, Meta(description="first delivery day that the plan spans")]
    days: Annotated[int, Meta(ge=1, le=HORIZON_DAYS_MAX)] = 1
    time_limit_s: Annotated[float, Meta(gt=0, le=TIME_LIMIT_S_MAX)] = 10.0
    skip_faulty: bool = False
    after: Annotated[str, Meta(max_length=20, description="id of an accepted plan")] | None = None
    moves_max: Annotated[int, Meta(ge=0, le=WORKLOADS_MAX)] | None = None
    migration_cny: Annotated[float, Meta(ge=0, le=MIGRATION_CNY_MAX)] = 0.0
    failed: Annotated[list[FailedHub], Meta(max_length=100)] | None = None
    forecast: Annotated[list[dict[str, Any]], Meta(max_length=100)] | None = None
    carbon_price_cny_per_kg: Annotated[float, Meta(ge=0, le=CARBON_PRICE_CNY_MAX)] = 0.0
    carbon_cap_kg: Annotated[float, Meta(ge=0, le=CARBON_CAP_KG_MAX)] | None = None
    explain: bool = False
    pareto: bool = False
    advise: bool = False


class AcceptPlan(Request, frozen=True, kw_only=True):
    """Which of a plan's orders to place, by position from 0; absent: all that aren't placed yet."""

    orders: Annotated[list[Annotated[int, Meta(ge=0)]], Meta(max_length=500)] | None = None


class NominatePlan(Request, frozen=True, kw_only=True):
    """Which of a plan's nominations to make, by position from 0; absent: all that aren't made yet."""

    nominations: Annotated[list[Annotated[int, Meta(ge=0)]], Meta(max_length=500)] | None = None


class PlanProgress(Answer, frozen=True, kw_only=True):
    """How far the search is: what the best plan so far costs (penalties of what it leaves out included), what
    no plan can go below, and the certified gap (null: none proved yet). While the front is searched they are
    those of the price of carbon that `stage` names.
    """

    elapsed_s: float
    stage: str
    incumbent_fen: int
    bound_fen: int
    gap: float | None


class PlanJob(Answer, frozen=True, kw_only=True):
    """A plan job. `faults` names workload rows that cannot be planned; `message` says why a job failed."""

    plan_id: str
    state: PlanState
    first_day: str
    days: int
    workloads: int
    progress: PlanProgress | None = None
    faults: tuple[str, ...] = ()
    message: str | None = None
    accepted: tuple[int, ...] = ()
    nominated: tuple[int, ...] = ()


class PlannedRun(Answer, frozen=True, kw_only=True):
    """A workload, or members of it, at a hub; `cards` is what each member holds, by grade."""

    workload: str
    hub: str
    first_hour: int
    end_hour: int
    members: int
    cards: dict[str, float]
    round_trip_ms: float


class LeftOut(Answer, frozen=True, kw_only=True):
    """A workload without a place, why, and the smallest change that would place it ("": none known)."""

    workload: str
    reason: str
    detail: str
    change: str


class PlannedOrder(Answer, frozen=True, kw_only=True):
    """A buy order that the plan asks for, ready to send: whole lots of a contract of any period, limit from
    the book's marginal price. `spare_card_hours` is what the lots deliver and the plan doesn't use.
    """

    symbol: str
    quantity: int
    price: str
    needed_cards: float
    spare_card_hours: float
    cost_at_book_fen: int
    cost_at_limit_fen: int


class PlannedNomination(Answer, frozen=True, kw_only=True):
    """A workload on whole cards that the account has reserved; hours within the delivery day."""

    reservation_id: str
    workload: str
    use: str
    cards: int
    first_hour: int
    hours: int


class CardWorth(Answer, frozen=True, kw_only=True):
    """What one more card would save at most, if it cost nothing, in these hours: CNY per card-hour."""

    hub: str
    grade: str
    first_hour: int
    end_hour: int
    worth: str


class PlannedSpare(Answer, frozen=True, kw_only=True):
    """Whole cards that the account has reserved (null: of an open position) and the plan never uses."""

    reservation_id: str | None
    symbol: str
    cards: int


class PlanBaseline(Answer, frozen=True, kw_only=True):
    """A usual way of placing the same work: both costs are over what both serve, with reserved cards at their
    price. Savings are shares of the baseline's; `unserved` is what it leaves out.
    """

    name: str
    description: str
    unserved: int
    cost_fen: int
    plan_cost_fen: int
    cost_saving: float
    carbon_saving: float


class PlannedClass(Answer, frozen=True, kw_only=True):
    """Workloads of one latency class: the tightest limit among them (null: none), and the longest round trip
    of those that are placed (null: none is).
    """

    latency_class: str
    limit_ms: float | None
    workloads: int
    placed: int
    longest_round_trip_ms: float | None


class PlannedMove(Answer, frozen=True, kw_only=True):
    """Work that ran and moves: `gain_fen` is what going on would cost more (null: it cannot go on),
    `cost_fen` what migration and transfer cost.
    """

    workload: str
    reason: Literal["barred", "gives way", "gain"]
    before: str
    after: str
    first_hour: int
    gain_fen: int | None
    cost_fen: int


class PlannedWait(Answer, frozen=True, kw_only=True):
    """Work that had begun and goes on later."""

    workload: str
    site: str
    resumes_hour: int


class PlannedStop(Answer, frozen=True, kw_only=True):
    """Work that ran and has no place now."""

    workload: str
    site: str
    best_effort: bool
    detail: str


class PlanChanges(Answer, frozen=True, kw_only=True):
    """What the plan makes of work that had begun: how many go on as they were, who moves, pauses, goes on
    again, stops, had ended, can no longer end in time, or is not asked for any more.
    """

    goes_on: int
    moved: list[PlannedMove]
    paused: list[PlannedWait]
    waits: list[PlannedWait]
    stopped: list[PlannedStop]
    ended: list[str]
    expired: list[str]
    withdrawn: list[str]


class KeptRoom(Answer, frozen=True, kw_only=True):
    """Room kept for expected work: for how many of how many, and what they would cost if all came."""

    placed: int
    expected: int
    card_hours: float
    new_money_fen: int


class ConstraintCost(Answer, frozen=True, kw_only=True):
    """What a constraint costs: without it the best plan would cost less by at least and at most so much,
    penalties included (certified). `served_more` is how many more workloads the plan found without it serves.
    """

    constraint: str
    least_fen: int
    most_fen: int
    served_more: int


class FrontPoint(Answer, frozen=True, kw_only=True):
    """The plan at one price of carbon: its new money, the same with penalties and money forgone
    (`money_fen`), and what any plan that emits no more has at least of the latter (certified).
    """

    carbon_price_cny_per_kg: float
    placed: int
    new_money_fen: int
    money_fen: int
    money_bound_fen: int
    kgco2: float


class BuyNow(Answer, frozen=True, kw_only=True):
    """How many lots of an order to buy ahead, at most at `price` (null: none), if demand and spot prices are
    as uncertain as docs/planning.md assumes; what that is expected to cost with spot purchases and resale of
    the surplus, and what it saves against deciding by the mean.
    """

    symbol: str
    quantity: int
    price: str | None
    expected_fen: int
    saved_fen: int
    resell_lots: float


class PlanResult(Answer, frozen=True, kw_only=True):
    """What was planned. `gap` is certified: no plan is better by more than this share (null: not bounded).
    `rule_fen` is what it costs that best-effort work gives way, beside the best plan found without that.
    `worths` are where one more card would be worth most, the dearest first, `resell` what is not needed.
    `baselines` are compared when the search is over (null: not yet). `changes` is there for a plan after
    another one, `kept` for one with a forecast. `constraint_prices`, which grows one by one, and `front` are
    there where they were asked for (null: not yet, or nothing to tell), and so is `advice` on the `orders`
    as long as these are at most 100.
    """

    status: str
    gap: float | None
    rule_fen: int
    placed: int
    new_money_fen: int
    kgco2: float
    model: str
    why: str
    runs: list[PlannedRun]
    left_out: list[LeftOut]
    orders: list[PlannedOrder]
    nominations: list[PlannedNomination]
    worths: list[CardWorth]
    resell: list[PlannedSpare]
    classes: list[PlannedClass]
    baselines: list[PlanBaseline] | None
    changes: PlanChanges | None = None
    kept: KeptRoom | None = None
    constraint_prices: list[ConstraintCost] | None = None
    front: list[FrontPoint] | None = None
    advice: list[BuyNow] | None = None


class PlanAnswer(Answer, frozen=True, kw_only=True):
    """A job, and its result once there is one; a cancelled job keeps the best plan so far."""

    plan: PlanJob
    result: PlanResult | None = None


class Plans(Answer, frozen=True, kw_only=True):
    """The account's jobs that the server still keeps, oldest first."""

    plans: list[PlanJob]


class Acceptance(Answer, frozen=True, kw_only=True):
    """What became of each order that was named, in this order; `orders` are their positions."""

    orders: list[int]
    results: list[BatchResult]
    as_of_seq: int


class NominationResult(Answer, frozen=True, kw_only=True):
    """What became of one nomination: exactly one of its id and an error."""

    nomination_id: str | None = None
    error: Problem | None = None


class PlanNominations(Answer, frozen=True, kw_only=True):
    """What became of each nomination that was named, in this order; `nominations` are their positions."""

    nominations: list[int]
    results: list[NominationResult]
    as_of_seq: int


class PlanEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What one Server-Sent Event carries: the job as it is now."""

    plan: PlanJob
