"""The kernel as the core sees it: instruments named by contract index, which is never reused.

The kernel keeps ladders for a bounded number of live instruments and lets a number be listed again.
Contracts come and go for years, so each live contract holds one of the kernel's numbers, a *slot*, and hands
it back when it ends. Commands and events are translated array-wise. Every method returns copies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exchange.service.hot import to_contracts, to_slots
from exchange.service.slab import Slab
from matching.api import Exposure, Indicative, InvariantViolation, MatchingEngine, TopOfBook
from matching.records import COMMAND, EVENT, EventKind, Phase, Records, RejectCode, Side
from matching.spec import AccountSpec, EngineLimits, InstrumentSpec

_NONE = -1
PIECE: Final = 512
"""Commands that are applied at a time: they and their events stay in the processor's nearer caches."""
_EVENTS_EXPECTED: Final = 4
"""Events of one command; more are rare, but there may be any number."""
UNKNOWN_SLOT = -2  # not ANY_INSTRUMENT: a mass cancel of an unknown contract must not cancel everything


class Kernel:
    """A matching engine behind contract indices. A refused control operation is a broken invariant: the
    core checks first.
    """

    def __init__(self, engine: MatchingEngine) -> None:
        self._engine = engine
        self._slots: NDArray[np.int32] = np.zeros(0, np.int32)  # by contract; UNKNOWN_SLOT once it ended
        self._contracts = np.full(engine.limits.max_instruments, _NONE, np.int32)  # by slot
        self._free = list(range(engine.limits.max_instruments - 1, -1, -1))  # the next one to use is last
        self._translated_room = Slab(COMMAND)  # what it offers is used up before the next call
        self._events_room = Slab(EVENT)
        self.trades = 0
        """How many of the events that `apply` returned last are trades."""
        self.ended_day = 0
        """The last ended trading day, days since 1970-01-01; 0 before the first."""

    @property
    def limits(self) -> EngineLimits:
        """Bounds of the engine."""
        return self._engine.limits

    @property
    def free_slots(self) -> int:
        """How many more contracts may be live."""
        return len(self._free)

    def apply(self, commands: Records) -> Records:
        """Apply commands (dtype COMMAND) and return their events (dtype EVENT)."""
        room, used, self.trades = self._events_room, 0, 0
        named = room.offer(_EVENTS_EXPECTED * len(commands))
        for begin in range(0, len(commands), PIECE):
            piece = commands[begin : begin + PIECE]
            translated = self._translated_room.offer(len(piece))
            to_slots(piece, translated, self._slots, UNKNOWN_SLOT)
            events = self._engine.apply(translated)
            end = used + len(events)
            if end > len(named):
                before, named = named, room.offer(2 * end)
                named[:used] = before[:used]
            self.trades += to_contracts(events, named[used:end], self._contracts)
            used = end
        return room.take(used)

    def add_instrument(self, contract: int, spec: InstrumentSpec, *, seq: int) -> Records:
        """List the next contract; indices come in order without a gap."""
        if contract != len(self._slots):
            raise InvariantViolation(f"contract {contract} is listed out of order")
        slot = self._free.pop()
        self._slots = np.append(self._slots, np.int32(slot))
        self._contracts[slot] = contract
        return self._done(self._engine.add_instrument(slot, spec, seq=seq))

    def remove_instrument(self, contract: int, *, seq: int) -> Records:
        """End a contract: its orders are cancelled, its holdings forgotten, its slot freed."""
        slot = self._slot(contract)
        events = self._done(self._engine.remove_instrument(slot, seq=seq))
        self._slots[contract] = UNKNOWN_SLOT
        self._contracts[slot] = _NONE
        self._free.append(slot)
        return events

    def rebase(self, contract: int, low: int, high: int, reference: int, *, seq: int) -> Records:
        """Set new price limits and reference price, ticks."""
        return self._done(self._engine.rebase(self._slot(contract), low, high, reference, seq=seq))

    def set_margins(self, contract: int, long_fen: int, short_fen: int, *, seq: int) -> Records:
        """Set the initial margins of one long and one short lot, fen."""
        return self._done(self._engine.set_margins(self._slot(contract), long_fen, short_fen, seq=seq))

    def set_position_limit(self, contract: int, lots: int, *, seq: int) -> Records:
        """Set the lots that one account may hold, 0 for any; orders that stand stay."""
        return self._done(self._engine.set_position_limit(self._slot(contract), lots, seq=seq))

    def set_phase(self, contracts: list[int], phase: Phase, *, seq: int) -> Records:
        """Move contracts to a phase, in the order given."""
        slots = [self._slot(contract) for contract in contracts]
        return self._done(self._engine.set_phase(slots, phase, seq=seq))

    def set_position(self, account: int, contract: int, lots: int, *, seq: int) -> Records:
        """Set a position without a trade."""
        return self._done(self._engine.set_position(account, self._slot(contract), lots, seq=seq))

    def set_account(self, account: int, spec: AccountSpec, *, seq: int) -> Records:
        """Set an account's terms, equity included."""
        return self._done(self._engine.set_account(account, spec, seq=seq))

    def kill_account(self, account: int, *, seq: int) -> Records:
        """Disable an account and cancel its orders."""
        return self._done(self._engine.kill_account(account, seq=seq))

    def kill_market(self, *, cancel_orders: bool, seq: int) -> Records:
        """Halt what is open, and cancel all orders if asked."""
        return self._done(self._engine.kill_market(cancel_orders=cancel_orders, seq=seq))

    def adjust_equity(self, account: int, delta_fen: int, *, seq: int) -> Records:
        """Add to an account's equity."""
        return self._done(self._engine.adjust_equity(account, delta_fen, seq=seq))

    def set_offset(self, account: int, offset_fen: int, *, seq: int) -> Records:
        """Set what the portfolio earns against the sum of single margins, fen."""
        return self._done(self._engine.set_offset(account, offset_fen, seq=seq))

    def end_of_day(self, trading_day: int, *, seq: int) -> Records:
        """Expire day and GTD orders; `trading_day` in days since 1970-01-01."""
        events = self._done(self._engine.end_of_day(trading_day, seq=seq))
        self.ended_day = trading_day
        return events

    def l1(self, contract: int) -> TopOfBook:
        """Return the top of a live contract's book."""
        return self._engine.l1(self._slot(contract))

    def depth(self, contract: int, side: Side, levels: int) -> Records:
        """Return displayed levels (LEVEL_VIEW), best first."""
        return self._engine.depth(self._slot(contract), side, levels)

    def orders(self, contract: int) -> Records:
        """Return a live contract's open orders (ORDER_STATE) in book order."""
        return self._translated(self._engine.orders(self._slot(contract)))

    def indicative(self, contract: int) -> Indicative:
        """Return what an uncross would do now."""
        return self._engine.indicative(self._slot(contract))

    def terms(self, contract: int) -> InstrumentSpec:
        """Return a live contract's terms as they stand."""
        return self._engine.instrument(self._slot(contract))

    def holders(self, contract: int) -> Records:
        """Return the positions other than 0 in a live contract (POSITION_VIEW), ascending account."""
        return self._engine.positions(self._slot(contract))

    def open_orders(self, account: int) -> Records:
        """Return an account's open orders (ORDER_STATE) in acceptance order."""
        return self._translated(self._engine.open_orders(account))

    def position(self, account: int, contract: int) -> int:
        """Return a position in lots."""
        return self._engine.position(account, self._slot(contract))

    def positions(self) -> Records:
        """Return all positions other than 0 (HOLDING_STATE), ascending contract, then account."""
        holdings = self._translated(self._engine.snapshot()["holdings"])
        held: Records = holdings[holdings["position"] != 0]
        order = np.lexsort((held["account"], held["instrument"]))
        return held[order]

    def exposure(self, account: int) -> Exposure:
        """Return the margin gate's figures of an account that is set up."""
        return self._engine.exposure(account)

    def check(self) -> None:
        """Verify the engine and the slots; raises InvariantViolation."""
        self._engine.check()
        live = np.flatnonzero(self._slots >= 0)
        if not np.array_equal(self._contracts[self._slots[live]], live):
            raise InvariantViolation("contracts and the kernel's slots don't agree")
        if len(live) + len(self._free) != len(self._contracts):
            raise InvariantViolation("a slot of the kernel is lost")

    def snapshot(self) -> dict[str, Records]:
        """Return the engine's state by name (`SNAPSHOT_DTYPES`); the arrays are the caller's."""
        return self._engine.snapshot()

    def slots(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the slot of each contract, and the free slots in the order in which they are kept."""
        return self._slots.copy(), np.array(self._free, np.int32)

    def restore(
        self, snapshot: Mapping[str, Records], slots: NDArray[np.int32], free: NDArray[np.int32]
    ) -> None:
        """Take over the state of another kernel. Raises ValueError if it isn't consistent."""
        self._engine.restore(snapshot)
        self.ended_day = int(snapshot["engine"]["trading_day"][0])
        self._slots = slots.copy()
        self._free = free.tolist()
        self._contracts[:] = _NONE
        live = np.flatnonzero(slots >= 0)
        self._contracts[slots[live]] = live

    def state_hash(self) -> bytes:
        """Return the engine's 32-byte digest; slots are in it as instrument numbers."""
        return self._engine.state_hash()

    def state_bytes(self) -> bytes:
        """Return the slots, and the order in which free ones come next, as bytes."""
        return b"".join(array.tobytes() for array in self.slots())

    def _slot(self, contract: int) -> int:
        slot = int(self._slots[contract])
        if slot < 0:
            raise InvariantViolation(f"contract {contract} has ended")
        return slot

    def _translated(self, rows: Records) -> Records:
        """Return a copy with slots replaced by contract indices; -1 where no known contract is meant."""
        copy = rows.copy()
        slots = rows["instrument"]
        copy["instrument"] = np.where(slots >= 0, self._contracts[slots], _NONE)
        return copy

    def _done(self, events: Records) -> Records:
        refused = events[events["kind"] == EventKind.REJECTED]
        if len(refused):
            code = RejectCode(int(refused["code"][0]))
            raise InvariantViolation(f"the kernel refused a control operation: {code.name}")
        return self._translated(events)
