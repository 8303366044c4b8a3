"""What placements over many slots cost, draw and emit: exact integers, the same for a plan and every
baseline.
"""

from collections.abc import Sequence

import numpy as np

from scheduler.horizon.instance import Eligibility
from scheduler.horizon.plan import HorizonPlacement, HorizonTotals, SlotPurchase
from scheduler.horizon.solution import taken_of
from scheduler.horizon.supply import Ints, Supply, supply_of
from scheduler.horizon.types import HorizonProblem, HorizonWorkload, RunMode


class HorizonBooks:
    """The figures of one problem, looked up by name."""

    def __init__(self, problem: HorizonProblem, supply: Supply | None = None) -> None:
        self.problem = problem
        self.supply = supply or supply_of(problem)
        self.workloads = {w.id: w for w in problem.workloads}
        self.running = {item.workload: item for item in problem.running}
        self.site_row = {code: row for row, code in enumerate(self.supply.sites)}
        self.grade_row = {grade: row for row, grade in enumerate(self.supply.grades)}
        self.gb_price = Eligibility(problem).gb_price

    def cell(self, site: str, grade: str) -> int:
        """The first of the T cells of a grade at a site."""
        return self.supply.resource(self.site_row[site], self.grade_row[grade]) * self.supply.slots

    def used(self, placements: Sequence[HorizonPlacement]) -> Ints:
        """(N,) milli-cards in use."""
        used = [0] * len(self.supply.usable)
        for placement in placements:
            needs = self.workloads[placement.workload].alternatives[placement.alternative].needs
            for part in placement.parts:
                for grade, milli in needs:
                    start, cards = self.cell(part.site, grade), milli * part.members
                    for slot in placement.slots:
                        used[start + slot] += cards
        return np.array(used, dtype=np.int64)

    def stays(self, placement: HorizonPlacement) -> bool:
        """Whether a running workload goes on as it is."""
        item = self.running.get(placement.workload)
        if item is None or placement.alternative != item.alternative:
            return False
        pauses = self.workloads[item.workload].mode == RunMode.PREEMPTIBLE
        return sorted(placement.parts) == sorted(item.parts) and (pauses or placement.slots[0] == 0)

    def moved(self, placements: Sequence[HorizonPlacement]) -> tuple[str, ...]:
        """Running workloads that do not."""
        return tuple(p.workload for p in placements if p.workload in self.running and not self.stays(p))

    def transfer(self, w: HorizonWorkload, site: str) -> int:
        """Nano-CNY for moving a workload's data to a site."""
        return int(self.gb_price[w.origin][self.site_row[site]]) * w.data_gb * 1000

    def purchases(self, used: Ints) -> tuple[SlotPurchase, ...]:
        """What must be bought for this use."""
        supply, slots = self.supply, self.supply.slots
        reservations = len(self.problem.reservations)
        milli = taken_of(supply, used)
        cells = np.repeat(np.arange(len(supply.usable)), np.diff(supply.step_start))
        bought = np.flatnonzero((milli > 0) & (supply.step_item >= reservations))
        found = []
        for step in bought.tolist():
            offer = self.problem.offers[int(supply.step_item[step]) - reservations]
            cards, slot = int(milli[step]), int(cells[step]) % slots
            cost = cards * offer.price_micro_cny * supply.hours
            found.append(
                SlotPurchase(offer.id, offer.site, offer.grade, slot, cards, offer.price_micro_cny, cost)
            )
        return tuple(found)

    def totals(self, placements: Sequence[HorizonPlacement]) -> HorizonTotals:
        """Everything about placements that capacity suffices for."""
        used, supply = self.used(placements), self.supply
        milli, reservations = taken_of(supply, used), len(self.problem.reservations)
        purchase = forgone = paid = 0
        for item, price, cards in zip(
            supply.step_item.tolist(), supply.step_price.tolist(), milli.tolist(), strict=True
        ):
            if item >= reservations:
                purchase += cards * price
            else:
                forgone += cards * price
                paid += cards * self.problem.reservations[item].paid_micro_cny * supply.hours
        return self._totals(placements, used, purchase, forgone, paid)

    def totals_at_list_price(self, placements: Sequence[HorizonPlacement]) -> HorizonTotals:
        """The same with unlimited capacity at list prices, nothing reserved."""
        used = self.used(placements)
        hourly = np.repeat(self.supply.list_price, self.supply.slots) * self.supply.hours
        return self._totals(placements, used, _dot(used, hourly), 0, 0)

    def _totals(
        self, placements: Sequence[HorizonPlacement], used: Ints, purchase: int, forgone: int, paid: int
    ) -> HorizonTotals:
        transfer = migration = lateness = 0
        for placement in placements:
            w = self.workloads[placement.workload]
            item = self.running.get(w.id)
            # most work is neither running nor moves data, and there may be a hundred thousand
            if (w.data_gb or item) and not self.stays(placement):
                transfer += sum(self.transfer(w, part.site) for part in placement.parts)
                migration += item.migration_micro_cny * 1000 if item else 0
            if w.due is not None:
                lateness += max(0, placement.slots[-1] + 1 - w.due) * w.lateness_micro_cny * 1000
        supply = self.supply
        return HorizonTotals(
            placed=len(placements),
            moved=len(self.moved(placements)),
            milli_card_hours=sum(used.tolist()) * supply.hours,
            purchase_nano_cny=purchase,
            transfer_nano_cny=transfer,
            migration_nano_cny=migration,
            lateness_nano_cny=lateness,
            metered_power_nano_cny=_dot(used, supply.metered),
            carbon_price_nano_cny=_dot(used, supply.running - supply.metered),
            forgone_nano_cny=forgone,
            reserved_value_nano_cny=paid,
            power_nano_cny=_dot(used, supply.power),
            carbon_ug=_dot(used, supply.carbon),
        )


def _dot(a: Ints, b: Ints) -> int:
    total: int = sum(x * y for x, y in zip(a.tolist(), b.tolist(), strict=True))
    return total
