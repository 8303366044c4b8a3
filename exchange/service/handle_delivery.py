"""Handlers of meter readings and the end of a delivery day (chapter 7)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchange.api.attest import readings_bytes
from exchange.clearing.delivery import invoice
from exchange.clearing.ledger import LedgerKind
from exchange.domain.calendar import NS_PER_HOUR, date_of, day_start_ns, epoch_day
from exchange.domain.hours import HOURS_PER_DAY, hour_number
from exchange.domain.messages import FinishDelivery, MeterReadings, Reading
from exchange.domain.rejects import RejectCode
from exchange.service.calls import call_debtors
from exchange.service.claims import repay_claims
from exchange.service.handle_buyin import note_buy_ins
from exchange.service.handle_primary import agent_fault
from exchange.service.handle_vouchers import end_programmes, pay_by_vouchers
from exchange.service.insuring import settle_delivery, settled, tell_kernel
from exchange.service.state import Outcome, Stamp, State, refused


def meter_readings(state: State, message: MeterReadings, stamp: Stamp) -> Outcome:
    """Take in a provider's readings, all or none."""
    fault = _agent_fault(state, message)
    if fault is not None:
        return refused(fault)
    seen: set[tuple[int, int]] = set()
    for i, reading in enumerate(message.readings):
        fault = _reading_fault(state, message, reading, stamp, seen)
        if fault is not None:
            return refused(fault, f"readings[{i}]")
    metered = state.reservations.rows["metered"]
    for row, hour in seen:
        metered[row, hour] = 0
    for reading in message.readings:
        row = reading.reservation_id - 1
        hour = (reading.hour_start_ns - _day_start_ns(state, row)) // NS_PER_HOUR
        metered[row, hour] = reading.cards
    if message.site_id:
        state.primary.sites[message.site_id - 1].sequence = message.sequence
    return Outcome(data={"accepted": len(message.readings)})


def _agent_fault(state: State, message: MeterReadings) -> RejectCode | None:
    """Return why a signed batch isn't the next message of its site's agent."""
    if not message.site_id:
        return None
    site = state.primary.site(message.site_id, message.account)
    if site is None:
        return RejectCode.UNKNOWN_SITE
    rows = ((r.reservation_id, r.hour_start_ns, r.cards) for r in message.readings)
    signed = readings_bytes(message.site_id, message.sequence, rows)
    return agent_fault(site, message.sequence, message.signature, signed)


def _source_fault(state: State, message: MeterReadings, row: Any) -> RejectCode | None:
    """Return why a batch may not meter a reservation: what a certificate delivers is its site's to meter."""
    certificate_id = int(row["certificate"])
    if not certificate_id:
        return None if int(row["provider"]) == message.account else RejectCode.NOT_YOUR_RESERVATION
    site_id = state.primary.certificates[certificate_id - 1].site_id
    if state.primary.site(site_id, message.account) is None:
        return RejectCode.NOT_YOUR_RESERVATION
    return None if message.site_id == site_id else RejectCode.SIGNATURE_REQUIRED


def _day_start_ns(state: State, row: int) -> int:
    return day_start_ns(date_of(int(state.reservations.rows[row]["day"])))


def _reading_fault(
    state: State, message: MeterReadings, reading: Reading, stamp: Stamp, seen: set[tuple[int, int]]
) -> RejectCode | None:
    """Return why a reading can't be taken; else enter its row and hour into `seen`."""
    at = reading.reservation_id - 1
    if not 0 <= at < len(state.reservations):
        return RejectCode.UNKNOWN_RESERVATION
    row = state.reservations.rows[at]
    fault = _source_fault(state, message, row)
    if fault is not None:
        return fault
    contract = state.contracts[int(row["contract"])]
    hour, rest = divmod(reading.hour_start_ns - _day_start_ns(state, at), NS_PER_HOUR)
    if rest or hour_number(int(row["day"]), hour) not in contract.delivery:
        return RejectCode.READING_OUTSIDE_PERIOD
    grace_ns = (1 + state.delivering.rules.grace_hours) * NS_PER_HOUR
    if row["finished"] or stamp.time_ns > reading.hour_start_ns + grace_ns:
        return RejectCode.READING_TOO_LATE
    if reading.hour_start_ns + NS_PER_HOUR > stamp.time_ns:
        return RejectCode.READING_TOO_EARLY
    if not 0 <= reading.cards <= int(row["lots"]) * contract.cards_per_lot:
        return RejectCode.READING_OUT_OF_RANGE
    if row["metered"][hour] >= 0 or (at, hour) in seen:
        return RejectCode.READING_DUPLICATE
    seen.add((at, hour))
    return None


def finish_delivery(state: State, message: FinishDelivery, stamp: Stamp) -> Outcome:
    """Close a delivery day: invoice what was metered, release what was held for the rest."""
    due = state.day.delivered_day and state.day.delivered_day + timedelta(days=1)
    if due is None or message.day != due:
        return refused(RejectCode.DAY_NOT_NEXT, f"{due} is next" if due else "no day was opened yet")
    if stamp.time_ns < day_start_ns(message.day) + HOURS_PER_DAY * NS_PER_HOUR:
        return refused(RejectCode.DELIVERY_NOT_OVER, message.day.isoformat())
    if _still_trades(state, message.day):
        return refused(RejectCode.WRONG_PHASE, "the day's contracts are not settled yet")
    rows = state.reservations.rows
    due_rows = np.flatnonzero(rows["day"] == epoch_day(message.day))
    before = settled(state)
    _invoice(state, due_rows, stamp)
    pay_by_vouchers(state, due_rows, stamp)
    end_programmes(state, message.day, stamp)
    settle_delivery(state, due_rows, stamp)
    repay_claims(state, stamp)
    note_buy_ins(state, due_rows, stamp)
    events = tell_kernel(state, before, stamp)
    call_debtors(state)
    state.day.delivered_day = message.day
    return Outcome(data={"reservations": len(due_rows)}, events=events)


def _still_trades(state: State, delivery_day: date) -> bool:
    return any(state.contracts[i].period.first <= delivery_day for i in state.active_contracts())


def _invoice(state: State, chosen: NDArray[np.intp], stamp: Stamp) -> None:
    """Invoice the reservations of one delivery day, contract by contract (clause 7.5)."""
    rows = state.reservations.rows[chosen]
    delivered = np.maximum(rows["metered"], 0).sum(axis=1, dtype=np.int64)
    for index in np.unique(rows["contract"]):
        block = np.flatnonzero(rows["contract"] == index)
        contract = state.contracts[int(index)]
        price = int(rows["price"][block[0]])
        amounts = invoice(price, contract.cards_per_lot, delivered[block].tolist())
        rows["invoiced"][block] = amounts
        held = rows["lots"][block] * price * contract.hours
        np.subtract.at(state.delivery_hold, rows["buyer"][block], held)
    rows["finished"] = 1
    state.reservations.rows[chosen] = rows
    invoiced = rows["invoiced"]
    np.subtract.at(state.cash, rows["buyer"], invoiced)
    np.add.at(state.cash, rows["provider"], invoiced)
    kind = LedgerKind.DELIVERY_PAYMENT
    state.ledger.enter_all(stamp.seq, stamp.day, kind, rows["buyer"], rows["contract"], -invoiced)
    state.ledger.enter_all(stamp.seq, stamp.day, kind, rows["provider"], rows["contract"], invoiced)
