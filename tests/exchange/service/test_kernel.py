"""Contract indices over the kernel's slots: never mixed up, never lost."""

from __future__ import annotations

import numpy as np
import pytest

from exchange.service.kernel import Kernel
from matching.api import InvariantViolation
from matching.engine import Engine
from matching.records import (
    ANY_INSTRUMENT,
    EventKind,
    Phase,
    RejectCode,
    Side,
    mass_cancel,
    new_order,
)
from matching.spec import AccountSpec, EngineLimits, InstrumentSpec

SPEC = InstrumentSpec(price_low=90, price_high=110, reference_price=100)
LIMITS = EngineLimits(max_instruments=4, max_levels=64, max_accounts=4, max_orders=64, max_holdings=64)


@pytest.fixture
def kernel():
    kernel = Kernel(Engine(LIMITS))
    for account in (1, 2):
        kernel.set_account(account, AccountSpec(equity_fen=10**9), seq=1)
    for contract in range(3):
        kernel.add_instrument(contract, SPEC, seq=1)
    kernel.set_phase([0, 1, 2], Phase.CONTINUOUS, seq=1)
    return kernel


def sell(contract, account=1, lots=5):
    return new_order(account=account, instrument=contract, side=Side.SELL, quantity=lots, price=100)


def test_a_slot_that_is_used_again_keeps_its_contracts_apart(kernel):
    kernel.remove_instrument(1, seq=1)
    for contract in range(3, 9):  # more contracts than the kernel has instruments
        kernel.add_instrument(contract, SPEC, seq=1)
        kernel.set_phase([contract], Phase.CONTINUOUS, seq=1)
        events = kernel.apply(sell(contract))
        assert set(events["instrument"]) == {contract}
        assert kernel.open_orders(1)["instrument"].tolist() == [contract]
        kernel.check()
        removed = kernel.remove_instrument(contract, seq=1)
        assert set(removed["instrument"]) <= {contract, -1}
    assert len(kernel.open_orders(1)) == 0


@pytest.mark.parametrize("wrong", [-2, -1, 1, 3, 2**31 - 1, -(2**31)])
def test_an_unknown_or_ended_contract_is_refused(kernel, wrong):
    kernel.remove_instrument(1, seq=1)
    events = kernel.apply(sell(wrong))
    assert events["kind"].tolist() == [EventKind.REJECTED]
    assert events["code"].tolist() == [RejectCode.UNKNOWN_INSTRUMENT]


def test_a_mass_cancel_of_an_ended_contract_cancels_nothing_else(kernel):
    kernel.remove_instrument(1, seq=1)
    kernel.apply(np.concatenate([sell(0), sell(2)]))
    for wrong in (1, 7, -5):
        kernel.apply(mass_cancel(account=1, instrument=wrong))
        assert len(kernel.open_orders(1)) == 2
    kernel.apply(mass_cancel(account=1, instrument=2))
    assert kernel.open_orders(1)["instrument"].tolist() == [0]
    kernel.apply(mass_cancel(account=1, instrument=ANY_INSTRUMENT))
    assert len(kernel.open_orders(1)) == 0


def test_what_the_core_must_not_ask_is_a_broken_invariant(kernel):
    kernel.remove_instrument(1, seq=1)
    with pytest.raises(InvariantViolation, match="has ended"):
        kernel.set_phase([1], Phase.CLOSED, seq=1)
    with pytest.raises(InvariantViolation, match="out of order"):
        kernel.add_instrument(9, SPEC, seq=1)
    with pytest.raises(InvariantViolation, match="UNKNOWN_ACCOUNT"):
        kernel.adjust_equity(3, 5, seq=1)


def test_positions_come_back_under_their_contracts(kernel):
    kernel.remove_instrument(0, seq=1)
    kernel.add_instrument(3, SPEC, seq=1)
    kernel.set_phase([3], Phase.CONTINUOUS, seq=1)
    for contract in (3, 2):
        kernel.apply(sell(contract))
        kernel.apply(new_order(account=2, instrument=contract, side=Side.BUY, quantity=2, price=100))
    rows = kernel.positions()
    assert rows[["instrument", "account", "position"]].tolist() == [
        (2, 1, -2),
        (2, 2, 2),
        (3, 1, -2),
        (3, 2, 2),
    ]
