"""Why a workload is left out, from the rules alone: the first reason that applies to it on empty sites."""

from collections.abc import Iterator

from scheduler.horizon.checker.facts import Facts, is_spread
from scheduler.horizon.checker.preemption import served_alone
from scheduler.horizon.plan import HorizonReason
from scheduler.horizon.types import HorizonWorkload, Part, RunMode

Way = tuple[int, str, tuple[str, ...]]
"""Alternative, the site that pays for data and budget, and the sites that hold the members."""


class Reasons:
    """The reasons of one problem."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.served = served_alone(facts)

    def of(self, w: HorizonWorkload) -> HorizonReason:
        """The first reason that applies.

        A gang over a city counts as fitting a slot where the city's sites together hold its members.
        """
        facts = self.facts
        if not any(facts.near(w, code) for code in facts.sites):
            return HorizonReason.LATENCY
        allowed = list(facts.options_at(w))
        if not allowed:
            return HorizonReason.RESIDENCY
        if not any(self._has(code, w, index) for code in allowed for index in range(len(w.alternatives))):
            return HorizonReason.NO_GRADE
        ways = list(self._ways(w, allowed))
        whole = range(facts.slots)
        if not any(self._fits(w, way, whole) for way in ways):
            return HorizonReason.TOO_LARGE
        window = range(w.earliest, w.latest_end)
        ways = [way for way in ways if self._fits(w, way, window)]
        if not ways:
            return HorizonReason.WINDOW
        ways = [way for way in ways if self._affordable(w, way)]
        if not ways:
            return HorizonReason.BUDGET
        ways = [way for way in ways if any(self._sendable(w, way, start) for start in window)]
        if not ways:
            return HorizonReason.LINK
        cap = facts.problem.carbon.cap_g
        if cap is not None and min(self._carbon(w, way) for way in ways) > cap * 1_000_000:
            return HorizonReason.CARBON
        return HorizonReason.CAPACITY if is_spread(w) or self.served(w) else HorizonReason.TOO_DEAR

    def _has(self, code: str, w: HorizonWorkload, index: int) -> bool:
        needs = w.alternatives[index].needs
        usable = self.facts.usable
        return any(
            all(usable.get((code, need.grade, slot), 0) > 0 for need in needs)
            for slot in range(self.facts.slots)
        )

    def _ways(self, w: HorizonWorkload, allowed: list[str]) -> Iterator[Way]:
        for index in range(len(w.alternatives)):
            for code in allowed:
                city = self.facts.sites[code].city
                mates = [mate for mate in allowed if self.facts.sites[mate].city == city]
                yield index, code, tuple(mates) if is_spread(w) else (code,)

    def _good(self, w: HorizonWorkload, way: Way, slot: int) -> bool:
        index, code, mates = way
        here = self.facts.room(w, index, code, slot)
        return here >= 1 and sum(self.facts.room(w, index, mate, slot) for mate in mates) >= w.gang_size

    def _fits(self, w: HorizonWorkload, way: Way, window: range) -> bool:
        duration = w.alternatives[way[0]].slots
        return self._starts(w, way, window, duration) is not None

    def _starts(self, w: HorizonWorkload, way: Way, window: range, duration: int) -> int | None:
        """The first slot from which it fits within the window; None if it never does."""
        good = [self._good(w, way, slot) for slot in window]
        if w.mode is RunMode.PREEMPTIBLE:
            return good.index(True) + window.start if sum(good) >= duration else None
        for start in range(len(good) - duration + 1):
            if all(good[start : start + duration]):
                return start + window.start
        return None

    def _affordable(self, w: HorizonWorkload, way: Way) -> bool:
        if is_spread(w):
            return True
        return self.facts.within_budget(w, way[0], (Part(way[1], w.gang_size),), stays=False)

    def _sendable(self, w: HorizonWorkload, way: Way, start: int) -> bool:
        """Whether it fits from exactly this slot on and the line takes its data then."""
        rest = range(start, w.latest_end)
        duration = w.alternatives[way[0]].slots
        return self.facts.takes(w, way[1], start) and self._starts(w, way, rest, duration) == start

    def _carbon(self, w: HorizonWorkload, way: Way) -> int:
        """The least carbon (µg) of any slots in the window, capacity aside."""
        index, _, mates = way
        needs, duration = w.alternatives[index]
        each = [
            min(
                sum(
                    milli * self.facts.figures[mate, grade, slot].carbon_mg
                    if (mate, grade, slot) in self.facts.figures
                    else 2**62
                    for grade, milli in needs
                )
                for mate in mates
            )
            for slot in range(w.earliest, w.latest_end)
        ]
        return sum(sorted(each)[:duration]) * w.gang_size * self.facts.hours
