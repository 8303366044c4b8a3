"""The primary market (chapter 10): worked examples recomputed, and refusals that change nothing."""

from __future__ import annotations

from datetime import date

import pytest
from primary_market import KEY, STRANGER, Provider

from exchange.domain import messages as m
from exchange.domain import primary as p
from exchange.domain.calendar import epoch_day
from exchange.domain.rejects import RejectCode
from exchange.service.certifying import may_be_certified
from matching.records import Side

SATURDAY, SUNDAY, MONDAY = date(2026, 12, 5), date(2026, 12, 6), date(2026, 12, 7)
NEXT_SUNDAY = date(2026, 12, 13)
SATURDAY_H100, WEEK_H100 = "H100.GUIAN.261205", "H100.GUIAN.26W50"


@pytest.fixture
def provider(market):
    return Provider(market)


def test_the_operator_certifies_what_was_attested(provider, market):
    provider.post(cards=10, availability_basis_points=9_500)
    assert market.refused(p.CertifyCapacity(capacity_id=1, cards=1)) is RejectCode.NOT_ATTESTED
    assert market.do(provider.attestation()).data == {"certificate_id": 0}
    # clause 10.3: 10 cards at 95 % are 9
    assert market.refused(p.CertifyCapacity(capacity_id=1, cards=10)) is RejectCode.OVER_CERTIFIED
    assert market.do(p.CertifyCapacity(capacity_id=1, cards=9)).data == {"certificate_id": 1}
    assert market.refused(p.CertifyCapacity(capacity_id=1, cards=1)) is RejectCode.OVER_CERTIFIED
    assert provider.certificate().cards == [9] * 9


def test_a_good_attestation_certifies_by_the_rule_and_maintenance_is_taken_off(market):
    provider = Provider(market, automatic=True)
    window = p.Maintenance(first_day=SUNDAY, last_day=MONDAY, cards=4)
    provider.post(maintenance=(window,))
    assert market.do(provider.attestation(cards=8)).data == {"certificate_id": 1}
    assert provider.certificate().cards == [8, 4, 4, 8, 8, 8, 8, 8, 8]  # clause 10.3
    assert market.do(provider.attestation()).data == {"certificate_id": 0}  # renews; nothing is counted twice


def test_the_most_that_may_be_certified_is_taken_and_one_more_is_not(provider, market):
    window = p.Maintenance(first_day=SUNDAY, last_day=MONDAY, cards=4)
    provider.post(cards=7)
    provider.post(cards=6, maintenance=(window,))
    assert may_be_certified(market.state.primary) == {}
    market.do(provider.attestation(capacity_id=1))
    market.do(p.CertifyCapacity(capacity_id=1, cards=5))
    market.do(provider.attestation(capacity_id=2, cards=9))
    assert may_be_certified(market.state.primary) == {1: 2, 2: 5}  # clause 10.3: the site has 10
    assert market.refused(p.CertifyCapacity(capacity_id=2, cards=6)) is RejectCode.OVER_CERTIFIED
    market.do(p.CertifyCapacity(capacity_id=2, cards=5))
    assert may_be_certified(market.state.primary) == {1: 0, 2: 0}
    assert provider.certificate(2).cards == [5, 1, 1, 5, 5, 5, 5, 5, 5]


def test_two_posts_of_the_same_cards_are_not_certified_twice(provider, market):
    provider.certified(7)
    provider.post(cards=4, first_day=NEXT_SUNDAY, last_day=NEXT_SUNDAY)
    market.do(provider.attestation(capacity_id=2))
    assert (
        market.refused(p.CertifyCapacity(capacity_id=2, cards=4)) is RejectCode.OVER_CERTIFIED
    )  # clause 10.3
    market.do(p.CertifyCapacity(capacity_id=2, cards=3))
    market.core.check()


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"key": STRANGER}, RejectCode.FORGED_SIGNATURE),
        ({"sequence": 0}, RejectCode.AGENT_MESSAGE_REPEATED),
        ({"sequence": 2}, RejectCode.AGENT_MESSAGE_MISSING),
        ({"gflops": 899_999}, RejectCode.BELOW_GRADE),
        ({"memory_gb": 79}, RejectCode.BELOW_GRADE),
        ({"cards": 0}, RejectCode.BELOW_GRADE),
        ({"measured_at_ns": 0}, RejectCode.ATTESTATION_STALE),
        ({"measured_at_ns": 1 << 62}, RejectCode.ATTESTATION_STALE),
        ({"capacity_id": 2}, RejectCode.UNKNOWN_CAPACITY),
    ],
)
def test_an_attestation_that_is_wrong_is_refused(provider, market, changed, code):
    provider.post()
    assert market.refused(provider.attestation(**changed)) is code  # clause 10.2


def test_a_changed_figure_breaks_the_signature(provider, market):
    provider.post()
    good = provider.attestation()
    forged = p.AttestCapacity(
        **{f: getattr(good, f) for f in good.__struct_fields__ if f != "cards"}, cards=good.cards + 1
    )
    assert market.refused(forged) is RejectCode.FORGED_SIGNATURE  # clause 10.2
    market.do(good)
    assert market.refused(good) is RejectCode.AGENT_MESSAGE_REPEATED


def test_sites_and_posts_that_are_wrong_are_refused(provider, market):
    def site(**changed):
        usual = {"account": 1, "name": "hall 2", "hub": "GUIAN", "agent_key": STRANGER.public_bytes}
        installed = (p.Installed(grade="H100", cards=1),)
        return p.RegisterSite(**{**usual, "installed": installed, **changed})

    assert market.refused(site(account=2)) is RejectCode.NOT_A_PROVIDER  # clause 10.1
    assert market.refused(site(hub="NOWHERE")) is RejectCode.UNKNOWN_HUB
    assert market.refused(site(name="hall 1")) is RejectCode.SITE_EXISTS
    assert market.refused(site(name="")) is RejectCode.INVALID_SITE
    assert market.refused(site(installed=(p.Installed(grade="T4", cards=8),))) is RejectCode.INVALID_SITE
    assert market.refused(site(agent_key=KEY.public_bytes)) is RejectCode.INVALID_AGENT_KEY
    assert market.refused(site(agent_key=b"short")) is RejectCode.INVALID_AGENT_KEY
    elsewhere = {"account": 1, "grade": "T4", "hub": "SHANGHAI-EDGE", "cards": 8, "site_id": 1}
    post = p.PostCapacity(**elsewhere, first_day=SATURDAY, last_day=SUNDAY)
    assert market.refused(post) is RejectCode.UNKNOWN_SITE
    new_key = p.SetAgentKey(account=1, site_id=1, agent_key=STRANGER.public_bytes)
    market.do(new_key)
    provider.post()
    assert market.refused(provider.attestation()) is RejectCode.FORGED_SIGNATURE
    market.do(provider.attestation(key=STRANGER))


def test_shorts_are_backed_at_settlement_earliest_first(provider, market):
    provider.certified(8)
    market.open()
    market.trade(WEEK_H100, 1, 2, 6, 1_200)
    market.trade(SATURDAY_H100, 1, 2, 5, 1_200)
    market.settle()
    market.core.check()
    certificate = provider.certificate()
    # clause 10.4: Saturday's 5 lots became reservations; the week's 6 became days, reserved or backed
    assert set(certificate.delivering[0].tolist()) == {5}
    monday = epoch_day(MONDAY) - certificate.first_day
    assert set((certificate.delivering[monday] + certificate.backed[monday]).tolist()) == {6}
    rows = market.state.reservations.rows
    assert rows["certificate"].tolist() == [1] * len(rows)


def test_what_a_certificate_cannot_back_stays_uncovered(provider, market):
    provider.certified(3)
    market.open()
    market.trade(SATURDAY_H100, 1, 2, 5, 1_200)
    market.settle()
    rows = market.state.reservations.rows
    assert sorted(zip(rows["certificate"].tolist(), rows["lots"].tolist(), strict=True)) == [(0, 2), (1, 3)]
    market.core.check()


def test_a_revoked_certificate_backs_nothing_and_keeps_what_it_delivers(provider, market):
    provider.certified(5)
    market.open()
    market.trade(SATURDAY_H100, 1, 2, 2, 1_200)
    market.trade(WEEK_H100, 1, 2, 3, 1_200)
    market.settle()
    market.do(p.RevokeCertificate(certificate_id=1, reason="benchmark failed"))
    market.core.check()
    assert market.state.primary.backings == []  # clause 10.6
    assert set(provider.certificate().delivering[0].tolist()) == {2}
    assert (
        market.refused(p.RevokeCertificate(certificate_id=1, reason="again"))
        is RejectCode.UNKNOWN_CERTIFICATE
    )


def test_a_revoked_certificate_is_replaced_by_another_one_of_its_owner(provider, market):
    provider.certified(5)
    provider.certified(5)
    market.open()
    market.trade("H100.GUIAN.261209", 1, 2, 4, 1_200)
    market.settle()
    assert [b.certificate_id for b in market.state.primary.backings] == [1]
    market.do(p.RevokeCertificate(certificate_id=1, reason="fire"))
    assert [(b.certificate_id, b.lots) for b in market.state.primary.backings] == [(2, 4)]  # clause 10.6
    market.core.check()


def test_only_free_cards_are_transferred_and_only_to_an_approved_member(provider, market):
    provider.certified(10)
    market.open()
    market.trade("H100.GUIAN.261209", 1, 2, 4, 1_200)
    market.settle()

    def transfer(cards, to="blue", **changed):
        usual = {"account": 1, "certificate_id": 1}
        return p.TransferCertificate(**{**usual, "to_member": to, "cards": cards, **changed})

    market.do(m.AddMember(name="dunes", kind="enterprise", state="applied"))
    assert market.refused(transfer(1, "dunes")) is RejectCode.MEMBER_NOT_APPROVED  # clause 10.5
    assert market.refused(transfer(1, "nobody")) is RejectCode.UNKNOWN_MEMBER
    assert market.refused(transfer(7)) is RejectCode.CERTIFICATE_IN_USE
    assert market.refused(transfer(0)) is RejectCode.INVALID_CAPACITY
    assert market.refused(transfer(1, account=2)) is RejectCode.UNKNOWN_CERTIFICATE
    assert market.do(transfer(6)).data == {"certificate_id": 2}
    assert (provider.certificate(2).account, provider.certificate(2).source) == (2, 1)
    assert provider.certificate(2).cards == [6] * 9
    assert provider.certificate().cards == [4] * 9
    market.core.check()


def test_unsold_cards_are_collateral_after_a_haircut(provider, market):
    provider.certified(10)
    market.open()
    before = market.state.engine.exposure(1).equity_fen
    market.do(p.PledgeCertificate(account=1, certificate_id=1, cards=6))
    # clause 10.7: 6 cards × 9 days × 24 hours × 1,200 fen, half of it
    assert market.state.primary.collateral == [(1, 777_600)]
    assert market.state.engine.exposure(1).equity_fen == before + 777_600
    too_much = p.PledgeCertificate(account=1, certificate_id=1, cards=11)
    assert market.refused(too_much) is RejectCode.CERTIFICATE_IN_USE
    market.trade(SATURDAY_H100, 1, 2, 5, 1_200)
    market.settle()
    assert set(provider.certificate().delivering[0].tolist()) == {4}  # pledged cards back nothing
    market.core.check()
    market.do(p.PledgeCertificate(account=1, certificate_id=1, cards=0))
    assert market.state.primary.collateral == []
    assert market.do(m.Withdraw(member="acme", amount_fen=1)).ok


def test_collateral_that_margin_needs_is_not_released(provider, market):
    provider.certified(10)
    market.do(m.Withdraw(member="acme", amount_fen=market.cash))
    market.do(p.PledgeCertificate(account=1, certificate_id=1, cards=10))
    market.open()
    market.orders(market.order(1, "H100.GUIAN.261209", Side.SELL, 10, 1_200))
    release = p.PledgeCertificate(account=1, certificate_id=1, cards=0)
    assert market.refused(release) is RejectCode.COLLATERAL_NEEDED  # clause 10.7
    market.core.check()


def test_capacity_is_withdrawn_with_a_certificate_that_nothing_uses(provider, market):
    provider.certified(5)
    market.do(p.PledgeCertificate(account=1, certificate_id=1, cards=1))
    withdrawal = p.WithdrawCapacity(account=1, capacity_id=1)
    assert market.refused(withdrawal) is RejectCode.CERTIFICATE_IN_USE  # clause 7.1
    market.do(p.PledgeCertificate(account=1, certificate_id=1, cards=0))
    market.do(withdrawal)
    assert market.state.primary.certificates[0].revoked == "capacity withdrawn"
    market.core.check()
