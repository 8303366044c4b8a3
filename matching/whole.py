"""The whole state of an engine: verified, taken as the arrays of a snapshot, and put back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching import verify, views
from matching.api import InvariantViolation
from matching.layout import Store
from matching.records import Records
from matching.spec import EngineLimits
from matching.state import (
    ACCOUNT_STATE,
    ENGINE_STATE,
    HOLDING_STATE,
    INSTRUMENT_STATE,
    ORDER_STATE,
    SNAPSHOT_DTYPES,
    hash_state,
)


def check(store: Store, limits: EngineLimits) -> None:
    """Verify every invariant; raises ``InvariantViolation`` naming the first that is broken."""
    for number in listed(store):
        fault = verify.instrument_fault_number(store.core, number)
        if fault:
            raise InvariantViolation(f"instrument {number}: {verify.FAULTS[fault]}")
    fault = verify.engine_fault_number(
        store.core,
        np.zeros(2 * (limits.max_holdings + 1), np.int64),
        np.zeros(limits.max_accounts, np.int64),
        np.zeros(2 * limits.max_instruments, np.int64),
        _holding_rows(store),
    )
    if fault:
        raise InvariantViolation(verify.FAULTS[fault])


def listed(store: Store) -> list[int]:
    """Return the numbers of the listed instruments, ascending."""
    return [int(number) for number in np.flatnonzero(store.tables["instruments"]["listed"])]


def taken(store: Store) -> dict[str, Records]:
    """Return the whole state as the arrays of ``SNAPSHOT_DTYPES``; the arrays are the caller's."""
    counters, tables, numbers = store.core[0], store.tables, listed(store)
    engine = np.zeros(1, ENGINE_STATE)
    for name in ENGINE_STATE.names or ():
        engine[name] = counters[name]
    used = int(counters["used_slots"])
    orders = np.zeros(int(counters["live_orders"]), ORDER_STATE)
    views.write_all_orders(store.core, np.array(numbers, np.int64), orders)
    known = np.flatnonzero(tables["accounts"]["known"])
    return {
        "engine": engine,
        "instruments": _project(tables["instruments"], numbers, INSTRUMENT_STATE, "instrument"),
        "accounts": _project(tables["accounts"], known, ACCOUNT_STATE, "account"),
        "holdings": _holdings(store),
        "orders": orders,
        "generations": tables["orders"]["generation"][1 : used + 1].copy(),
        "free_slots": tables["free_slots"]["value"][: int(counters["free_slot_count"])].copy(),
    }


def restored(snapshot: Mapping[str, Records], limits: EngineLimits) -> Store:
    """Return fresh tables in the state of a snapshot.

    Raises ``ValueError`` if it doesn't fit the limits or isn't consistent.
    """
    rows = {name: np.asarray(snapshot[name], dtype) for name, dtype in SNAPSHOT_DTYPES.items()}
    _check_fit(rows, limits)
    store = Store(limits)
    _fill(store, rows)
    try:
        check(store, limits)
    except InvariantViolation as violation:
        raise ValueError(f"the snapshot isn't consistent: {violation}") from violation
    if hash_state(taken(store)) != hash_state(snapshot):
        raise ValueError("the snapshot isn't consistent: its sums differ from its orders")
    return store


def _fill(store: Store, snapshot: Mapping[str, Records]) -> None:
    """Fill empty tables."""
    tables, core = store.tables, store.core
    for name, key in (("instruments", "instrument"), ("accounts", "account")):
        for column in SNAPSHOT_DTYPES[name].names or ():
            if column not in (key, "pad"):
                tables[name][column][snapshot[name][key]] = snapshot[name][column]
    tables["instruments"]["listed"][snapshot["instruments"]["instrument"]] = 1
    tables["accounts"]["known"][snapshot["accounts"]["account"]] = 1
    tables["accounts"]["requirement_fen"] = 0
    tables["accounts"]["open_orders"] = 0
    _fill_slots(store, snapshot)
    views.restore_holdings(core, snapshot["holdings"].copy())
    _count_margins(store)
    orders = snapshot["orders"].copy()
    views.restore_orders(core, orders)
    slots = orders["order_id"][np.argsort(orders["arrival"], kind="stable")] & 0xFFFFFFFF
    views.restore_lists(core, np.ascontiguousarray(slots))


def _fill_slots(store: Store, snapshot: Mapping[str, Records]) -> None:
    tables, counters = store.tables, store.core[0]
    for name in ("trading_day", "arrivals", "used_slots"):
        counters[name] = snapshot["engine"][name][0]
    counters["free_slot_count"] = len(snapshot["free_slots"])
    tables["orders"]["generation"][1 : len(snapshot["generations"]) + 1] = snapshot["generations"]
    tables["free_slots"]["value"][: len(snapshot["free_slots"])] = snapshot["free_slots"]


def _count_margins(store: Store) -> None:
    """Count the margins of the positions just restored."""
    instruments, required = store.tables["instruments"], store.tables["accounts"]["requirement_fen"]
    for row in store.tables["holdings"][_holding_rows(store)]:
        terms, lots = instruments[row["instrument"]], int(row["position"])
        rate = terms["margin_long_fen"] if lots > 0 else terms["margin_short_fen"]
        required[row["account"]] += abs(lots) * int(rate)


def _holding_rows(store: Store) -> NDArray[Any]:
    index = store.tables["index"]["value"]
    return index[index > 0]


def _holdings(store: Store) -> Records:
    rows = store.tables["holdings"][_holding_rows(store)]
    rows = rows[np.lexsort((rows["instrument"], rows["account"]))]
    out = np.zeros(len(rows), HOLDING_STATE)
    for name in HOLDING_STATE.names or ():
        out[name] = rows[name]
    return out


def _check_fit(snapshot: Mapping[str, Records], limits: EngineLimits) -> None:
    orders = snapshot["orders"]
    used = int(snapshot["engine"]["used_slots"][0]) if len(snapshot["engine"]) == 1 else -1
    slots = orders["order_id"] & 0xFFFFFFFF
    instruments, accounts, holdings = (snapshot[n] for n in ("instruments", "accounts", "holdings"))
    span = instruments["price_high"].astype(np.int64) - instruments["price_low"] + 1
    fits = (
        0 <= used <= limits.max_orders
        and len(snapshot["generations"]) == used
        and len(orders) + len(snapshot["free_slots"]) == used
        and len(np.union1d(slots, snapshot["free_slots"])) == used
        and np.all((slots >= 1) & (slots <= used))
        and np.all((snapshot["free_slots"] >= 1) & (snapshot["free_slots"] <= used))
        and np.all((instruments["instrument"] >= 0) & (instruments["instrument"] < limits.max_instruments))
        and np.all((span >= 1) & (span <= limits.max_levels))
        and np.all((accounts["account"] >= 0) & (accounts["account"] < limits.max_accounts))
        and len(holdings) <= limits.max_holdings
        and np.all(np.isin(holdings["account"], accounts["account"]))
        and np.all(np.isin(holdings["instrument"], instruments["instrument"]))
        and _orders_fit(orders, instruments, holdings)
    )
    if not fits:
        raise ValueError("the snapshot doesn't fit this engine's limits or isn't consistent")


def _orders_fit(orders: Records, instruments: Records, holdings: Records) -> bool:
    """Tell whether every order has its holding, its instrument, and a price on the ladder."""

    def pairs(rows: Records) -> NDArray[Any]:
        return rows["account"].astype(np.int64) << 32 | rows["instrument"]

    if not np.all(np.isin(pairs(orders), pairs(holdings))):
        return False
    if not len(orders):
        return True
    terms = instruments[np.searchsorted(instruments["instrument"], orders["instrument"])]

    def on_ladder(prices: NDArray[Any]) -> NDArray[Any]:
        return np.asarray((prices == 0) | ((prices >= terms["price_low"]) & (prices <= terms["price_high"])))

    enums = (orders["side"] <= 1) & (orders["type"] <= 5) & (orders["place"] >= 1) & (orders["place"] <= 3)
    standing = (orders["place"] != 2) | (orders["trigger"] != 0)
    return bool(np.all(on_ladder(orders["price"]) & on_ladder(orders["trigger"]) & enums & standing))


def _project(table: Records, numbers: Any, dtype: np.dtype[np.void], key: str) -> Records:
    """Return the rows `numbers` of a table in a canonical dtype whose `key` column is the row number."""
    out = np.zeros(len(numbers), dtype)
    for name in dtype.names or ():
        if name not in (key, "pad"):
            out[name] = table[name][numbers]
    out[key] = numbers
    return out
