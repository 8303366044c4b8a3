"""The rule of pre-emption: nobody is left out who would have a place if best-effort work gave way."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from scheduler.horizon.checker.facts import Facts, used_by
from scheduler.horizon.checker.runs import NEVER, Ints, cheapest_run
from scheduler.horizon.plan import HorizonPlacement
from scheduler.horizon.types import HorizonWorkload, Part


def kept_out(facts: Facts, placements: Sequence[HorizonPlacement], out: Sequence[str]) -> Iterator[str]:
    """Those of ``out`` that the plan without best-effort work has a place for, at less than leaving them out.

    Whole places are looked at, not gangs over several sites; under a cap on carbon, and for running work
    where moves are bounded, the rule is not checked.
    """
    problem = facts.problem
    if not problem.best_effort_yields or problem.carbon.cap_g is not None:
        return
    firm = _Firm(facts, [p for p in placements if not facts.workloads[p.workload].gives_way])
    known: dict[tuple[object, ...], str] = {}
    for name in out:
        w = facts.workloads.get(name)
        if w is None or w.gives_way or (w.id in facts.running and problem.moves_max is not None):
            continue
        alike = tuple(getattr(w, field) for field in w.__slots__ if field not in ("id", "latency_class"))
        alike += (w.id if w.id in facts.running else None,)
        if alike not in known:
            known[alike] = firm.place_of(w)
        if known[alike]:
            yield f"{w.id} is left out, but has a place at {known[alike]} if best-effort work gives way"


class _Firm:
    """A plan without its best-effort work."""

    def __init__(self, facts: Facts, placements: list[HorizonPlacement]) -> None:
        self.facts = facts
        self.used = used_by(facts, placements)
        self.sent: Counter[tuple[str, str, int]] = Counter()
        self.together: dict[str, str] = {}
        self.apart: dict[tuple[str, str], set[int]] = defaultdict(set)
        for p in placements:
            w = facts.workloads[p.workload]
            for part in p.parts:
                if w.together:
                    self.together[w.together] = part.site
                if w.apart:
                    self.apart[w.apart, part.site].update(p.slots)
                if not facts.stays(p):
                    self.sent[w.origin, part.site, p.slots[0]] += w.data_gb

    def place_of(self, w: HorizonWorkload) -> str:
        """A site where the whole workload fits and costs less than leaving it out; "" if there is none."""
        facts, item = self.facts, self.facts.running.get(w.id)
        moving = item.migration_micro_cny * 1000 if item else 0
        label = self.together.get(w.together, "") if w.together else ""
        for code in facts.options_at(w):
            if label not in ("", code):
                continue
            for index, (_, duration) in enumerate(w.alternatives):
                if not facts.within_budget(w, index, (Part(code, w.gang_size),), stays=False):
                    continue
                run = cheapest_run(w, duration, self._costs(w, index, code), self._first(w, code))
                if run + moving + facts.transfer(w, code) < facts.penalty(w):
                    return code
        return ""

    def _first(self, w: HorizonWorkload, code: str) -> Ints:
        """(T,) 0 where the line still takes the workload's data."""
        first = np.zeros(self.facts.slots, dtype=np.int64)
        link = self.facts.links.get((w.origin, code))
        if link is not None and w.data_gb:
            room = np.array(link.gb_per_slot) + first
            sent = [self.sent[w.origin, code, slot] for slot in range(self.facts.slots)]
            first[room - np.array(sent) < w.data_gb] = NEVER
        return first

    def _costs(self, w: HorizonWorkload, alternative: int, code: str) -> Ints:
        """(T,) nano-CNY of the workload's cards beside the others."""
        needs = w.alternatives[alternative].needs
        taken = self.apart[w.apart, code] if w.apart else ()
        costs = np.full(self.facts.slots, NEVER, dtype=np.int64)
        for slot in range(w.earliest, w.latest_end):
            if slot not in taken:
                each = [self._cost((code, grade, slot), milli * w.gang_size) for grade, milli in needs]
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
