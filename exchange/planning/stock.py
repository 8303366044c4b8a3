"""The exchange's own views as a venue: what one account holds and what every book offers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from exchange.api.formats import time_text
from exchange.domain.calendar import day_start_ns, epoch_day
from exchange.domain.contracts import Contract, PeriodKind, Symbol, day_period
from exchange.domain.delivering import NominateWorkload
from exchange.domain.hours import HOURS_PER_DAY, HourSet, hours_of
from exchange.planning.free import Stretch, free_stretches
from exchange.service.views import Views
from matching.api import InvariantViolation
from scheduler.io.venue import Holding, Level, Stock

DEPTH = 20
"""Levels of a book that a plan may buy from."""

ByHour = NDArray[np.int64]
"""One figure an hour of some days."""


def stock_of(views: Views, account: int, first: date, end: date) -> Stock:
    """What the account has reserved as buyer and not nominated, and bought and not yet reserved, stretch by
    stretch, and the asks of every contract that delivers on these days, and perhaps beyond them.
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
            reserved=True,
        )
        for row in views.reservations(account)
        if row.buyer == account and first <= row.day < end
        for stretch in free_stretches(
            row.cards, list(hours_of(row.hours)), nominated.get(row.reservation_id, ())
        )
        for start, stop in [stretch.times(moment_of(day_start_ns(row.day)))]
    ]
    levels: list[Level] = []
    for kind in PeriodKind:
        for view in views.contracts(kind=kind):
            period = view.contract.period
            if view.ask_lots and period.first < end and first < period.end:
                levels += _asks(views, view.contract)
    return Stock((*holdings, *_open_holdings(views, account, first, end)), tuple(levels))


def _open_holdings(views: Views, account: int, first: date, end: date) -> Iterator[Holding]:
    """Cards that positions will deliver on these days, named by the day contract that they become.

    Positions of a product are netted hour by hour, as the cascade does (clause 6.4): who bought a month and
    sold a day of it gets nothing on that day. Where more is sold than bought there is nothing to plan with.
    """
    hours = (end - first).days * HOURS_PER_DAY
    net: dict[tuple[str, str], ByHour] = defaultdict(lambda: np.zeros(hours, np.int64))
    long, paid = net.copy(), net.copy()
    for position in views.positions(account):
        view = views.contract(position.symbol)
        if view is None:
            raise InvariantViolation(f"a position in {position.symbol}, which was never listed")
        contract = view.contract
        lots = position.lots * _delivers(contract.delivery, first, end)
        net[contract.product] += lots
        long[contract.product] += np.maximum(lots, 0)
        paid[contract.product] += np.maximum(lots, 0) * position.settlement_price
    cards = {(p.grade, p.hub): p.cards_per_lot for p in views.products()}
    for (grade, hub), lots in net.items():
        price = paid[grade, hub] // np.maximum(long[grade, hub], 1)
        for day in range((end - first).days):
            today, of_day = first + timedelta(day), slice(day * HOURS_PER_DAY, (day + 1) * HOURS_PER_DAY)
            symbol = str(Symbol(grade, hub, day_period(today)))
            for stretch, ticks in _stretches(lots[of_day] * cards[grade, hub], price[of_day]):
                start, stop = stretch.times(moment_of(day_start_ns(today)))
                yield Holding(
                    id=symbol,
                    symbol=symbol,
                    site=hub,
                    grade=grade,
                    cards=stretch.cards,
                    cards_per_lot=cards[grade, hub],
                    start=start,
                    end=stop,
                    price_ticks=ticks,
                    reserved=False,
                )


def _delivers(delivery: HourSet, first: date, end: date) -> ByHour:
    """1 in the hours that a contract delivers, 0 in others."""
    masks = [delivery.of_day(day) for day in range(epoch_day(first), epoch_day(end))]
    return np.array([mask >> hour & 1 for mask in masks for hour in range(HOURS_PER_DAY)], np.int64)


def _stretches(cards: ByHour, price: ByHour) -> Iterator[tuple[Stretch, int]]:
    """Hours in a row of a day with as many cards at one price in ticks."""
    alike = zip(cards.tolist(), price.tolist(), strict=True)
    for (held, ticks), run in groupby(enumerate(alike), key=lambda at: at[1]):
        hours = [hour for hour, _ in run]
        if held > 0:
            yield Stretch(hours[0], hours[-1] + 1, held), ticks


def _asks(views: Views, contract: Contract) -> Iterator[Level]:
    book = views.book(contract.symbol, DEPTH)
    hours = contract.delivery
    masks = () if hours.end - hours.first == contract.hours else hours.masks
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
            masks,
        )


def moment_of(time_ns: int) -> datetime:
    """Market time as a moment in Asia/Shanghai."""
    return datetime.fromisoformat(time_text(time_ns))
