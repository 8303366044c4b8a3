"""The reference engine: the engine protocol on top of the rules, command by command."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import numpy as np

from matching.api import Exposure, Indicative, TopOfBook
from matching.records import COMMAND, CommandKind, EventKind, Phase, Records, RejectCode, Side
from matching.reference import cancelling, control
from matching.reference.amending import amend_order
from matching.reference.auction import NOTHING, auction_result
from matching.reference.entry import Command, new_order, rows
from matching.reference.market import CALLS, Account, Instrument, Market
from matching.reference.risk import current_requirement
from matching.reference.snapshot import market_of, order_rows, take_snapshot
from matching.reference.verify import check_market
from matching.spec import AccountSpec, EngineLimits, InstrumentSpec
from matching.state import LEVEL_VIEW, POSITION_VIEW, hash_state

Rule = Callable[[Market, Command], RejectCode]


def publish_indicative(market: Market, command: Command) -> RejectCode:
    """Clause 3.29: emits INDICATIVE."""
    instrument = market.instruments.get(command.instrument)
    if instrument is None:
        return RejectCode.UNKNOWN_INSTRUMENT
    now = indicative_of(instrument)
    market.events.auction(EventKind.INDICATIVE, instrument.index, now.price, now.quantity, now.surplus)
    return RejectCode.NONE


def indicative_of(instrument: Instrument) -> Indicative:
    """Clause 3.29: what an uncross would do now; zeros outside a call."""
    return auction_result(instrument) if instrument.phase in CALLS else NOTHING


def unknown_command(market: Market, command: Command) -> RejectCode:
    """There is no such kind of command."""
    del market, command
    return RejectCode.UNKNOWN_COMMAND


RULES: Final[Mapping[int, Rule]] = {
    CommandKind.NEW: new_order,
    CommandKind.CANCEL: cancelling.cancel_order,
    CommandKind.AMEND: amend_order,
    CommandKind.MASS_CANCEL: cancelling.mass_cancel,
    CommandKind.INDICATIVE: publish_indicative,
}


def reject(market: Market, command: Command, code: RejectCode) -> None:
    """Emit REJECTED with the command's own words; nothing else has happened."""
    market.events.add(
        EventKind.REJECTED,
        order_id=command.order_id,
        client_id=command.client_id,
        quantity=command.quantity,
        account=command.account,
        instrument=command.instrument,
        side=command.side,
        code=code,
    )


class ReferenceEngine:
    """The slow, obvious engine; ``matching.api.MatchingEngine`` says what each method does.

    The event arrays that it returns are the caller's own.
    """

    def __init__(self, limits: EngineLimits | None = None) -> None:
        self.limits = limits or EngineLimits()
        self._market = Market(self.limits)

    def apply(self, commands: Records) -> Records:
        """Apply commands (dtype ``COMMAND``, shape (n,)) in order and return their events."""
        if commands.dtype != COMMAND or commands.ndim != 1:
            raise TypeError("commands must be a one-dimensional array of dtype COMMAND")
        market = self._market
        for command in rows(commands):
            market.events.seq = command.seq
            if code := RULES.get(command.kind, unknown_command)(market, command):
                reject(market, command, code)
        return market.events.drain()

    def _control(self, seq: int, code: RejectCode, *, account: int = -1, instrument: int = -1) -> Records:
        del seq
        if code:
            self._market.events.refused(code, account=account, instrument=instrument)
        return self._market.events.drain()

    def _begin(self, seq: int) -> Market:
        self._market.events.seq = seq
        return self._market

    def add_instrument(self, index: int, spec: InstrumentSpec, *, seq: int = 0) -> Records:
        """List an instrument (clauses 3.1, 3.2)."""
        return self._control(seq, control.add_instrument(self._begin(seq), index, spec), instrument=index)

    def remove_instrument(self, index: int, *, seq: int = 0) -> Records:
        """Remove an instrument (clause 3.4)."""
        return self._control(seq, control.remove_instrument(self._begin(seq), index), instrument=index)

    def rebase(
        self, index: int, price_low: int, price_high: int, reference_price: int, *, seq: int = 0
    ) -> Records:
        """Set new limits and reference price (clause 3.4)."""
        code = control.rebase(self._begin(seq), index, price_low, price_high, reference_price)
        return self._control(seq, code, instrument=index)

    def set_margins(
        self, index: int, margin_long_fen: int, margin_short_fen: int, *, seq: int = 0
    ) -> Records:
        """Set the margins per lot (clause 3.1)."""
        code = control.set_margins(self._begin(seq), index, margin_long_fen, margin_short_fen)
        return self._control(seq, code, instrument=index)

    def set_position_limit(self, index: int, lots: int, *, seq: int = 0) -> Records:
        """Set the lots that one account may hold (clause 3.37)."""
        code = control.set_position_limit(self._begin(seq), index, lots)
        return self._control(seq, code, instrument=index)

    def set_phase(self, instruments: int | Iterable[int], phase: Phase, *, seq: int = 0) -> Records:
        """Move instruments to a phase, in the order given (clause 3.3)."""
        market = self._begin(seq)
        indices = [instruments] if isinstance(instruments, int) else list(instruments)
        if phase not in list(Phase):
            return self._control(seq, RejectCode.INVALID_PHASE)
        for index in indices:
            if index not in market.instruments:
                return self._control(seq, RejectCode.UNKNOWN_INSTRUMENT, instrument=index)
        for index in indices:
            control.set_phase(market, market.instruments[index], Phase(phase))
        return market.events.drain()

    def set_account(self, account: int, spec: AccountSpec, *, seq: int = 0) -> Records:
        """Set up an account or set its terms anew."""
        return self._control(seq, control.set_account(self._begin(seq), account, spec), account=account)

    def adjust_equity(self, account: int, delta_fen: int, *, seq: int = 0) -> Records:
        """Add to an account's equity."""
        return self._control(
            seq, control.adjust_equity(self._begin(seq), account, delta_fen), account=account
        )

    def set_offset(self, account: int, offset_fen: int, *, seq: int = 0) -> Records:
        """Set an account's margin offset."""
        return self._control(seq, control.set_offset(self._begin(seq), account, offset_fen), account=account)

    def kill_account(self, account: int, *, seq: int = 0) -> Records:
        """Disable an account and cancel its orders (clause 3.28)."""
        return self._control(seq, cancelling.kill_account(self._begin(seq), account), account=account)

    def kill_market(self, *, cancel_orders: bool = False, seq: int = 0) -> Records:
        """Halt every instrument that is open (clause 3.28)."""
        market = self._begin(seq)
        cancelling.kill_market(market, cancel_orders=cancel_orders)
        return market.events.drain()

    def end_of_day(self, trading_day: int, *, seq: int = 0) -> Records:
        """Expire day and GTD orders (clause 3.5)."""
        market = self._begin(seq)
        control.end_of_day(market, trading_day)
        return market.events.drain()

    def set_position(self, account: int, instrument: int, lots: int, *, seq: int = 0) -> Records:
        """Set a position without a trade (clause 3.35)."""
        code = control.set_position(self._begin(seq), account, instrument, lots)
        return self._control(seq, code, account=account, instrument=instrument)

    def _listed(self, index: int) -> Instrument:
        listed: Instrument = self._market.instruments[index]
        return listed

    def l1(self, instrument: int) -> TopOfBook:
        """Return the top of the book."""
        listed = self._listed(instrument)
        bid, ask = (listed.book.priced[side].best for side in (Side.BUY, Side.SELL))
        return TopOfBook(
            bid_price=bid.price if bid else 0,
            bid_quantity=bid.displayed[0] if bid else 0,
            ask_price=ask.price if ask else 0,
            ask_quantity=ask.displayed[0] if ask else 0,
            last_price=listed.last_price,
            phase=listed.phase,
            limit_lock=limit_lock(listed),
        )

    def depth(self, instrument: int, side: Side, levels: int = 0) -> Records:
        """Return displayed levels (dtype ``LEVEL_VIEW``), best first."""
        every = [(level.price, *level.displayed) for level in self._listed(instrument).book.levels(side)]
        return np.array(every[:levels] if levels else every, dtype=LEVEL_VIEW)

    def orders(self, instrument: int) -> Records:
        """Return the open orders of an instrument in book order (clause 3.8)."""
        return order_rows(self._listed(instrument).book.in_book_order())

    def open_orders(self, account: int) -> Records:
        """Return the open orders of an account in acceptance order (clause 3.8)."""
        return order_rows(self._account(account).orders.values())

    def indicative(self, instrument: int) -> Indicative:
        """Return what an uncross would do now (clause 3.29)."""
        return indicative_of(self._listed(instrument))

    def instrument(self, instrument: int) -> InstrumentSpec:
        """Return an instrument's terms as they stand."""
        return self._listed(instrument).spec

    def instruments(self) -> list[int]:
        """Return the listed indices, ascending."""
        return list(self._market.instruments)

    def position(self, account: int, instrument: int) -> int:
        """Return an account's position in lots."""
        return self._market.position(account, self._listed(instrument).index)

    def positions(self, instrument: int) -> Records:
        """Return the positions other than 0 in an instrument (dtype ``POSITION_VIEW``)."""
        listed = self._listed(instrument).index
        positions = self._market.positions.items()
        held = [(account, lots) for (account, index), lots in positions if index == listed and lots]
        return np.array(held, dtype=POSITION_VIEW)

    def _account(self, account: int) -> Account:
        known: Account = self._market.accounts[account]
        return known

    def exposure(self, account: int) -> Exposure:
        """Return the gate's figures of an account (clause 3.36)."""
        known = self._account(account)
        return Exposure(
            equity_fen=known.equity_fen,
            offset_fen=known.offset_fen,
            requirement_fen=current_requirement(self._market, known),
            open_orders=len(known.orders),
        )

    def check(self) -> None:
        """Verify every invariant."""
        check_market(self._market)

    def snapshot(self) -> dict[str, Records]:
        """Return the whole state as arrays."""
        return take_snapshot(self._market)

    def restore(self, snapshot: Mapping[str, Records]) -> None:
        """Replace the whole state, or raise ``ValueError`` and keep the old one."""
        self._market = market_of(self.limits, snapshot)

    def state_hash(self) -> bytes:
        """Return the digest of the canonical state."""
        return hash_state(self.snapshot())


def limit_lock(instrument: Instrument) -> int:
    """Clause 3.39: 1 if buyers stand at the upper limit and nobody sells, -1 the other way round."""
    bid, ask = (instrument.book.best_price(side) for side in (Side.BUY, Side.SELL))
    if bid == instrument.spec.price_high and not ask:
        return 1
    return -1 if ask == instrument.spec.price_low and not bid else 0
