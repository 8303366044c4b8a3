"""What an engine is: the protocol that the compiled engine and the reference engine both satisfy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from matching.records import Phase, Records, Side
from matching.spec import AccountSpec, EngineLimits, InstrumentSpec


class InvariantViolation(Exception):
    """A state that can't be: the program stops rather than trade on it."""


@dataclass(frozen=True, slots=True)
class TopOfBook:
    """L1 of one instrument: prices in ticks, quantities in shown lots; 0 where a side is empty.

    Market orders of a call have no price and don't count.
    """

    bid_price: int
    bid_quantity: int
    ask_price: int
    ask_quantity: int
    last_price: int
    phase: Phase
    limit_lock: int
    """1 locked at the upper limit, -1 at the lower, 0 not (clause 3.39)."""


@dataclass(frozen=True, slots=True)
class Indicative:
    """What an uncross would do now (clauses 3.29 to 3.32): price in ticks, lots, and demand − supply; zeros
    if nothing.
    """

    price: int
    quantity: int
    surplus: int


@dataclass(frozen=True, slots=True)
class Exposure:
    """The gate's figures of one account, fen (clause 3.36), and its number of open orders."""

    equity_fen: int
    offset_fen: int
    requirement_fen: int
    open_orders: int


class MatchingEngine(Protocol):
    """Price-time matching and pre-trade risk over many instruments.

    Every method that changes state returns the events (dtype ``EVENT``) that it caused. A control operation
    that can't be done returns one REJECTED event and changes nothing; `seq` is the number that its events
    carry. The array returned by any of these methods belongs to the engine and is valid until its next state-
    changing call: copy what must stay.
    """

    limits: EngineLimits

    def apply(self, commands: Records) -> Records:
        """Apply commands (dtype ``COMMAND``, shape (n,), contiguous) in order; clauses 3.9 to 3.27, 3.29.

        Nothing depends on how a stream is cut into calls. Raises ``TypeError`` for another dtype.
        """
        ...

    def add_instrument(self, index: int, spec: InstrumentSpec, *, seq: int = 0) -> Records:
        """List an instrument, CLOSED; emits INSTRUMENT. INVALID_INSTRUMENT, INSTRUMENT_EXISTS,
        TOO_MANY_LEVELS.
        """
        ...

    def remove_instrument(self, index: int, *, seq: int = 0) -> Records:
        """Cancel its orders and forget its holdings (clause 3.4); the index can be listed again.
        UNKNOWN_INSTRUMENT.
        """
        ...

    def rebase(
        self, index: int, price_low: int, price_high: int, reference_price: int, *, seq: int = 0
    ) -> Records:
        """Set new limits and reference price (clause 3.4). UNKNOWN_INSTRUMENT, INVALID_INSTRUMENT,
        TOO_MANY_LEVELS.
        """
        ...

    def set_margins(
        self, index: int, margin_long_fen: int, margin_short_fen: int, *, seq: int = 0
    ) -> Records:
        """Set the margins per lot and recompute every requirement; emits INSTRUMENT. UNKNOWN_INSTRUMENT,
        INVALID_INSTRUMENT.
        """
        ...

    def set_position_limit(self, index: int, lots: int, *, seq: int = 0) -> Records:
        """Set the lots that one account may hold, 0 for any; standing orders and positions beyond it stay
        (clause 3.37). Emits INSTRUMENT. UNKNOWN_INSTRUMENT, INVALID_INSTRUMENT.
        """
        ...

    def set_phase(self, instruments: int | Iterable[int], phase: Phase, *, seq: int = 0) -> Records:
        """Move instruments to a phase in the order given (clause 3.3); checked wholly first.
        UNKNOWN_INSTRUMENT.
        """
        ...

    def set_account(self, account: int, spec: AccountSpec, *, seq: int = 0) -> Records:
        """Set up an account or set its terms anew, equity included; emits ACCOUNT. INVALID_ACCOUNT.

        Open orders, positions and the order-rate count stay.
        """
        ...

    def adjust_equity(self, account: int, delta_fen: int, *, seq: int = 0) -> Records:
        """Add to an account's equity (a deposit, a fee …); emits ACCOUNT. UNKNOWN_ACCOUNT."""
        ...

    def set_offset(self, account: int, offset_fen: int, *, seq: int = 0) -> Records:
        """Set an account's margin offset; emits ACCOUNT. UNKNOWN_ACCOUNT."""
        ...

    def kill_account(self, account: int, *, seq: int = 0) -> Records:
        """Disable an account and cancel its orders (clause 3.28). UNKNOWN_ACCOUNT."""
        ...

    def kill_market(self, *, cancel_orders: bool = False, seq: int = 0) -> Records:
        """Halt every instrument that is open (clause 3.28)."""
        ...

    def end_of_day(self, trading_day: int, *, seq: int = 0) -> Records:
        """Expire day and GTD orders (clause 3.5); `trading_day` in days since 1970-01-01."""
        ...

    def set_position(self, account: int, instrument: int, lots: int, *, seq: int = 0) -> Records:
        """Set a position without a trade (cascade, transfer, close-out); emits ACCOUNT; equity stays.

        UNKNOWN_ACCOUNT, UNKNOWN_INSTRUMENT, TOO_MANY_HOLDINGS.
        """
        ...

    def l1(self, instrument: int) -> TopOfBook:
        """Return the top of the book. Raises ``KeyError`` for an instrument that isn't listed, as every view
        does.
        """
        ...

    def depth(self, instrument: int, side: Side, levels: int = 0) -> Records:
        """Return displayed levels (dtype ``LEVEL_VIEW``), best first, all of them if `levels` is 0."""
        ...

    def orders(self, instrument: int) -> Records:
        """Return the open orders of an instrument (dtype ``ORDER_STATE``) in book order."""
        ...

    def open_orders(self, account: int) -> Records:
        """Return the open orders of an account (dtype ``ORDER_STATE``) in acceptance order."""
        ...

    def indicative(self, instrument: int) -> Indicative:
        """Return what an uncross would do now; zeros outside a call."""
        ...

    def instrument(self, instrument: int) -> InstrumentSpec:
        """Return an instrument's terms as they stand."""
        ...

    def instruments(self) -> list[int]:
        """Return the listed indices, ascending."""
        ...

    def position(self, account: int, instrument: int) -> int:
        """Return an account's position in lots, long positive; 0 without a holding."""
        ...

    def positions(self, instrument: int) -> Records:
        """Return the positions other than 0 in an instrument (dtype ``POSITION_VIEW``), ascending account."""
        ...

    def exposure(self, account: int) -> Exposure:
        """Return the gate's figures of an account. Raises ``KeyError`` for an account that isn't set up."""
        ...

    def check(self) -> None:
        """Verify every invariant; raises ``InvariantViolation`` naming the first that is broken."""
        ...

    def snapshot(self) -> dict[str, Records]:
        """Return the whole state as the arrays of ``SNAPSHOT_DTYPES``; the arrays are the caller's."""
        ...

    def restore(self, snapshot: Mapping[str, Records]) -> None:
        """Replace the whole state. Raises ``ValueError`` if it doesn't fit the limits or isn't consistent."""
        ...

    def state_hash(self) -> bytes:
        """Return the 32-byte BLAKE3 digest of the canonical state."""
        ...
