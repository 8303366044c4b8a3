"""The exchange's own views as a venue: what one account holds and what every book offers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from exchange.api.formats import time_text
from exchange.domain.calendar import day_start_ns
from exchange.domain.contracts import Contract, PeriodKind
from exchange.domain.delivering import NominateWorkload
from exchange.domain.hours import hours_of
from exchange.planning.free import free_stretches
from exchange.service.views import Views
from scheduler.io.venue import Holding, Level, Stock

DEPTH = 20
"""Levels of a book that a plan may buy from."""


def stock_of(views: Views, account: int, first: date, end: date) -> Stock:
    """What the account has reserved as buyer and not nominated, stretch by stretch, and the asks of contracts
    for days before ``end``, and for hours in a row of them.
    """
    nominated: dict[int, list[NominateWorkload]] = {}
    for one in views.delivering.nominations:
        if one.terms.account == account and not one.withdrawn:
            nominated.setdefault(one.terms.reservation_id, []).append(one.terms)
    lots = {(p.grade, p.hub): p.cards_per_lot for p in views.products()}
    holdings = [
        Holding(
            id=str(row.reservation_id),
            symbol=row.symbol,
            site=row.hub,
            grade=row.grade,
            cards=stretch.cards,
            cards_per_lot=lots[row.grade, row.hub],
            start=start,
            end=stop,
            price_ticks=row.price,
        )
        for row in views.reservations(account)
        if row.buyer == account and first <= row.day < end
        for stretch in free_stretches(
            row.cards, list(hours_of(row.hours)), nominated.get(row.reservation_id, ())
        )
        for start, stop in [stretch.times(moment_of(day_start_ns(row.day)))]
    ]
    levels: list[Level] = []
    for kind in (PeriodKind.DAY, PeriodKind.HOUR):
        for view in views.contracts(kind=kind):
            if view.ask_lots and _in_a_row(view.contract) and first <= view.contract.period.first < end:
                levels += _asks(views, view.contract)
    return Stock(tuple(holdings), tuple(levels))


def _in_a_row(contract: Contract) -> bool:
    """Whether a plan can buy it: its hours follow one another."""
    return contract.delivery.end - contract.delivery.first == contract.hours


def _asks(views: Views, contract: Contract) -> Iterator[Level]:
    book = views.book(contract.symbol, DEPTH)
    hours = contract.delivery
    for ask in book.asks if book else ():
        yield Level(
            contract.symbol,
            contract.hub,
            contract.grade,
            contract.cards_per_lot,
            moment_of(hours.start_ns),
            moment_of(hours.end_ns),
            ask.lots,
            ask.price,
        )


def moment_of(time_ns: int) -> datetime:
    """Market time as a moment in Asia/Shanghai."""
    return datetime.fromisoformat(time_text(time_ns))
