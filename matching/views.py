"""Reading the tables: L2 and L3 rows, an account's orders, and putting orders back from a snapshot."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from matching.constants import IN_BOOK, IN_STOPS
from matching.control import collect_orders
from matching.emit import order_id_of
from matching.exposure import add_holding, find_holding, take_exposure
from matching.jit import Row, kernel, wide
from matching.ladder import (
    book_rung,
    join,
    join_parked,
    level_of,
    price_of,
    stop_rung,
    stop_side,
    worse,
)
from matching.layout import account_at, holding_at, instrument_at, ladder_at, link_at, order_at, scratch_at
from matching.orders import list_order, only_for_auctions, reserve_slices


@kernel
def write_levels(cores: NDArray[Any], ladder: int, out: NDArray[Any]) -> int:
    """Write the displayed levels of a ladder, best first, until `out` (LEVEL_VIEW) is full; returns their
    number.
    """
    core = cores[0]
    instrument = instrument_at(core, ladder >> 2)
    rung = wide(ladder_at(core, ladder)["best"])
    count = 0
    while rung != 0 and count < len(out):
        level, row = level_of(core, ladder, rung), out[count]
        row["price"], row["orders"] = price_of(instrument, rung), level["orders"]
        row["quantity"] = min(level["visible"], wide(0x7FFFFFFF))
        count += 1
        rung = worse(core, ladder, rung)
    return count


@kernel
def _write_order(core: Row, slot: int, row: Row) -> None:
    """Fill one ORDER_STATE row."""
    order, link = order_at(core, slot), link_at(core, slot)
    row["order_id"], row["client_id"] = order_id_of(slot, order), order["client_id"]
    row["arrival"], row["price"], row["trigger"] = link["arrival"], order["price"], order["trigger"]
    row["offset"], row["remaining"], row["visible"] = link["offset"], order["remaining"], order["visible"]
    row["executed"], row["display"], row["account"] = order["executed"], order["display"], order["account"]
    row["instrument"], row["expiry_day"] = order["instrument"], link["expiry_day"]
    row["group"], row["side"], row["type"] = order["group"], order["side"], order["type"]
    row["tif"], row["flags"], row["stp"] = order["tif"], order["flags"], order["stp"]
    row["place"], row["pad"] = order["place"], 0


@kernel
def collect_instrument(cores: NDArray[Any], number: int) -> int:
    """Gather an instrument's open orders in book order; returns their number. ``write_orders`` follows."""
    return collect_orders(cores[0], number)


@kernel
def collect_account(cores: NDArray[Any], account: int) -> int:
    """Gather an account's open orders in acceptance order; returns their number. ``write_orders`` follows."""
    core = cores[0]
    count = 0
    slot = wide(account_at(core, account)["head"])
    while slot != 0:
        scratch_at(core, count)["value"] = slot
        count += 1
        slot = wide(link_at(core, slot)["next"])
    return count


@kernel
def write_orders(cores: NDArray[Any], out: NDArray[Any]) -> None:
    """Write the gathered orders to `out` (ORDER_STATE), as many as it holds."""
    core = cores[0]
    for place in range(len(out)):
        _write_order(core, wide(scratch_at(core, place)["value"]), out[place])


@kernel
def write_all_orders(cores: NDArray[Any], numbers: NDArray[Any], out: NDArray[Any]) -> None:
    """Write the open orders of these instruments to `out` (ORDER_STATE), each in book order."""
    core = cores[0]
    done = 0
    for place in range(len(numbers)):
        count = collect_orders(core, wide(numbers[place]))
        for gathered in range(count):
            _write_order(core, wide(scratch_at(core, gathered)["value"]), out[done + gathered])
        done += count


@kernel
def write_positions(cores: NDArray[Any], number: int, out: NDArray[Any]) -> int:
    """Write the positions other than 0 in an instrument to `out` (POSITION_VIEW) as far as it holds; returns
    how many.
    """
    core = cores[0]
    count = 0
    row = wide(instrument_at(core, number)["first_holding"])
    while row != 0:
        holding = holding_at(core, row)
        if holding["position"] != 0:
            if count < len(out):
                out[count]["account"], out[count]["position"] = holding["account"], holding["position"]
            count += 1
        row = wide(holding["next"])
    return count


@kernel
def find_row(cores: NDArray[Any], account: int, number: int) -> int:
    """Return the row of a holding, or 0."""
    return find_holding(cores[0], account, number)


@kernel
def restore_holdings(cores: NDArray[Any], rows: NDArray[Any]) -> None:
    """Begin the holdings of a snapshot (HOLDING_STATE), positions only: open lots come with the orders."""
    core = cores[0]
    for place in range(len(rows)):
        row = rows[place]
        number = add_holding(core, row["account"], row["instrument"])
        holding_at(core, number)["position"] = row["position"]


@kernel
def restore_orders(cores: NDArray[Any], rows: NDArray[Any]) -> None:
    """Stand the orders of a snapshot (ORDER_STATE, in its order) in their queues."""
    core = cores[0]
    for place in range(len(rows)):
        _restore_order(core, rows[place])


@kernel
def _restore_order(core: Row, row: Row) -> None:
    slot = wide(row["order_id"]) & 0xFFFFFFFF
    order, link = order_at(core, slot), link_at(core, slot)
    order["client_id"], order["price"], order["trigger"] = row["client_id"], row["price"], row["trigger"]
    link["arrival"], link["offset"], link["expiry_day"] = row["arrival"], row["offset"], row["expiry_day"]
    order["remaining"], order["visible"] = row["remaining"], row["visible"]
    order["executed"], order["display"] = row["executed"], row["display"]
    order["account"], order["instrument"] = row["account"], row["instrument"]
    order["group"], order["side"], order["type"] = row["group"], row["side"], row["type"]
    order["tif"], order["flags"], order["stp"] = row["tif"], row["flags"], row["stp"]
    order["place"] = row["place"]
    order["holding"] = find_holding(core, row["account"], row["instrument"])
    core["live_orders"] += 1
    core["refreshes"] += reserve_slices(order)
    take_exposure(core, order)
    _restore_place(core, slot, order)


@kernel
def _restore_place(core: Row, slot: int, order: Row) -> None:
    number = wide(order["instrument"])
    instrument = instrument_at(core, number)
    if order["place"] == IN_BOOK:
        if only_for_auctions(order):
            instrument["auction_only"] += 1
        join(core, number * 4 + wide(order["side"]), book_rung(instrument, order), slot, order)
    elif order["place"] == IN_STOPS:
        if link_at(core, slot)["offset"] != 0:
            instrument["trailing"] += 1
        join(core, number * 4 + stop_side(order), stop_rung(instrument, order), slot, order)
    else:
        join_parked(core, slot, order)


@kernel
def restore_lists(cores: NDArray[Any], slots: NDArray[Any]) -> None:
    """Rebuild the accounts' lists from slots in acceptance order."""
    core = cores[0]
    for place in range(len(slots)):
        slot = wide(slots[place])
        list_order(core, slot, order_at(core, slot))
