"""Shorts that certificates back ask for the delivery add-on alone, until nothing backs them (clauses 5.12,
10.6).
"""

from __future__ import annotations

import pytest
from primary_market import Provider

from exchange.domain import messages as m
from exchange.domain import primary as p
from exchange.domain.defaults import EnforceCalls
from matching.records import EventKind, Side

TUESDAY, WEDNESDAY = "H100.GUIAN.261208", "H100.GUIAN.261209"
RULES = m.SetMarginRules(calendar_basis_points=3_000, buy_in_basis_points=500, damages_basis_points=300)
SCAN, FAILURE = 1_440, 2_304
"""Of one lot of a day at 1,200: 5 % and 8 % of 28,800 fen."""


@pytest.fixture
def market(market_type):
    return market_type(margin=RULES)


@pytest.fixture
def provider(market):
    provider = Provider(market, installed=20)
    provider.certified(6)
    market.open()
    market.trade(TUESDAY, seller=1, buyer=2, lots=10, price=1_200)
    return provider


def asked(market, account=1):
    """What the gate asks of an account."""
    of = market.state.engine.exposure(account)
    return of.requirement_fen - of.offset_fen


def refused(market, *order):
    return bool((market.orders(market.order(1, *order)).events["kind"] == EventKind.REJECTED).any())


def leave(market, fen):
    """Withdraw all but so much of the provider's free cash."""
    market.do(m.Withdraw(member="acme", amount_fen=market.state.free_cash(1) - fen))


def test_a_covered_short_asks_for_the_delivery_add_on_alone(provider, market):
    assert asked(market) == 10 * (SCAN + FAILURE) == 37_440  # sold since the last run: in full
    market.do(m.RunMargin())
    assert asked(market) == 4 * SCAN + 10 * FAILURE == 28_800  # clause 5.12
    provider.certified(4)
    assert asked(market) == 10 * FAILURE == 23_040  # a new certificate counts at once
    market.core.check()


def test_buying_a_covered_short_back_takes_its_exemption_away(provider, market):
    market.do(m.RunMargin())
    leave(market, 0)
    market.orders(market.order(3, TUESDAY, Side.SELL, 10, 1_200))
    assert not refused(market, TUESDAY, Side.BUY, 7, 1_200)
    assert asked(market) == 3 * FAILURE  # the uncovered lots went first
    # 28,800 − 6,912 = 21,888 are free; 6 more lots on their own ask 22,464
    assert refused(market, WEDNESDAY, Side.SELL, 6, 1_200)
    assert not refused(market, WEDNESDAY, Side.SELL, 5, 1_200)
    market.core.check()


def test_revocation_ends_the_exemption_at_once_and_calls_for_what_lacks(provider, market):
    market.do(m.RunMargin())
    leave(market, 100)
    market.do(p.RevokeCertificate(certificate_id=1, reason="fire"))
    assert asked(market) == 37_440
    (call,) = market.core.state.calls.values()
    assert (call.account, call.amount_fen, call.restricted) == (1, 6 * SCAN - 100, False)  # clause 10.6
    market.core.check()
    market.do(EnforceCalls())
    assert not market.state.restricted(1), "the call is due on the next trading day"
    market.settle()
    market.day = market.state.next_day()
    market.open()
    market.do(EnforceCalls())
    assert market.state.restricted(1)


def test_another_certificate_takes_over_without_a_call(provider, market):
    provider.certified(6)
    market.do(m.RunMargin())
    leave(market, 4 * SCAN)
    market.do(p.RevokeCertificate(certificate_id=1, reason="fire"))
    assert asked(market) == 4 * SCAN + 10 * FAILURE
    assert not market.state.calls
    market.core.check()
