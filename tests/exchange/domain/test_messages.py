"""Rare messages: what is written can be read, and nothing else can."""

from __future__ import annotations

from datetime import date
from typing import get_args

import msgspec
import pytest

from exchange.domain import brokerage as b
from exchange.domain import delivering as d
from exchange.domain import messages as m
from exchange.domain import primary as p
from exchange.domain import vouchers as v
from exchange.domain.defaults import (
    BidForPosition,
    CloseAuction,
    CloseOut,
    CoverDefault,
    EnforceCalls,
    SetContribution,
)
from exchange.domain.listing import ListingRule, SetListingRules
from exchange.domain.phases import MarketPhase
from exchange.domain.positions import SetPositionRules
from exchange.domain.profiles import HubProfiles, SetLoadProfiles
from exchange.domain.proposals import AdjustCash, Decide, Propose
from exchange.domain.sessions import Sessions, SetSessions

DAY = date(2026, 12, 4)
EXAMPLES: list[m.RareMessage] = [
    m.SetRules(products=(m.Product("H100", "GUIAN", 1),), closed_days=(DAY,), calendar_end=DAY),
    m.SetMarginRules(near_delivery=(m.MarginStep(0, 1_000),), calendar_basis_points=3_000),
    m.AddMember(name="acme", kind="provider"),
    m.AddClient(broker=2, name="liu"),
    m.SetMemberState(name="acme", state="suspended"),
    m.AddKey(member="acme", key_id="k1", scopes=("read", "trade"), ciphertext=b"\x00\xff"),
    m.RevokeKey(key_id="k1"),
    m.NoteRequests(nonces=bytes(24), orders=(m.OrderNote(1, 7, bytes(16)),)),
    m.Deposit(member="acme", amount_fen=5, reference="收款"),
    m.Withdraw(member="acme", amount_fen=5),
    m.SetPassword(member="acme", hash="$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"),
    Propose(operator=1, action=AdjustCash("acme", -5, "更正")),
    Decide(operator=2, proposal_id=1, approve=True),
    p.PostCapacity(account=1, grade="H100", hub="GUIAN", cards=8, first_day=DAY, last_day=DAY),
    p.WithdrawCapacity(account=1, capacity_id=1),
    p.SetPrimaryRules(
        ladder=(
            p.GradeMinimum(
                grade="H100", memory_gb=80, gflops=900_000, standard_milli=1_000, premium_basis_points=0
            ),
        )
    ),
    p.RegisterSite(
        account=1, name="hall 1", hub="GUIAN", installed=(p.Installed(grade="H100", cards=8),), agent_key=b"k"
    ),
    p.SetAgentKey(account=1, site_id=1, agent_key=b"k"),
    p.AttestCapacity(
        account=1,
        capacity_id=1,
        sequence=1,
        measured_at_ns=1,
        cards=8,
        gflops=950_000,
        memory_gb=80,
        signature=b"s",
    ),
    p.CertifyCapacity(capacity_id=1, cards=8),
    p.RevokeCertificate(certificate_id=1, reason="fire"),
    p.TransferCertificate(account=1, certificate_id=1, to_member="blue", cards=2),
    d.SetDeliveryRules(premiums=(d.PremiumStep(score_basis_points=0, premium_basis_points=5),)),
    d.NominateWorkload(
        account=1, reservation_id=1, workload="w", use="training", cards=1, first_hour=0, hours=24
    ),
    d.WithdrawNomination(account=1, nomination_id=1),
    d.BuyInShortfalls(),
    p.SetStandingSale(account=1, grade="H100", hub="GUIAN", kind="day", price_ticks=1_200),
    p.PlaceStandingSales(),
    d.OfferReservation(account=1, reservation_id=1, lots=2, price_ticks=1_200, to_member="blue"),
    d.WithdrawOffer(account=1, offer_id=1),
    d.TakeOffer(account=2, offer_id=1, lots=1),
    d.OpenDispute(account=1, reservation_id=1, card_hours=1, reason="r"),
    d.DecideDispute(dispute_id=1, card_hours=1, reason="r"),
    p.PledgeCertificate(account=1, certificate_id=1, cards=2),
    m.ListContracts(listings=(m.Listing("H100.GUIAN.261205", 1_200),)),
    m.OpenDay(day=DAY, settlement_window_ns=1),
    m.SetPhase(phase=MarketPhase.CALL),
    m.SetCalendar(closed_days=(date(2027, 2, 12),), calendar_end=date(2027, 12, 31)),
    v.OpenVoucherProgramme(
        issuer="city", name="算力券", budget_fen=9, share_basis_points=3_000, last_day=date(2026, 12, 31)
    ),
    v.IssueVouchers(account=3, programme_id=1, member="blue", amount_fen=5),
    SetSessions(sessions=Sessions(margin_runs=())),
    m.Halt(symbol="H100.GUIAN.261205", halted=True),
    m.KillMarket(cancel_orders=True),
    m.RunMargin(),
    SetContribution(member=None, amount_fen=5),
    EnforceCalls(),
    CloseOut(account=1),
    BidForPosition(account=1, restricted=2, symbol="H100.GUIAN.261205", lots=1, price_ticks=1_200),
    CloseAuction(account=2),
    CoverDefault(account=2),
    m.SettleDay(day=DAY),
    m.MeterReadings(account=1, readings=(m.Reading(1, 2, 3),)),
    m.FinishDelivery(day=DAY),
    SetPositionRules(day_cards=5, week_cards=6, month_cards=7),
    SetListingRules(rules=(ListingRule(kind="hour", ahead=1, grade="H100"),)),
    SetLoadProfiles(from_month=DAY, hubs=(HubProfiles(hub="GUIAN", peak=(6,) * 12, valley=(1,) * 12),)),
    b.SetCommission(broker=1, client="liu", basis_points=3),
    b.SetRevenueSplit(provider=4, broker=3, platform=3),
    b.OfferGiveUp(
        account=1,
        trade_id=1,
        symbol="H100.GUIAN.261205",
        side="buy",
        price_ticks=1,
        trade_lots=2,
        lots=1,
        to_member="b/liu",
    ),
    b.AnswerGiveUp(account=2, give_up_id=1, accept=True),
]


def test_every_message_has_an_example() -> None:
    assert {type(example) for example in EXAMPLES} == set(get_args(m.RareMessage))


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: type(message).__name__)
def test_messages_survive_a_round_trip(message: m.RareMessage) -> None:
    assert m.decode(m.encode(message)) == message


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: type(message).__name__)
def test_an_unknown_field_is_refused(message: m.RareMessage) -> None:
    fields = msgspec.msgpack.decode(m.encode(message))
    with pytest.raises(msgspec.ValidationError, match="surprise"):
        m.decode(msgspec.msgpack.encode({**fields, "surprise": 1}))
    with pytest.raises(msgspec.ValidationError):
        m.decode(msgspec.msgpack.encode({**fields, "type": "Nonsense"}))
