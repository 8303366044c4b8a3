"""Ladders: which prices are occupied (a two-level bitmap), and the queue of orders at each."""

from __future__ import annotations

import numpy as np

from matching.bits import bit, leading_zeros, trailing_zeros, up_to
from matching.jit import Row, inlined, kernel, wide
from matching.layout import (
    instrument_at,
    ladder_at,
    level_at,
    order_at,
    summary_at,
    word_at,
)

NOTHING = np.uint64(0)


@inlined
def rung_of(instrument: Row, price: int) -> int:
    """Return the rung of a price in ticks."""
    return price - instrument["price_low"] + 2


@inlined
def price_of(instrument: Row, rung: int) -> int:
    """Return the price of a rung in ticks; 0 for the two rungs of market orders."""
    price = rung - 2 + instrument["price_low"]
    if price < instrument["price_low"] or price > instrument["price_high"]:
        return wide(0)
    return price


@inlined
def market_rung(instrument: Row, side: int) -> int:
    """Return the rung where market orders of a side wait in a call: ahead of every price."""
    if side == 1:
        return wide(1)
    return instrument["price_high"] - instrument["price_low"] + 3


@inlined
def book_rung(instrument: Row, order: Row) -> int:
    """Return the rung of an order in the book."""
    if order["price"] == 0:
        return market_rung(instrument, wide(order["side"]))
    return rung_of(instrument, wide(order["price"]))


@inlined
def stop_rung(instrument: Row, order: Row) -> int:
    """Return the rung of a standing stop."""
    return rung_of(instrument, wide(order["trigger"]))


@inlined
def stop_side(order: Row) -> int:
    """Return which of an instrument's four ladders a stop stands on: 2 for sell stops, 3 for buy stops."""
    return 3 - wide(order["side"])


@inlined
def level_of(core: Row, ladder: int, rung: int) -> Row:
    """Return the level row of a rung."""
    return level_at(core, ladder * core["rungs"] + rung)


@inlined
def _occupy(core: Row, ladder: int, rung: int) -> None:
    word_at(core, ladder * core["words_per_ladder"] + (rung >> 6))["bits"] |= bit(rung)
    summary_at(core, ladder * core["summaries_per_ladder"] + (rung >> 12))["bits"] |= bit(rung >> 6)


@inlined
def _vacate(core: Row, ladder: int, rung: int) -> None:
    word = word_at(core, ladder * core["words_per_ladder"] + (rung >> 6))
    word["bits"] &= ~bit(rung)
    if word["bits"] == NOTHING:
        summary_at(core, ladder * core["summaries_per_ladder"] + (rung >> 12))["bits"] &= ~bit(rung >> 6)


@kernel
def next_above(core: Row, ladder: int, rung: int) -> int:
    """Return the lowest occupied rung above `rung`, or 0."""
    words = ladder * core["words_per_ladder"]
    here = word_at(core, words + (rung >> 6))["bits"] & ~up_to(rung)
    if here != NOTHING:
        return (rung & ~63) + trailing_zeros(here)
    group = rung >> 6
    summaries = ladder * core["summaries_per_ladder"]
    mask = ~up_to(group)
    for number in range(group >> 6, core["summaries_per_ladder"]):
        found = summary_at(core, summaries + number)["bits"] & mask
        if found != NOTHING:
            chosen = (number << 6) + trailing_zeros(found)
            return (chosen << 6) + trailing_zeros(word_at(core, words + chosen)["bits"])
        mask = ~NOTHING
    return 0


@kernel
def next_below(core: Row, ladder: int, rung: int) -> int:
    """Return the highest occupied rung below `rung`, or 0."""
    words = ladder * core["words_per_ladder"]
    here = word_at(core, words + (rung >> 6))["bits"] & (up_to(rung) >> np.uint64(1))
    if here != NOTHING:
        return (rung & ~63) + 63 - leading_zeros(here)
    group = rung >> 6
    summaries = ladder * core["summaries_per_ladder"]
    mask = up_to(group) >> np.uint64(1)
    for number in range(group >> 6, -1, -1):
        found = summary_at(core, summaries + number)["bits"] & mask
        if found != NOTHING:
            chosen = (number << 6) + 63 - leading_zeros(found)
            return (chosen << 6) + 63 - leading_zeros(word_at(core, words + chosen)["bits"])
        mask = ~NOTHING
    return 0


@inlined
def worse(core: Row, ladder: int, rung: int) -> int:
    """Return the occupied rung after `rung` in the ladder's order, or 0: downwards for buys and sell
    stops."""
    if ladder & 1:
        return next_above(core, ladder, rung)
    return next_below(core, ladder, rung)


@inlined
def join(core: Row, ladder: int, rung: int, slot: int, order: Row) -> Row:
    """Put an order at the tail of a rung's queue; returns the level."""
    level = level_of(core, ladder, rung)
    tail = wide(level["tail"])
    order["prev"], order["next"] = tail, 0
    if tail:
        order_at(core, tail)["next"] = slot
    else:
        level["head"] = slot
        _open_rung(core, ladder, rung)
    level["tail"] = slot
    level["orders"] += 1
    level["visible"] += order["visible"]
    level["hidden"] += order["remaining"] - order["visible"]
    ladder_at(core, ladder)["orders"] += 1
    return level


@inlined
def _open_rung(core: Row, ladder: int, rung: int) -> None:
    _occupy(core, ladder, rung)
    row = ladder_at(core, ladder)
    best = wide(row["best"])
    better = rung < best if ladder & 1 else rung > best
    if best == 0 or better:
        row["best"] = rung


@inlined
def close_rung(core: Row, ladder: int, rung: int) -> None:
    """Mark a rung without orders as free and find the next best."""
    _vacate(core, ladder, rung)
    row = ladder_at(core, ladder)
    if row["best"] == rung:
        row["best"] = worse(core, ladder, rung)


@inlined
def unlink(core: Row, ladder: int, level: Row, order: Row) -> None:
    """Take an order out of its queue and out of the level's sums; the rung is left as it is."""
    ahead, behind = wide(order["prev"]), wide(order["next"])
    if ahead:
        order_at(core, ahead)["next"] = behind
    else:
        level["head"] = behind
    if behind:
        order_at(core, behind)["prev"] = ahead
    else:
        level["tail"] = ahead
    level["orders"] -= 1
    level["visible"] -= order["visible"]
    level["hidden"] -= order["remaining"] - order["visible"]
    ladder_at(core, ladder)["orders"] -= 1


@inlined
def leave(core: Row, ladder: int, rung: int, order: Row) -> Row:
    """Take an order off a ladder; returns the level."""
    level = level_of(core, ladder, rung)
    unlink(core, ladder, level, order)
    if level["head"] == 0:
        close_rung(core, ladder, rung)
    return level


@kernel
def join_parked(core: Row, slot: int, order: Row) -> None:
    """Put an order at the tail of its instrument's parked queue."""
    instrument = instrument_at(core, order["instrument"])
    tail = instrument["parked_tail"]
    order["prev"], order["next"] = tail, 0
    if tail:
        order_at(core, tail)["next"] = slot
    else:
        instrument["parked_head"] = slot
    instrument["parked_tail"] = slot


@kernel
def leave_parked(core: Row, order: Row) -> None:
    """Take an order out of the parked queue."""
    instrument = instrument_at(core, order["instrument"])
    ahead, behind = wide(order["prev"]), wide(order["next"])
    if ahead:
        order_at(core, ahead)["next"] = behind
    else:
        instrument["parked_head"] = behind
    if behind:
        order_at(core, behind)["prev"] = ahead
    else:
        instrument["parked_tail"] = ahead
