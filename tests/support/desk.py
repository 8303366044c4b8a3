"""A trading desk on one engine, whose events are written in words."""

from __future__ import annotations

from typing import Any

from matching.api import MatchingEngine
from matching.records import (
    CancelReason,
    EventFlag,
    EventKind,
    Phase,
    Records,
    RejectCode,
    Side,
    StpMode,
    amend,
    cancel,
    new_order,
)
from matching.spec import AccountSpec, EngineLimits, InstrumentSpec

LIMITS = EngineLimits(
    max_instruments=4, max_accounts=8, max_orders=40, max_levels=64, max_holdings=9, max_refreshes=12
)
RICH = AccountSpec(equity_fen=10**9)
SECOND_NS = 10**9
BUY, SELL = Side.BUY, Side.SELL


class Desk:
    """An engine with accounts 1 to 4 and instrument 0 (90 to 110, reference 100), and its events in words.

    Orders are called #1, #2 … in the order of their acceptance.
    """

    def __init__(self, engine: MatchingEngine) -> None:
        self.engine = engine
        self.ids: list[int] = []
        self.seq = 0
        self.time_ns = 0
        engine.add_instrument(0, InstrumentSpec(90, 110, 100))
        for account in range(1, 5):
            engine.set_account(account, RICH)
        engine.set_phase(0, Phase.CONTINUOUS)

    def order(
        self, side: Side, quantity: int, price: int = 0, *, account: int = 1, **terms: Any
    ) -> list[str]:
        """Send a NEW command and return its events in words."""
        terms = {"instrument": 0, "stp": StpMode.NONE} | terms
        return self.send(new_order(account=account, side=side, quantity=quantity, price=price, **terms))

    def buy(self, quantity: int, price: int = 0, **terms: Any) -> list[str]:
        return self.order(BUY, quantity, price, **terms)

    def sell(self, quantity: int, price: int = 0, **terms: Any) -> list[str]:
        return self.order(SELL, quantity, price, **({"account": 2} | terms))

    def cancel(self, number: int, account: int = 1) -> list[str]:
        return self.send(cancel(account=account, order_id=self.ids[number - 1]))

    def amend(self, number: int, account: int = 1, **terms: int) -> list[str]:
        return self.send(amend(account=account, order_id=self.ids[number - 1], **terms))

    def send(self, command: Records) -> list[str]:
        """Apply one command."""
        self.seq += 1
        command["seq"], command["time_ns"] = self.seq, self.time_ns
        return self.words(self.engine.apply(command))

    def do(self, name: str, *arguments: Any, **options: Any) -> list[str]:
        """Carry out a control operation."""
        return self.words(getattr(self.engine, name)(*arguments, **options))

    def phase(self, phase: Phase) -> list[str]:
        return self.do("set_phase", 0, phase)

    def words(self, events: Records) -> list[str]:
        """Return events in words; the engine must be consistent after each command."""
        self.engine.check()
        said = []
        for event in events:
            if event["kind"] == EventKind.ACCEPTED:
                self.ids.append(int(event["order_id"]))
            said.append(self.say({name: int(event[name]) for name in event.dtype.names}))
        return said

    def name(self, order_id: int) -> str:
        return f"#{self.ids.index(order_id) + 1}"

    def say(self, event: dict[str, int]) -> str:
        """Return one event in words."""
        kind = EventKind(event["kind"])
        lots, price, left = event["quantity"], event["price"], event["remaining"]
        match kind:
            case EventKind.REJECTED:
                return RejectCode(event["code"]).name
            case EventKind.LEVEL:
                return f"{Side(event['side']).name} {price}: {lots} in {left}"
            case EventKind.PHASE:
                return f"phase {Phase(event['code']).name}"
            case EventKind.AUCTION | EventKind.INDICATIVE:
                return f"{kind.name.lower()} {lots} @ {price}, surplus {left}"
            case EventKind.MASS_CANCELLED:
                return f"mass-cancelled {lots}"
            case EventKind.ACCOUNT:
                return f"account {event['account']} {'on' if event['code'] else 'off'}"
            case EventKind.INSTRUMENT:
                return f"instrument {event['instrument']} {('removed', 'listed', 'changed')[event['code']]}"
        order = self.name(event["order_id"])
        match kind:
            case EventKind.TRADE:
                contra, others = self.name(event["contra_id"]), event["contra_remaining"]
                sign = "=" if event["flags"] & EventFlag.UNCROSS else "x"
                return f"{order} {sign} {contra} {lots} @ {price}, left {left} and {others}"
            case EventKind.CANCELLED:
                return f"{order} loses {lots}, left {left}: {CancelReason(event['code']).name}"
            case _:
                return f"{order} {kind.name.lower()} {lots} @ {price}"


def levels(desk: Desk, side: Side) -> list[tuple[int, int, int]]:
    """Return what a side shows: price, lots, orders."""
    return [tuple(row) for row in desk.engine.depth(0, side).tolist()]


def depth_is(desk: Desk, bids: list[tuple[int, int, int]], asks: list[tuple[int, int, int]]) -> bool:
    return levels(desk, BUY) == bids and levels(desk, SELL) == asks
