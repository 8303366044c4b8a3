"""The canonical state as arrays, and back (matching/state.py says what they hold)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from matching.api import InvariantViolation
from matching.records import OrderType, Phase, Records, Side, StpMode, TimeInForce
from matching.reference.market import Account, Instrument, Market
from matching.reference.orders import Order
from matching.reference.risk import current_requirement, open_lots
from matching.reference.verify import check_market
from matching.spec import AccountSpec, EngineLimits, InstrumentSpec
from matching.state import (
    ACCOUNT_STATE,
    ENGINE_STATE,
    HOLDING_STATE,
    INSTRUMENT_STATE,
    ORDER_STATE,
    SNAPSHOT_DTYPES,
    Place,
)

INSTRUMENT_TERMS = (
    "price_low",
    "price_high",
    "reference_price",
    "hub",
    "multiplier",
    "max_order_size",
    "position_limit",
    "band_ticks",
    "margin_long_fen",
    "margin_short_fen",
)
ACCOUNT_TERMS = ("max_order_notional_fen", "max_open_orders", "max_orders_per_second")
ORDER_COLUMNS = tuple(name for name in ORDER_STATE.names or () if name != "pad")


def order_rows(orders: Iterable[Order]) -> Records:
    """Return orders as ``ORDER_STATE`` rows, in the order given."""
    return _rows(ORDER_STATE, [{name: getattr(order, name) for name in ORDER_COLUMNS} for order in orders])


def _rows(dtype: np.dtype[np.void], rows: list[dict[str, int]]) -> Records:
    table = np.zeros(len(rows), dtype)
    for index, row in enumerate(rows):
        for name, value in row.items():
            table[name][index] = value
    return table


def _instrument_row(instrument: Instrument) -> dict[str, int]:
    terms = {name: getattr(instrument.spec, name) for name in INSTRUMENT_TERMS}
    own = {"instrument": instrument.index, "last_price": instrument.last_price, "phase": instrument.phase}
    return terms | own


def _account_row(market: Market, account: Account) -> dict[str, int]:
    return {name: getattr(account.spec, name) for name in ACCOUNT_TERMS} | {
        "account": account.index,
        "enabled": account.enabled,
        "equity_fen": account.equity_fen,
        "offset_fen": account.offset_fen,
        "requirement_fen": current_requirement(market, account),
        "open_orders": len(account.orders),
        "rate_second": account.rate_second,
        "rate_count": account.rate_count,
    }


def _holding_row(market: Market, account: int, instrument: int) -> dict[str, int]:
    orders = market.accounts[account].orders.values()
    return {
        "account": account,
        "instrument": instrument,
        "position": market.position(account, instrument),
        "open_buy": open_lots(orders, instrument, Side.BUY),
        "open_sell": open_lots(orders, instrument, Side.SELL),
    }


def _engine_row(market: Market) -> dict[str, int]:
    return {
        "trading_day": market.trading_day,
        "arrivals": market.arrivals,
        "refreshes": market.refreshes(),
        "used_slots": len(market.slots.generations),
    }


def take_snapshot(market: Market) -> dict[str, Records]:
    """Return the whole state as the arrays of ``SNAPSHOT_DTYPES``."""
    instruments = market.instruments.values()
    return {
        "engine": _rows(ENGINE_STATE, [_engine_row(market)]),
        "instruments": _rows(INSTRUMENT_STATE, [_instrument_row(each) for each in instruments]),
        "accounts": _rows(ACCOUNT_STATE, [_account_row(market, each) for each in market.accounts.values()]),
        "holdings": _rows(HOLDING_STATE, [_holding_row(market, *key) for key in market.positions]),
        "orders": order_rows(order for each in instruments for order in each.book.in_book_order()),
        "generations": np.array(market.slots.generations, dtype="<u4"),
        "free_slots": np.array(market.slots.free, dtype="<i4"),
    }


def market_of(limits: EngineLimits, snapshot: Mapping[str, Records]) -> Market:
    """Return the state that a snapshot holds; ``ValueError`` if it doesn't fit or isn't consistent."""
    tables = {}
    for name, dtype in SNAPSHOT_DTYPES.items():
        if name not in snapshot or snapshot[name].dtype != dtype:
            raise ValueError(f"a snapshot needs the array {name!r} of dtype {dtype}")
        tables[name] = snapshot[name]
    market = Market(limits)
    try:
        _fill(market, tables)
        check_market(market)
    except (InvariantViolation, KeyError, ValueError, IndexError) as fault:
        raise ValueError(f"the snapshot isn't consistent: {fault}") from fault
    rebuilt = take_snapshot(market)
    for name, table in tables.items():
        if table.tobytes() != rebuilt[name].tobytes():
            raise ValueError(f"the snapshot isn't consistent: {name!r} doesn't follow from the rest")
    return market


def _fill(market: Market, tables: Mapping[str, Records]) -> None:
    (engine,) = tables["engine"]
    market.trading_day, market.arrivals = int(engine["trading_day"]), int(engine["arrivals"])
    market.slots.generations = tables["generations"].tolist()
    market.slots.free = tables["free_slots"].tolist()
    for row in tables["instruments"]:
        spec = InstrumentSpec(**{name: int(row[name]) for name in INSTRUMENT_TERMS})
        index = int(row["instrument"])
        instrument = Instrument(index, spec, Phase(int(row["phase"])), int(row["last_price"]))
        market.instruments[index] = instrument
    for row in tables["accounts"]:
        account = _account_of(row)
        market.accounts[account.index] = account
    for row in tables["holdings"]:
        market.positions[int(row["account"]), int(row["instrument"])] = int(row["position"])
    orders = [_order_of(row) for row in tables["orders"]]
    for order in orders:
        _stand_again(market, order)
    for order in sorted(orders, key=lambda order: order.arrival):
        market.accounts[order.account].orders[order.order_id] = order


def _account_of(row: np.void) -> Account:
    spec = AccountSpec(
        enabled=bool(row["enabled"]),
        equity_fen=int(row["equity_fen"]),
        offset_fen=int(row["offset_fen"]),
        **{name: int(row[name]) for name in ACCOUNT_TERMS},
    )
    rate = int(row["rate_second"]), int(row["rate_count"])
    return Account(int(row["account"]), spec, spec.enabled, spec.equity_fen, spec.offset_fen, *rate)


def _order_of(row: np.void) -> Order:
    columns = {name: int(row[name]) for name in ORDER_COLUMNS}
    enums = {"side": Side, "type": OrderType, "tif": TimeInForce, "stp": StpMode}
    return Order(**columns | {name: enum(columns[name]) for name, enum in enums.items()})  # type: ignore[arg-type]


def _stand_again(market: Market, order: Order) -> None:
    visible = order.visible
    market.orders[order.order_id] = order
    market.instruments[order.instrument].book.stand(order, Place(order.place or 0))
    order.visible = visible
