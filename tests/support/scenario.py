"""Runs a hand-computed scenario: a TOML file of members, contracts and steps, on the real core.

A step has one action and what must hold after it. Money is in fen, prices in ticks; names stand for
accounts, "house" for the exchange's own. After every step all invariants are verified.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import scenario_brokers
import scenario_capacity
import scenario_vouchers

from exchange.domain import messages as m
from exchange.domain.calendar import moment_ns, next_trading_day
from exchange.domain.defaults import (
    BidForPosition,
    CloseAuction,
    CloseOut,
    CoverDefault,
    EnforceCalls,
    SetContribution,
)
from exchange.domain.delivering import SetDeliveryRules
from exchange.domain.hours import mask_of
from exchange.domain.phases import MarketPhase
from exchange.domain.profiles import HubProfiles, SetLoadProfiles
from exchange.domain.proposals import Decide, Propose, RestoreMember
from exchange.service.core import Core
from exchange.service.tape import Tape
from exchange.service.views import Views
from matching.engine import Engine
from matching.records import EventKind, OrderType, RejectCode, Side, TimeInForce, new_order
from matching.spec import EngineLimits

FRIDAY = date(2026, 12, 4)
LIMITS = EngineLimits(
    max_instruments=256, max_levels=1 << 10, max_accounts=32, max_holdings=1 << 12, max_refreshes=64
)


class Scenario:
    """One scenario under way."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told
        self.core = Core(Engine(LIMITS))
        self.views = Views(self.core, Tape(64))
        self._accounts = {"house": 0}
        self._day = FRIDAY
        self.now_ns = moment_ns(FRIDAY, time(8, 0))
        self._set_up()

    @classmethod
    def of(cls, path: Path) -> Scenario:
        """Return the scenario of a file."""
        return cls(tomllib.loads(path.read_text(encoding="utf-8")))

    def run(self) -> int:
        """Do every step; an assertion names the step that went wrong. Return how many expectations held."""
        held = 0
        for number, step in enumerate(self._told["step"], start=1):
            expected = {key: step[key] for key in step if key in EXPECTATIONS}
            (action,) = set(step) - set(expected) - {"refused"}
            got = self.do(action, step[action])
            where = f"step {number} ({action})"
            assert got == step.get("refused"), f"{where}: {got}"
            self.core.check()
            for key, wanted in expected.items():
                found = EXPECTATIONS[key](self, wanted)
                assert found == wanted, f"{where}: {key} is {found}, not {wanted}"
            held += len(expected) + ("refused" in step)
        return held

    def do(self, action: str, told: Any) -> str | None:
        """Do one thing; return the code if it was refused."""
        return ACTIONS[action](self, told)

    def _set_up(self) -> None:
        told = self._told
        products = {tuple(symbol.split(".")[:2]) for symbol in told["contracts"]}
        self.must(msgspec.convert(told.get("rules", {}), m.SetMarginRules))
        self.must(
            m.SetRules(
                products=tuple(m.Product(*product, 1) for product in sorted(products)),
                closed_days=(),
                calendar_end=date(2028, 12, 31),
                **told.get("fees", {}),
            )
        )
        hubs = tuple(
            HubProfiles(hub=hub, peak=(mask_of(peak),) * 12, valley=(mask_of(valley),) * 12)
            for hub, (peak, valley) in told.get("profiles", {}).items()
        )
        self.must(SetLoadProfiles(from_month=date(2026, 1, 1), hubs=hubs))
        self.must(msgspec.convert(told.get("delivery", {}), SetDeliveryRules))
        for name, (kind, cash) in told["members"].items():
            self._accounts[name] = len(self._accounts)
            self.must(m.AddMember(name=name, kind=kind))
            self.must(m.Deposit(member=name, amount_fen=cash))
        listings = tuple(m.Listing(symbol, price) for symbol, price in told["contracts"].items())
        self.must(m.ListContracts(listings=listings))

    def send(self, message: m.RareMessage) -> str | None:
        """Apply a rare message; return the code if it was refused."""
        applied = self.core.apply_rare(self.core.seq + 1, self.now_ns, message)
        assert applied.result is not None
        return None if applied.result.code is None else applied.result.code.name

    def must(self, message: m.RareMessage) -> None:
        """Apply a rare message that must be taken."""
        refused = self.send(message)
        assert refused is None, f"{message} was refused: {refused}"

    def account(self, name: str) -> int:
        """Return the account of a name."""
        return self._accounts[name]

    def _index(self, symbol: str) -> int:
        return self.core.state.contracts_by_symbol[symbol].index

    def _at(self, text: str) -> None:
        self.now_ns = moment_ns(self._day, time.fromisoformat(text))

    def _order(self, told: list[Any], time_in_force: TimeInForce = TimeInForce.DAY) -> str | None:
        """[account, side, lots, symbol, price, trigger]: a limit order, with a trigger a stop limit order;
        returns the kernel's reject code.
        """
        name, side, lots, symbol, price, *trigger = told
        row = new_order(
            account=self.account(name),
            instrument=self._index(symbol),
            side=Side[side.upper()],
            quantity=lots,
            price=price,
            tif=time_in_force,
            order_type=OrderType.STOP_LIMIT if trigger else OrderType.LIMIT,
            trigger=trigger[0] if trigger else 0,
            seq=self.core.seq + 1,
            time_ns=self.now_ns,
        )
        events = self.core.apply_hot(row).events
        refused = events[events["kind"] == EventKind.REJECTED]
        return RejectCode(int(refused["code"][0])).name if len(refused) else None

    def _trade(self, told: list[Any]) -> None:
        """[seller, buyer, lots, symbol, price]: the buyer takes."""
        seller, buyer, lots, symbol, price = told
        assert self._order([seller, "sell", lots, symbol, price]) is None
        before = self.core.state.positions.lots(self.account(buyer), self._index(symbol))
        assert self._order([buyer, "buy", lots, symbol, price]) is None
        after = self.core.state.positions.lots(self.account(buyer), self._index(symbol))
        assert after == before + lots, "the order met others"

    def _open(self, _: Any) -> None:
        """Deliver what is over and go to the next day's continuous trading, the first time to Friday's."""
        last = self.core.state.day.trading_day
        if last is not None:
            self._day = next_trading_day(last, frozenset())
            while (due := self.core.state.day.delivered_day + timedelta(days=1)) < self._day:
                self.now_ns = moment_ns(due + timedelta(days=1), time(1, 0))
                self.must(m.FinishDelivery(day=due))
        self._at("08:30")
        self.must(m.OpenDay(day=self._day, settlement_window_ns=moment_ns(self._day, time(14, 0))))
        for at, phase in (
            ("08:55", MarketPhase.CALL),
            ("08:59", MarketPhase.MATCHED),
            ("09:00", MarketPhase.CONTINUOUS),
        ):
            self._at(at)
            self.must(m.SetPhase(phase=phase))

    def _settle(self, _: Any) -> None:
        self._at("15:00")
        self.must(m.SetPhase(phase=MarketPhase.CLOSED))
        self._at("15:30")
        self.must(m.SettleDay(day=self._day))

    def _client(self, told: list[Any]) -> str | None:
        """[broker, client, cash]."""
        broker, name, cash = told
        code = self.send(m.AddClient(broker=self.account(broker), name=name))
        self._accounts[f"{broker}/{name}"] = len(self._accounts)
        self.must(m.Deposit(member=f"{broker}/{name}", amount_fen=cash))
        return code

    def _bid(self, told: list[Any]) -> str | None:
        """[bidder, restricted account, lots, symbol, price]."""
        bidder, restricted, lots, symbol, price = told
        return self.send(
            BidForPosition(
                account=self.account(bidder),
                restricted=self.account(restricted),
                symbol=symbol,
                lots=lots,
                price_ticks=price,
            )
        )

    def _restore(self, name: str) -> str | None:
        """End a suspension: one operator proposes, another one approves."""
        for operator in ("first", "second"):
            if operator not in self._accounts:
                self._accounts[operator] = len(self._accounts)
                self.must(m.AddMember(name=operator, kind="operator", roles=("risk",)))
        first, second = self.account("first"), self.account("second")
        self.must(Propose(operator=first, action=RestoreMember(member=name)))
        number = len(self.core.state.proposals)
        return self.send(Decide(operator=second, proposal_id=number, approve=True))

    def symbol(self, contract: int) -> str:
        """Return a contract's symbol."""
        return self.core.state.contracts[contract].symbol

    def name(self, account: int) -> str:
        """Return the name of an account."""
        return next(name for name, its in self._accounts.items() if its == account)

    def _settlement(self, symbol: str) -> list[Any]:
        of = next(s for s in self.views.settlements() if s.symbol == symbol)
        return [of.price, of.rule]


def _by_name(found: Callable[[Scenario, int], Any]) -> Callable[[Scenario, dict[str, Any]], dict[str, Any]]:
    """Compare what some accounts have."""
    return lambda of, wanted: {name: found(of, of.account(name)) for name in wanted}


ACTIONS: dict[str, Callable[[Scenario, Any], str | None]] = {
    **scenario_capacity.ACTIONS,
    **scenario_brokers.ACTIONS,
    **scenario_vouchers.ACTIONS,
    "open": Scenario._open,
    "at": Scenario._at,
    "order": Scenario._order,
    "lasting_order": lambda of, told: of._order(told, TimeInForce.GTC),
    "trade": Scenario._trade,
    "settle": Scenario._settle,
    "client": Scenario._client,
    "bid": Scenario._bid,
    "run": lambda of, minutes: of.send(m.RunMargin(call_minutes=int(minutes))),
    "enforce": lambda of, _: of.send(EnforceCalls()),
    "close_out": lambda of, name: of.send(CloseOut(account=of.account(name))),
    "auction": lambda of, name: of.send(CloseAuction(account=of.account(name))),
    "cover": lambda of, name: of.send(CoverDefault(account=of.account(name))),
    "restore": Scenario._restore,
    "deposit": lambda of, told: of.send(m.Deposit(member=told[0], amount_fen=told[1])),
    "withdraw": lambda of, told: of.send(m.Withdraw(member=told[0], amount_fen=told[1])),
    "contribution": lambda of, told: of.send(
        SetContribution(member=None if told[0] == "house" else told[0], amount_fen=told[1])
    ),
}

EXPECTATIONS: dict[str, Callable[[Scenario, Any], Any]] = {
    **scenario_capacity.EXPECTATIONS,
    **scenario_brokers.EXPECTATIONS,
    **scenario_vouchers.EXPECTATIONS,
    "cash": _by_name(lambda of, account: int(of.core.state.cash[account])),
    "fund": _by_name(lambda of, account: of.views.contribution(account)),
    "margin": _by_name(lambda of, account: of.views.balance(account).margin_fen),  # type: ignore[union-attr]
    "free": _by_name(lambda of, account: of.views.balance(account).available_fen),  # type: ignore[union-attr]
    "withdrawable": _by_name(lambda of, account: of.views.withdrawable_fen(account)),
    "calls": lambda of, _: {of.name(call.account): call.amount_fen for call in of.views.margin_calls()},
    "restricted": lambda of, _: [
        of.name(call.account) for call in of.views.margin_calls() if call.restricted
    ],
    "positions": lambda of, wanted: {
        symbol: {name: of.core.state.positions.lots(of.account(name), of._index(symbol)) for name in lots}
        for symbol, lots in wanted.items()
    },
    "claims": lambda of, _: [
        [of.name(claim.debtor), of.name(claim.creditor), claim.layer, claim.amount_fen]
        for claim in of.views.claims()
    ],
    "open_claims": lambda of, _: [
        [of.name(claim.debtor), of.name(claim.creditor), claim.open_fen]
        for claim in of.views.claims()
        if claim.open_fen
    ],
    "price": lambda of, wanted: {symbol: of._settlement(symbol) for symbol in wanted},
    "limits": lambda of, wanted: {
        symbol: [of.views.contract(symbol).price_low, of.views.contract(symbol).price_high]  # type: ignore[union-attr]
        for symbol in wanted
    },
    "state": _by_name(lambda of, account: of.views.member_of(account).state),  # type: ignore[union-attr]
    "open_orders": _by_name(lambda of, account: len(of.views.open_orders(account))),
    "sum": lambda of, _: int(np.sum(of.core.state.cash) + np.sum(of.core.state.fund)),
}
