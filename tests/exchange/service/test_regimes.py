"""Pricing regimes (clauses 4.11 to 4.14): the band, what two operators need, what happens at its ends."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.domain import messages as m
from exchange.domain import vouchers as v
from exchange.domain.calendar import NS_PER_HOUR, day_start_ns
from exchange.domain.proposals import Decide, Propose
from exchange.domain.regimes import Regime, SetRegime
from exchange.domain.rejects import RejectCode
from matching.records import RejectCode as KernelCode
from matching.records import Side

SYMBOL = "H100.GUIAN.2701"


def regime(kind: Any, floor: int = 0, ceiling: int = 0) -> Regime:
    return Regime(grade="H100", hub="GUIAN", kind=kind, floor_ticks=floor, ceiling_ticks=ceiling)


def propose(market: Any, wanted: Regime, reason: str = "notice 12") -> Propose:
    if "first" not in market.state.members:
        for name in ("first", "second"):
            market.do(m.AddMember(name=name, kind="operator", roles=("market",)))
    return Propose(operator=4, action=SetRegime(regime=wanted, reason=reason))


def agree(market: Any, wanted: Regime) -> None:
    number = market.do(propose(market, wanted)).data["proposal_id"]
    assert market.refused(Decide(operator=4, proposal_id=number, approve=True)) is RejectCode.SAME_OPERATOR
    market.do(Decide(operator=5, proposal_id=number, approve=True))


def limits(market: Any) -> tuple[int, int]:
    row = market.state.contract_row(market.state.contracts_by_symbol[SYMBOL].index)
    return int(row["price_low"]), int(row["price_high"])


@pytest.mark.parametrize(
    ("wanted", "reference", "day", "band"),
    [
        (regime("guided", 1_100, 1_250), 1_200, (1_080, 1_320), (1_100, 1_250)),  # clause 4.12
        (regime("guided", 1_100, 1_250), 1_300, (1_170, 1_430), (1_170, 1_300)),
        (regime("guided", 1_100, 1_250), 1_240, (1_116, 1_364), (1_116, 1_250)),
        (regime("cost-floor", 1_150), 1_200, (1_080, 1_320), (1_150, 1_320)),  # clause 4.13
        (regime("voucher", 1_200, 1_200), 1_200, (1_080, 1_320), (1_200, 1_200)),  # clause 4.14
        (regime("voucher", 1_200, 1_200), 1_230, (1_107, 1_353), (1_200, 1_230)),
        (regime("market"), 1_200, (1_080, 1_320), (1_080, 1_320)),
    ],
)
def test_worked_examples(wanted: Regime, reference: int, day: tuple[int, int], band: tuple[int, int]) -> None:
    assert wanted.limits(*day, reference) == band


@given(st.integers(1, 2_000), st.integers(1, 2_000), st.integers(1, 2_000), st.integers(0, 300))
def test_limits_hold_the_reference_and_never_leave_the_band(
    one: int, other: int, reference: int, width: int
) -> None:
    floor, ceiling = min(one, other), max(one, other) + 1
    day = (max(1, reference - width), reference + width)
    low, high = regime("guided", floor, ceiling).limits(*day, reference)
    assert day[0] <= low <= reference <= high <= day[1]
    assert low >= min(floor, reference)
    assert high <= max(ceiling, reference)


def test_a_band_holds_from_the_next_settlement_on(market: Any) -> None:
    agree(market, regime("guided", 1_100, 1_250))
    assert limits(market) == (1_080, 1_320)
    market.open()
    market.settle()
    assert limits(market) == (1_100, 1_250)
    number = market.do(propose(market, regime("market"))).data["proposal_id"]
    market.do(Decide(operator=5, proposal_id=number, approve=False))
    assert market.state.regimes["H100", "GUIAN"].kind == "guided"
    market.core.check()


def test_orders_outside_the_band_are_refused_and_its_end_is_no_lock(market: Any) -> None:
    market.do(m.SetMarginRules(lock_limit_basis_points=300))
    agree(market, regime("guided", 1_100, 1_250))
    market.open()
    market.settle()
    market.day = market.state.next_day()
    for due in (5, 6):
        market.at(1, day=market.friday.replace(day=due + 1))
        market.do(m.FinishDelivery(day=market.friday.replace(day=due)))
    market.open()
    for price, code in ((1_251, KernelCode.PRICE_OUTSIDE_LIMITS), (1_099, KernelCode.PRICE_OUTSIDE_LIMITS)):
        events = market.orders(market.order(2, SYMBOL, Side.BUY, 1, price)).events
        assert events["code"].tolist() == [code]
    market.orders(market.order(2, SYMBOL, Side.BUY, 1, 1_250))  # locked up, at the band's end
    market.settle()
    row = market.state.contract_row(market.state.contracts_by_symbol[SYMBOL].index)
    assert (int(row["reference"]), int(row["lock_days"])) == (1_250, 0)
    assert limits(market) == (1_125, 1_250)
    market.core.check()


def test_new_contracts_are_listed_within_the_band(market: Any) -> None:
    agree(market, regime("cost-floor", 1_150))
    market.do(m.ListContracts(listings=(m.Listing("H100.GUIAN.270115", 1_200),)))
    row = market.state.contract_row(market.state.contracts_by_symbol["H100.GUIAN.270115"].index)
    assert (int(row["price_low"]), int(row["price_high"])) == (1_150, 1_320)


@pytest.mark.parametrize(
    ("kind", "floor", "ceiling"),
    [
        ("market", 1, 0),
        ("guided", 2, 2),
        ("guided", 0, 2),
        ("cost-floor", 5, 9),
        ("voucher", 5, 6),
        ("guided", 1, 2**20),
    ],
)
def test_regimes_that_cannot_be(market: Any, kind: Any, floor: int, ceiling: int) -> None:
    wrong = propose(market, regime(kind, floor, ceiling))
    assert market.refused(wrong) is RejectCode.INVALID_REGIME


def test_a_regime_needs_a_product_and_a_reason(market: Any) -> None:
    unknown = Regime(grade="A100", hub="GUIAN", kind="market")
    assert market.refused(propose(market, unknown)) is RejectCode.UNKNOWN_PRODUCT
    assert market.refused(propose(market, regime("market"), "")) is RejectCode.INVALID_REGIME


def test_in_a_voucher_regime_a_voucher_pays_the_whole_invoice(market: Any) -> None:
    """Clause 11.3: beyond the programme's share of 1 %."""
    agree(market, regime("voucher", 1_200, 1_200))
    saturday = market.friday.replace(day=5)
    market.do(
        v.OpenVoucherProgramme(
            issuer="coral", name="free", budget_fen=28_800, share_basis_points=100, last_day=saturday
        )
    )
    market.do(v.IssueVouchers(account=3, programme_id=1, member="blue", amount_fen=28_800))
    market.open()
    market.trade("H100.GUIAN.261205", 1, 2, 1, 1_200)
    market.settle()
    before = market.cash_of(2)
    market.at(0, 30, saturday.replace(day=6))
    hours = [day_start_ns(saturday) + hour * NS_PER_HOUR for hour in range(24)]
    market.do(m.MeterReadings(account=1, readings=tuple(m.Reading(1, at, 1) for at in hours)))
    market.at(1, 0, saturday.replace(day=6))
    market.do(m.FinishDelivery(day=saturday))
    assert (market.cash_of(2), market.state.vouchers.vouchers[0].spent_fen) == (before, 28_800)
    market.core.check()
