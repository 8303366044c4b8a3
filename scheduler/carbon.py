"""Carbon as a price or a cap, and the front between money and carbon, every point with a certified bound.

A price of carbon is a field of the problem. A cap is met by searching for the least price that meets it. What
a search at price λ proves, value ≥ bound(λ), proves something at every level of carbon: a plan that emits at
most K kg has (money + penalties) ≥ bound(λ) − λ·K. The best of these over the prices tried is a certified
lower bound on what any plan under the cap costs (Lagrangian duality with the cap relaxed; Geoffrion 1974).
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from scheduler.anyplan import (
    AnyPlan,
    AnyProblem,
    at_carbon_price,
    carbon_charge,
    has_rule,
    milli_card_hours,
    solve,
    spent,
)
from scheduler.types import MICRO, InvariantViolation
from scheduler.validation import CARBON_PRICE_MAX

PRICES = tuple(cny * MICRO // 10 for cny in (0, 1, 2, 5, 10, 20, 50, 100))
"""Micro-CNY a kg that `pareto` tries: 0 to 10 CNY; China's market paid about 0.1 CNY in 2024."""
SEARCHES_MAX = 12
"""Plans made to meet a cap; each halves the range of prices."""
PRICE_TRIED_MAX = 25 * MICRO
"""The highest price tried for a cap: beyond it, work would be left out for its carbon."""


class FrontRow(NamedTuple):
    """A point of the front without its plan: what a table shows. Money as in `FrontPoint`."""

    price_micro_cny_per_kg: int
    placed: int
    cost_nano_cny: int
    money_nano_cny: int
    money_bound_nano_cny: int
    kgco2: float


@dataclass(frozen=True, slots=True)
class FrontPoint:
    """One plan on the front.

    ``money_nano_cny`` is new and forgone money and penalties. Whatever plan emits no more than this one has
    at least ``money_bound_nano_cny`` of them: certified, from all prices tried together.
    """

    price_micro_cny_per_kg: int
    plan: AnyPlan
    money_nano_cny: int
    money_bound_nano_cny: int

    @property
    def kgco2(self) -> float:
        """What the plan emits."""
        return self.plan.totals.kgco2

    @property
    def row(self) -> FrontRow:
        """The point without its plan."""
        totals = self.plan.totals
        money = (self.money_nano_cny, self.money_bound_nano_cny)
        return FrontRow(self.price_micro_cny_per_kg, totals.placed, totals.cost_nano_cny, *money, self.kgco2)

    @property
    def gap(self) -> float:
        """How far money may be above the least at this carbon, as a share of the money without penalties."""
        gap = self.money_nano_cny - self.money_bound_nano_cny
        money = spent(self.plan)
        return gap / money if money else (math.inf if gap else 0.0)


@dataclass(frozen=True, slots=True)
class CappedPlan:
    """The cheapest plan found under a cap, and the certified least money of any plan under it.

    ``plan`` is None where none found meets the cap; ``least`` is then the plan of least carbon found.
    """

    plan: AnyPlan | None
    least: AnyPlan
    money_bound_nano_cny: int


def pareto(
    problem: AnyProblem,
    prices: Sequence[int] = PRICES,
    time_limit_s: float = 30.0,
    told: Callable[[int, AnyPlan], None] | None = None,
) -> tuple[FrontPoint, ...]:
    """The front between money and carbon by rising price (micro-CNY a kg), dominated plans left out.

    The time limit is for all prices together; ``told`` hears of every price's plan. Raises what planning
    raises.
    """
    tried = []
    for price in sorted(set(prices)):
        plan = _at_price(problem, price, time_limit_s / len(prices))
        tried.append((price, plan))
        if told is not None:
            told(price, plan)
    points = [
        FrontPoint(price, plan, _money(plan), _bound_at(problem, plan.totals.kgco2, tried))
        for price, plan in tried
    ]
    return tuple(point for point in points if not any(_dominates(other, point) for other in points))


def place_within(problem: AnyProblem, kgco2_max: float, time_limit_s: float = 30.0) -> CappedPlan:
    """The cheapest plan found that emits at most ``kgco2_max``, by bisection over the price of carbon.

    The problem's own price is not charged. Raises what planning raises, and ``ValueError``
    for a cap that is no figure ≥ 0.
    """
    if not kgco2_max >= 0 or math.isinf(kgco2_max):
        raise ValueError(f"the cap must be a figure of at least 0 kg, not {kgco2_max}")
    step_s = time_limit_s / SEARCHES_MAX
    tried = [(0, _at_price(problem, 0, step_s))]
    low, high = 0, PRICE_TRIED_MAX
    price = high
    while len(tried) < SEARCHES_MAX and tried[0][1].totals.kgco2 > kgco2_max and high - low > 1:
        plan = _at_price(problem, price, step_s)
        tried.append((price, plan))
        if plan.totals.kgco2 > kgco2_max:
            if price == high:
                break
            low = price
        else:
            high = price
        price = (low + high) // 2
    plans = [plan for _, plan in tried]
    under = [plan for plan in plans if plan.totals.kgco2 <= kgco2_max]
    return CappedPlan(
        min(under, key=_money, default=None),
        min(plans, key=lambda plan: plan.totals.kgco2),
        _bound_at(problem, kgco2_max, tried),
    )


def _at_price(problem: AnyProblem, price: int, time_limit_s: float) -> AnyPlan:
    if not 0 <= price <= CARBON_PRICE_MAX:
        raise ValueError(f"a price of carbon is 0 to {CARBON_PRICE_MAX} micro-CNY a kg, not {price}")
    return solve(at_carbon_price(problem, price), time_limit_s)


def _money(plan: AnyPlan) -> int:
    """Value without the charge for carbon: new and forgone money and penalties."""
    return plan.value_nano_cny - carbon_charge(plan)


def _bound_at(problem: AnyProblem, kgco2: float, tried: Iterable[tuple[int, AnyPlan]]) -> int:
    """No plan that emits at most ``kgco2`` has less money and penalties than this, in nano-CNY.

    The charge is rounded by at most half a nano-CNY for each milli-card-hour run. What the rule of
    pre-emption asks for depends on the price of carbon: an exact search that knows the rule proves nothing
    about plans that keep it at another price, but the certificate does.
    """
    bound, running, ruled = 0, milli_card_hours(problem), has_rule(problem)
    for price, plan in tried:
        # micro-CNY a kg times kg is micro-CNY: a thousand nano-CNY
        most = Fraction(math.nextafter(kgco2, math.inf))
        charge = math.ceil(most * price * 1000 + Fraction(running, 2))
        proved = plan.certificate.bound_nano_cny if ruled else plan.lower_bound_nano_cny
        bound = max(bound, proved - (charge if price else 0))
    for _, plan in tried:
        if plan.totals.kgco2 <= kgco2 and _money(plan) < bound:
            raise InvariantViolation("a plan under the cap costs less than the bound for all such plans")
    return bound


def _dominates(one: FrontPoint, other: FrontPoint) -> bool:
    no_worse = one.money_nano_cny <= other.money_nano_cny and one.kgco2 <= other.kgco2
    same = one.money_nano_cny == other.money_nano_cny and one.kgco2 == other.kgco2
    earlier = one.price_micro_cny_per_kg < other.price_micro_cny_per_kg
    return no_worse and (not same or earlier)
