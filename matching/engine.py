"""The engine: the compiled kernel behind the ``MatchingEngine`` protocol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching import control, views, whole
from matching.api import Exposure, Indicative, InvariantViolation, TopOfBook
from matching.commands import apply_batch, indicative_of
from matching.constants import MAX_POSITION
from matching.emit import refuse
from matching.jit import COMPILED, compiling, kernel
from matching.layout import SELL, Store
from matching.records import COMMAND, Phase, Records, RejectCode, Side
from matching.spec import AccountSpec, EngineLimits, InstrumentSpec
from matching.state import LEVEL_VIEW, ORDER_STATE, POSITION_VIEW, hash_state
from matching.warm import SMALL, exercise


@kernel
def _refuse(cores: NDArray[Any], code: int, instrument: int, account: int) -> None:
    refuse(cores[0], code, instrument, account)


@kernel
def _indicative(cores: NDArray[Any], number: int) -> tuple[int, int, int]:
    return indicative_of(cores[0], number)


class Engine:
    """Price-time matching and pre-trade risk; see ``MatchingEngine`` for every method.

    Event arrays that its methods return are views of one buffer, overwritten by the next state-changing call.
    """

    _ready = False

    def __init__(self, limits: EngineLimits | None = None) -> None:
        _make_ready()
        self.limits = limits or EngineLimits()
        self._attach(Store(self.limits))

    def _attach(self, store: Store) -> None:
        """Work on these tables from now on."""
        self._store, self._core, self._tables = store, store.core, store.tables
        self._counters = self._core[0]
        self._event_count = self._core["event_count"]

    # -- commands

    def apply(self, commands: Records) -> Records:
        """Apply commands (dtype ``COMMAND``, shape (n,)) in order; returns their events."""
        if commands.dtype is not COMMAND and commands.dtype != COMMAND:
            raise TypeError(f"expected an array of COMMAND records, got {commands.dtype}")
        if not commands.flags.carray:
            commands = commands.copy()
        core = self._core
        done = apply_batch(core, commands, 0)
        while done < len(commands):
            self._make_room(len(commands) - done)
            done = apply_batch(core, commands, done)
        return self._events()

    def _make_room(self, commands: int = 1) -> None:
        """Enlarge the event buffer so that at least the next command can be applied."""
        core = self._counters
        most = 6 * int(core["live_orders"]) + 2 * int(core["refreshes"]) + 64
        wanted = int(core["event_count"]) + most + 4 * commands
        if wanted > int(core["event_capacity"]):
            self._store.reserve_events(max(wanted + most, 2 * int(core["event_capacity"])))

    def _begin(self, seq: int) -> NDArray[Any]:
        """Start a control operation: no events yet, room for what it can cause."""
        self._counters["event_count"], self._counters["seq"] = 0, seq
        self._make_room()
        return self._core

    def _events(self) -> Records:
        events, count = self._tables["events"], self._event_count.item()
        if count > len(events):
            raise InvariantViolation(f"{count} events were written to a buffer of {len(events)}")
        return events[:count]

    def _refused(self, seq: int, code: RejectCode, instrument: int = -1, account: int = -1) -> Records:
        _refuse(self._begin(seq), int(code), int(instrument), int(account))
        return self._events()

    def _listed(self, index: int) -> bool:
        return 0 <= index < self.limits.max_instruments and bool(self._tables["instruments"]["listed"][index])

    def _known(self, account: int) -> bool:
        return 0 <= account < self.limits.max_accounts and bool(self._tables["accounts"]["known"][account])

    # -- instruments

    def add_instrument(self, index: int, spec: InstrumentSpec, *, seq: int = 0) -> Records:
        """List an instrument, CLOSED."""
        code = spec.fault(self.limits.max_levels)
        if not 0 <= index < self.limits.max_instruments:
            code = RejectCode.INVALID_INSTRUMENT
        elif code == RejectCode.NONE and self._listed(index):
            code = RejectCode.INSTRUMENT_EXISTS
        if code != RejectCode.NONE:
            return self._refused(seq, code, index)
        row = self._tables["instruments"][index]
        for name in InstrumentSpec.__dataclass_fields__:
            row[name] = getattr(spec, name)
        row["last_price"], row["phase"], row["listed"], row["first_holding"] = 0, Phase.CLOSED, 1, 0
        control.announce(self._begin(seq), int(index), -1, 1)
        return self._events()

    def remove_instrument(self, index: int, *, seq: int = 0) -> Records:
        """Cancel its orders and forget its holdings (clause 3.4)."""
        if not self._listed(index):
            return self._refused(seq, RejectCode.UNKNOWN_INSTRUMENT, index)
        control.remove_instrument(self._begin(seq), int(index))
        return self._events()

    def rebase(
        self, index: int, price_low: int, price_high: int, reference_price: int, *, seq: int = 0
    ) -> Records:
        """Set new limits and reference price (clause 3.4)."""
        if not self._listed(index):
            return self._refused(seq, RejectCode.UNKNOWN_INSTRUMENT, index)
        code = InstrumentSpec(price_low, price_high, reference_price).fault(self.limits.max_levels)
        if code != RejectCode.NONE:
            return self._refused(seq, code, index)
        control.rebase(self._begin(seq), int(index), int(price_low), int(price_high), int(reference_price))
        return self._events()

    def set_margins(
        self, index: int, margin_long_fen: int, margin_short_fen: int, *, seq: int = 0
    ) -> Records:
        """Set the margins per lot and recompute every requirement."""
        if not self._listed(index):
            return self._refused(seq, RejectCode.UNKNOWN_INSTRUMENT, index)
        terms = InstrumentSpec(1, 1, 1, margin_long_fen=margin_long_fen, margin_short_fen=margin_short_fen)
        if terms.fault(1) != RejectCode.NONE:
            return self._refused(seq, RejectCode.INVALID_INSTRUMENT, index)
        control.set_margins(self._begin(seq), int(index), int(margin_long_fen), int(margin_short_fen))
        return self._events()

    def set_position_limit(self, index: int, lots: int, *, seq: int = 0) -> Records:
        """Set the lots that one account may hold (clause 3.37)."""
        if not self._listed(index):
            return self._refused(seq, RejectCode.UNKNOWN_INSTRUMENT, index)
        if InstrumentSpec(1, 1, 1, position_limit=lots).fault(1) != RejectCode.NONE:
            return self._refused(seq, RejectCode.INVALID_INSTRUMENT, index)
        control.set_position_limit(self._begin(seq), int(index), int(lots))
        return self._events()

    def set_phase(self, instruments: int | Iterable[int], phase: Phase, *, seq: int = 0) -> Records:
        """Move instruments to a phase in the order given (clause 3.3)."""
        if int(phase) not in list(Phase):
            return self._refused(seq, RejectCode.INVALID_PHASE)
        numbers = (
            [int(instruments)]
            if isinstance(instruments, int | np.integer)
            else [int(number) for number in instruments]
        )
        for number in numbers:
            if not self._listed(number):
                return self._refused(seq, RejectCode.UNKNOWN_INSTRUMENT, number)
        core = self._begin(seq)
        for number in numbers:
            self._make_room()
            control.set_phase(core, number, int(phase))
        return self._events()

    def kill_market(self, *, cancel_orders: bool = False, seq: int = 0) -> Records:
        """Halt every instrument that is open (clause 3.28)."""
        core = self._begin(seq)
        numbers = self.instruments()
        for number in numbers:
            if self._tables["instruments"]["phase"][number] not in (Phase.CLOSED, Phase.HALTED):
                self._make_room()
                control.set_phase(core, number, int(Phase.HALTED))
        for number in numbers if cancel_orders else []:
            self._make_room()
            control.cancel_all(core, number)
        return self._events()

    def end_of_day(self, trading_day: int, *, seq: int = 0) -> Records:
        """Expire day and GTD orders (clause 3.5); `trading_day` in days since 1970-01-01."""
        core = self._begin(seq)
        self._counters["trading_day"] = trading_day
        for number in self.instruments():
            self._make_room()
            control.expire_orders(core, number, int(trading_day))
        return self._events()

    # -- accounts

    def set_account(self, account: int, spec: AccountSpec, *, seq: int = 0) -> Records:
        """Set up an account or set its terms anew, equity included."""
        if not 0 <= account < self.limits.max_accounts:
            return self._refused(seq, RejectCode.INVALID_ACCOUNT, account=account)
        row = self._tables["accounts"][account]
        for name in AccountSpec.__dataclass_fields__:
            row[name] = getattr(spec, name)
        row["known"] = 1
        control.announce(self._begin(seq), -1, int(account), 0)
        return self._events()

    def adjust_equity(self, account: int, delta_fen: int, *, seq: int = 0) -> Records:
        """Add to an account's equity (a deposit, a fee …)."""
        if not self._known(account):
            return self._refused(seq, RejectCode.UNKNOWN_ACCOUNT, account=account)
        self._tables["accounts"]["equity_fen"][account] += delta_fen
        control.announce(self._begin(seq), -1, int(account), 0)
        return self._events()

    def set_offset(self, account: int, offset_fen: int, *, seq: int = 0) -> Records:
        """Set an account's margin offset."""
        if not self._known(account):
            return self._refused(seq, RejectCode.UNKNOWN_ACCOUNT, account=account)
        self._tables["accounts"]["offset_fen"][account] = offset_fen
        control.announce(self._begin(seq), -1, int(account), 0)
        return self._events()

    def kill_account(self, account: int, *, seq: int = 0) -> Records:
        """Disable an account and cancel its orders (clause 3.28)."""
        if not self._known(account):
            return self._refused(seq, RejectCode.UNKNOWN_ACCOUNT, account=account)
        control.kill_account(self._begin(seq), int(account))
        return self._events()

    def set_position(self, account: int, instrument: int, lots: int, *, seq: int = 0) -> Records:
        """Set a position without a trade (cascade, transfer, close-out)."""
        code = RejectCode.NONE
        if not self._known(account):
            code = RejectCode.UNKNOWN_ACCOUNT
        elif not self._listed(instrument):
            code = RejectCode.UNKNOWN_INSTRUMENT
        elif not views.find_row(self._core, int(account), int(instrument)) and not self._holding_room():
            code = RejectCode.TOO_MANY_HOLDINGS
        if code != RejectCode.NONE:
            return self._refused(seq, code, instrument, account)
        if abs(lots) > MAX_POSITION:
            raise ValueError(f"a position of {lots} lots is beyond ±{MAX_POSITION}")
        control.set_position(self._begin(seq), int(account), int(instrument), int(lots))
        return self._events()

    def _holding_room(self) -> bool:
        core = self._counters
        return bool(core["free_holding_count"] > 0 or core["used_holdings"] < core["max_holdings"])

    # -- views

    def _instrument_row(self, instrument: int) -> Any:
        if not self._listed(instrument):
            raise KeyError(f"instrument {instrument} isn't listed")
        return self._tables["instruments"][instrument]

    def l1(self, instrument: int) -> TopOfBook:
        """Return the top of the book."""
        row = self._instrument_row(instrument)
        sides = [self.depth(instrument, side, 2) for side in (Side.BUY, Side.SELL)]
        bids, asks = (side[side["price"] > 0] for side in sides)
        bid, ask = ((int(side["price"][0]) if len(side) else 0) for side in (bids, asks))
        lock = int(bid == row["price_high"] and not len(asks)) - int(
            ask == row["price_low"] and not len(bids)
        )
        return TopOfBook(
            bid_price=bid,
            bid_quantity=int(bids["quantity"][0]) if len(bids) else 0,
            ask_price=ask,
            ask_quantity=int(asks["quantity"][0]) if len(asks) else 0,
            last_price=int(row["last_price"]),
            phase=Phase(int(row["phase"])),
            limit_lock=lock,
        )

    def depth(self, instrument: int, side: Side, levels: int = 0) -> Records:
        """Return displayed levels (dtype ``LEVEL_VIEW``), best first, all of them if `levels` is 0."""
        row = self._instrument_row(instrument)
        most = int(row["price_high"]) - int(row["price_low"]) + 2
        out = np.zeros(min(levels, most) if levels > 0 else most, LEVEL_VIEW)
        return out[
            : views.write_levels(self._core, int(instrument) * 4 + (SELL if side == Side.SELL else 0), out)
        ]

    def orders(self, instrument: int) -> Records:
        """Return the open orders of an instrument (dtype ``ORDER_STATE``) in book order."""
        self._instrument_row(instrument)
        out = np.zeros(views.collect_instrument(self._core, int(instrument)), ORDER_STATE)
        views.write_orders(self._core, out)
        return out

    def open_orders(self, account: int) -> Records:
        """Return the open orders of an account (dtype ``ORDER_STATE``) in acceptance order."""
        if not self._known(account):
            raise KeyError(f"account {account} isn't set up")
        out = np.zeros(views.collect_account(self._core, int(account)), ORDER_STATE)
        views.write_orders(self._core, out)
        return out

    def indicative(self, instrument: int) -> Indicative:
        """Return what an uncross would do now; zeros outside a call."""
        self._instrument_row(instrument)
        price, quantity, surplus = _indicative(self._core, int(instrument))
        return Indicative(int(price), int(quantity), int(surplus))

    def instrument(self, instrument: int) -> InstrumentSpec:
        """Return an instrument's terms as they stand."""
        row = self._instrument_row(instrument)
        return InstrumentSpec(**{name: int(row[name]) for name in InstrumentSpec.__dataclass_fields__})

    def instruments(self) -> list[int]:
        """Return the listed indices, ascending."""
        return whole.listed(self._store)

    def position(self, account: int, instrument: int) -> int:
        """Return an account's position in lots, long positive; 0 without a holding."""
        self._instrument_row(instrument)
        row = views.find_row(self._core, int(account), int(instrument))
        return int(self._tables["holdings"]["position"][row]) if row else 0

    def positions(self, instrument: int) -> Records:
        """Return the positions other than 0 in an instrument (dtype ``POSITION_VIEW``), ascending account."""
        self._instrument_row(instrument)
        count = views.write_positions(self._core, int(instrument), np.zeros(0, POSITION_VIEW))
        out = np.zeros(count, POSITION_VIEW)
        views.write_positions(self._core, int(instrument), out)
        return out[np.argsort(out["account"])]

    def exposure(self, account: int) -> Exposure:
        """Return the gate's figures of an account."""
        if not self._known(account):
            raise KeyError(f"account {account} isn't set up")
        row = self._tables["accounts"][account]
        return Exposure(
            int(row["equity_fen"]),
            int(row["offset_fen"]),
            int(row["requirement_fen"]),
            int(row["open_orders"]),
        )

    # -- the whole state

    def check(self) -> None:
        """Verify every invariant; raises ``InvariantViolation`` naming the first that is broken."""
        whole.check(self._store, self.limits)

    def snapshot(self) -> dict[str, Records]:
        """Return the whole state as the arrays of ``SNAPSHOT_DTYPES``; the arrays are the caller's."""
        return whole.taken(self._store)

    def restore(self, snapshot: Mapping[str, Records]) -> None:
        """Replace the whole state. Raises ``ValueError`` if it doesn't fit the limits or isn't consistent."""
        self._attach(whole.restored(snapshot, self.limits))

    def state_hash(self) -> bytes:
        """Return the 32-byte BLAKE3 digest of the canonical state."""
        return hash_state(self.snapshot())


def _make_ready() -> None:
    """Before the first engine of a process: compile the kernel or load it from the cache, all of it."""
    if Engine._ready or not COMPILED:
        return
    Engine._ready = True
    with compiling():
        exercise(Engine(SMALL))
