"""A problem looked up by name, as the rules state it."""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from nodes.types import Residency
from scheduler.horizon.plan import HorizonPlacement
from scheduler.horizon.types import (
    GangScope,
    HorizonProblem,
    HorizonSite,
    HorizonWorkload,
    Part,
    RunMode,
    Running,
)

Place = tuple[str, str, int]
"""(site code, grade, slot)."""


class Step(NamedTuple):
    """Milli-cards in a slot and what a card-hour of them costs: an offer's price or a reservation's worth."""

    price_micro_cny: int
    offered: bool
    paid_micro_cny: int
    row: int
    milli_cards: int
    name: str


class Figures(NamedTuple):
    """Of one card-hour: electricity, what of it is paid, carbon, and what the rule charges for that."""

    power_micro_cny: int
    metered_micro_cny: int
    carbon_mg: int
    carbon_micro_cny: int


class Facts:
    """What the rules say about one problem."""

    def __init__(self, problem: HorizonProblem) -> None:
        self.problem = problem
        self.hours = problem.horizon.slot_hours
        self.slots = problem.horizon.slots
        self.workloads = {w.id: w for w in problem.workloads}
        self.sites = {site.code: site for site in problem.sites}
        self.origins = {origin.city: origin for origin in problem.origins}
        self.running = {item.workload: item for item in problem.running}
        self.links = {(link.origin, link.site): link for link in problem.links}
        self.list_price = {(s.code, g.grade): g.list_price_micro_cny for s in problem.sites for g in s.grades}
        self._row = {city: row for row, city in enumerate(problem.network.origins)}
        self._column = {code: column for column, code in enumerate(problem.network.sites)}
        self.steps = self._all_steps()
        self.usable = {place: sum(step.milli_cards for step in steps) for place, steps in self.steps.items()}
        self.figures = {place: self._figures(place) for place in self.steps}

    def _all_steps(self) -> dict[Place, list[Step]]:
        """The price curve of each place, cheapest first, reserved before offered, less maintenance."""
        found: dict[Place, list[Step]] = {
            (s.code, g.grade, slot): []
            for s in self.problem.sites
            for g in s.grades
            for slot in range(self.slots)
        }
        for row, r in enumerate(self.problem.reservations):
            for slot in range(r.first, r.end):
                step = Step(r.worth_micro_cny, False, r.paid_micro_cny, row, r.milli_cards, r.id)
                found[r.site, r.grade, slot].append(step)
        for row, offer in enumerate(self.problem.offers):
            for slot in range(offer.first, offer.end):
                step = Step(offer.price_micro_cny, True, 0, row, offer.milli_cards, offer.id)
                found[offer.site, offer.grade, slot].append(step)
        curves = {place: sorted(steps) for place, steps in found.items()}
        for place in curves:
            curves[place] = self._left(place, curves[place])
        return curves

    def _left(self, place: Place, curve: list[Step]) -> list[Step]:
        """What maintenance leaves of a curve: its cheapest cards."""
        code, grade, slot = place
        left = sum(step.milli_cards for step in curve)
        for m in self.problem.maintenance:
            if m.site == code and m.grade in ("", grade) and m.first <= slot < m.end:
                left -= left if m.milli_cards is None else m.milli_cards
        kept = []
        for step in curve:
            if left > 0:
                kept.append(step._replace(milli_cards=min(step.milli_cards, left)))
            left -= step.milli_cards
        return kept

    def _figures(self, place: Place) -> Figures:
        code, grade, slot = place
        site = self.sites[code]
        held = next(g for g in site.grades if g.grade == grade)

        def now(value: int | tuple[int, ...]) -> int:
            return value[slot] if isinstance(value, tuple) else value

        draw = held.watts * now(site.pue_milli)
        power = (2 * draw * now(site.power_micro_cny_per_kwh) + 1_000_000) // 2_000_000
        carbon = (2 * draw * now(site.carbon_g_per_kwh) + 1_000) // 2_000
        price = (2 * carbon * self.problem.carbon.price_micro_cny_per_kg + 1_000_000) // 2_000_000
        return Figures(power, power if site.power_metered else 0, carbon, price)

    def rtt_ms(self, w: HorizonWorkload, code: str) -> float:
        """Round trip between origin and site."""
        return float(self.problem.network.rtt_ms[self._row[w.origin], self._column[code]])

    def near(self, w: HorizonWorkload, code: str) -> bool:
        """Whether a site is within the latency bound."""
        return self.rtt_ms(w, code) <= w.latency_ms_max and self.rtt_ms(w, code) != float("inf")

    def may_go(self, w: HorizonWorkload, site: HorizonSite) -> bool:
        """Whether residency allows a site."""
        origin = self.origins[w.origin]
        return {
            Residency.SITE: site.code == origin.home_site,
            Residency.CITY: site.city == origin.city,
            Residency.PROVINCE: site.province == origin.province,
            Residency.ANY: True,
        }[w.residency]

    def transfer(self, w: HorizonWorkload, code: str) -> int:
        """Nano-CNY for moving the workload's data to a site."""
        prices = self.problem.network.transfer_micro_cny_per_gb
        link = self.links.get((w.origin, code))
        if link is not None:
            return link.price_micro_cny_per_gb * w.data_gb * 1000
        if prices is None:
            return 0
        return int(prices[self._row[w.origin], self._column[code]]) * w.data_gb * 1000

    def takes(self, w: HorizonWorkload, code: str, slot: int) -> bool:
        """Whether the line to a site can carry the workload's data in a slot, with nothing else on it."""
        link = self.links.get((w.origin, code))
        if link is None or w.data_gb == 0:
            return True
        room = link.gb_per_slot[slot] if isinstance(link.gb_per_slot, tuple) else link.gb_per_slot
        return room >= w.data_gb

    def list_cost(self, w: HorizonWorkload, alternative: int, part: Part) -> int:
        """Nano-CNY of a part's cards at list price for all its slots."""
        needs, slots = w.alternatives[alternative]
        hourly = sum(self.list_price.get((part.site, grade), 0) * milli for grade, milli in needs)
        return hourly * part.members * slots * self.hours

    def within_budget(
        self, w: HorizonWorkload, alternative: int, parts: tuple[Part, ...], stays: bool
    ) -> bool:
        """Whether cards at list price and transfer stay within the budget."""
        if w.budget_micro_cny is None:
            return True
        cost = sum(self.list_cost(w, alternative, part) for part in parts)
        cost += 0 if stays else sum(self.transfer(w, part.site) for part in parts)
        return cost <= w.budget_micro_cny * 1000

    def penalty(self, w: HorizonWorkload) -> int:
        """Nano-CNY that leaving a workload out counts."""
        dearest = {
            grade: max(p for (_, held), p in self.list_price.items() if held == grade)
            for grade, _ in w.alternatives[0].needs
        }
        each = sum(max(dearest[grade] * self.hours, 1) * milli for grade, milli in w.alternatives[0].needs)
        demand = each * w.gang_size * w.alternatives[0].slots
        moving = max((self.transfer(w, code) for code in self.sites), default=0)
        factor = 100 if w.id in self.running else 10
        factor = 1 if w.best_effort else factor
        whole = factor * (1 + w.priority) * (demand + moving)
        return whole if w.chance_milli is None else whole * w.chance_milli // 1000

    def room(self, w: HorizonWorkload, alternative: int, code: str, slot: int) -> int:
        """How many members of a workload an empty site holds in a slot."""
        needs = w.alternatives[alternative].needs
        return min(self.usable.get((code, grade, slot), 0) // milli for grade, milli in needs)

    def options_at(self, w: HorizonWorkload) -> Iterator[str]:
        """Sites that latency and residency allow."""
        for code, site in self.sites.items():
            if self.near(w, code) and self.may_go(w, site):
                yield code

    def could_stay(self, item: Running) -> bool:
        """Whether a running workload could go on as it is if it were alone."""
        w = self.workloads[item.workload]
        allowed = set(self.options_at(w))
        duration = w.alternatives[item.alternative].slots
        if any(part.site not in allowed for part in item.parts) or duration > w.latest_end:
            return False
        last = w.latest_end if w.mode is RunMode.PREEMPTIBLE else duration
        good = [
            all(self.room(w, item.alternative, part.site, slot) >= part.members for part in item.parts)
            for slot in range(last)
        ]
        return sum(good) >= duration and self.within_budget(w, item.alternative, item.parts, stays=True)

    def stays(self, placement: HorizonPlacement) -> bool:
        """Whether a running workload goes on as it is."""
        item = self.running.get(placement.workload)
        if item is None:
            return False
        same = placement.alternative == item.alternative and sorted(placement.parts) == sorted(item.parts)
        w = self.workloads[placement.workload]
        return same and (w.mode is RunMode.PREEMPTIBLE or placement.slots[0] == 0)


def used_by(facts: Facts, placements: list[HorizonPlacement]) -> dict[Place, int]:
    """Milli-cards in use at each place."""
    used: dict[Place, int] = defaultdict(int)
    for placement in placements:
        needs = facts.workloads[placement.workload].alternatives[placement.alternative].needs
        for part in placement.parts:
            for grade, milli in needs:
                for slot in placement.slots:
                    used[part.site, grade, slot] += milli * part.members
    return used


def is_spread(w: HorizonWorkload) -> bool:
    """Whether a workload's members may be at several sites."""
    return w.gang_scope is GangScope.CITY and w.gang_size > 1
