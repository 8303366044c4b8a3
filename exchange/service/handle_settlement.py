"""The handler of a day's settlement (chapter 6): prices, variation margin, cascade, expiry, the next
day's limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchange.clearing.ledger import LedgerKind
from exchange.clearing.settlement import (
    PriceRule,
    cascade_value,
    lock_days,
    mark_to_market,
    modelled_price,
    traded_price,
)
from exchange.clearing.tables import SETTLEMENT_ROW
from exchange.domain.calendar import epoch_day
from exchange.domain.contracts import Contract, PeriodKind, last_trading_day
from exchange.domain.messages import SettleDay
from exchange.domain.phases import MarketPhase
from exchange.domain.rejects import RejectCode
from exchange.service.backing import back_shorts, collateral_now
from exchange.service.calls import issue_calls
from exchange.service.expiry import Held, expire, holders
from exchange.service.handle_brokers import lapse_give_ups
from exchange.service.handle_market import add_contract
from exchange.service.handle_positions import renew_limits
from exchange.service.margins import first_margined_day, lot_risk, set_offsets
from exchange.service.revenue import pay_commissions, share_fees
from exchange.service.state import HOUSE, Outcome, Stamp, State, refused
from matching.records import Records

CASCADES = ((PeriodKind.QUARTER,), (PeriodKind.WEEK, PeriodKind.MONTH))
"""What cascades, in this order: a quarter's first month ends with the quarter."""
DELIVERED = (PeriodKind.DAY, PeriodKind.HOUR)
"""What expires into reservations."""


_OF_THE_DAY = ("last_price", "day_lots", "day_value", "window_lots", "window_value", "close_price", "locked")


def settle_day(state: State, message: SettleDay, stamp: Stamp) -> Outcome:
    """Settle the closed day, in the order of clause 6.3."""
    if state.day.phase is not MarketPhase.CLOSED:
        return refused(RejectCode.WRONG_PHASE, state.day.phase.label)
    if message.day != state.day.trading_day:
        return refused(RejectCode.DAY_NOT_NEXT, f"{state.day.trading_day} is open")
    traded = state.active_contracts()
    if state.engine.free_slots < _room_needed(state, message):
        return refused(RejectCode.CONTRACT_LIMIT, "no room for what expiring contracts cascade into")
    events: list[Records] = []
    rules = _fix_prices(state, traded)
    lapse_give_ups(state)
    _pay_charges(state, epoch_day(message.day), stamp)
    parents: list[Contract] = []
    for kinds in CASCADES:
        ending = _expiring(state, message, kinds)
        if ending:
            _mark(state, np.array([parent.index for parent in ending]), stamp)
        held = holders(state, ending)
        for parent in ending:
            events += _cascade(state, parent, held.get(parent.index, []), stamp)
        parents += ending
    delivered = _expiring(state, message, DELIVERED)
    _mark(state, state.active_contracts(), stamp)
    _record(state, traded, rules, message)
    back_shorts(state)
    expire(state, delivered)
    events += _retire(state, [*parents, *delivered], stamp)
    back_shorts(state)
    state.primary.collateral = sorted(collateral_now(state, stamp).items())
    events += renew_limits(state, stamp)
    events += _prepare_next_day(state, stamp)
    events += issue_calls(state, stamp)
    _forget_client_orders(state)
    state.day.phase = MarketPhase.SETTLED
    return Outcome(data={"contracts": len(traded), "expired": len(parents) + len(delivered)}, events=events)


def _room_needed(state: State, message: SettleDay) -> int:
    """Return how many contracts the cascades of this settlement list: the unlisted parts of what expires and
    is held, and of those that expire with it, as a quarter's first month does.
    """
    ending = _expiring(state, message, tuple(kind for kinds in CASCADES for kind in kinds))
    waiting = [state.contracts[index].terms for index in holders(state, ending)]
    unlisted = set[str]()
    while waiting:
        for part in waiting.pop().parts():
            if str(part) not in state.contracts_by_symbol:
                unlisted.add(str(part))
            if part.period.kind.cascades and last_trading_day(part.period, state.closed_days) <= message.day:
                waiting.append(part)
    return len(unlisted)


def _forget_client_orders(state: State) -> None:
    """Free the client order ids of orders that ended (clause 9.9)."""
    resting = [state.engine.open_orders(account) for account in state.client_orders.accounts()]
    state.client_orders.forget(int(order_id) for rows in resting for order_id in rows["order_id"])


def _expiring(state: State, message: SettleDay, kinds: tuple[PeriodKind, ...]) -> list[Contract]:
    """Return the contracts of some kinds that expire, by first delivery day, cascaded ones included."""
    active = [state.contracts[i] for i in state.active_contracts()]
    ending = [c for c in active if c.kind in kinds and c.last_trading_day <= message.day]
    return sorted(ending, key=lambda contract: (contract.period.first, contract.index))


def _fix_prices(state: State, traded: NDArray[np.intp]) -> list[PriceRule]:
    """Set each contract's settlement price; return the rules that gave them."""
    found = {index: traded_price(state.contract_row(index)) for index in traded.tolist()}
    by_place: dict[tuple[str, object], list[tuple[int, int]]] = {}
    for index, own in found.items():
        if own is not None:
            pair = (int(state.contract_row(index)["reference"]), own[0])
            for place in _places(state.contracts[index]):
                by_place.setdefault(place, []).append(pair)
    least, rules = state.margin_rules.model_neighbours, dict[int, PriceRule]()
    for index in sorted(found, key=lambda at: state.contracts[at].terms.base is not None):  # the base first
        row, contract, own = state.contract_row(index), state.contracts[index], found[index]
        near = [pair for place in _places(contract) for pair in by_place.get(place, ())]
        moved = _base_moved(state, contract, rules)
        price, rule = own or modelled_price(row, [moved] if moved else near, 1 if moved and least else least)
        row["previous"], row["reference"], row["settled"] = row["reference"], price, 1
        row["lock_days"] = lock_days(int(row["lock_days"]), _locked(state, index, price))
        rules[index] = rule
    return [rules[index] for index in found]


def _base_moved(state: State, contract: Contract, rules: Mapping[int, PriceRule]) -> tuple[int, int] | None:
    """Return the previous and the new settlement price of the base contract of which one has a part of the
    hours, if it has a new one (clause 6.1).
    """
    base = contract.terms.base
    whole = None if base is None else state.contracts_by_symbol.get(str(base))
    if whole is None or rules.get(whole.index, PriceRule.PREVIOUS) is PriceRule.PREVIOUS:
        return None
    row = state.contract_row(whole.index)
    return int(row["previous"]), int(row["reference"])


def _locked(state: State, index: int, price: int) -> int:
    """Return how the day ended (`CONTRACT_ROW`'s `locked`), but 0 at an end of the regime's band: prices may
    go no further, so the next day's limits are no wider for it (clause 4.12).
    """
    contract = state.contracts[index]
    regime = state.regimes.get((contract.grade, contract.hub))
    at_band = regime is not None and regime.bounds(price)
    return 0 if at_band else int(state.contract_row(index)["locked"])


def _places(contract: Contract) -> tuple[tuple[str, object], tuple[str, object]]:
    """Return what neighbours share: the grade, the period and the profile at other hubs, the grade, the hub
    and the profile in other periods of the same kind (clause 6.1).
    """
    profile = contract.profile
    return (contract.grade, (contract.period, profile)), (
        contract.grade,
        (contract.hub, contract.kind, profile),
    )


def _pay_charges(state: State, day: int, stamp: Stamp) -> None:
    """Enter the day's fees, long taken from cash, into the ledger: each payer's and the house's, by
    contract; pay commissions, and share the fees (clauses 8.1, 8.13, 8.14).
    """
    rows = state.positions.rows
    fees = rows["day_fees"].copy()
    state.ledger.enter_all(stamp.seq, stamp.day, LedgerKind.FEE, rows["account"], rows["contract"], -fees)
    received = np.zeros(len(state.contracts), np.int64)
    np.add.at(received, rows["contract"], fees)
    house = np.full(len(received), HOUSE, np.int32)
    contracts = np.arange(len(received))
    state.ledger.enter_all(stamp.seq, stamp.day, LedgerKind.FEE, house, contracts, received)
    rows["day_fees"] = 0
    pay_commissions(state, day, stamp)
    share_fees(state, fees, stamp)


def _mark(state: State, contracts: NDArray[Any], stamp: Stamp) -> None:
    """Pay variation margin on every position in `contracts`, and take their positions as settled (clause
    6.2).
    """
    rows = state.positions.rows
    wanted = np.zeros(len(state.contracts), np.bool_)
    wanted[contracts] = True
    margins = np.zeros(len(rows), np.int64)
    mark_to_market(rows, state.contract_table.rows, wanted, state.cash, margins)
    kind = LedgerKind.VARIATION_MARGIN
    state.ledger.enter_all(stamp.seq, stamp.day, kind, rows["account"], rows["contract"], margins)


def _cascade(state: State, parent: Contract, holding: Held, stamp: Stamp) -> list[Records]:
    """Turn a marked contract into the parts of its period, at its settlement price and without a fee (clause
    6.4).
    """
    if not holding:
        return []
    price = int(state.contract_row(parent.index)["reference"])
    events = []
    children = []
    for symbol in parent.terms.parts():
        if str(symbol) not in state.contracts_by_symbol:
            product = state.products[parent.product]
            events.append(add_contract(state, symbol, product, price, stamp))
            # it has no day of trading, so clause 6.1 gives it its listing price
            state.contract_row(len(state.contracts) - 1)["settled"] = 1
        children.append(state.contracts_by_symbol[str(symbol)])
    for account, lots in holding:
        cascade_value(lots, price, parent.hours, [child.hours for child in children])
        for child in children:
            row = state.positions.row(account, child.index)
            row["lots"] += lots
            row["day_value"] += lots * price
            events.append(state.engine.set_position(account, child.index, int(row["lots"]), seq=stamp.seq))
    rows = state.positions.rows
    gone = rows["contract"] == parent.index
    rows["lots"][gone] = 0
    rows["settled_lots"][gone] = 0
    return events


def _record(state: State, traded: NDArray[np.intp], rules: list[PriceRule], message: SettleDay) -> None:
    """Keep the day's settlement prices, volumes and open interest."""
    terms = state.contract_table.rows[traded]
    rows = np.zeros(len(traded), SETTLEMENT_ROW)
    rows["day"], rows["contract"] = epoch_day(message.day), traded
    rows["price"], rows["lots"], rows["rule"] = terms["reference"], terms["day_lots"], rules
    rows["open_interest"] = open_interest(state)[traded]
    over = [state.contracts[i].last_trading_day <= message.day for i in traded]
    rows["open_interest"][over] = 0
    state.settlements.append(rows)


def open_interest(state: State) -> NDArray[np.int64]:
    """Return the long lots of each contract, shape (contracts,)."""
    lots = np.zeros(len(state.contracts), np.int64)
    positions = state.positions.rows
    np.add.at(lots, positions["contract"], np.maximum(positions["lots"], 0))
    return lots


def _retire(state: State, contracts: list[Contract], stamp: Stamp) -> list[Records]:
    """End contracts that cascaded or expired: forget their positions, keep what was first sold (clause
    7.2).
    """
    events: list[Records] = []
    if not contracts:
        return events
    for contract in contracts:
        state.contract_row(contract.index)["active"] = 0
        events.append(state.engine.remove_instrument(contract.index, seq=stamp.seq))
    rows = state.positions.rows
    ended = np.isin(rows["contract"], [contract.index for contract in contracts])
    for row in rows[ended & (rows["sold_lots"] > 0)]:
        contract = state.contracts[int(row["contract"])]
        key = (int(row["account"]), contract.grade, contract.hub)
        sold = int(row["sold_lots"]) * contract.hours * contract.cards_per_lot
        state.sold_card_hours[key] = state.sold_card_hours.get(key, 0) + sold
    state.positions.keep(~ended)
    return events


def _prepare_next_day(state: State, stamp: Stamp) -> list[Records]:
    """Give the kernel the new prices, limits, margins, offsets and equities (clauses 4.5, 5.1, 5.2, 5.11)."""
    engine, events = state.engine, []
    day = first_margined_day(state, stamp)
    for index in state.active_contracts().tolist():
        row = state.contract_row(index)
        reference = int(row["reference"])
        low, high = state.day_limits(state.contracts[index], reference, abs(int(row["lock_days"])))
        risk = lot_risk(state, state.contracts[index], reference, day, abs(int(row["lock_days"])))
        for column in _OF_THE_DAY:
            row[column] = 0
        if (low, high, reference) != (row["price_low"], row["price_high"], row["previous"]):
            events.append(engine.rebase(index, low, high, reference, seq=stamp.seq))
        if (risk.scan, risk.roll, risk.failure) != (row["scan"], row["roll"], row["failure"]):
            events.append(engine.set_margins(index, risk.margin_long, risk.margin_short, seq=stamp.seq))
        row["previous"], row["price_low"], row["price_high"] = reference, low, high
        row["scan"], row["roll"], row["failure"] = risk.scan, risk.roll, risk.failure
    set_offsets(state)
    events += [
        engine.set_account(account, state.account_spec(account), seq=stamp.seq)
        for account in state.members_by_account
    ]
    return events
