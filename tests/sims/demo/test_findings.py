"""Sums over what the exchange answers."""

from datetime import date

import msgspec
from sims_plain import contract

from exchange.api.access import Member
from exchange.api.delivering import Reservation
from exchange.api.market import Settlement
from exchange.api.money import Statement, StatementLine
from exchange.api.primary import CapacityPost
from sims.demo.findings import (
    conversion_of,
    day_prices,
    days_from,
    delivery_of,
    money_of,
    posted_on,
    supply_of,
    traded_of,
)
from sims.demo.reporting import expired_days
from sims.demo.settings import load_settings

SATURDAY, SUNDAY = date(2026, 12, 5), date(2026, 12, 6)


def post(cards: int, first: date, last: date, hub: str = "QINGYANG") -> CapacityPost:
    return CapacityPost(
        capacity_id="1",
        grade="L20",
        hub=hub,
        cards=cards,
        first_day=first.isoformat(),
        last_day=last.isoformat(),
        reserve_price="0.00",
        site_id=None,
        attested=False,
    )


def reservation(cards: int, delivered: int, short: int, *, finished: bool = True) -> Reservation:
    return Reservation(
        reservation_id="1",
        role="provider",
        symbol="L20.QINGYANG.261205",
        grade="L20",
        hub="QINGYANG",
        cards=cards,
        lots=cards // 8,
        start="2026-12-05T00:00:00+08:00",
        end="2026-12-06T00:00:00+08:00",
        price="16.00",
        delivered_card_hours=delivered,
        invoiced_fen=delivered * 200,
        shortfall_card_hours=short,
        hours=list(range(24)),
        metered_hours=[],
        finished=finished,
    )


def settlement(symbol: str, price: str, lots: int) -> Settlement:
    return Settlement(
        symbol=symbol, settlement_price=price, rule="last hour", volume_lots=lots, open_interest_lots=0
    )


def test_capacity_counts_on_the_days_it_covers() -> None:
    posts = [post(80, SATURDAY, SUNDAY), post(8, SUNDAY, SUNDAY)]
    assert posted_on(SATURDAY, posts) == {("QINGYANG", "L20"): 80}
    assert posted_on(SUNDAY, posts) == {("QINGYANG", "L20"): 88}
    conversion = conversion_of([SATURDAY, SUNDAY], posts, [reservation(16, 0, 0), reservation(24, 0, 0)])
    assert (conversion.posted_card_hours, conversion.reserved_card_hours) == (168 * 24, 40 * 24)


def test_supply_is_what_was_posted_and_what_of_it_is_reserved() -> None:
    prices = {("QINGYANG", "L20"): "16.00", ("GUIAN", "L20"): "15.00"}
    supply = supply_of(SATURDAY, [post(80, SATURDAY, SUNDAY)], [reservation(16, 0, 0)], prices)
    assert [(s.hub, s.grade, s.posted_cards, s.reserved_cards, s.price) for s in supply.values()] == [
        ("QINGYANG", "L20", 80, 16, "16.00")
    ]


def test_volumes_are_added_up_by_kind() -> None:
    day = contract(first=SATURDAY)
    week = contract(kind="week", first=date(2026, 12, 7), last=date(2026, 12, 13))
    idle = contract("GUIAN", "T4", first=SATURDAY)
    settled = [
        settlement(day.symbol, "16.00", 3),
        settlement(week.symbol, "10.00", 1),
        settlement(idle.symbol, "6.00", 0),
    ]
    days, weeks = traded_of([day, week, idle], settled)
    assert (days.contracts_traded, days.contracts_listed, days.lots) == (1, 2, 3)
    assert (days.card_hours, days.value_fen) == (3 * 8 * 24, 3 * 24 * 1_600)
    assert (weeks.card_hours, weeks.value_fen) == (8 * 168, 168 * 1_000)
    peak = msgspec.structs.replace(day, symbol="L20.GUIAN.261205-PEAK", profile="peak", hours=8)
    days, peaks = traded_of([day, peak], [*settled, settlement(peak.symbol, "17.00", 2)])
    assert (days.kind, days.lots) == ("day", 3)
    assert (peaks.kind, peaks.card_hours, peaks.value_fen) == ("day, peak", 2 * 8 * 8, 2 * 8 * 1_700)
    assert day_prices(SATURDAY, [day, week, idle], settled) == {
        ("GUIAN", "L20"): "16.00",
        ("GUIAN", "T4"): "6.00",
    }


def test_cards_reserved_in_parts_of_a_day_are_not_there_all_day() -> None:
    """Two parts that don't meet can stand on the same cards."""
    peak, night, noon = (
        msgspec.structs.replace(reservation(cards, 0, 0), hours=hours)
        for cards, hours in ((8, list(range(10, 13))), (8, [0, 1, 2]), (16, [12]))
    )
    prices = {("QINGYANG", "L20"): "16.00"}
    taken = [reservation(16, 0, 0), peak, night, noon]
    (supply,) = supply_of(SATURDAY, [post(80, SATURDAY, SUNDAY)], taken, prices).values()
    assert (supply.posted_cards, supply.reserved_cards) == (80 - 24, 16)


def test_money_adds_up_and_a_missing_fen_is_seen() -> None:
    def statement(*lines: tuple[str, int]) -> Statement:
        return Statement(
            account="2",
            day="2026-12-04",
            opening_cash_fen=0,
            lines=[StatementLine(kind=kind, symbol=None, amount_fen=amount) for kind, amount in lines],
            closing_cash_fen=0,
            as_of_seq=1,
        )

    members = [
        Member(member=m, account="2", kind="provider", state="approved", roles=[], cash_fen=c)
        for m, c in (("a", 70), ("b", 28))
    ]
    moved = [
        statement(("deposit", 50), ("fee", -2), ("variation margin", 20)),
        statement(("variation margin", -20)),
    ]
    money = money_of(members, deposits_fen=100, house_fen=2, statements=moved)
    assert money.sum_fen == 0
    assert money.moved == {"fee": (0, -2), "variation margin": (20, -20)}
    assert money_of(members, deposits_fen=100, house_fen=1, statements=[]).sum_fen == -1


def test_a_delivery_day_is_summed_and_its_outage_named() -> None:
    outages = load_settings().outage
    day = delivery_of(SATURDAY, [reservation(16, 380, 4), reservation(8, 192, 0)], outages)
    assert (day.reserved_card_hours, day.delivered_card_hours, day.shortfall_card_hours) == (576, 572, 4)
    assert day.finished
    assert day.invoiced_fen == 572 * 200
    assert "QINGYANG, 14:00 to 17:00, 30 %" in day.note
    assert not delivery_of(SATURDAY, [reservation(8, 8, 0, finished=False)], ()).finished


def test_the_days_that_expired() -> None:
    later = contract(first=date(2026, 12, 9), last_trading_day=date(2026, 12, 8))
    contracts = [contract(first=SUNDAY), contract(first=SATURDAY), later]
    assert expired_days(date(2026, 12, 4), contracts) == [SATURDAY, SUNDAY]
    assert days_from(SATURDAY, date(2026, 12, 7)) == [SATURDAY, SUNDAY, date(2026, 12, 7)]
