"""Every invariant of the tables, checked the slow way. Each failure has a number and a sentence."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from matching.bits import bit
from matching.constants import CONTINUOUS, IN_BOOK, IN_PARKED, IN_STOPS
from matching.exposure import holding_margin, loss_of
from matching.jit import Row, kernel, wide
from matching.ladder import book_rung, level_of, market_rung, stop_rung, stop_side
from matching.layout import (
    BUY,
    SELL,
    STOP_BUY,
    STOP_SELL,
    account_at,
    holding_at,
    instrument_at,
    ladder_at,
    link_at,
    order_at,
    summary_at,
    word_at,
)
from matching.orders import reserve_slices

FAULTS: Final = {
    1: "a rung's bit doesn't say whether orders stand there",
    2: "a queue's links are broken",
    3: "an order stands on the wrong ladder or rung",
    4: "an order's lots are out of range",
    5: "a level's sums differ from its orders",
    6: "a ladder's best rung or order count is wrong",
    7: "the book is crossed in CONTINUOUS",
    8: "a stop stands although the last price has reached it",
    9: "an account's list of orders is broken",
    10: "an account's number of open orders is wrong",
    11: "the number of open orders or of free slots is wrong",
    12: "a holding's open lots differ from its orders",
    13: "an account's requirement differs from its holdings and orders",
    14: "the count of iceberg refreshes is wrong",
    15: "a summary bit doesn't say whether its word is empty",
    16: "an instrument's count of auction-only or trailing orders is wrong",
    17: "a parked order is broken",
    18: "a market order stands outside a call",
}


@kernel
def _order_fault(instrument: Row, order: Row, ladder: int, rung: int) -> int:
    if (ladder & 3) <= SELL:
        right = order["place"] == IN_BOOK and order["side"] == (ladder & 3)
        right = right and book_rung(instrument, order) == rung
    else:
        right = order["place"] == IN_STOPS and stop_side(order) == (ladder & 3)
        right = right and stop_rung(instrument, order) == rung
    if not right or order["instrument"] != ladder >> 2:
        return 3
    shown = order["remaining"]
    if order["display"] > 0:
        shown = min(order["display"], order["remaining"])
    if order["remaining"] < 1 or order["visible"] < 1 or order["visible"] > shown:
        return 4
    if order["display"] == 0 and order["visible"] != order["remaining"]:
        return 4
    return 0


@kernel
def _level_fault(core: Row, instrument: Row, ladder: int, rung: int) -> int:
    """Check one level's queue and sums."""
    level = level_of(core, ladder, rung)
    visible, hidden, orders = wide(0), wide(0), 0
    ahead, slot = wide(0), wide(level["head"])
    while slot != 0:
        order = order_at(core, slot)
        if order["prev"] != ahead or orders > core["max_orders"]:
            return 2
        fault = _order_fault(instrument, order, ladder, rung)
        if fault != 0:
            return fault
        visible += order["visible"]
        hidden += order["remaining"] - order["visible"]
        orders += 1
        ahead, slot = slot, wide(order["next"])
    if level["tail"] != ahead:
        return 2
    if visible != level["visible"] or hidden != level["hidden"] or orders != level["orders"]:
        return 5
    return 0


@kernel
def _bits_fault(core: Row, ladder: int, rung: int, occupied: bool) -> int:
    word = word_at(core, ladder * core["words_per_ladder"] + (rung >> 6))["bits"]
    if (word & bit(rung) != np.uint64(0)) != occupied:
        return 1
    summary = summary_at(core, ladder * core["summaries_per_ladder"] + (rung >> 12))["bits"]
    if (summary & bit(rung >> 6) != np.uint64(0)) != (word != np.uint64(0)):
        return 15
    return 0


@kernel
def _ladder_fault(core: Row, ladder: int) -> int:
    """Check one ladder rung by rung."""
    instrument = instrument_at(core, ladder >> 2)
    top = market_rung(instrument, BUY)
    first, last, orders = 0, 0, 0
    for rung in range(core["rungs"]):
        level = level_of(core, ladder, rung)
        occupied = bool(level["head"] != 0)
        if occupied and (rung < 1 or rung > top):
            return 3
        fault = _bits_fault(core, ladder, rung, occupied)
        if fault == 0:
            fault = _level_fault(core, instrument, ladder, rung)
        if fault != 0:
            return fault
        if occupied:
            first, last = (rung if first == 0 else first), rung
            orders += level["orders"]
    row = ladder_at(core, ladder)
    best = first if ladder & 1 else last
    return 6 if row["best"] != best or row["orders"] != orders else 0


@kernel
def _book_fault(core: Row, number: int) -> int:
    """Check what may not be in CONTINUOUS."""
    instrument = instrument_at(core, number)
    if instrument["phase"] != CONTINUOUS:
        return 0
    bid, ask = ladder_at(core, number * 4 + BUY)["best"], ladder_at(core, number * 4 + SELL)["best"]
    if bid != 0 and ask != 0 and bid >= ask:
        return 7
    if bid == market_rung(instrument, BUY) or ask == 1:
        return 18
    if instrument["last_price"] == 0:
        return 0
    reached = instrument["last_price"] - instrument["price_low"] + 2
    buys, sells = (
        ladder_at(core, number * 4 + STOP_BUY)["best"],
        ladder_at(core, number * 4 + STOP_SELL)["best"],
    )
    return 8 if (buys != 0 and buys <= reached) or sells >= reached else 0


@kernel
def _parked_fault(core: Row, number: int) -> int:
    instrument = instrument_at(core, number)
    ahead, slot = wide(0), wide(instrument["parked_head"])
    while slot != 0:
        order = order_at(core, slot)
        if order["place"] != IN_PARKED or order["instrument"] != number or order["prev"] != ahead:
            return 17
        ahead, slot = slot, wide(order["next"])
    return 17 if instrument["parked_tail"] != ahead else 0


@kernel
def instrument_fault_number(cores: NDArray[Any], number: int) -> int:
    """Return the number of an instrument's first broken invariant, or 0."""
    core = cores[0]
    for side in range(4):
        fault = _ladder_fault(core, number * 4 + side)
        if fault != 0:
            return fault
    fault = _book_fault(core, number)
    return fault if fault != 0 else _parked_fault(core, number)


@kernel
def _list_fault(core: Row, account: int) -> int:
    row = account_at(core, account)
    ahead, slot, count, arrival = wide(0), wide(row["head"]), 0, wide(0)
    while slot != 0:
        link = link_at(core, slot)
        if link["prev"] != ahead or link["arrival"] <= arrival or count > core["max_orders"]:
            return 9
        if order_at(core, slot)["account"] != account or order_at(core, slot)["place"] == 0:
            return 9
        count, arrival = count + 1, link["arrival"]
        ahead, slot = slot, wide(link["next"])
    if row["tail"] != ahead:
        return 9
    return 10 if row["open_orders"] != count else 0


@kernel
def engine_fault_number(
    cores: NDArray[Any],
    open_lots: NDArray[Any],
    requirements: NDArray[Any],
    counts: NDArray[Any],
    rows: NDArray[Any],
) -> int:
    """Return the number of the first broken invariant over all accounts, or 0.

    The zeroed work arrays (int64) are indexed by holding row × 2 + side, by account, by instrument × 2;
    `rows` lists the holdings in use.
    """
    core = cores[0]
    live, refreshes = 0, 0
    for slot in range(1, core["used_slots"] + 1):
        order = order_at(core, slot)
        if order["place"] == 0:
            continue
        live += 1
        refreshes += reserve_slices(order)
        open_lots[2 * wide(order["holding"]) + order["side"]] += order["remaining"]
        requirements[order["account"]] += loss_of(instrument_at(core, order["instrument"]), order)
        if order["place"] == IN_BOOK and (order["tif"] == 5 or order["tif"] == 6):
            counts[2 * wide(order["instrument"])] += 1
        if order["place"] == IN_STOPS and link_at(core, slot)["offset"] != 0:
            counts[2 * wide(order["instrument"]) + 1] += 1
    if live != core["live_orders"] or core["used_slots"] - live != core["free_slot_count"]:
        return 11
    if refreshes != core["refreshes"]:
        return 14
    for number in range(core["max_instruments"]):
        row = instrument_at(core, number)
        if row["auction_only"] != counts[2 * number] or row["trailing"] != counts[2 * number + 1]:
            return 16
    return _account_faults(core, open_lots, requirements, rows)


@kernel
def _account_faults(
    core: Row, open_lots: NDArray[Any], requirements: NDArray[Any], rows: NDArray[Any]
) -> int:
    for place in range(len(rows)):
        number = wide(rows[place])
        holding = holding_at(core, number)
        if holding["open_buy"] != open_lots[2 * number] or holding["open_sell"] != open_lots[2 * number + 1]:
            return 12
        instrument = instrument_at(core, holding["instrument"])
        requirements[holding["account"]] += holding_margin(instrument, holding)
    for account in range(core["max_accounts"]):
        fault = _list_fault(core, account)
        if fault != 0:
            return fault
        if requirements[account] != account_at(core, account)["requirement_fen"]:
            return 13
    return 0
