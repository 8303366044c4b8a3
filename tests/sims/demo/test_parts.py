"""What an enterprise buys in parts of a day."""

from __future__ import annotations

from datetime import date

import msgspec
from sims_plain import Part, contract

from sims.demo.enterprise import Buyer, Want
from sims.demo.parts import auction_bids, parts_wanted, session_orders
from sims.demo.prices import ticks
from sims.demo.settings import PartSettings, load_settings

SETTINGS = load_settings()
PARTS = PartSettings(cities=("SHANGHAI",), share_percent=10, burst_lots=2, burst_hours=24)
FRIDAY = date(2026, 12, 4)
WANTS = [Want("L20", ("GUIAN", "HOME"), 20), Want("L20", ("GUIAN",), 11)]
LISTED: tuple[Part, ...] = ("hour", "peak", "valley")


def buyer(rounds_left: int = 12, **lots: int) -> Buyer:
    positions = {contract(part=part).symbol: lots.get(part, 0) for part in LISTED}
    return Buyer("shanghai-enterprise", FRIDAY, [], positions, [], rounds_left, 12)


def test_it_wants_a_share_more_in_profiles_and_a_burst_of_hours() -> None:
    listed = [
        *(contract(part=part) for part in LISTED),
        contract(part="peak", last_trading_day=date(2026, 12, 7)),
        contract("ELSEWHERE", part="peak"),
    ]

    def wanted(of: Buyer) -> list[tuple[str, int]]:
        found = parts_wanted(of, listed, WANTS, PARTS, "seed")
        return [(want.contract.symbol.split("-")[1], want.lots) for want in found]

    assert wanted(buyer(hour=2, valley=1)) == [("peak", 3), ("valley", 2)]
    assert wanted(buyer(peak=3, valley=5)) in ([], [("hour", 2)])  # a burst may begin after 12:00


def test_a_burst_is_hours_in_a_row() -> None:
    hours = [
        msgspec.structs.replace(
            contract(part="hour"), symbol=f"H{hour:02}", delivery_start=f"2026-12-05T{hour:02}:00:00+08:00"
        )
        for hour in range(24)
    ]
    burst = msgspec.structs.replace(PARTS, burst_hours=3)
    found = [int(w.contract.symbol[1:]) for w in parts_wanted(buyer(), hours, WANTS, burst, "seed")]
    assert found == list(range(found[0], found[0] + 3))


def test_profiles_are_bid_for_in_the_auction_and_the_rest_is_taken_or_left_with_a_low_bid() -> None:
    dear, cheap = (contract(part="peak", ask=ask, ask_lots=2) for ask in ("17.50", "16.10"))
    enterprise = SETTINGS.enterprise
    (want,) = parts_wanted(buyer(), [cheap], WANTS, PARTS, "seed")
    (bid,) = auction_bids(buyer(), [want], enterprise, "seed")
    assert (bid.quantity, bid.side) == (3, "buy")
    assert 1_600 <= ticks(bid.price or "") <= 1_640
    taken, rest = session_orders(buyer(), [want], enterprise)
    assert (taken.quantity, taken.price, taken.time_in_force) == (2, "16.10", "ioc")
    assert (rest.quantity, rest.price, rest.time_in_force) == (1, "15.84", "day")
    early = session_orders(buyer(), parts_wanted(buyer(), [dear], WANTS, PARTS, "seed"), enterprise)
    assert [(order.quantity, order.price) for order in early] == [(2, "15.84"), (1, "15.60")]
    late = session_orders(buyer(1), parts_wanted(buyer(), [dear], WANTS, PARTS, "seed"), enterprise)
    assert [order.price for order in late] == ["17.50", "15.84"]
