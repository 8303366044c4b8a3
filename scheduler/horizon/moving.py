"""What moves of running work gain: going on against the new place, everyone else as planned."""

from collections.abc import Sequence

import numpy as np

from scheduler.horizon.accounting import HorizonBooks
from scheduler.horizon.gangs import book_split, take_out
from scheduler.horizon.insertion import NO_GUIDE, State, copied, lookup_of, put, staying
from scheduler.horizon.instance import Instance
from scheduler.horizon.plan import HorizonPlacement, Move, MoveReason
from scheduler.horizon.running_slots import NEVER
from scheduler.horizon.solution import Splits
from scheduler.horizon.squeezing import spent
from scheduler.horizon.types import HorizonWorkload


def moves_of(
    books: HorizonBooks,
    instance: Instance,
    state: State,
    splits: Splits,
    placements: Sequence[HorizonPlacement],
) -> tuple[Move, ...]:
    """Running work that does not go on as it was, in order of the workloads.

    ``placements`` are those of ``state`` by name.
    """
    moved = set(books.moved(placements))
    if not moved:
        return ()
    rows = {w.id: row for row, w in enumerate(books.problem.workloads)}
    gains = _Gains(books, instance, state, splits)
    return tuple(gains.move(rows[p.workload], p) for p in placements if p.workload in moved)


class _Gains:
    """Marginal costs beside a plan, which is changed and put right again move by move."""

    def __init__(self, books: HorizonBooks, instance: Instance, state: State, splits: Splits) -> None:
        self.books = books
        self.instance = instance
        self.lookup = lookup_of(instance)
        self.state = copied(state)
        self.splits = dict(splits)

    def move(self, j: int, p: HorizonPlacement) -> Move:
        """The move of a workload (by row) to its place in the plan."""
        books, kinds = self.books, self.instance.kinds
        w, item = books.workloads[p.workload], books.running[p.workload]
        could_stay = bool(kinds.could_stay[self.instance.kind[j]])
        go, stay = self._costs(j, could_stay)
        if stay < NEVER:
            reason = MoveReason.GAIN
        else:
            reason = MoveReason.GIVES_WAY if could_stay else MoveReason.BARRED
        transfer = sum(books.transfer(w, part.site) for part in p.parts)
        migration = item.migration_micro_cny * 1000
        kept = stay if stay < NEVER else None
        return Move(w.id, reason, item.parts, p.parts, kept, go + _late(w, p.slots[-1]), migration, transfer)

    def _costs(self, j: int, could_stay: bool) -> tuple[int, int]:
        """What its cards cost where it goes, and what going on would cost; `NEVER` where it cannot."""
        instance, kinds, lookup, state = self.instance, self.instance.kinds, self.lookup, self.state
        a, s, row = int(state.alternative[j]), int(state.site[j]), int(state.row[j])
        slots, parts = state.slots[j].astype(np.int64), self.splits.get(j)
        whole = int(spent(lookup, state))
        take_out(instance, lookup, state, self.splits, np.array([j]))
        go, stay = whole - int(spent(lookup, state)), NEVER
        if could_stay:
            stay = int(staying(kinds, lookup, state, NO_GUIDE, j, np.empty(lookup.slots, dtype=np.int64)))
        if parts is None:
            put(kinds, lookup, state, j, a, s, row, slots)
        else:
            self.splits[j] = parts
            book_split(instance, lookup, state, j, a, slots[: kinds.duration[a]].tolist(), parts)
        return go, stay


def _late(w: HorizonWorkload, last: int) -> int:
    return 0 if w.due is None else max(0, last + 1 - w.due) * w.lateness_micro_cny * 1000
