"""Lively market days as a journal on disk, and the history that they make, folded slowly and obviously."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from exchange.domain import messages as m
from exchange.domain.calendar import NS_PER_HOUR, day_of, moment_ns
from exchange.domain.listing import BASE_RULES, listed_periods
from exchange.domain.phases import MarketPhase
from exchange.health.measuring import measure
from exchange.health.scores import score
from exchange.history.candles import INTERVALS_S
from exchange.history.healthfold import places
from exchange.history.rows import OrderStatus
from exchange.history.store import latest
from exchange.journal import FrameKind, Journal, JournalConfig, dump
from exchange.service.core import CORE_VERSION, LIMITS, Core, command_block
from exchange.service.frames import pack_rare, unpack_rare
from matching.engine import Engine
from matching.records import (
    EventFlag,
    EventKind,
    OrderType,
    Records,
    Side,
    StpMode,
    TimeInForce,
    amend,
    cancel,
    mass_cancel,
    new_order,
)

FRIDAY = date(2026, 12, 4)
REFERENCE = 1_200
QUARTER_NS = NS_PER_HOUR // 4
MEMBERS = (("acme", "provider"), ("blue", "enterprise"), ("coral", "enterprise"))
TABLES = ("trades", "orders", "entries", "fills", "day_sums", "candles", "health")


@dataclass
class Days:
    """A core that is given random days, and the bodies of the frames that it was given."""

    seed: int
    frames: list[tuple[FrameKind, int, int, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.core = Core(Engine(LIMITS))
        self.now_ns = moment_ns(FRIDAY, time(8))
        products = (m.Product("H100", "GUIAN", 1), m.Product("T4", "SHANGHAI-EDGE", 8))
        self.send(m.SetRules(products=products, closed_days=(), calendar_end=date(2027, 12, 31)))
        for name, kind in MEMBERS:
            self.send(m.AddMember(name=name, kind=kind))
            self.send(m.Deposit(member=name, amount_fen=10**10))
        listings = tuple(
            m.Listing(f"{product.grade}.{product.hub}.{period.code}", REFERENCE)
            for product in products
            for period, _ in listed_periods(BASE_RULES, (product.grade, product.hub), FRIDAY, ())
        )
        self.send(m.ListContracts(listings=listings))

    def send(self, message: m.RareMessage) -> None:
        """Apply a rare message, refused or not."""
        seq = self.core.seq + 1
        self.frames.append((FrameKind.RARE, seq, 1, pack_rare(self.now_ns, message)))
        self.core.apply_rare(seq, self.now_ns, message)

    def orders(self, rows: list[Records]) -> None:
        """Apply hot commands in frames of random length."""
        commands = np.concatenate(rows)
        while len(commands):
            frame, commands = np.split(commands, [int(self.rng.integers(1, 30))])
            first = self.core.seq + 1
            self.now_ns += int(self.rng.integers(0, 90 * 10**9))
            frame["seq"] = np.arange(first, first + len(frame))
            frame["time_ns"] = self.now_ns
            self.frames.append((FrameKind.HOT, first, len(frame), frame.tobytes()))
            self.core.apply_hot(frame)

    def live(self, days: int, orders: int = 40) -> None:
        """Live through whole days, call auction, settlement and deliveries included."""
        day = FRIDAY
        for _ in range(days):
            self._deliver_until(day)
            self.now_ns = moment_ns(day, time(8, 30))
            self.send(m.OpenDay(day=day, settlement_window_ns=moment_ns(day, time(14))))
            for hour, minute, phase in (
                (8, 55, MarketPhase.CALL),
                (8, 59, MarketPhase.MATCHED),
                (9, 0, MarketPhase.CONTINUOUS),
            ):
                self.now_ns = max(self.now_ns, moment_ns(day, time(hour, minute)))
                self.send(m.SetPhase(phase=phase))
                self.orders(self._commands(orders))
            for hour in (10, 14):
                self.now_ns = max(self.now_ns, moment_ns(day, time(hour)))
                self.orders(self._commands(orders))
                self.send(m.Withdraw(member="blue", amount_fen=int(self.rng.integers(1, 10**9))))
                self.send(m.Deposit(member="coral", amount_fen=int(self.rng.integers(1, 10**9))))
            rules = self.core.state.rules
            other = m.SetRules(
                products=rules.products,
                closed_days=(),
                calendar_end=rules.calendar_end,
                maker_basis_points=int(self.rng.integers(0, 9)),
                taker_basis_points=int(self.rng.integers(0, 9)),
            )
            self.send(other)
            self.orders(self._commands(orders))
            self.now_ns = max(self.now_ns, moment_ns(day, time(15)))
            self.send(m.SetPhase(phase=MarketPhase.CLOSED))
            self.send(m.SettleDay(day=day))
            day += timedelta(days=1 if day.weekday() < 4 else 3)

    def write(self, data_dir: Path, segment_bytes: int = 1 << 14) -> int:
        """Write the journal of a data directory; return its last seq."""
        config = JournalConfig(core_version=CORE_VERSION, durability="os", segment_bytes=segment_bytes)
        journal = Journal.open(data_dir / "journal", config)
        assert list(journal.replay()) == []
        written = threading.Condition()

        def durable(_: int) -> None:
            with written:
                written.notify()

        journal.start(durable, lambda error: None)
        for kind, first, count, body in self.frames:
            journal.append(kind, first, count, body)
            with written:  # so that segments get full one after another, and not all of it in one
                written.wait_for(lambda first=first: journal.durable_seq >= first, timeout=30)
        journal.close()
        return self.core.seq

    def _deliver_until(self, day: date) -> None:
        state = self.core.state
        while state.day.trading_day and state.day.delivered_day < day - timedelta(days=1):
            delivery = state.day.delivered_day + timedelta(days=1)
            self.now_ns = max(self.now_ns, moment_ns(delivery + timedelta(days=1), time(1)))
            for at, row in enumerate(state.reservations.rows.copy()):
                period = state.contracts[int(row["contract"])].period
                if period.first == delivery:
                    hour = period.start_ns + int(self.rng.integers(24)) * NS_PER_HOUR
                    readings = (m.Reading(at + 1, hour, int(self.rng.integers(0, row["lots"] + 1))),)
                    self.send(m.MeterReadings(account=int(row["provider"]), readings=readings))
            self.send(m.FinishDelivery(day=delivery))

    def _commands(self, count: int) -> list[Records]:
        rng = self.rng
        active = self.core.state.active_contracts()[:5]
        known = [
            (account, int(row["order_id"]))
            for account in (1, 2, 3)
            for row in self.core.state.engine.open_orders(account)
        ]
        rows = []
        for _ in range(count):
            dice = rng.random()
            account = int(rng.integers(0, 5))  # account 0 and 4 are not members
            if dice < 0.75 or not known:
                rows.append(self._order(account, int(rng.choice(active))))
            elif dice < 0.97:
                owner, order_id = known[int(rng.integers(len(known)))]
                if dice < 0.85:
                    rows.append(cancel(account=owner, order_id=order_id))
                else:
                    lots, price = int(rng.integers(0, 40)), int(rng.choice((0, 1_195, 1_205)))
                    rows.append(amend(account=owner, order_id=order_id, quantity=lots, price=price))
            else:
                rows.append(mass_cancel(account=account, instrument=int(rng.choice(active))))
        return rows

    def _order(self, account: int, instrument: int) -> Records:
        rng = self.rng
        plain = rng.random() < 0.7
        order_type = OrderType.LIMIT if plain else OrderType(int(rng.integers(6)))
        stops = order_type in (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP)
        offset = order_type is OrderType.TRAILING_STOP
        return new_order(
            account=account,
            instrument=instrument,
            side=Side(int(rng.integers(2))),
            quantity=int(rng.integers(0, 30)),
            price=0
            if order_type not in (OrderType.LIMIT, OrderType.STOP_LIMIT)
            else int(rng.integers(1_185, 1_215)),
            order_type=order_type,
            trigger=0 if not stops else int(rng.integers(1, 9) if offset else rng.integers(1_185, 1_215)),
            display=3 if rng.random() < 0.1 and order_type is OrderType.LIMIT else 0,
            tif=TimeInForce(int(rng.choice((0, 1, 3, 4, 5)))) if rng.random() < 0.3 else TimeInForce.DAY,
            stp=StpMode(int(rng.integers(5))),
            client_id=(0, 7, 2**64 - 1)[int(rng.integers(3))],
        )


@dataclass
class SlowHistory:
    """The history as anyone would fold it: one event after another, into dictionaries."""

    trades: list[dict[str, int]] = field(default_factory=list)
    orders: list[dict[str, int]] = field(default_factory=list)
    entries: list[dict[str, int]] = field(default_factory=list)
    health: list[tuple[int, ...]] = field(default_factory=list)

    def rows(self) -> dict[str, list[tuple[int, ...]]]:
        """Return every table's rows, sorted."""
        return {
            "trades": [tuple(row.values()) for row in self.trades],
            "orders": [tuple(row.values()) for row in self.orders],
            "entries": [tuple(row.values()) for row in self.entries],
            "fills": sorted(self._fills()),
            "day_sums": self._day_sums(),
            "candles": sorted(candles_by_hand(self.trades)),
            "health": sorted(self.health),
        }

    def _fills(self) -> Iterator[tuple[int, ...]]:
        for trade in self.trades:
            yield trade["account"], trade["side"], trade["trade_id"], trade["instrument"]
            yield trade["contra_account"], 1 - trade["side"], trade["trade_id"], trade["instrument"]

    def _day_sums(self) -> list[tuple[int, ...]]:
        sums: dict[tuple[int, ...], int] = {}
        for entry in self.entries:
            key = entry["account"], entry["day"], entry["kind"]
            sums[key] = sums.get(key, 0) + entry["amount"]
        return sorted((*key, amount) for key, amount in sums.items())


def candles_by_hand(trades: list[dict[str, int]]) -> list[tuple[int, ...]]:
    """Return all candles of all trades (rows of CANDLE), the slow way."""
    found: dict[tuple[int, int, int], list[dict[str, int]]] = {}
    for trade in trades:
        for interval in INTERVALS_S:
            second = trade["time_ns"] // 10**9
            start = second - second % interval
            if interval == 86_400:
                midnight = moment_ns(day_of(trade["time_ns"]), time(0))
                start = midnight // 10**9
            found.setdefault((trade["instrument"], interval, start), []).append(trade)
    return [
        (
            *key,
            rows[0]["price"],
            max(row["price"] for row in rows),
            min(row["price"] for row in rows),
            rows[-1]["price"],
            sum(row["quantity"] for row in rows),
            sum(row["value"] for row in rows),
            len(rows),
        )
        for key, rows in found.items()
    ]


def slow_history(journal: Path, to_seq: int) -> SlowHistory:
    """Fold a journal up to `to_seq`, a frame's last, event by event."""
    core, history = Core(Engine(LIMITS)), SlowHistory()
    by_id: dict[int, dict[str, int]] = {}
    cash: dict[int, int] = {}
    for frame in dump(journal, 1, to_seq):
        commands: dict[int, Any] = {}
        before_ns = core.time_ns
        if frame.kind is FrameKind.HOT:
            block = command_block(frame.body)
            commands = {int(row["seq"]): row for row in block}
            applied = core.apply_hot(block)
        else:
            applied = core.apply_rare(frame.first_seq, *unpack_rare(frame.body))
        if before_ns // QUARTER_NS != core.time_ns // QUARTER_NS and core.state.contracts:
            history.health += _health(core)
        for event in applied.events:
            _fold_event(core, history, by_id, event, commands.get(int(event["seq"])), applied.time_ns)
        for entry in core.state.ledger.rows[len(history.entries) :]:
            account = int(entry["account"])
            cash[account] = cash.get(account, 0) + int(entry["amount"])
            history.entries.append(
                {
                    "entry": len(history.entries) + 1,
                    "seq": int(entry["seq"]),
                    "day": int(entry["day"]),
                    "account": account,
                    "kind": int(entry["kind"]),
                    "instrument": int(entry["contract"]),
                    "amount": int(entry["amount"]),
                    "cash": cash[account],
                }
            )
    return history


def _health(core: Core) -> list[tuple[int, ...]]:
    """Return what is measured after a quarter of an hour's first frame."""
    return [
        (
            core.seq,
            core.time_ns,
            hub,
            int(component),
            raw.numerator,
            raw.denominator,
            score(component, raw) or 0,
        )
        for hub, components in measure(core.state, places()).items()
        for component, raw in components.items()
    ]


def _fold_event(
    core: Core, history: SlowHistory, by_id: dict[int, dict[str, int]], event: Any, command: Any, time_ns: int
) -> None:
    kind, seq = event["kind"], int(event["seq"])
    touched = [by_id[int(event["order_id"])]] if int(event["order_id"]) in by_id else []
    if kind == EventKind.ACCEPTED:
        client_id = int(event["client_id"])
        order = {
            "number": len(history.orders) + 1,
            "order_id": int(event["order_id"]),
            "client_id": client_id - 2**64 if client_id >= 2**63 else client_id,
            "account": int(event["account"]),
            "instrument": int(event["instrument"]),
            "side": int(event["side"]),
            "type": int(command["type"]),
            "tif": int(command["tif"]),
            "accepted_seq": seq,
            "accepted_ns": time_ns,
            "price": int(event["price"]),
            "quantity": int(event["quantity"]),
            "open": int(event["quantity"]),
            "executed": 0,
            "status": int(OrderStatus.OPEN),
            "reason": 0,
        }
        by_id[order["order_id"]] = order
        history.orders.append(order)
        touched = [order]
    elif kind == EventKind.TRADE:
        contra = by_id[int(event["contra_id"])]
        touched.append(contra)
        for order, left in zip(touched, ("remaining", "contra_remaining"), strict=True):
            order["executed"] += int(event["quantity"])
            order["open"] = int(event[left])
            if not order["open"]:
                order["status"] = int(OrderStatus.FILLED)
        history.trades.append(_trade(core, len(history.trades) + 1, event, time_ns))
    elif kind == EventKind.CANCELLED:
        (order,) = touched
        order["reason"], order["open"] = int(event["code"]), int(event["remaining"])
        if not order["open"]:
            order["status"] = int(OrderStatus.CANCELLED)
    elif kind == EventKind.AMENDED:
        (order,) = touched
        order["price"], order["open"] = int(event["price"]), int(event["quantity"])
        order["quantity"] = order["executed"] + order["open"]
    elif kind != EventKind.TRIGGERED:
        touched = []
    for order in touched:
        order["updated_seq"], order["updated_ns"] = seq, time_ns


def _trade(core: Core, trade_id: int, event: Any, time_ns: int) -> dict[str, int]:
    rules = core.state.rules
    auction = bool(event["flags"] & EventFlag.UNCROSS)
    hours = core.state.contracts[int(event["instrument"])].hours
    value = int(event["price"]) * int(event["quantity"]) * hours
    maker, taker = (
        (value * rate + 5_000) // 10_000 for rate in (rules.maker_basis_points, rules.taker_basis_points)
    )
    return {
        "trade_id": trade_id,
        "seq": int(event["seq"]),
        "time_ns": time_ns,
        "instrument": int(event["instrument"]),
        "price": int(event["price"]),
        "quantity": int(event["quantity"]),
        "value": value,
        "side": int(event["side"]),
        "auction": int(auction),
        "order_id": int(event["order_id"]),
        "account": int(event["account"]),
        "fee": maker if auction else taker,
        "contra_id": int(event["contra_id"]),
        "contra_account": int(event["contra_account"]),
        "contra_fee": maker,
    }


def stored(folder: Path) -> tuple[int, dict[str, list[tuple[int, ...]]]]:
    """Return (as_of_seq, every table's rows, sorted) of the newest generation."""
    path = latest(folder)
    assert path is not None
    connection = sqlite3.connect(path)
    try:
        (seq,) = connection.execute("SELECT seq FROM progress").fetchone()
        rows = {table: sorted(connection.execute(f"SELECT * FROM {table}").fetchall()) for table in TABLES}
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return seq, rows
    finally:
        connection.close()
