"""Halts and kill switches (clauses 4.7, 4.8, 5.4) on the real core."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.domain import messages as m
from exchange.domain.phases import MarketPhase
from exchange.domain.rejects import RejectCode
from matching.records import CancelReason, EventFlag, EventKind, Side
from matching.records import RejectCode as KernelCode

H100, T4 = "H100.GUIAN.2701", "T4.SHANGHAI-EDGE.2701"


def last_code(market: Any, symbol: str, price: int = 1_100) -> int:
    """The reject code of an order to buy one lot; 0 if it was accepted."""
    events = market.orders(market.order(2, symbol, Side.BUY, 1, price)).events
    return int(events["code"][0]) if events["kind"][0] == EventKind.REJECTED else 0


def test_a_hub_is_halted_and_resumed(market: Any) -> None:
    market.open()
    active = [market.state.contracts[index] for index in market.state.active_contracts()]
    at_guian = sum(contract.hub == "GUIAN" for contract in active)
    assert market.do(m.Halt(hub="GUIAN", halted=True)).data == {"contracts": at_guian}
    assert (last_code(market, H100), last_code(market, T4)) == (KernelCode.HALTED, 0)
    assert market.do(m.Halt(halted=True)).data == {"contracts": len(active) - at_guian}
    assert last_code(market, T4) == KernelCode.HALTED
    assert market.do(m.Halt(halted=False, symbol=T4)).data == {"contracts": 1}
    assert (last_code(market, H100), last_code(market, T4)) == (KernelCode.HALTED, 0)
    assert market.refused(m.Halt(hub="NOWHERE", halted=True)) is RejectCode.UNKNOWN_CONTRACT
    market.settle()
    assert market.refused(m.Halt(halted=True)) is RejectCode.WRONG_PHASE


def test_a_contract_halted_in_the_call_has_no_auction_and_is_matched_when_resumed(market: Any) -> None:
    """The example of clause 4.7."""
    market.call()
    market.orders(market.order(1, H100, Side.SELL, 2, 1_195), market.order(2, H100, Side.BUY, 3, 1_205))
    market.do(m.Halt(symbol=H100, halted=True))
    assert last_code(market, H100) == KernelCode.HALTED
    market.do(m.SetPhase(phase=MarketPhase.MATCHED))
    market.do(m.SetPhase(phase=MarketPhase.CONTINUOUS))
    assert market.lots(2, H100) == 0
    assert last_code(market, H100) == KernelCode.HALTED
    market.core.check()
    cash = market.cash_of(2)
    resumed = market.core.apply_rare(market.core.seq + 1, market.now_ns, m.Halt(symbol=H100, halted=False))
    (trade,) = resumed.events[resumed.events["kind"] == EventKind.TRADE]
    assert (trade["quantity"], trade["price"], trade["flags"]) == (2, 1_205, EventFlag.UNCROSS)
    assert (market.lots(2, H100), market.cash_of(2)) == (2, cash)  # the maker's rate is 0
    assert last_code(market, H100) == 0
    market.core.check()


@pytest.mark.parametrize("opened", [False, True])
def test_a_market_killed_before_it_trades_stays_halted(market: Any, opened: bool) -> None:
    """Clause 4.8."""
    market.at(8, 30)
    market.do(m.OpenDay(day=market.day, settlement_window_ns=0))
    if opened:
        market.do(m.SetPhase(phase=MarketPhase.CALL))
    killed = market.do(m.KillMarket(cancel_orders=False)).data
    assert killed == {"contracts": len(market.state.active_contracts()), "cancelled": 0}
    for phase in MarketPhase.CALL, MarketPhase.MATCHED, MarketPhase.CONTINUOUS:
        if market.state.day.phase < phase:
            market.do(m.SetPhase(phase=phase))
    assert last_code(market, H100) == KernelCode.HALTED
    assert market.do(m.Halt(halted=False)).data == {"contracts": killed["contracts"]}
    assert last_code(market, H100) == 0


def test_killing_the_market_cancels_every_order_if_asked(market: Any) -> None:
    """Clause 4.8; the halt ends with the day (clause 4.7)."""
    market.open()
    market.orders(market.order(1, H100, Side.SELL, 1, 1_210), market.order(2, T4, Side.BUY, 1, 1_190))
    assert market.do(m.KillMarket(cancel_orders=False)).data["cancelled"] == 0
    assert len(market.state.engine.open_orders(1)) == 1
    assert market.do(m.KillMarket(cancel_orders=True)).data == {"contracts": 0, "cancelled": 2}
    assert len(market.state.engine.open_orders(1)) == len(market.state.engine.open_orders(2)) == 0
    market.settle()
    market.day = market.day.replace(day=7)
    market.open()
    assert last_code(market, H100) == 0
    market.core.check()


def test_one_client_is_suspended_and_its_broker_with_all(market: Any) -> None:
    """Clause 5.4: a client's own state holds when its broker is approved again."""
    market.do(m.AddMember(name="bank", kind="broker"))
    broker = market.state.members["bank"].account
    clients = []
    for name in ("one", "two"):
        market.do(m.AddClient(broker=broker, name=name))
        market.do(m.Deposit(member=f"bank/{name}", amount_fen=market.cash))
        clients.append(market.state.members[f"bank/{name}"].account)
    market.open()

    def enter() -> list[int]:
        rows = [market.order(account, H100, Side.BUY, 1, 1_100) for account in clients]
        return [int(event["kind"]) for event in market.orders(*rows).events if event["kind"] <= 2]

    assert enter() == [EventKind.ACCEPTED, EventKind.ACCEPTED]
    stopped = market.core.apply_rare(
        market.core.seq + 1, market.now_ns, m.SetMemberState(name="bank/one", state="suspended")
    )
    cancelled = stopped.events[stopped.events["kind"] == EventKind.CANCELLED]
    assert cancelled["code"].tolist() == [CancelReason.KILL_SWITCH]
    assert enter() == [EventKind.REJECTED, EventKind.ACCEPTED]
    assert market.do(m.SetMemberState(name="bank", state="suspended")).data == {"cancelled": 2}
    assert enter() == [EventKind.REJECTED, EventKind.REJECTED]
    market.restore("bank")
    assert enter() == [EventKind.REJECTED, EventKind.ACCEPTED]
    market.restore("bank/one")
    assert enter() == [EventKind.ACCEPTED, EventKind.ACCEPTED]
    market.core.check()
