"""Holdings, requirements and equity: what the gate of clause 3.36 is computed from, kept exact at every
change.
"""

from __future__ import annotations

from matching.constants import MARKET_TO_LIMIT, NO_REJECT, R_HOLDINGS
from matching.jit import Row, inlined, kernel, wide
from matching.layout import (
    account_at,
    free_holding_at,
    holding_at,
    index_at,
    instrument_at,
)


@inlined
def holding_home(core: Row, account: int, instrument: int) -> int:
    """Return where the search for a holding begins in the open-addressing index."""
    mixed = (wide(account) & 0xFFFFFF) * 0x5BD1E995 + wide(instrument) * 0x27D4EB2F
    return (mixed ^ (mixed >> 17)) & core["index_mask"]


@inlined
def find_holding(core: Row, account: int, instrument: int) -> int:
    """Return the row of a holding, or 0."""
    place = holding_home(core, account, instrument)
    while True:
        row = wide(index_at(core, place)["value"])
        if row == 0:
            return 0
        holding = holding_at(core, row)
        if holding["account"] == account and holding["instrument"] == instrument:
            return row
        place = (place + 1) & core["index_mask"]


@inlined
def holding_room(core: Row) -> int:
    """Return NO_REJECT if another holding fits."""
    if core["free_holding_count"] == 0 and core["used_holdings"] >= core["max_holdings"]:
        return R_HOLDINGS
    return NO_REJECT


@kernel
def add_holding(core: Row, account: int, number: int) -> int:
    """Begin a holding (there must be room) and return its row."""
    if core["free_holding_count"] > 0:
        core["free_holding_count"] -= 1
        row = wide(free_holding_at(core, core["free_holding_count"])["value"])
    else:
        core["used_holdings"] += 1
        row = core["used_holdings"]
    instrument = instrument_at(core, number)
    holding = holding_at(core, row)
    holding["account"], holding["instrument"] = account, number
    holding["position"], holding["open_buy"], holding["open_sell"] = 0, 0, 0
    holding["next"] = instrument["first_holding"]
    instrument["first_holding"] = row
    place = holding_home(core, account, number)
    while index_at(core, place)["value"] != 0:
        place = (place + 1) & core["index_mask"]
    index_at(core, place)["value"] = row
    return row


@kernel
def drop_holding(core: Row, row: int) -> None:
    """Forget a holding; the index closes the gap so that every search still ends rightly."""
    mask = core["index_mask"]
    holding = holding_at(core, row)
    gap = holding_home(core, holding["account"], holding["instrument"])
    while index_at(core, gap)["value"] != row:
        gap = (gap + 1) & mask
    place = (gap + 1) & mask
    while index_at(core, place)["value"] != 0:
        other = holding_at(core, index_at(core, place)["value"])
        home = holding_home(core, other["account"], other["instrument"])
        if ((place - home) & mask) >= ((place - gap) & mask):
            index_at(core, gap)["value"] = index_at(core, place)["value"]
            gap = place
        place = (place + 1) & mask
    index_at(core, gap)["value"] = 0
    free_holding_at(core, core["free_holding_count"])["value"] = row
    core["free_holding_count"] += 1


@inlined
def margin_of(instrument: Row, position: int, open_buy: int, open_sell: int) -> int:
    """Return the worst-case initial margin of one holding in fen (clause 3.36, first sum)."""
    long_lots = max(0, position + open_buy)
    short_lots = max(0, open_sell - position)
    return max(long_lots * instrument["margin_long_fen"], short_lots * instrument["margin_short_fen"])


@inlined
def holding_margin(instrument: Row, holding: Row) -> int:
    """Return the worst-case initial margin of a holding as it is, fen."""
    return margin_of(
        instrument, wide(holding["position"]), wide(holding["open_buy"]), wide(holding["open_sell"])
    )


@inlined
def exposure_price(instrument: Row, side: int, order_type: int, price: int) -> int:
    """Return the price at which an order is counted, ticks (clause 3.35)."""
    if price != 0 and order_type != MARKET_TO_LIMIT:
        return wide(price)
    return wide(instrument["price_high"] if side == 0 else instrument["price_low"])


@inlined
def loss_per_lot(instrument: Row, side: int, price: int) -> int:
    """Return the loss to the reference price of one lot at a price, fen (clause 3.36, second sum)."""
    against = wide(price) - instrument["reference_price"]
    if side == 1:
        against = -against
    return max(wide(0), against) * instrument["multiplier"]


@inlined
def loss_of(instrument: Row, order: Row) -> int:
    """Return the loss to the reference price of an order's open lots, fen."""
    side = wide(order["side"])
    price = exposure_price(instrument, side, order["type"], order["price"])
    return loss_per_lot(instrument, side, price) * order["remaining"]


@inlined
def move(
    account: Row, instrument: Row, holding: Row, side: int, position_by: int, open_by: int, loss_by: int
) -> None:
    """Change a position and the open lots of one side, and the account's requirement with them."""
    before = holding_margin(instrument, holding)
    holding["position"] += position_by
    if side == 0:
        holding["open_buy"] += open_by
    else:
        holding["open_sell"] += open_by
    after = holding_margin(instrument, holding)
    account["requirement_fen"] += after - before + loss_by


@inlined
def take_exposure(core: Row, order: Row) -> None:
    """Count an order's open lots: it stands from now on."""
    instrument = instrument_at(core, order["instrument"])
    account, holding = account_at(core, order["account"]), holding_at(core, order["holding"])
    side, lots = wide(order["side"]), wide(order["remaining"])
    move(account, instrument, holding, side, 0, lots, loss_of(instrument, order))


@inlined
def release_exposure(core: Row, order: Row, lots: int) -> None:
    """Count `lots` of an order's open lots no longer."""
    instrument = instrument_at(core, order["instrument"])
    account, holding = account_at(core, order["account"]), holding_at(core, order["holding"])
    side = wide(order["side"])
    price = exposure_price(instrument, side, order["type"], order["price"])
    loss = loss_per_lot(instrument, side, price) * lots
    move(account, instrument, holding, side, 0, -lots, -loss)


@inlined
def fill_resting(core: Row, instrument: Row, order: Row, price: int, lots: int) -> None:
    """Book a trade of a standing order: open lots become position, marked to the reference price."""
    account, holding = account_at(core, order["account"]), holding_at(core, order["holding"])
    side = wide(order["side"])
    counted = exposure_price(instrument, side, order["type"], order["price"])
    loss = loss_per_lot(instrument, side, counted) * lots
    gain = (wide(instrument["reference_price"]) - price) * instrument["multiplier"] * lots
    if order["side"] == 0:
        move(account, instrument, holding, 0, lots, -lots, -loss)
        account["equity_fen"] += gain
    else:
        move(account, instrument, holding, 1, -lots, -lots, -loss)
        account["equity_fen"] -= gain
