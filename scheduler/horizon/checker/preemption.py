"""The rule of pre-emption: nobody is left out who would have a place if best-effort work gave way."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from scheduler.horizon.checker.facts import Facts, used_by
from scheduler.horizon.checker.runs import NEVER, Ints, cheapest_run, late
from scheduler.horizon.plan import HorizonPlacement
from scheduler.horizon.types import HorizonWorkload, Part, RunMode

UG_PER_G = 1_000_000


def kept_out(facts: Facts, placements: Sequence[HorizonPlacement], out: Sequence[str]) -> Iterator[str]:
    """Those of ``out`` that the plan without best-effort work has a place for, at less than leaving them out.

    Whole places are looked at, and staying; no other splits of gangs over sites. Under a cap on carbon a
    place counts where some start keeps it or, for work that may pause, the slots of least carbon do. Where
    moves are bounded, running work that could stay has a place elsewhere only while one more may move.
    """
    problem = facts.problem
    if not problem.best_effort_yields:
        return
    firm = _Firm(facts, [p for p in placements if not facts.workloads[p.workload].gives_way])
    known: dict[tuple[object, ...], str] = {}
    for name in out:
        w = facts.workloads.get(name)
        if w is None or w.gives_way:
            continue
        alike = tuple(getattr(w, field) for field in w.__slots__ if field not in ("id", "latency_class"))
        alike += (w.id if w.id in facts.running else None,)
        if alike not in known:
            known[alike] = firm.place_of(w)
        if known[alike]:
            yield f"{w.id} is left out, but has a place at {known[alike]} if best-effort work gives way"


def served_alone(facts: Facts) -> Callable[[HorizonWorkload], bool]:
    """Whether a workload has a place on empty sites at less than leaving it out, a cap on carbon aside."""
    empty = _Firm(facts, [])
    empty.may_move, empty.carbon_left_ug = True, None
    return lambda w: bool(empty.place_of(w))


class _Firm:
    """A plan without its best-effort work."""

    def __init__(self, facts: Facts, placements: list[HorizonPlacement]) -> None:
        self.facts = facts
        self.used = used_by(facts, placements)
        self.sent: Counter[tuple[str, str, int]] = Counter()
        self.together: dict[str, str] = {}
        self.apart: dict[tuple[str, str], set[int]] = defaultdict(set)
        moves = 0
        for p in placements:
            w = facts.workloads[p.workload]
            for part in p.parts:
                if w.together:
                    self.together[w.together] = part.site
                if w.apart:
                    self.apart[w.apart, part.site].update(p.slots)
                if not facts.stays(p):
                    self.sent[w.origin, part.site, p.slots[0]] += w.data_gb
            moves += not facts.stays(p) and self._stayable(w)
        most, cap = facts.problem.moves_max, facts.problem.carbon.cap_g
        self.may_move = most is None or moves < most
        used_ug = sum(
            milli * facts.hours * facts.figures[place].carbon_mg for place, milli in self.used.items()
        )
        self.carbon_left_ug = None if cap is None else cap * UG_PER_G - used_ug

    def _stayable(self, w: HorizonWorkload) -> bool:
        item = self.facts.running.get(w.id)
        return item is not None and self.facts.could_stay(item)

    def place_of(self, w: HorizonWorkload) -> str:
        """A site where the whole workload fits and costs less than leaving it out; "" if there is none."""
        item, stayable = self.facts.running.get(w.id), self._stayable(w)
        if item is not None and stayable and self._may_join(w, [part.site for part in item.parts]):
            begins = np.full(self.facts.slots, NEVER if w.mode is RunMode.CONTIGUOUS else 0, dtype=np.int64)
            begins[0] = 0
            if self._fits(w, item.alternative, item.parts, begins, 0):
                return item.parts[0].site
        if stayable and not self.may_move:
            return ""
        return next((code for code in self.facts.options_at(w) if self._goes(w, code)), "")

    def _may_join(self, w: HorizonWorkload, codes: list[str]) -> bool:
        """Whether those it must be together with are at these sites, or nowhere yet."""
        return not w.together or (len(codes) == 1 and self.together.get(w.together, codes[0]) == codes[0])

    def _goes(self, w: HorizonWorkload, code: str) -> bool:
        """Whether the whole workload may begin at a site."""
        facts, item, parts = self.facts, self.facts.running.get(w.id), (Part(code, w.gang_size),)
        if not self._may_join(w, [code]):
            return False
        fixed = facts.transfer(w, code) + (item.migration_micro_cny * 1000 if item else 0)
        return any(
            facts.within_budget(w, index, parts, stays=False)
            and self._fits(w, index, parts, self._first(w, code), fixed)
            for index in range(len(w.alternatives))
        )

    def _fits(
        self, w: HorizonWorkload, alternative: int, parts: tuple[Part, ...], first: Ints, fixed: int
    ) -> bool:
        """Whether there are slots for these parts; ``first`` (T,) is `NEVER` where it cannot begin."""
        duration = w.alternatives[alternative].slots
        each = [self._costs(w, alternative, part) for part in parts]
        costs = np.minimum(np.sum(each, axis=0), NEVER)
        if self.carbon_left_ug is not None:
            carbon = np.sum([self._carbon(w, alternative, part) for part in parts], axis=0)
            if w.mode is RunMode.CONTIGUOUS:
                runs = [int(carbon[t : t + duration].sum()) for t in range(self.facts.slots)]
                first = np.where(np.array(runs) > self.carbon_left_ug, NEVER, first)
            else:
                carbon = np.where(costs < NEVER, carbon, NEVER)
                if cheapest_run(replace(w, due=None), duration, carbon, first) > self.carbon_left_ug:
                    return False
                # whichever slots these are, they cost no more than the dearest ones, ending last
                dearest = int(costs[costs < NEVER].max(initial=0)) * duration + late(w, w.latest_end)
                return dearest + fixed < self.facts.penalty(w)
        return cheapest_run(w, duration, costs, first) + fixed < self.facts.penalty(w)

    def _carbon(self, w: HorizonWorkload, alternative: int, part: Part) -> Ints:
        """(T,) µg of carbon of a part's cards."""
        facts, needs = self.facts, w.alternatives[alternative].needs
        return np.array(
            [
                sum(
                    milli * part.members * facts.hours * facts.figures[part.site, grade, slot].carbon_mg
                    for grade, milli in needs
                    if (part.site, grade, slot) in facts.figures
                )
                for slot in range(facts.slots)
            ],
            dtype=np.int64,
        )

    def _first(self, w: HorizonWorkload, code: str) -> Ints:
        """(T,) 0 where the line still takes the workload's data."""
        first = np.zeros(self.facts.slots, dtype=np.int64)
        link = self.facts.links.get((w.origin, code))
        if link is not None and w.data_gb:
            room = np.array(link.gb_per_slot) + first
            sent = [self.sent[w.origin, code, slot] for slot in range(self.facts.slots)]
            first[room - np.array(sent) < w.data_gb] = NEVER
        return first

    def _costs(self, w: HorizonWorkload, alternative: int, part: Part) -> Ints:
        """(T,) nano-CNY of a part's cards beside the others; `NEVER` where it cannot run."""
        needs, (code, members) = w.alternatives[alternative].needs, part
        taken = self.apart[w.apart, code] if w.apart else ()
        costs = np.full(self.facts.slots, NEVER, dtype=np.int64)
        for slot in range(w.earliest, w.latest_end):
            if slot not in taken:
                each = [self._cost((code, grade, slot), milli * members) for grade, milli in needs]
                costs[slot] = min(sum(each), NEVER)
        return costs

    def _cost(self, place: tuple[str, str, int], milli: int) -> int:
        facts = self.facts
        used = self.used.get(place, 0)
        if used + milli > facts.usable.get(place, 0):
            return NEVER
        figures = facts.figures[place]
        cost = milli * facts.hours * (figures.metered_micro_cny + figures.carbon_micro_cny)
        left = milli
        for step in facts.steps[place]:
            here = min(left, max(step.milli_cards - used, 0))
            used = max(used - step.milli_cards, 0)
            cost += here * facts.hours * step.price_micro_cny
            left -= here
        return cost
