"""The core's state as a snapshot holds it: typed parts as msgpack, tables as bytes. And back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np

from exchange.clearing.fees import FeeRates
from exchange.clearing.positions import POSITION_ROW
from exchange.clearing.tables import CLAIM_ROW, CONTRACT_ROW, LEDGER_ROW, RESERVATION_ROW, SETTLEMENT_ROW
from exchange.domain.contracts import Contract
from exchange.domain.listing import SetListingRules
from exchange.domain.messages import SetMarginRules, SetRules
from exchange.domain.positions import SetPositionRules
from exchange.domain.profiles import LoadProfiles
from exchange.domain.regimes import Regime
from exchange.domain.sessions import Sessions
from exchange.journal.snapshots import SnapshotHeader
from exchange.service.brokerstate import Brokerage
from exchange.service.candles import LIVE_CANDLE
from exchange.service.clientorders import ClientOrder
from exchange.service.core import CORE_VERSION, Core, state_digest
from exchange.service.deliverystate import Delivering
from exchange.service.primarystate import Primary
from exchange.service.state import Bid, Day, Key, MarginCall, Member, Proposal, State
from exchange.service.tape import TAPE_ROW, Tape
from exchange.service.voucherstate import Vouchers
from matching.api import MatchingEngine
from matching.records import Records
from matching.state import SNAPSHOT_DTYPES, hash_state

LAYOUT: Final = 13
"""Goes up when a snapshot's arrays or typed parts change, so that an old one is never misread."""

_KERNEL: Final = "kernel."
_TABLES: Final[dict[str, np.dtype[Any]]] = {
    "cash": np.dtype("<i8"),
    "delivery_hold": np.dtype("<i8"),
    "fund": np.dtype("<i8"),
    "claims": CLAIM_ROW,
    "netting": np.dtype("<i8"),
    "add_on": np.dtype("<i8"),
    "contracts": CONTRACT_ROW,
    "reservations": RESERVATION_ROW,
    "settlements": SETTLEMENT_ROW,
    "positions": POSITION_ROW,
    "ledger": LEDGER_ROW,
    "slots": np.dtype("<i4"),
    "free_slots": np.dtype("<i4"),
    "tape": TAPE_ROW,
    "candles": LIVE_CANDLE,
    **{_KERNEL + name: dtype for name, dtype in SNAPSHOT_DTYPES.items()},
}


class _Typed(msgspec.Struct, kw_only=True):
    """What isn't a table; see `State`."""

    rules: SetRules
    fee_rates: list[FeeRates]
    margin_rules: SetMarginRules
    sessions: Sessions
    regimes: list[Regime]
    calls: list[MarginCall]
    bids: list[Bid]
    hub_indices: dict[str, int]
    grade_indices: dict[str, int]
    group_indices: dict[str, int]
    members: list[Member]
    keys: list[Key]
    passwords: dict[str, str]
    proposals: list[Proposal]
    nonces: bytes
    client_orders: list[tuple[int, int, ClientOrder, bool]]
    primary: Primary
    delivering: Delivering
    vouchers: Vouchers
    brokerage: Brokerage
    position_rules: SetPositionRules
    load_profiles: LoadProfiles
    listing: SetListingRules
    contracts: list[Contract]
    sold_card_hours: list[tuple[int, str, str, int]]
    deposits_fen: int
    withdrawals_fen: int
    day: Day
    trades: int


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy of the state and of the tape beside it, which nothing changes any more."""

    seq: int
    time_ns: int
    chain: bytes
    typed: bytes
    arrays: dict[str, bytes | memoryview]
    kernel: dict[str, Records]
    hashed_parts: list[bytes]

    def sealed(self) -> tuple[SnapshotHeader, dict[str, bytes | memoryview]]:
        """Return the snapshot; hashing takes as long as copying did, and any thread may do it."""
        header = SnapshotHeader(
            layout=LAYOUT,
            core_version=CORE_VERSION,
            seq=self.seq,
            time_ns=self.time_ns,
            chain=self.chain,
            state_hash=state_digest(hash_state(self.kernel), self.hashed_parts),
            typed=self.typed,
            sizes={name: len(array) for name, array in self.arrays.items()},
        )
        return header, self.arrays


def seal(core: Core, tape: Tape, chain: bytes) -> tuple[SnapshotHeader, dict[str, bytes | memoryview]]:
    """Return a snapshot of the state and of the tape; `chain` is the journal's after `core.seq`."""
    return copied(core, tape, chain).sealed()


def copied(core: Core, tape: Tape, chain: bytes) -> Copied:
    """Return a copy of the state; `chain` is the journal's after `core.seq`."""
    state = core.state
    typed = _Typed(
        rules=state.rules,
        fee_rates=state.fee_rates,
        margin_rules=state.margin_rules,
        sessions=state.sessions,
        regimes=list(state.regimes.values()),
        calls=list(state.calls.values()),
        bids=list(state.bids.values()),
        hub_indices=state.hub_indices,
        grade_indices=state.grade_indices,
        group_indices=state.group_indices,
        members=list(state.members.values()),
        keys=list(state.keys.values()),
        passwords=state.passwords,
        proposals=state.proposals,
        nonces=state.nonces.state_bytes(),
        client_orders=list(state.client_orders.plain()),
        primary=state.primary,
        delivering=state.delivering,
        vouchers=state.vouchers,
        brokerage=state.brokerage,
        position_rules=state.position_rules,
        load_profiles=state.load_profiles,
        listing=state.listing,
        contracts=state.contracts,
        sold_card_hours=[(*key, hours) for key, hours in state.sold_card_hours.items()],
        deposits_fen=state.deposits_fen,
        withdrawals_fen=state.withdrawals_fen,
        day=state.day,
        trades=tape.trades,
    )
    slots, free = state.engine.slots()
    rows = {
        "cash": state.cash,
        "delivery_hold": state.delivery_hold,
        "fund": state.fund,
        "claims": state.claims.rows,
        "netting": state.netting,
        "add_on": state.add_on,
        "contracts": state.contract_table.rows,
        "reservations": state.reservations.rows,
        "settlements": state.settlements.rows,
        "positions": state.positions.rows,
        "ledger": state.ledger.rows,
        "slots": slots,
        "free_slots": free,
        "tape": tape.rows(),
        "candles": tape.candles.rows(),
    }
    kernel = state.engine.snapshot()
    arrays: dict[str, bytes | memoryview] = {
        **{name: array.tobytes() for name, array in rows.items()},
        **{_KERNEL + name: _bytes_of(array) for name, array in kernel.items()},
    }
    return Copied(
        seq=core.seq,
        time_ns=core.time_ns,
        chain=chain,
        typed=msgspec.msgpack.encode(typed),
        arrays={name: arrays[name] for name in _TABLES},
        kernel=kernel,
        hashed_parts=list(core.hashed_parts()),
    )


def _bytes_of(rows: Records) -> bytes | memoryview:
    return rows.data.cast("B") if len(rows) else b""


def unseal(header: SnapshotHeader, arrays: dict[str, memoryview], engine: MatchingEngine, tape: Tape) -> Core:
    """Return a core in the sealed state, over a fresh engine; fills a fresh tape.

    Raises ValueError if the layout is another one, or the state isn't the one that the header names.
    """
    if header.layout != LAYOUT or set(arrays) != set(_TABLES):
        raise ValueError(f"it has layout {header.layout}, this program reads {LAYOUT}")
    rows = {name: np.frombuffer(arrays[name], dtype) for name, dtype in _TABLES.items()}
    typed = msgspec.msgpack.decode(header.typed, type=_Typed)
    core = Core(engine)
    core.seq, core.time_ns = header.seq, header.time_ns
    core.changes.mark_all(header.seq)
    kernel = {name: rows[_KERNEL + name] for name in SNAPSHOT_DTYPES}
    core.state.engine.restore(kernel, rows["slots"], rows["free_slots"])
    _fill_typed(core.state, typed)
    _fill_tables(core.state, rows)
    tape.restore(rows["tape"], typed.trades)
    tape.candles.restore(rows["candles"])
    if core.state_hash() != header.state_hash:
        raise ValueError("its state has another hash than its header says")
    return core


def _fill_typed(state: State, typed: _Typed) -> None:
    state.rules = typed.rules
    state.fee_rates = typed.fee_rates
    state.products = {(product.grade, product.hub): product for product in typed.rules.products}
    state.margin_rules = typed.margin_rules
    state.sessions = typed.sessions
    state.regimes = {(regime.grade, regime.hub): regime for regime in typed.regimes}
    state.calls = {call.account: call for call in typed.calls}
    state.bids = {(bid.bidder, bid.restricted, bid.contract): bid for bid in typed.bids}
    state.hub_indices = typed.hub_indices
    state.grade_indices = typed.grade_indices
    state.group_indices = typed.group_indices
    state.members = {member.name: member for member in typed.members}
    state.members_by_account = {member.account: member for member in typed.members}
    state.keys = {key.key_id: key for key in typed.keys}
    state.passwords = typed.passwords
    state.proposals = typed.proposals
    state.nonces.note(typed.nonces)
    state.client_orders.restore(typed.client_orders)
    state.primary = typed.primary
    state.delivering = typed.delivering
    state.vouchers = typed.vouchers
    state.brokerage = typed.brokerage
    state.position_rules = typed.position_rules
    state.load_profiles = typed.load_profiles
    state.listing = typed.listing
    state.contracts = typed.contracts
    state.contracts_by_symbol = {contract.symbol: contract for contract in typed.contracts}
    state.sold_card_hours = {tuple(key): hours for *key, hours in typed.sold_card_hours}  # type: ignore[misc]
    state.deposits_fen, state.withdrawals_fen = typed.deposits_fen, typed.withdrawals_fen
    state.day = typed.day


def _fill_tables(state: State, rows: dict[str, Any]) -> None:
    state.cash[:] = rows["cash"]
    state.delivery_hold[:] = rows["delivery_hold"]
    state.fund[:] = rows["fund"]
    state.claims.append(rows["claims"])
    state.netting[:] = rows["netting"]
    state.add_on[:] = rows["add_on"]
    state.contract_table.append(rows["contracts"])
    state.reservations.append(rows["reservations"])
    state.settlements.append(rows["settlements"])
    state.positions.restore(rows["positions"])
    state.ledger.restore(rows["ledger"])
