"""The certified bound anew: every workload's cheapest option at the certificate's prices, one after the
other.
"""

from typing import NamedTuple

import numpy as np

from scheduler.horizon.checker.facts import Facts, is_spread
from scheduler.horizon.checker.runs import NEVER, Ints, cheapest_run, late, total
from scheduler.horizon.plan import HorizonCertificate
from scheduler.horizon.types import HorizonProblem, HorizonWorkload, Part, RunMode, Running


def certified_bound(problem: HorizonProblem, certificate: HorizonCertificate) -> int:
    """The lower bound (nano-CNY) that a certificate proves; ``ValueError`` for prices that cannot be."""
    return _Bound(Facts(problem), certificate).total()


class _Table(NamedTuple):
    """One grade: (S, T) usable milli-cards, certificate's price, money per card-hour, carbon."""

    usable: Ints
    price: Ints
    running: Ints
    carbon_mg: Ints


class _Bound:
    """One certificate against one problem."""

    def __init__(self, facts: Facts, certificate: HorizonCertificate) -> None:
        prices = [price.nano_cny for price in certificate.capacity]
        prices += [price.nano_cny for price in certificate.links]
        if min([*prices, certificate.carbon_nano_cny_per_g]) < 0:
            raise ValueError("a certificate has a negative price")
        self.facts = facts
        self.carbon_price = certificate.carbon_nano_cny_per_g
        self.price = {(p.site, p.grade, p.slot): p.nano_cny for p in certificate.capacity}
        self.link_price = {(p.origin, p.site, p.slot): p.nano_cny for p in certificate.links}
        if not (self.price.keys() <= facts.steps.keys() and self._links_known()):
            raise ValueError("a certificate prices what the problem does not have")
        self.codes = {code: row for row, code in enumerate(facts.sites)}
        self.tables = {grade: self._table(grade) for grade in dict.fromkeys(g for _, g, _ in facts.steps)}
        rates = [t.price.max(initial=0) + self._dearest_rate(t) for t in self.tables.values()]
        self.dearest = int(max(rates, default=0))

    def _links_known(self) -> bool:
        lines = {(origin, site) for origin, site, _ in self.link_price}
        return lines <= self.facts.links.keys()

    def _table(self, grade: str) -> "_Table":
        facts, shape = self.facts, (len(self.codes), self.facts.slots)
        table = _Table(*(np.zeros(shape, dtype=np.int64) for _ in _Table._fields))
        for (code, held, slot), usable in facts.usable.items():
            if held == grade:
                figures, cell = facts.figures[code, held, slot], (self.codes[code], slot)
                table.usable[cell] = usable
                table.price[cell] = self.price.get((code, held, slot), 0)
                table.running[cell] = figures.metered_micro_cny + figures.carbon_micro_cny
                table.carbon_mg[cell] = figures.carbon_mg
        return table

    def _dearest_rate(self, table: "_Table") -> int:
        carbon = int(table.carbon_mg.max(initial=0)) * self.carbon_price
        return (int(table.running.max(initial=0)) + carbon) * self.facts.hours

    def total(self) -> int:
        """Everyone's cheapest way, less what capacity, lines and the carbon cap are worth."""
        known: dict[tuple[object, ...], int] = {}
        total = 0
        for w in self.facts.problem.workloads:
            running = self.facts.running.get(w.id)
            same = ("id", "together", "apart", "latency_class")
            alike = tuple(getattr(w, name) for name in w.__slots__ if name not in same)
            alike += (w.id if running else None,)
            if alike not in known:
                known[alike] = self.cheapest(w)
            total += known[alike]
        return total - self.worth()

    def worth(self) -> int:
        """What everything priced is worth above its own price."""
        facts = self.facts
        worth = 0
        for place, price in self.price.items():
            for step in facts.steps[place]:
                worth += step.milli_cards * max(0, price - step.price_micro_cny * facts.hours)
        for (origin, site, slot), price in self.link_price.items():
            room = facts.links[origin, site].gb_per_slot
            worth += price * (room[slot] if isinstance(room, tuple) else room)
        if self.carbon_price and facts.problem.carbon.cap_g is None:
            raise ValueError("a certificate prices a carbon cap that the problem does not have")
        return worth + self.carbon_price * (facts.problem.carbon.cap_g or 0)

    def cheapest(self, w: HorizonWorkload) -> int:
        """The least a workload costs at these prices if it were alone, its penalty included."""
        facts = self.facts
        item = facts.running.get(w.id)
        moving = item.migration_micro_cny * 1000 if item else 0
        found = [facts.penalty(w)]
        allowed = list(facts.options_at(w))
        for index in range(len(w.alternatives)):
            members = np.full(len(self.codes), w.gang_size)
            costs = self.slot_costs(w, index, members, 1 if is_spread(w) else w.gang_size)
            for code in allowed:
                part = Part(code, w.gang_size)
                if is_spread(w) or facts.within_budget(w, index, (part,), stays=False):
                    data = self.data_charge(w, code)
                    run = cheapest_run(w, w.alternatives[index].slots, costs[self.codes[code]], data)
                    found.append(facts.transfer(w, code) + moving + run)
        if item and facts.could_stay(item):
            found.append(self.staying(w, item))
        return min(found)

    def staying(self, w: HorizonWorkload, item: Running) -> int:
        """What going on as it is costs at these prices."""
        members = np.zeros(len(self.codes), dtype=np.int64)
        for part in item.parts:
            members[self.codes[part.site]] = part.members
        costs = self.slot_costs(w, item.alternative, members, None)
        slots = np.minimum(costs[members > 0].sum(axis=0), NEVER)
        duration = w.alternatives[item.alternative].slots
        if w.mode is RunMode.CONTIGUOUS:
            return total(slots[:duration]) + late(w, duration)
        return cheapest_run(w, duration, slots, np.zeros(self.facts.slots, dtype=np.int64))

    def slot_costs(self, w: HorizonWorkload, alternative: int, members: Ints, least: int | None) -> Ints:
        """(S, T) nano-CNY charged where so many ``members`` (S,) run: capacity, metered power, carbon.

        `NEVER` where the empty site does not hold ``least`` members (None: as many as run there).
        """
        wide = object if self._may_overflow(w, alternative) else np.int64
        cost = np.zeros((len(self.codes), self.facts.slots), dtype=wide)
        room = np.ones(cost.shape, dtype=bool)
        for grade, milli in w.alternatives[alternative].needs:
            table = self.tables[grade]
            cards = (milli * members).astype(wide)[:, None]
            cost += cards * table.price + cards * self.facts.hours * table.running
            cost += cards * self.facts.hours * table.carbon_mg * self.carbon_price // 1_000_000
            room &= table.usable // milli >= (members[:, None] if least is None else least)
        return np.where(room, np.minimum(cost, NEVER), NEVER).astype(np.int64)

    def _may_overflow(self, w: HorizonWorkload, alternative: int) -> bool:
        milli = sum(need.milli_cards for need in w.alternatives[alternative].needs) * w.gang_size
        return milli * self.dearest * self.facts.slots >= NEVER

    def data_charge(self, w: HorizonWorkload, code: str) -> Ints:
        """(T,) nano-CNY for sending the data in each slot."""
        if w.data_gb == 0 or (w.origin, code) not in self.facts.links:
            return np.zeros(self.facts.slots, dtype=np.int64)
        return np.array(
            [
                w.data_gb * self.link_price.get((w.origin, code, slot), 0)
                if self.facts.takes(w, code, slot)
                else NEVER
                for slot in range(self.facts.slots)
            ],
            dtype=np.int64,
        )
