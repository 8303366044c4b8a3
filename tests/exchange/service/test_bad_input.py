"""What must be refused around certificates, cash, readings, nominations and transfers: each with its code;
the state's hash stays what it was.
"""

from __future__ import annotations

from datetime import date

import pytest
from primary_market import KEY, STRANGER, Provider

from exchange.domain import delivering as d
from exchange.domain import messages as m
from exchange.domain import primary as p
from exchange.domain.defaults import SetContribution
from exchange.domain.rejects import RejectCode

SATURDAY, SUNDAY = date(2026, 12, 5), date(2026, 12, 6)
SATURDAY_H100, TUESDAY_H100 = "H100.GUIAN.261205", "H100.GUIAN.261208"


@pytest.fixture
def provider(market):
    """10 cards certified; 5 delivering to blue on Saturday, 4 behind a short; dunes isn't approved."""
    provider = Provider(market)
    provider.certified(10)
    market.do(m.AddMember(name="dunes", kind="enterprise", state="applied"))
    market.open()
    market.trade(SATURDAY_H100, 1, 2, 5, 1_200)
    market.trade(TUESDAY_H100, 1, 2, 4, 1_200)
    market.settle()
    return provider


def nominate(**changed):
    usual = {"account": 2, "reservation_id": 1, "workload": "job", "use": "training", "cards": 1}
    return d.NominateWorkload(**{**usual, "first_hour": 0, "hours": 24, **changed})


def test_capacity_is_certified_and_used_once(provider, market):
    assert market.refused(p.CertifyCapacity(capacity_id=1, cards=1)) is RejectCode.OVER_CERTIFIED
    more = provider.post(cards=1)
    market.do(provider.attestation(capacity_id=more))
    again = p.CertifyCapacity(capacity_id=more, cards=1)
    assert market.refused(again) is RejectCode.OVER_CERTIFIED  # 10 are installed, and certified
    pledge = p.PledgeCertificate(account=1, certificate_id=1, cards=7)
    assert market.refused(pledge) is RejectCode.CERTIFICATE_IN_USE  # 4 are behind a short
    hand_on = {"account": 1, "certificate_id": 1, "to_member": "blue"}
    assert market.refused(p.TransferCertificate(**hand_on, cards=7)) is RejectCode.CERTIFICATE_IN_USE
    withdrawal = p.WithdrawCapacity(account=1, capacity_id=1)
    assert market.refused(withdrawal) is RejectCode.CERTIFICATE_IN_USE
    stolen = p.PledgeCertificate(account=2, certificate_id=1, cards=1)
    assert market.refused(stolen) is RejectCode.UNKNOWN_CERTIFICATE


def test_cash_that_margin_or_a_delivery_needs_stays(provider, market):
    free = market.state.free_cash(2)
    assert free < market.cash_of(2)
    over = m.Withdraw(member="blue", amount_fen=free + 1)
    assert market.refused(over) is RejectCode.INSUFFICIENT_CASH
    assert market.refused(SetContribution(member="blue", amount_fen=free + 1)) is RejectCode.INSUFFICIENT_CASH
    market.do(m.Withdraw(member="blue", amount_fen=free))


def test_readings_come_in_order_once_and_from_their_agent(provider, market):
    def batch(cards=5, hours=(0,), **changed):
        return provider.readings(SATURDAY, {1: cards}, hours, **changed)

    sequence = market.state.primary.sites[0].sequence + 1
    assert market.refused(batch()) is RejectCode.READING_TOO_EARLY
    market.at(3, 0, SATURDAY)
    assert market.refused(batch(hours=(0, 5))) is RejectCode.READING_TOO_EARLY
    assert market.refused(batch(sequence=sequence + 1)) is RejectCode.AGENT_MESSAGE_MISSING
    assert market.refused(batch(key=STRANGER)) is RejectCode.FORGED_SIGNATURE
    assert market.refused(batch(cards=6)) is RejectCode.READING_OUT_OF_RANGE
    assert market.refused(batch(hours=(1, 1))) is RejectCode.READING_DUPLICATE
    assert market.refused(batch(hours=(24,))) is RejectCode.READING_OUTSIDE_PERIOD
    good = batch()
    unsigned = m.MeterReadings(account=1, readings=good.readings)
    assert market.refused(unsigned) is RejectCode.SIGNATURE_REQUIRED
    market.do(good)
    assert market.refused(good) is RejectCode.AGENT_MESSAGE_REPEATED
    assert market.refused(batch(key=KEY)) is RejectCode.READING_DUPLICATE
    market.at(2, 0, SUNDAY)
    assert market.refused(batch(hours=(0, 1))) is RejectCode.READING_TOO_LATE


def test_nothing_is_nominated_or_resold_after_the_gate(provider, market):
    market.do(nominate())
    market.do(d.OfferReservation(account=2, reservation_id=1, lots=1, price_ticks=1_200))
    market.at(22, 0)
    assert market.refused(nominate()) is RejectCode.NOMINATION_TOO_LATE
    withdrawal = d.WithdrawNomination(account=2, nomination_id=1)
    assert market.refused(withdrawal) is RejectCode.NOMINATION_TOO_LATE
    offer = d.OfferReservation(account=2, reservation_id=1, lots=1, price_ticks=1_200)
    assert market.refused(offer) is RejectCode.RESALE_TOO_LATE
    assert market.refused(d.TakeOffer(account=3, offer_id=1, lots=1)) is RejectCode.RESALE_TOO_LATE


def test_nothing_goes_to_a_member_that_is_not_approved(provider, market):
    dunes = market.state.members["dunes"].account
    certificate = p.TransferCertificate(account=1, certificate_id=1, to_member="dunes", cards=1)
    assert market.refused(certificate) is RejectCode.MEMBER_NOT_APPROVED
    offer = {"account": 2, "reservation_id": 1, "lots": 1, "price_ticks": 1_200}
    to_dunes = d.OfferReservation(**offer, to_member="dunes")
    assert market.refused(to_dunes) is RejectCode.MEMBER_NOT_APPROVED
    market.do(d.OfferReservation(**offer))
    take = d.TakeOffer(account=dunes, offer_id=1, lots=1)
    assert market.refused(take) is RejectCode.MEMBER_NOT_APPROVED
    market.do(m.SetMemberState(name="coral", state="suspended"))
    take = d.TakeOffer(account=3, offer_id=1, lots=1)
    assert market.refused(take) is RejectCode.MEMBER_NOT_APPROVED
    market.do(m.SetMemberState(name="blue", state="suspended"))
    market.do(m.SetMemberState(name="dunes", state="approved"))
    take = d.TakeOffer(account=dunes, offer_id=1, lots=1)
    assert market.refused(take) is RejectCode.MEMBER_NOT_APPROVED  # the seller isn't any more
