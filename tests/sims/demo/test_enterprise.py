"""What an enterprise needs, and what it orders."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from sims_plain import contract

from exchange.api.requests import Cancel, NewOrder
from sims.demo.enterprise import Buyer, Want, auction_bids, owned_on, session_orders, still_wanted, wants_of
from sims.demo.prices import ticks
from sims.demo.settings import load_settings

SETTINGS = load_settings().enterprise
FRIDAY, SATURDAY = date(2026, 12, 4), date(2026, 12, 5)
NEAR, FAR = ("HOME",), ("GUIAN", "HOME", "QINGYANG")


def buyer(*contracts: object, rounds_left: int = 1, rounds: int = 12, **positions: int) -> Buyer:
    symbols = {key.replace("_", "."): lots for key, lots in positions.items()}
    return Buyer("shanghai-enterprise", FRIDAY, list(contracts), symbols, [], rounds_left, rounds)  # type: ignore[arg-type]


def news(items: list[Cancel | NewOrder], time_in_force: str) -> list[NewOrder]:
    return [i for i in items if isinstance(i, NewOrder) and i.time_in_force == time_in_force]


def test_needs_are_added_up_before_they_are_rounded_to_lots() -> None:
    milli = {("a", "L20"): 4_100, ("b", "L20"): 4_100, ("c", "L20"): 8_001, ("d", "L20"): 500}
    hubs = {"a": FAR, "b": FAR, "c": NEAR, "d": ()}
    assert wants_of(milli, hubs, {"L20": 8}) == [Want("L20", NEAR, 2), Want("L20", FAR, 2)]


def test_what_is_owned_serves_the_least_movable_first() -> None:
    wants = [Want("L20", FAR, 5), Want("L20", NEAR, 3)]
    assert still_wanted(wants, {("L20", "HOME"): 4}) == [Want("L20", FAR, 4)]
    assert still_wanted(wants, {("L20", "GUIAN"): 6}) == [Want("L20", NEAR, 3)]
    assert still_wanted(wants, {("T4", "HOME"): 9, ("L20", "HOME"): -2}) == [
        Want("L20", NEAR, 3),
        Want("L20", FAR, 5),
    ]


@given(
    st.lists(st.integers(0, 6), min_size=3, max_size=3),
    st.lists(st.integers(0, 8), min_size=3, max_size=3),
)
def test_no_other_way_to_use_what_is_owned_leaves_less(lots: list[int], owned: list[int]) -> None:
    nested = [("A",), ("A", "B"), ("A", "B", "C")]
    wants = [Want("L20", hubs, n) for hubs, n in zip(nested, lots, strict=True) if n]
    have = {("L20", hub): n for hub, n in zip("ABC", owned, strict=True)}
    missing = sum(want.lots for want in still_wanted(wants, have))
    # by Hall's condition on nested sets the best that can be served is bounded by each prefix of hubs
    best, served = 0, [0, *lots]
    for level in range(3):
        best = min(best + served[level + 1], sum(owned[: level + 1]))
    assert missing == sum(lots) - best


def test_weeks_count_for_the_days_they_contain() -> None:
    week = contract(kind="week", first=date(2026, 12, 7), last=date(2026, 12, 13))
    day = contract(first=date(2026, 12, 7))
    owned = owned_on(date(2026, 12, 7), [week, day], {week.symbol: 2, day.symbol: 1})
    assert owned == {("L20", "GUIAN"): 3}
    assert owned_on(date(2026, 12, 14), [week, day], {week.symbol: 2}) == {}


def test_auction_bids_spread_over_the_cheapest_hubs_that_will_do() -> None:
    contracts = [
        contract("HOME", reference="18.00"),
        contract("GUIAN", reference="16.00"),
        contract("QINGYANG", reference="17.00"),
        contract("ELSEWHERE", reference="1.00"),
    ]
    bids = auction_bids(buyer(*contracts), [Want("L20", FAR, 30)], SETTINGS, "seed")
    assert {bid.symbol.split(".")[1]: bid.quantity for bid in bids} == {"GUIAN": 4, "QINGYANG": 4, "HOME": 4}
    for bid, at in zip(bids, (1_600, 1_700, 1_800), strict=True):
        assert at <= ticks(bid.price or "") <= at * 1.0251


def test_days_further_ahead_are_bought_in_part() -> None:
    later = contract(first=date(2026, 12, 9), last_trading_day=date(2026, 12, 8), ask="15.00", ask_lots=99)
    taken = news(session_orders(buyer(later), [Want("L20", FAR, 30)], SETTINGS), "ioc")
    assert [order.quantity for order in taken] == [6]


def test_a_round_takes_the_cheapest_offers_for_the_part_that_is_due() -> None:
    contracts = [
        contract("GUIAN", ask="16.10", ask_lots=3),
        contract("QINGYANG", ask="15.90", ask_lots=2),
        contract("HOME", ask="15.00", ask_lots=99),
    ]
    wants = [Want("L20", ("GUIAN", "QINGYANG"), 12)]
    taken = news(session_orders(buyer(*contracts, rounds_left=3), wants, SETTINGS), "ioc")
    assert [(o.symbol.split(".")[1], o.price, o.quantity) for o in taken] == [
        ("QINGYANG", "15.90", 2),
        ("GUIAN", "16.10", 2),
    ]


def test_two_wants_never_count_on_the_same_offer() -> None:
    offered = contract("HOME", ask="16.00", ask_lots=4)
    wants = [Want("L20", NEAR, 3), Want("L20", FAR, 5)]
    taken = news(session_orders(buyer(offered), wants, SETTINGS), "ioc")
    assert sum(order.quantity for order in taken) == 4


def test_it_pays_more_the_later_it_is_and_anything_within_limits_at_the_end() -> None:
    dear = contract("GUIAN", ask="17.50", ask_lots=50)
    wants = [Want("L20", ("GUIAN",), 12)]
    early = session_orders(buyer(dear, rounds_left=12), wants, SETTINGS)
    assert news(early, "ioc") == []
    last = session_orders(buyer(dear, rounds_left=1), wants, SETTINGS)
    assert [order.quantity for order in news(last, "ioc")] == [12]


def test_low_bids_stand_on_a_ladder_at_the_cheapest_hubs() -> None:
    contracts = [
        contract("GUIAN"),
        contract("QINGYANG", reference="15.00"),
        contract("ZHONGWEI", reference="19.00"),
    ]
    wants = [Want("L20", ("GUIAN", "QINGYANG"), 20)]
    resting = news(session_orders(buyer(*contracts, rounds_left=12), wants, SETTINGS), "day")
    bids = [(order.symbol.split(".")[1], order.price, order.quantity) for order in resting]
    assert bids == [
        ("QINGYANG", "14.85", 2),
        ("QINGYANG", "14.63", 1),
        ("GUIAN", "15.84", 2),
        ("GUIAN", "15.60", 1),
    ]


def test_enough_is_enough() -> None:
    day = contract("GUIAN", ask="16.00", ask_lots=50)
    position = {day.symbol: 12}
    done = Buyer("x", FRIDAY, [day], position, [], 1, 12)
    assert session_orders(done, [Want("L20", ("GUIAN",), 12)], SETTINGS) == []
