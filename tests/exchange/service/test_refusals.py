"""Every refusal of a rare message: its code, and nothing changed (clause 1.5)."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from exchange.domain import delivering as d
from exchange.domain import messages as m
from exchange.domain import primary as p
from exchange.domain.calendar import NS_PER_HOUR
from exchange.domain.phases import MarketPhase
from exchange.domain.proposals import AdjustCash, Decide, Propose, RestoreMember
from exchange.domain.rejects import RejectCode

FRIDAY = date(2026, 12, 4)
SATURDAY, SUNDAY = date(2026, 12, 5), date(2026, 12, 6)
PRODUCT = m.Product("H100", "GUIAN", 1)
END = date(2027, 12, 31)


def rules(**changed) -> m.SetRules:
    products = (PRODUCT, m.Product("T4", "SHANGHAI-EDGE", 8))
    return m.SetRules(**{"products": products, "closed_days": (), "calendar_end": END, **changed})


def capacity(**changed) -> p.PostCapacity:
    usual = {"account": 1, "grade": "H100", "hub": "GUIAN", "cards": 8}
    return p.PostCapacity(**{**usual, "first_day": SATURDAY, "last_day": SUNDAY, **changed})


def listing(symbol: str, price: int = 1_200) -> m.ListContracts:
    return m.ListContracts(listings=(m.Listing("H100.GUIAN.270301", 1_200), m.Listing(symbol, price)))


BEFORE_THE_FIRST_DAY = [
    (rules(taker_basis_points=10_001), RejectCode.INVALID_RULE),
    (rules(margin_basis_points=-1), RejectCode.INVALID_RULE),
    (rules(closed_days=(SUNDAY, SATURDAY)), RejectCode.INVALID_RULE),
    (d.SetDeliveryRules(grace_hours=-1), RejectCode.INVALID_RULE),
    (d.SetDeliveryRules(gate_hours=-1), RejectCode.INVALID_RULE),
    (rules(products=(PRODUCT,)), RejectCode.PRODUCT_CHANGED),  # clause 2.10
    (m.AddMember(name="acme", kind="operator", roles=("risk",)), RejectCode.MEMBER_EXISTS),
    (m.AddMember(name="clerk", kind="operator"), RejectCode.INVALID_ROLES),
    (m.AddMember(name="clerk", kind="operator", roles=("risk", "risk")), RejectCode.INVALID_ROLES),
    (m.AddMember(name="clerk", kind="provider", roles=("risk",)), RejectCode.INVALID_ROLES),
    (m.SetPassword(member="nobody", hash="$argon2id$x"), RejectCode.UNKNOWN_MEMBER),
    (m.SetPassword(member="acme", hash="open sesame"), RejectCode.INVALID_PASSWORD_HASH),
    (m.SetPassword(member="acme", hash="$argon2id$" + "x" * 247), RejectCode.INVALID_PASSWORD_HASH),
    (Propose(operator=1, action=RestoreMember("blue")), RejectCode.NOT_AN_OPERATOR),
    (Decide(operator=1, proposal_id=1, approve=True), RejectCode.NOT_AN_OPERATOR),
    (m.AddClient(broker=1, name="liu"), RejectCode.NOT_A_BROKER),
    (m.AddClient(broker=99, name="liu"), RejectCode.NOT_A_BROKER),
    (m.SetMemberState(name="nobody", state="approved"), RejectCode.UNKNOWN_MEMBER),
    (m.AddKey(member="nobody", key_id="k", scopes=(), ciphertext=b""), RejectCode.UNKNOWN_MEMBER),
    (m.RevokeKey(key_id="k"), RejectCode.UNKNOWN_KEY),
    (m.NoteRequests(nonces=bytes(25)), RejectCode.INVALID_COMMAND),
    (m.Deposit(member="nobody", amount_fen=1), RejectCode.UNKNOWN_MEMBER),
    (m.Deposit(member="acme", amount_fen=0), RejectCode.INVALID_AMOUNT),
    (m.Deposit(member="acme", amount_fen=10**15 + 1), RejectCode.INVALID_AMOUNT),
    (m.Withdraw(member="acme", amount_fen=-5), RejectCode.INVALID_AMOUNT),
    (m.Withdraw(member="acme", amount_fen=10**10 + 1), RejectCode.INSUFFICIENT_CASH),
    (m.Withdraw(member="nobody", amount_fen=1), RejectCode.UNKNOWN_MEMBER),
    (capacity(account=2), RejectCode.NOT_A_PROVIDER),
    (capacity(account=99), RejectCode.NOT_A_PROVIDER),
    (capacity(hub="NOWHERE"), RejectCode.UNKNOWN_PRODUCT),
    (capacity(cards=0), RejectCode.INVALID_CAPACITY),
    (capacity(grade="T4", hub="SHANGHAI-EDGE", cards=12), RejectCode.INVALID_CAPACITY),
    (capacity(first_day=FRIDAY), RejectCode.INVALID_CAPACITY),
    (capacity(first_day=SUNDAY, last_day=SATURDAY), RejectCode.INVALID_CAPACITY),
    (capacity(last_day=date(2028, 1, 1)), RejectCode.INVALID_CAPACITY),
    (capacity(reserve_price_ticks=-1), RejectCode.INVALID_CAPACITY),
    (p.WithdrawCapacity(account=1, capacity_id=1), RejectCode.UNKNOWN_CAPACITY),
    (p.WithdrawCapacity(account=1, capacity_id=0), RejectCode.UNKNOWN_CAPACITY),
    (listing("H100"), RejectCode.INVALID_SYMBOL),
    (listing("A100.GUIAN.261205"), RejectCode.UNKNOWN_PRODUCT),
    (listing("H100.GUIAN.261205"), RejectCode.CONTRACT_EXISTS),
    (listing("H100.GUIAN.270301"), RejectCode.CONTRACT_EXISTS),
    (listing("H100.GUIAN.270302", 0), RejectCode.INVALID_PRICE),
    (listing("H100.GUIAN.270302", 2**20 + 1), RejectCode.INVALID_PRICE),
    (m.OpenDay(day=SATURDAY, settlement_window_ns=0), RejectCode.NOT_A_TRADING_DAY),
    (m.SetPhase(phase=MarketPhase.CALL), RejectCode.WRONG_PHASE),
    (m.SetPhase(phase=MarketPhase.SETTLED), RejectCode.WRONG_PHASE),
    (m.Halt(symbol="H100.GUIAN.261205", halted=True), RejectCode.WRONG_PHASE),
    (m.Halt(symbol="H100.GUIAN.999999", halted=True), RejectCode.UNKNOWN_CONTRACT),
    (m.SettleDay(day=FRIDAY), RejectCode.WRONG_PHASE),
    (m.FinishDelivery(day=SATURDAY), RejectCode.DAY_NOT_NEXT),
    (
        m.MeterReadings(account=1, readings=(m.Reading(1, 0, 0),)),
        RejectCode.UNKNOWN_RESERVATION,
    ),
]


@pytest.mark.parametrize(
    ("message", "code"), BEFORE_THE_FIRST_DAY, ids=lambda v: v.name if isinstance(v, RejectCode) else ""
)
def test_refused_before_the_first_day(market, message, code) -> None:
    assert market.refused(message) is code


def test_refused_while_the_day_is_open(market) -> None:
    market.open()
    again = m.OpenDay(day=FRIDAY, settlement_window_ns=0)
    assert market.refused(again) is RejectCode.WRONG_PHASE
    assert market.refused(m.SetPhase(phase=MarketPhase.CONTINUOUS)) is RejectCode.WRONG_PHASE
    assert market.refused(m.SetPhase(phase=MarketPhase.CALL)) is RejectCode.WRONG_PHASE
    assert market.refused(listing("H100.GUIAN.270302")) is RejectCode.WRONG_PHASE
    assert market.refused(m.SettleDay(day=FRIDAY)) is RejectCode.WRONG_PHASE
    market.at(15)
    market.do(m.SetPhase(phase=MarketPhase.CLOSED))
    assert market.refused(m.SettleDay(day=date(2026, 12, 3))) is RejectCode.DAY_NOT_NEXT
    market.do(m.SettleDay(day=FRIDAY))
    assert market.refused(m.SettleDay(day=FRIDAY)) is RejectCode.WRONG_PHASE
    assert market.refused(again) is RejectCode.DAY_NOT_NEXT
    assert market.refused(m.OpenDay(day=date(2026, 12, 8), settlement_window_ns=0)) is RejectCode.DAY_NOT_NEXT
    assert market.refused(listing("H100.GUIAN.261201")) is RejectCode.CONTRACT_OVER


def test_a_member_comes_with_its_key_or_not_at_all(market) -> None:
    key = m.FirstKey("k9", ("read",), b"x")
    market.do(m.AddMember(name="dune", kind="provider", key=key))
    assert market.state.keys["k9"].member == "dune"
    assert market.refused(m.AddMember(name="elm", kind="provider", key=key)) is RejectCode.KEY_EXISTS


def test_all_deposits_together_stay_inside_int64(market) -> None:
    for _ in range(999):
        market.do(m.Deposit(member="blue", amount_fen=10**15))
    left = 10**18 - market.state.deposits_fen  # clause 8.3; what the market began with is counted too
    assert 0 < left < 10**15
    assert market.refused(m.Deposit(member="acme", amount_fen=left + 1)) is RejectCode.DEPOSIT_LIMIT
    market.do(m.Deposit(member="acme", amount_fen=left))
    assert market.refused(m.Deposit(member="acme", amount_fen=1)) is RejectCode.DEPOSIT_LIMIT
    market.core.check()


def test_what_no_second_operator_could_approve_is_not_proposed(market) -> None:
    for name in ("first", "second"):
        market.do(m.AddMember(name=name, kind="operator", roles=("treasury",)))
    for amount in (0, 10**15 + 1, -(10**15) - 1):
        wrong = Propose(operator=4, action=AdjustCash("blue", amount, "why"))
        assert market.refused(wrong) is RejectCode.INVALID_AMOUNT
    assert market.refused(Propose(operator=4, action=RestoreMember("blue"))).name == "WRONG_MEMBER_STATE"
    assert market.refused(Propose(operator=4, action=RestoreMember("zebra"))).name == "UNKNOWN_MEMBER"
    correction = Propose(operator=4, action=AdjustCash("blue", -7, "why"))
    numbers = [market.do(correction).data["proposal_id"] for _ in range(1_000)]
    assert market.refused(correction) is RejectCode.PROPOSAL_LIMIT
    assert market.refused(Decide(operator=5, proposal_id=1_001, approve=True)).name == "UNKNOWN_PROPOSAL"
    market.do(m.SetMemberState(name="second", state="suspended"))
    assert market.refused(Decide(operator=5, proposal_id=1, approve=True)).name == "NOT_AN_OPERATOR"
    market.at(8, 0, SATURDAY)  # a day later all of them are over
    market.do(correction)
    assert numbers == list(range(1, 1_001))


def test_refused_on_keys_and_capacity_that_exist(market) -> None:
    """Clauses 9.6, 7.1."""
    key = m.AddKey(member="acme", key_id="k1", scopes=("read",), ciphertext=b"x")
    market.do(key)
    assert market.refused(key) is RejectCode.KEY_EXISTS
    market.do(capacity())
    assert market.refused(p.WithdrawCapacity(account=2, capacity_id=1)) is RejectCode.UNKNOWN_CAPACITY
    market.do(p.WithdrawCapacity(account=1, capacity_id=1))
    assert market.refused(p.WithdrawCapacity(account=1, capacity_id=1)) is RejectCode.UNKNOWN_CAPACITY


@pytest.fixture
def delivering(market):
    """Saturday noon: reservation 1 is 5 cards of provider 1 for Saturday."""
    market.open()
    market.trade("H100.GUIAN.261205", 1, 2, 5, 1_200)
    market.settle()
    market.at(12, 0, SATURDAY)
    return market


def readings(delivering, *rows, account=1) -> m.MeterReadings:
    """A good reading of hour 0 first, so that all-or-none is seen; rows are (reservation, hour, cards)."""
    contract = delivering.state.contracts_by_symbol["H100.GUIAN.261205"]
    start = contract.period.start_ns
    made = [m.Reading(r, start + round(h * NS_PER_HOUR), cards) for r, h, cards in ((1, 0, 5), *rows)]
    return m.MeterReadings(account=account, readings=tuple(made))


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ((2, 1, 5), RejectCode.UNKNOWN_RESERVATION),
        ((0, 1, 5), RejectCode.UNKNOWN_RESERVATION),
        ((1, -1, 5), RejectCode.READING_OUTSIDE_PERIOD),
        ((1, 24, 5), RejectCode.READING_OUTSIDE_PERIOD),
        ((1, 0.5, 5), RejectCode.READING_OUTSIDE_PERIOD),
        ((1, 12, 5), RejectCode.READING_TOO_EARLY),
        ((1, 1, 6), RejectCode.READING_OUT_OF_RANGE),
        ((1, 1, -1), RejectCode.READING_OUT_OF_RANGE),
        ((1, 0, 5), RejectCode.READING_DUPLICATE),
    ],
)
def test_a_batch_with_a_wrong_reading_is_refused_whole(delivering, row, code) -> None:
    assert delivering.refused(readings(delivering, row)) is code  # clause 7.4
    assert delivering.send(readings(delivering, row)).detail == "readings[1]"
    delivering.do(readings(delivering))


def test_a_suspended_provider_goes_on_delivering(delivering) -> None:
    """Clause 8.8."""
    delivering.do(m.SetMemberState(name="acme", state="suspended"))
    assert delivering.do(readings(delivering)).data == {"accepted": 1}


def test_readings_of_others_repeated_ones_and_late_ones_are_refused(delivering) -> None:
    assert delivering.refused(readings(delivering, account=2)) is RejectCode.NOT_YOUR_RESERVATION
    delivering.do(readings(delivering))
    assert delivering.refused(readings(delivering)) is RejectCode.READING_DUPLICATE
    assert delivering.refused(m.FinishDelivery(day=SATURDAY)) is RejectCode.DELIVERY_NOT_OVER
    delivering.at(1, 0, SUNDAY)
    assert delivering.refused(m.FinishDelivery(day=SUNDAY)) is RejectCode.DAY_NOT_NEXT
    delivering.do(m.FinishDelivery(day=SATURDAY))
    assert delivering.refused(m.FinishDelivery(day=SATURDAY)) is RejectCode.DAY_NOT_NEXT
    assert delivering.refused(readings(delivering)) is RejectCode.READING_TOO_LATE


def test_delivery_waits_for_the_settlement(market) -> None:
    market.open()
    market.at(1, 0, SUNDAY)
    assert market.refused(m.FinishDelivery(day=SATURDAY)) is RejectCode.WRONG_PHASE


def test_the_dearest_quarter_can_be_listed_fully_margined(market_type):
    market = market_type()
    rules = msgspec.structs.replace(market.state.rules, margin_basis_points=10_000)
    market.do(rules)
    market.do(listing("H100.GUIAN.28Q3", 2**19))
    assert market.state.contracts[-1].symbol == "H100.GUIAN.28Q3"
    market.core.check()
