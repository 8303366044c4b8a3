"""What moves of running work gain: going on against the new place, everyone else as planned."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from scheduler.horizon.accounting import HorizonBooks
from scheduler.horizon.instance import NO_SLOT, Instance
from scheduler.horizon.plan import HorizonPlacement, Move, MoveReason
from scheduler.horizon.running_slots import NEVER, cheapest_slots
from scheduler.horizon.supply import Ints
from scheduler.horizon.types import HorizonWorkload, Part, RunMode


def moves_of(
    books: HorizonBooks, instance: Instance, used: Ints, placements: Sequence[HorizonPlacement]
) -> tuple[Move, ...]:
    """Running work that does not go on as it was, in order of the workloads; ``used`` (N,) is the plan's."""
    moved = set(books.moved(placements))
    rows = {w.id: row for row, w in enumerate(books.problem.workloads)} if moved else {}
    gains = _Gains(books, used)
    found = []
    for p in placements:
        if p.workload in moved:
            could_stay = bool(instance.kinds.could_stay[instance.kind[rows[p.workload]]])
            found.append(gains.move(p, could_stay))
    return tuple(found)


class _Gains:
    """Marginal costs beside a plan."""

    def __init__(self, books: HorizonBooks, used: Ints) -> None:
        self.books = books
        self.used = used

    def move(self, p: HorizonPlacement, could_stay: bool) -> Move:
        books = self.books
        w, item = books.workloads[p.workload], books.running[p.workload]
        own = self._cells(w, p.alternative, p.parts, p.slots)
        go = sum(self._cost(cell, milli, own) for cell, milli in own.items()) + _late(w, p.slots[-1])
        stay = self._staying(w, item.alternative, item.parts, own) if could_stay else None
        if stay is not None:
            reason = MoveReason.GAIN
        else:
            reason = MoveReason.GIVES_WAY if could_stay else MoveReason.BARRED
        transfer = sum(books.transfer(w, part.site) for part in p.parts)
        migration = item.migration_micro_cny * 1000
        return Move(w.id, reason, item.parts, p.parts, stay, go, migration, transfer)

    def _cells(
        self, w: HorizonWorkload, alternative: int, parts: Sequence[Part], slots: Sequence[int]
    ) -> Counter[int]:
        """Milli-cards by cell."""
        cells: Counter[int] = Counter()
        for part in parts:
            for grade, milli in w.alternatives[alternative].needs:
                start = self.books.cell(part.site, grade)
                for slot in slots:
                    cells[start + slot] += milli * part.members
        return cells

    def _cost(self, cell: int, milli: int, own: Counter[int]) -> int:
        """What so many cards of a cell cost on top of everyone else's; `NEVER` if there are not so many."""
        supply = self.books.supply
        others = int(self.used[cell]) - own[cell]
        if others + milli > supply.usable[cell]:
            return NEVER
        total, left = milli * int(supply.running[cell]), milli
        for step in range(supply.step_start[cell], supply.step_start[cell + 1]):
            taken = min(left, max(0, int(supply.step_milli[step]) - others))
            others = max(0, others - int(supply.step_milli[step]))
            total += taken * int(supply.step_price[step])
            left -= taken
        return total

    def _staying(
        self, w: HorizonWorkload, alternative: int, parts: Sequence[Part], own: Counter[int]
    ) -> int | None:
        """What going on would cost; None where others are in the way."""
        duration, slots = w.alternatives[alternative].slots, self.books.supply.slots
        pauses = w.mode == RunMode.PREEMPTIBLE
        end = w.latest_end if pauses else duration
        cost = np.zeros(slots, dtype=np.int64)
        for slot in range(end):
            cells = self._cells(w, alternative, parts, (slot,))
            cost[slot] = min(sum(self._cost(cell, milli, own) for cell, milli in cells.items()), NEVER)
        due = NO_SLOT if w.due is None else w.due
        late = w.lateness_micro_cny * 1000
        nothing, taken = np.zeros(slots, dtype=np.int64), np.zeros(slots, dtype=np.int64)
        least = int(cheapest_slots(cost, nothing, 0, end, duration, pauses, due, late, taken))
        return least if least < NEVER else None


def _late(w: HorizonWorkload, last: int) -> int:
    return 0 if w.due is None else max(0, last + 1 - w.due) * w.lateness_micro_cny * 1000
