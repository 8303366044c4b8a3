"""Hours, peak and valley in the core: which hours are a hub's, and what their contracts settle at."""

from __future__ import annotations

from datetime import date

import pytest

from exchange.domain import messages as m
from exchange.domain.contracts import Symbol, parse_symbol
from exchange.domain.listing import BASE_RULES, ListingRule, SetListingRules, fine_rules
from exchange.domain.profiles import HubProfiles, SetLoadProfiles
from exchange.domain.rejects import RejectCode

PEAK = sum(1 << hour for hour in (10, 11, 12, 17, 18, 19, 20, 21))
VALLEY = 0xFF
DECEMBER = date(2026, 12, 1)


def profiles(peak: int = PEAK, since: date = DECEMBER, hub: str = "GUIAN") -> SetLoadProfiles:
    """The same hours in every month."""
    hours = HubProfiles(hub=hub, peak=(peak,) * 12, valley=(VALLEY,) * 12)
    return SetLoadProfiles(from_month=since, hubs=(hours,))


def listing(symbol: str, price: int = 1_200) -> m.ListContracts:
    return m.ListContracts(listings=(m.Listing(symbol, price),))


def test_hours_of_a_profile_are_known_before_it_is_listed_and_stay(market):
    """Clauses 2.9 and 2.10: what is listed delivers what it did, other months may change."""
    assert market.refused(listing("H100.GUIAN.2701-PEAK")) is RejectCode.PROFILE_UNKNOWN
    market.do(profiles())
    market.do(listing("H100.GUIAN.2701-PEAK"))
    january = market.state.contracts_by_symbol["H100.GUIAN.2701-PEAK"]
    assert (january.hours, len(january.delivery)) == (248, 248)
    assert market.refused(profiles(PEAK | 1 << 13)) is RejectCode.PROFILE_FIXED
    market.do(profiles(PEAK | 1 << 13, since=date(2027, 2, 1)))
    market.do(listing("H100.GUIAN.2702-PEAK"))
    market.do(listing("H100.GUIAN.27Q1-PEAK"))
    found = [
        market.state.contracts_by_symbol[f"H100.GUIAN.{code}-PEAK"].hours for code in ("2701", "2702", "27Q1")
    ]
    assert found == [31 * 8, 28 * 9, 31 * 8 + 28 * 9 + 31 * 9]
    market.core.check()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (profiles(since=date(2026, 12, 2)), RejectCode.INVALID_RULE),
        (profiles(peak=0), RejectCode.INVALID_RULE),
        (profiles(peak=PEAK | VALLEY), RejectCode.INVALID_RULE),
        (profiles(hub="WUHU"), RejectCode.UNKNOWN_HUB),
        (SetListingRules(rules=(ListingRule(kind="hour", ahead=6),)), RejectCode.INVALID_RULE),
        (listing("H100.GUIAN.261205H09-PEAK"), RejectCode.INVALID_SYMBOL),
        (listing("T4.SHANGHAI-EDGE.2701-PEAK"), RejectCode.PROFILE_UNKNOWN),
        (listing("H100.GUIAN.261204H23"), RejectCode.CONTRACT_OVER),
    ],
)
def test_what_cannot_be_is_refused(market, message, code):
    market.open()
    market.settle()
    assert market.refused(message) is code


def test_rules_that_ask_for_more_than_there_is_room_for_are_refused(market_type):
    """Clause 4.2's example: 122 and 362 contracts."""
    rules = SetListingRules(rules=(*BASE_RULES, *fine_rules(["H100.GUIAN"])))
    assert market_type(max_instruments=122 + 362 - 1).refused(rules) is RejectCode.CONTRACT_LIMIT
    assert market_type(max_instruments=122 + 362).do(rules).ok


def test_an_hour_without_trades_moves_with_its_day(market):
    """Clause 6.1's example: 1,210 × 1,260 ÷ 1,200 = 1,270.5, so 1,271; and without the model it stays."""
    market.do(m.SetMarginRules(model_neighbours=2))
    market.do(profiles())
    for symbol in ("H100.GUIAN.261205H09", "H100.GUIAN.261205-VALLEY", "H100.GUIAN.261206H09"):
        market.do(listing(symbol, 1_210))
    market.open()
    market.trade("H100.GUIAN.261205", 1, 2, 1, 1_260)
    market.settle()
    rows = market.state.contract_table.rows
    found = {
        symbol: int(rows["reference"][market.state.contracts_by_symbol[f"H100.GUIAN.{symbol}"].index])
        for symbol in ("261205", "261205H09", "261205-VALLEY", "261206", "261206H09")
    }
    assert found == {
        "261205": 1_260,
        "261205H09": 1_271,
        "261205-VALLEY": 1_271,
        "261206": 1_200,
        "261206H09": 1_210,
    }


def test_what_a_contract_is_a_part_of():
    """Clauses 4.5 and 6.1."""
    of = {
        text: parse_symbol(f"H100.GUIAN.{text}").base
        for text in ("261205H09", "2701-PEAK", "261205", "26W50")
    }
    day, month = (parse_symbol(f"H100.GUIAN.{text}") for text in ("261205", "2701"))
    wanted: dict[str, Symbol | None] = {"261205H09": day, "2701-PEAK": month, "261205": None, "26W50": None}
    assert of == wanted
