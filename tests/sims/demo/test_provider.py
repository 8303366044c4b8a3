"""What a provider posts, offers and meters."""

from datetime import date

import pytest
from sims_plain import contract, order

from exchange.api.delivering import Reservation
from exchange.api.primary import CapacityPost
from exchange.api.requests import Cancel, NewOrder
from sims.demo.prices import ticks
from sims.demo.provider import (
    Allotment,
    Desk,
    Holding,
    allot,
    base_price_ticks,
    cards_delivered,
    floor_ticks,
    for_sale,
    ladder,
    posts_due,
    quote,
    trades_in_parts,
)
from sims.demo.settings import Outage, load_settings

SETTINGS = load_settings().provider
HOLDING = Holding("GUIAN", "L20", cards=160, cards_per_lot=8, power_cny_per_card_hour=0.2)
WEEK = contract(kind="week", first=date(2026, 12, 7), last=date(2026, 12, 13))
MONTH = contract(kind="month", first=date(2027, 1, 1), last=date(2027, 1, 31))
DAYS = [contract(first=date(2026, 12, day)) for day in range(5, 12)]


def test_what_is_sold_never_exceeds_the_cards() -> None:
    shares = allot(HOLDING, SETTINGS)
    assert shares == Allotment(day_lots=16, week_lots=3, month_lots=1)
    for cards in range(0, 400, 8):
        holding = Holding("GUIAN", "L20", cards, 8, 0.2)
        parts = allot(holding, SETTINGS)
        assert (parts.day_lots + parts.week_lots + parts.month_lots) * 8 == cards


def test_posts_stand_behind_every_day_on_offer() -> None:
    posts = posts_due(HOLDING, allot(HOLDING, SETTINGS), [*DAYS, WEEK, MONTH], [])
    assert [(p.cards, p.first_day, p.last_day) for p in posts] == [
        (152, "2026-12-05", "2026-12-13"),
        (8, "2027-01-01", "2027-01-31"),
    ]


def test_posting_again_posts_only_what_is_new() -> None:
    allotment = allot(HOLDING, SETTINGS)
    posted = [
        CapacityPost(
            capacity_id=str(number),
            grade=post.grade,
            hub=post.hub,
            cards=post.cards,
            first_day=post.first_day,
            last_day=post.last_day,
            reserve_price="0.00",
            site_id=None,
            attested=False,
        )
        for number, post in enumerate(posts_due(HOLDING, allotment, [*DAYS, WEEK, MONTH], []))
    ]
    assert posts_due(HOLDING, allotment, [*DAYS, WEEK, MONTH], posted) == []
    later = [contract(first=date(2026, 12, day)) for day in range(8, 15)]
    next_week = contract(kind="week", first=date(2026, 12, 14), last=date(2026, 12, 20))
    (more,) = posts_due(HOLDING, allotment, [*later, next_week, MONTH], posted)
    assert (more.cards, more.first_day, more.last_day) == (152, "2026-12-14", "2026-12-20")


def test_only_the_next_week_and_month_are_sold() -> None:
    second_week = contract(kind="week", first=date(2026, 12, 14), last=date(2026, 12, 20))
    contracts = [*DAYS, second_week, WEEK, MONTH]
    allotment = Allotment(16, 3, 1)
    assert [for_sale(c, allotment, contracts) for c in (DAYS[0], WEEK, second_week, MONTH)] == [16, 3, 0, 1]


def test_where_hours_and_profiles_are_listed_they_have_cards_of_their_own() -> None:
    part_days = [contract(first=date(2026, 12, 5), part=part) for part in ("hour", "peak", "valley")]
    listed = [*DAYS, WEEK, MONTH, *part_days, contract(kind="week", first=date(2026, 12, 7), part="peak")]
    assert (trades_in_parts(DAYS), trades_in_parts(listed)) == (False, True)
    shares = allot(HOLDING, SETTINGS, parts=True)
    assert shares == Allotment(day_lots=13, week_lots=3, month_lots=1, profile_lots=2, hour_lots=1)
    assert [for_sale(c, shares, listed) for c in listed] == [13] * 7 + [3, 1, 1, 2, 2, 0]
    whole, apart = (posts_due(HOLDING, by, listed, []) for by in (allot(HOLDING, SETTINGS), shares))
    assert whole == apart
    offers = quote(Desk(listed, {}, {}, 0), [HOLDING], SETTINGS, "seed")
    hours = [o for o in offers if isinstance(o, NewOrder) and o.symbol == part_days[0].symbol]
    assert [(o.side, o.quantity) for o in hours] == [("sell", 1)]


def test_the_ladder_offers_every_lot_once_and_never_below_its_power() -> None:
    day = DAYS[0]
    for lots in range(60):
        orders = ladder(day, lots, 1_600, 0, SETTINGS)
        assert sum(o.quantity for o in orders) == lots
        assert all(o.side == "sell" for o in orders)
    assert [o.price for o in ladder(day, 20, 1_600, 0, SETTINGS)] == ["15.84", "16.00", "16.24"]
    assert [o.price for o in ladder(day, 20, 1_600, 1_620, SETTINGS)] == ["16.20", "16.20", "16.24"]
    assert ladder(day, 20, 1_600, 1_761, SETTINGS) == []  # power costs more than the day's upper limit


def test_the_floor_is_power_and_a_little_more() -> None:
    assert floor_ticks(DAYS[0], HOLDING, SETTINGS) == 168  # 0.2 CNY × 8 cards × 105 %


def test_prices_lean_up_when_sales_run_ahead_and_down_when_they_lag() -> None:
    def base(sold: int, gone: int) -> int:
        return base_price_ticks(DAYS[0], HOLDING, sold, gone, SETTINGS, "seed")

    assert base(60, 0) > base(20, 0) > base(0, 0) > base(0, 100)
    assert base(100, 0) <= 1_600 * 1.07 + 1
    assert base(0, 100) >= 1_600 * 0.975 - 1


def test_quotes_stay_while_the_price_does() -> None:
    holdings = [HOLDING]
    fresh = quote(Desk([DAYS[0]], {}, {}, 0), holdings, SETTINGS, "seed")
    assert all(isinstance(item, NewOrder) for item in fresh)
    resting = [
        order(item.symbol, item.price or "", item.quantity, str(number))
        for number, item in enumerate(fresh)
        if isinstance(item, NewOrder)
    ]
    book = {DAYS[0].symbol: resting}
    assert quote(Desk([DAYS[0]], {}, book, 0), holdings, SETTINGS, "seed") == []
    moved = quote(Desk([DAYS[0]], {DAYS[0].symbol: -8}, book, 0), holdings, SETTINGS, "seed")
    assert [item.order_id for item in moved if isinstance(item, Cancel)] == ["0", "1", "2"]
    news = [item for item in moved if isinstance(item, NewOrder)]
    assert sum(item.quantity for item in news) == 8  # 16 for the day less 8 sold
    assert max(ticks(item.price or "") for item in news) > max(ticks(o.price) for o in resting)


@pytest.mark.parametrize(("hour", "cards"), [(13, 80), (14, 56), (16, 56), (17, 80)])
def test_an_outage_costs_its_hours_only(hour: int, cards: int) -> None:
    saturday = date(2026, 12, 5)
    outage = Outage("GUIAN", saturday, saturday, 14, 16, 30, "a test")
    reservation = Reservation(
        reservation_id="1",
        role="provider",
        symbol="L20.GUIAN.261205",
        grade="L20",
        hub="GUIAN",
        cards=80,
        lots=10,
        start="2026-12-05T00:00:00+08:00",
        end="2026-12-06T00:00:00+08:00",
        price="16.00",
        delivered_card_hours=0,
        invoiced_fen=0,
        shortfall_card_hours=0,
        hours=list(range(24)),
        metered_hours=[],
        finished=False,
    )
    assert cards_delivered(reservation, saturday, hour, [outage]) == cards
    assert cards_delivered(reservation, date(2026, 12, 6), hour, [outage]) == 80
