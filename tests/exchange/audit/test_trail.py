"""What is traced: every fen of a short life by hand, and of random days against the ledger."""

from __future__ import annotations

from collections import Counter
from datetime import time, timedelta

import pytest

from exchange.audit.records import Record
from exchange.audit.subject import Subject, SubjectNotFound
from exchange.audit.tracing import trace
from exchange.clearing.ledger import LedgerKind
from exchange.domain import brokerage as b
from exchange.domain import messages as m
from exchange.domain.calendar import NS_PER_HOUR, moment_ns
from exchange.domain.contracts import parse_symbol
from exchange.domain.phases import MarketPhase
from exchange.journal import dump
from matching.records import Side, new_order
from tests.support.history_days import FRIDAY, Days

SATURDAY = FRIDAY + timedelta(days=1)
SYMBOL = "H100.GUIAN.261205"


def traced(data, subject: object):
    return trace(data, Subject(str(subject)), lambda _: None)


def told(records: list[Record], *kinds: str) -> list[tuple[str, str, int | None, int | None]]:
    """Account, text, fen, share of some kinds of records."""
    return [(r.account, r.text, r.amount_fen, r.share_fen) for r in records if r.what in kinds]


@pytest.fixture(scope="module")
def life(tmp_path_factory):
    """(data directory, core): acme sells blue 3 lots of Saturday at 12.01 and 2 at 12.05, of which blue gives
    1 up to coral for 7 fen; settled at 12.03 (6,013 over 5, half up), delivered but for one card-hour.
    """
    days = Days(seed=1)
    at = {"instrument": days.core.state.contracts_by_symbol[SYMBOL].index}
    days.now_ns = moment_ns(FRIDAY, time(8, 30))
    days.send(m.OpenDay(day=FRIDAY, settlement_window_ns=moment_ns(FRIDAY, time(14))))
    for phase in (MarketPhase.CALL, MarketPhase.MATCHED, MarketPhase.CONTINUOUS):
        days.send(m.SetPhase(phase=phase))
    days.now_ns = moment_ns(FRIDAY, time(14, 10))
    for price, lots in ((1_201, 3), (1_205, 2)):
        days.orders([new_order(account=1, side=Side.SELL, quantity=lots, price=price, **at)])
        days.orders([new_order(account=2, side=Side.BUY, quantity=lots, price=price, **at)])
    days.orders([new_order(account=3, side=Side.BUY, quantity=1, price=1_100, **at)])
    offer = {"trade_id": 2, "symbol": SYMBOL, "side": "buy", "price_ticks": 1_205, "trade_lots": 2}
    days.send(b.OfferGiveUp(account=2, lots=1, to_member="coral", fee_fen=7, **offer))
    days.send(b.AnswerGiveUp(account=3, give_up_id=1, accept=True))
    days.now_ns = moment_ns(FRIDAY, time(15))
    days.send(m.SetPhase(phase=MarketPhase.CLOSED))
    days.send(m.SettleDay(day=FRIDAY))
    days.now_ns = moment_ns(SATURDAY + timedelta(days=1), time(1))
    hours = [parse_symbol(SYMBOL).period.start_ns + hour * NS_PER_HOUR for hour in range(24)]
    readings = [m.Reading(1, hour, 4 - (hour == hours[7])) for hour in hours]
    readings += [m.Reading(2, hour, 1) for hour in hours]
    days.send(m.MeterReadings(account=1, readings=tuple(readings)))
    days.send(m.FinishDelivery(day=FRIDAY))
    days.send(m.FinishDelivery(day=SATURDAY))
    folder = tmp_path_factory.mktemp("life")
    days.write(folder)
    return folder, days.core


def test_a_trade_is_followed_from_both_orders_to_the_statements(life):
    data, _ = life
    found = traced(data, 1)
    assert traced(data, "1-buy").records == found.records
    assert [r.what for r in found.records][:4] == ["order", "order", "fill", "fill"]
    assert told(found.records, "fill") == [
        ("blue", found.records[2].text, -17, None),  # 2 bp of 1,201 × 24 × 3 = 86,472 are 17.29
        ("acme", found.records[3].text, 0, None),
    ]
    (settled,) = told(found.records, "settlement")
    assert settled[1] == "settled at 12.03 (last hour), 5 lots traded"
    # the 3 lots bought at 1,201 gain 2 ticks: 24 × 3 × 2; the 2 bought at 1,205 lose 24 × 2 × 2
    margins = [r for r in found.records if r.text.startswith("variation margin")]
    assert sorted((r.account, r.amount_fen, r.share_fen) for r in margins) == [
        ("acme", -48, -144),
        ("blue", 96, 144),
    ]
    expired, _ = told(found.records, "expiry")
    assert expired[1] == "reservation 1: acme delivers 4 lots to blue on 2026-12-05 at 12.03"
    assert [r.message is not None for r in found.records if r.what == "message"] == [True]
    # 95 of 96 card-hours at 1,203, and 24 of 24
    paid = [(r.account, r.amount_fen) for r in found.records if r.text.startswith("delivery payment")]
    assert sorted(paid) == [("acme", 28_872), ("acme", 114_285), ("blue", -114_285)]
    assert {r.account for r in found.records} <= {"", "acme", "blue"}


def test_an_order_has_its_own_part_of_the_margin(life):
    data, _ = life
    events = [r for r in traced(data, 1).records if r.what == "order"]
    order_id = events[1].text.split()[1]
    found = traced(data, order_id)
    assert found.subject == f"order {order_id}"
    assert [r.who for r in found.records if r.what in ("order", "fill")] == ["blue", "blue"]
    (margin,) = [r for r in found.records if r.text.startswith("variation margin")]
    assert (margin.amount_fen, margin.share_fen) == (96, 144)
    fill = next(r for r in found.records if r.what == "fill")
    assert fill.margin is not None
    assert fill.margin.requirement_fen == 3 * 1_440  # 5 % of 1,200 × 24, a lot of a contract not yet settled


def test_what_is_given_up_is_followed_to_the_other_account(life):
    data, _ = life
    found = traced(data, 2).records
    assert told(found, "give-up") == [("blue", "1 lots of trade 2 given up to coral", None, None)]
    margins = [r for r in found if r.text.startswith("variation margin")]
    # 24 × 2 lots × 2 ticks for acme; of blue's two lots one has gone, and loses 48 for coral
    assert sorted((r.account, r.share_fen) for r in margins) == [("acme", 96), ("blue", -48), ("coral", -48)]
    fees = [(r.account, r.amount_fen) for r in found if r.text.startswith("give up fee")]
    assert fees == [("coral", -7), ("blue", 7)]


def test_an_account_has_every_entry_of_its_ledger(life):
    data, core = life
    found = traced(data, "blue")
    entries = [r for r in found.records if r.what == "statement"]
    assert sum(r.amount_fen for r in entries) == int(core.state.cash[2])
    assert entries[0].amount_fen == 10**10
    assert found.records[0].message["name"] == "blue"
    assert [r.who for r in found.records if r.what == "message"][:2] == ["an operator", "an operator"]
    assert found.as_of_seq == core.seq


def test_every_record_names_its_frame(life):
    data, _ = life
    frames = {frame.first_seq: frame for frame in dump(data / "journal")}
    chains = {first: frame.chain.hex() for first, frame in frames.items()}
    for record in traced(data, "acme").records:
        frame = frames[record.frame.first_seq]
        assert record.frame.first_seq <= record.seq <= record.frame.last_seq
        assert (record.frame.chain, record.frame.offset) == (frame.chain.hex(), frame.offset)
        before = [chain for first, chain in chains.items() if first < record.frame.first_seq]
        assert record.frame.previous_chain == (before[-1] if before else "00" * 32)


def test_a_refused_order_and_an_unknown_subject(life):
    data, _ = life
    with pytest.raises(SubjectNotFound, match="knows no trade 99"):
        traced(data, 99)
    with pytest.raises(SubjectNotFound, match="no account nobody"):
        traced(data, "nobody")
    with pytest.raises(SubjectNotFound, match="no order"):
        traced(data, (1 << 32) + 99)


def test_the_shares_of_all_trades_are_the_variation_margin(tmp_path):
    """Over a week with cascades: what single trades earned sums to what accounts were paid, contract by
    contract.
    """
    days = Days(seed=3)
    days.live(days=6, orders=30)
    days.write(tmp_path)
    trades: Counter[tuple[int, str]] = Counter()
    for name, account in (("acme", 1), ("blue", 2), ("coral", 3)):
        found = traced(tmp_path, name)
        for record in found.records:
            if record.share_fen is not None:
                trades[account, record.contract] += record.share_fen
    ledger = days.core.state.ledger.rows
    paid: Counter[tuple[int, str]] = Counter()
    for row in ledger[ledger["kind"] == LedgerKind.VARIATION_MARGIN]:
        symbol = days.core.state.contracts[int(row["contract"])].symbol
        paid[int(row["account"]), symbol] += int(row["amount"])
    assert len(paid) > 10
    assert +trades == +paid
    assert -trades == -paid
    assert any(record.what == "cascade" for record in found.records)
