"""The deterministic core: `apply(frame) → events`. State is a fold over the journal.

It reads no clock, no random source, no file and no socket. Everything it may do depends on the frames alone,
so a replay gives the same `state_hash()` (docs/architecture.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec
import numpy as np
from blake3 import blake3

from exchange.clearing.default import Layer
from exchange.clearing.ledger import LedgerKind
from exchange.domain import messages as m
from exchange.domain.calendar import NS_PER_HOUR
from exchange.domain.defaults import EnforceCalls
from exchange.domain.delivering import BuyInShortfalls
from exchange.domain.hours import hour_number
from exchange.domain.phases import MarketPhase
from exchange.domain.proposals import Decide
from exchange.domain.sessions import SetSessions
from exchange.service import (
    calls,
    handle_brokers,
    handle_buyin,
    handle_calendar,
    handle_default,
    handle_delivery,
    handle_listing,
    handle_margin,
    handle_market,
    handle_members,
    handle_nominations,
    handle_positions,
    handle_primary,
    handle_proposals,
    handle_resale,
    handle_sales,
    handle_settlement,
    handle_vouchers,
)
from exchange.service.changes import Changes
from exchange.service.guard import apply_guarded
from exchange.service.kernel import Kernel
from exchange.service.results import Applied, RareResult
from exchange.service.state import HOUSE, Outcome, Stamp, State, joined
from matching.api import InvariantViolation, MatchingEngine
from matching.records import COMMAND, Records
from matching.spec import EngineLimits

CORE_VERSION: Final = 23
"""Goes up whenever the same journal would give another state; part of every journal frame."""

LIMITS: Final = EngineLimits(
    max_instruments=1 << 14,
    max_levels=1 << 10,
    max_accounts=1 << 12,
    max_holdings=1 << 19,
    max_refreshes=1 << 18,
)
"""Bounds of the kernel. Constants and not settings: what the core refuses may depend on the journal only."""

Handler = Callable[[State, Any, Stamp], Outcome]

HANDLERS: Final[dict[type, Handler]] = {
    m.SetRules: handle_market.set_rules,
    m.SetCalendar: handle_calendar.set_calendar,
    SetSessions: handle_calendar.set_sessions,
    m.SetMarginRules: handle_margin.set_margin_rules,
    m.AddMember: handle_members.add_member,
    m.AddClient: handle_members.add_client,
    m.SetMemberState: handle_members.set_member_state,
    m.AddKey: handle_members.add_key,
    m.RevokeKey: handle_members.revoke_key,
    m.SetPassword: handle_members.set_password,
    m.NoteRequests: handle_members.note_requests,
    m.Deposit: handle_members.deposit,
    m.Withdraw: handle_members.withdraw,
    **handle_proposals.HANDLERS,
    **handle_primary.HANDLERS,
    **handle_sales.HANDLERS,
    **handle_nominations.HANDLERS,
    **handle_vouchers.HANDLERS,
    **handle_resale.HANDLERS,
    **handle_brokers.HANDLERS,
    **handle_positions.HANDLERS,
    **handle_listing.HANDLERS,
    m.ListContracts: handle_market.list_contracts,
    m.OpenDay: handle_calendar.open_day,
    m.SetPhase: handle_market.set_phase,
    m.Halt: handle_market.halt,
    m.KillMarket: handle_market.kill_market,
    m.RunMargin: handle_margin.run_margin,
    EnforceCalls: calls.enforce_calls,
    **handle_default.HANDLERS,
    m.SettleDay: handle_settlement.settle_day,
    m.MeterReadings: handle_delivery.meter_readings,
    m.FinishDelivery: handle_delivery.finish_delivery,
    BuyInShortfalls: handle_buyin.buy_in_shortfalls,
}
"""One handler a rare message."""

_CHANGES_CONTRACTS = (
    m.SetRules,
    m.SetMemberState,
    Decide,
    m.ListContracts,
    m.OpenDay,
    m.SetPhase,
    m.Halt,
    m.KillMarket,
    m.SettleDay,
)
_PLAIN = msgspec.msgpack.Encoder(order="deterministic")


class Core:
    """The state machine. `seq` is the last applied command, `time_ns` its market time; both 0 at the
    start.
    """

    def __init__(self, engine: MatchingEngine) -> None:
        self.state = State(Kernel(engine))
        self.changes = Changes()
        self.seq = 0
        self.time_ns = 0

    def apply_hot(self, commands: Records) -> Applied:
        """Apply stamped commands (dtype COMMAND, seq rising by one, time never falling) to the kernel and
        fold trades.

        Raises InvariantViolation if the sequence has a gap.
        """
        seqs, times_ns = commands["seq"], commands["time_ns"]
        self._advance(int(seqs[0]), int(seqs[-1]), len(commands))
        begin_ns = int(times_ns[0])
        if begin_ns < self.time_ns:
            raise InvariantViolation("market time fell")
        self.time_ns = int(times_ns[-1])
        events = self._apply_by_hour(commands, begin_ns)
        self.changes.mark(events, self.seq)
        self.state.client_orders.collect(commands, events)
        return Applied(self.seq - len(commands) + 1, self.seq, self.time_ns, events)

    def _apply_by_hour(self, commands: Records, begin_ns: int) -> Records:
        """Apply commands, which may lie on both sides of the beginning of an hour of clause 6.1."""
        hour = self.state.hour(begin_ns)
        if begin_ns == self.time_ns or hour == self.state.hour(self.time_ns):
            return self._apply_block(commands, hour)
        next_ns = self.state.day.settlement_window_ns + (hour + 1) * NS_PER_HOUR
        split = int(np.searchsorted(commands["time_ns"], next_ns))
        rest = commands[split:]
        parts = (
            self._apply_block(commands[:split], hour),
            self._apply_by_hour(rest, int(rest["time_ns"][0])),
        )
        return joined(parts)

    def _apply_block(self, commands: Records, hour: int) -> Records:
        def apply(piece: Records) -> Records:
            events = self.state.engine.apply(piece)
            if self.state.engine.trades:
                self.state.fold(events, hour)
            return events

        if not np.count_nonzero(self.state.netting[: self.state.accounts]):  # several times as fast as any()
            return apply(commands)
        return apply_guarded(self.state, commands, apply)

    def apply_rare(self, seq: int, time_ns: int, message: m.RareMessage) -> Applied:
        """Apply one rare message: its handler does all of it or refuses it with a code."""
        self._advance(seq, seq, 1)
        if time_ns < self.time_ns:
            raise InvariantViolation("market time fell")
        self.time_ns = time_ns
        outcome = HANDLERS[type(message)](self.state, message, Stamp(seq, time_ns))
        events = joined(outcome.events)
        if isinstance(message, m.SetPhase | m.Halt):
            self.state.fold(events, self.state.hour(time_ns))
        self.changes.mark(events, seq)
        if isinstance(message, _CHANGES_CONTRACTS):
            self.changes.mark_all(seq)
        result = RareResult(seq, outcome.code, outcome.detail, outcome.data)
        return Applied(seq, seq, time_ns, events, message, result)

    def check(self) -> None:
        """Verify every invariant of money, positions and the kernel; raises InvariantViolation naming
        the first broken.
        """
        state = self.state
        state.engine.check()
        state.positions.check()
        self._check_money()
        self._check_ledger()
        self._check_positions()
        self._check_delivery_hold()
        self._check_offsets()
        state.primary.check()
        self._check_backing()
        self._check_delivery_fund()
        self._check_vouchers()

    def state_hash(self) -> bytes:
        """Return the 32-byte BLAKE3 digest of the whole state, the kernel's included."""
        return state_digest(self.state.engine.state_hash(), self.hashed_parts())

    def hashed_parts(self) -> Iterator[bytes]:
        """Yield copies of everything beside the kernel's state that the state hash covers."""
        yield f"{self.seq};{self.time_ns};".encode()
        for name, part in self.state.typed_parts():
            encoded = _PLAIN.encode(part)
            yield f"{name}:{len(encoded)};".encode() + encoded
        for name, rows in self.state.tables():
            yield f"{name}:{len(rows)};".encode()
            yield rows

    def _advance(self, first: int, last: int, count: int) -> None:
        if first != self.seq + 1 or last != self.seq + count:
            raise InvariantViolation(f"seq {first} … {last} can't follow {self.seq}")
        self.seq = last

    def _check_money(self) -> None:
        state = self.state
        total = int(state.cash.sum()) + int(state.fund.sum())
        paid_in = state.deposits_fen - state.withdrawals_fen
        if total != paid_in:
            raise InvariantViolation(f"Σ cash and fund {total} isn't deposits − withdrawals {paid_in}")
        if (state.fund < 0).any():
            raise InvariantViolation("a contribution to the default fund is negative")
        claims = state.claims.rows
        if ((claims["open"] < 0) | (claims["open"] > claims["amount"])).any():
            raise InvariantViolation("a claim on a defaulter is repaid more than once")
        owing = set(np.flatnonzero(state.cash < 0).tolist()) - state.calls.keys()
        if (state.claims.rows["layer"] == Layer.UNCOVERED).any():
            owing.discard(HOUSE)
        if any(certificate.account == HOUSE for certificate in state.primary.certificates):
            owing.discard(HOUSE)  # it took pledged certificates over
        if state.day.phase is MarketPhase.SETTLED and owing:
            raise InvariantViolation(f"accounts {owing} owe without a margin call or a claim")

    def _check_ledger(self) -> None:
        state = self.state
        fees = state.unsettled_fees()
        booked = state.ledger.cash_by_account(len(state.cash)) - fees
        booked[HOUSE] += fees.sum()
        if not np.array_equal(booked, state.cash):
            account = int(np.flatnonzero(booked != state.cash)[0])
            raise InvariantViolation(f"the ledger and the cash of account {account} differ")

    def _check_positions(self) -> None:
        """Compare clearing's positions with the kernel's."""
        rows = self.state.positions.rows
        held = rows[rows["lots"] != 0]
        held = held[np.lexsort((held["account"], held["contract"]))]
        kernel = self.state.engine.positions()
        pairs = (("account", "account"), ("contract", "instrument"), ("lots", "position"))
        if not all(np.array_equal(held[mine], kernel[theirs]) for mine, theirs in pairs):
            raise InvariantViolation("the kernel's positions and clearing's differ")
        marked = rows[rows["covered"] != 0]
        covered = {(int(row["account"]), int(row["contract"])): int(row["covered"]) for row in marked}
        if covered != self.state.primary.covered_lots():
            raise InvariantViolation("what certificates back isn't what margin takes as covered")

    def _check_backing(self) -> None:
        """Compare what certificates say they back, hour by hour, with the shorts that they stand behind."""
        state = self.state
        backed: Counter[tuple[int, int]] = Counter()
        for backing in state.primary.backings:
            contract = state.contracts[backing.contract]
            for hour in contract.delivery:
                backed[backing.certificate_id, hour] += backing.lots * contract.cards_per_lot
        said = {
            (certificate.certificate_id, hour_number(certificate.first_day + at, hour)): cards
            for certificate in state.primary.certificates
            for at, day in enumerate(certificate.backed.tolist())
            for hour, cards in enumerate(day)
            if cards
        }
        if said != backed:
            raise InvariantViolation("what certificates back isn't what backs shorts")

    def _check_offsets(self) -> None:
        """Compare the offsets with the kernel's."""
        for account in self.state.members_by_account:
            told = self.state.engine.exposure(account).offset_fen
            if told != self.state.offset(account):
                raise InvariantViolation(f"the kernel's offset of account {account} and clearing's differ")

    def _check_delivery_fund(self) -> None:
        """Compare the delivery insurance fund with the house's ledger."""
        state = self.state
        state.delivering.check()
        rows = state.ledger.rows
        of_fund = (LedgerKind.INSURANCE_PREMIUM, LedgerKind.INSURANCE_PAYMENT, LedgerKind.CLAIM_PAYMENT)
        mine = rows[(rows["account"] == HOUSE) & np.isin(rows["kind"], of_fund)]
        if int(mine["amount"].sum()) != state.delivering.fund_fen:
            raise InvariantViolation("the delivery insurance fund isn't what the ledger says")

    def _check_vouchers(self) -> None:
        """Compare what is set aside for vouchers with the house's ledger."""
        state = self.state
        state.vouchers.check()
        rows = state.ledger.rows
        of_vouchers = (LedgerKind.VOUCHER, LedgerKind.VOUCHER_BUDGET)
        mine = rows[(rows["account"] == HOUSE) & np.isin(rows["kind"], of_vouchers)]
        if int(mine["amount"].sum()) != state.vouchers.escrow_fen:
            raise InvariantViolation("what is set aside for vouchers isn't what the ledger says")

    def _check_delivery_hold(self) -> None:
        state = self.state
        rows = state.reservations.rows
        open_rows = rows[rows["finished"] == 0]
        hours = state.contract_table.rows["hours"][open_rows["contract"]]
        held = np.zeros(len(state.cash), np.int64)
        np.add.at(held, open_rows["buyer"], open_rows["lots"] * open_rows["price"] * hours)
        if not np.array_equal(held, state.delivery_hold):
            raise InvariantViolation("what is held for deliveries isn't what open reservations cost")
        self._check_reservations()

    def _check_reservations(self) -> None:
        """Verify that what is reserved lies in one day, and that nothing was metered outside its hours."""
        rows = self.state.reservations.rows
        for index in np.unique(rows["contract"]).tolist():
            contract, mine = self.state.contracts[index], rows[rows["contract"] == index]
            if contract.kind.cascades:
                raise InvariantViolation(f"a reservation of {contract.symbol}, which cascades")
            _, (served,) = contract.delivery.grid()
            if (mine["metered"][:, ~served] >= 0).any():
                raise InvariantViolation(f"{contract.symbol} was metered outside its hours")


def state_digest(kernel_hash: bytes, parts: Iterable[bytes]) -> bytes:
    """Return the state hash of a kernel's hash and `Core.hashed_parts`."""
    digest = blake3(kernel_hash)
    for part in parts:
        digest.update(part)
    return digest.digest()


def command_block(body: bytes | memoryview) -> Records:
    """Return a hot frame's body as commands (dtype COMMAND), read-only."""
    return np.frombuffer(body, COMMAND)
