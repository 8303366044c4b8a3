"""A small market on the real core and kernel, moved by hand; shared by the service's tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exchange.domain import messages as m
from exchange.domain.calendar import moment_ns
from exchange.domain.listing import BASE_RULES, listed_periods
from exchange.domain.phases import MarketPhase
from exchange.domain.proposals import Decide, Propose, RestoreMember
from exchange.domain.rejects import RejectCode
from exchange.service.config import ExchangeConfig
from exchange.service.core import LIMITS, Core
from exchange.service.results import Applied, RareResult
from matching.engine import Engine
from matching.records import EventKind, Records, Side, cancel, new_order

FRIDAY = date(2026, 12, 4)
PRODUCTS = (m.Product("H100", "GUIAN", 1), m.Product("T4", "SHANGHAI-EDGE", 8))
CASH = 10**10
REFERENCE = 1_200


class Market:
    """A core with a provider (account 1), two enterprises (2, 3) and listed contracts; `open()` starts
    trading.
    """

    friday = FRIDAY
    cash = CASH
    reference = REFERENCE

    def __init__(
        self,
        *,
        day: date = FRIDAY,
        products: tuple[m.Product, ...] = PRODUCTS,
        margin: m.SetMarginRules | None = None,
        max_instruments: int = LIMITS.max_instruments,
    ) -> None:
        self.core = Core(Engine(replace(LIMITS, max_instruments=max_instruments)))
        self.day = day
        self.now_ns = moment_ns(day, time(8, 0))
        self.frames: list[tuple[int, Any]] = []
        end = date(2027, 12, 31)
        if margin is not None:
            self.do(margin)
        self.do(m.SetRules(products=products, closed_days=(), calendar_end=end))
        for name, kind in (("acme", "provider"), ("blue", "enterprise"), ("coral", "enterprise")):
            self.do(m.AddMember(name=name, kind=kind))
            self.do(m.Deposit(member=name, amount_fen=CASH))
        symbols = [
            f"{product.grade}.{product.hub}.{period.code}"
            for product in products
            for period, _ in listed_periods(BASE_RULES, (product.grade, product.hub), day, ())
        ]
        self.do(m.ListContracts(listings=tuple(m.Listing(symbol, REFERENCE) for symbol in symbols)))

    @property
    def state(self) -> Any:
        return self.core.state

    def at(self, hour: int, minute: int = 0, day: date | None = None) -> None:
        """Move market time."""
        self.now_ns = moment_ns(day or self.day, time(hour, minute))

    def send(self, message: m.RareMessage) -> RareResult:
        """Apply a rare message and return its result, refused or not."""
        self.frames.append((self.now_ns, message))
        result = self.core.apply_rare(self.core.seq + 1, self.now_ns, message).result
        assert result is not None
        return result

    def do(self, message: m.RareMessage) -> RareResult:
        """Apply a rare message that must succeed."""
        result = self.send(message)
        assert result.ok, result
        return result

    def refused(self, message: m.RareMessage) -> RejectCode:
        """Apply a rare message that must be refused; nothing but seq and time may change."""
        before = state_without_stamp(self.core)
        result = self.send(message)
        assert result.code is not None
        assert state_without_stamp(self.core) == before
        return result.code

    def orders(self, *rows: Records) -> Applied:
        """Apply hot commands as one frame."""
        commands = np.concatenate(rows)
        first = self.core.seq + 1
        commands["seq"] = np.arange(first, first + len(commands))
        commands["time_ns"] = self.now_ns
        self.frames.append((self.now_ns, commands.copy()))
        return self.core.apply_hot(commands)

    def order(self, account: int, symbol: str, side: Side, lots: int, price: int) -> Records:
        index = self.state.contracts_by_symbol[symbol].index
        return new_order(account=account, instrument=index, side=side, quantity=lots, price=price)

    def trade(self, symbol: str, seller: int, buyer: int, lots: int, price: int) -> None:
        """Trade in continuous trading; the buyer takes."""
        sell = self.order(seller, symbol, Side.SELL, lots, price)
        applied = self.orders(sell, self.order(buyer, symbol, Side.BUY, lots, price))
        traded = applied.events[applied.events["kind"] == EventKind.TRADE]
        assert traded["quantity"].sum() == lots

    def cancel(self, account: int, order_id: int) -> Applied:
        return self.orders(cancel(account=account, order_id=order_id))

    def restore(self, name: str) -> None:
        """End a suspension, as two operators do (clause 8.11)."""
        for operator in ("first", "second"):
            if operator not in self.state.members:
                self.do(m.AddMember(name=operator, kind="operator", roles=("risk",)))
        first, second = (self.state.members[operator].account for operator in ("first", "second"))
        made = self.do(Propose(operator=first, action=RestoreMember(member=name))).data
        assert made is not None
        self.do(Decide(operator=second, proposal_id=int(made["proposal_id"]), approve=True))

    def open(self) -> None:
        """Open the day and go through the call auction into continuous trading."""
        self.call()
        self.at(8, 59)
        self.do(m.SetPhase(phase=MarketPhase.MATCHED))
        self.at(9, 0)
        self.do(m.SetPhase(phase=MarketPhase.CONTINUOUS))

    def call(self) -> None:
        """Open the day up to the call auction."""
        self.at(8, 30)
        self.do(m.OpenDay(day=self.day, settlement_window_ns=moment_ns(self.day, time(14, 0))))
        self.at(8, 55)
        self.do(m.SetPhase(phase=MarketPhase.CALL))

    def settle(self) -> None:
        """Close and settle the day."""
        self.at(15, 0)
        self.do(m.SetPhase(phase=MarketPhase.CLOSED))
        self.at(15, 30)
        self.do(m.SettleDay(day=self.day))

    def cash_of(self, account: int) -> int:
        return int(self.state.cash[account])

    def lots(self, account: int, symbol: str) -> int:
        return int(self.state.positions.lots(account, self.state.contracts_by_symbol[symbol].index))


def state_without_stamp(core: Core) -> bytes:
    """Return a hash of everything but the sequence number and the market time."""
    seq, time_ns = core.seq, core.time_ns
    core.seq = core.time_ns = 0
    digest = core.state_hash()
    core.seq, core.time_ns = seq, time_ns
    return digest


@pytest.fixture
def market() -> Market:
    """A market with listed contracts, before its first day."""
    return Market()


@pytest.fixture
def market_type() -> type[Market]:
    """For tests that need more than one market."""
    return Market


@pytest.fixture
def config(tmp_path: Path) -> ExchangeConfig:
    """Settings of an exchange in a fresh folder."""
    return ExchangeConfig(data_dir=tmp_path / "data", master_key_file=tmp_path / "keys" / "master.key")
