"""What a certificate delivers is metered by its site's agent, in order (clause 7.4)."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest
from primary_market import STRANGER, Provider

from exchange.domain import delivering as d
from exchange.domain import messages as m
from exchange.domain.rejects import RejectCode

SATURDAY = date(2026, 12, 5)


@pytest.fixture
def provider(market):
    """Saturday noon: reservation 1 is 5 cards out of certificate 1, reservation 2 one card out of none."""
    provider = Provider(market)
    provider.certified(5)
    market.open()
    market.trade("H100.GUIAN.261205", 1, 2, 6, 1_200)
    market.settle()
    market.at(12, 0, SATURDAY)
    assert market.state.reservations.rows["certificate"].tolist() == [0, 1]
    return provider


def test_readings_are_taken_in_order_and_once(provider, market):
    first = provider.readings(SATURDAY, {2: 5}, range(3))
    assert (
        market.refused(provider.readings(SATURDAY, {2: 5}, [4], sequence=4))
        is RejectCode.AGENT_MESSAGE_MISSING
    )
    market.do(first)
    assert market.refused(first) is RejectCode.AGENT_MESSAGE_REPEATED
    assert market.refused(provider.readings(SATURDAY, {2: 5}, [2])) is RejectCode.READING_DUPLICATE
    market.do(provider.readings(SATURDAY, {2: 4}, range(5, 8)))  # a gap closes only its own hours
    market.do(provider.readings(SATURDAY, {2: 5}, range(3, 5)))


def test_forged_readings_change_nothing(provider, market):
    assert (
        market.refused(provider.readings(SATURDAY, {2: 5}, [0], key=STRANGER)) is RejectCode.FORGED_SIGNATURE
    )
    good = provider.readings(SATURDAY, {2: 4}, [0])
    more = msgspec.structs.replace(good, readings=(msgspec.structs.replace(good.readings[0], cards=5),))
    assert market.refused(more) is RejectCode.FORGED_SIGNATURE
    bare = m.MeterReadings(account=1, readings=good.readings)
    assert market.refused(bare) is RejectCode.SIGNATURE_REQUIRED
    assert market.refused(msgspec.structs.replace(good, account=2)) is RejectCode.UNKNOWN_SITE
    market.do(good)


def test_what_no_certificate_delivers_needs_no_signature(provider, market):
    good = provider.readings(SATURDAY, {1: 1}, [0])
    assert market.do(m.MeterReadings(account=1, readings=good.readings)).ok


def test_an_hour_is_metered_within_the_grace_time(provider, market):
    market.do(d.SetDeliveryRules(grace_hours=6))
    assert market.refused(provider.readings(SATURDAY, {2: 5}, [4])) is RejectCode.READING_TOO_LATE
    market.do(provider.readings(SATURDAY, {2: 5}, [5]))
