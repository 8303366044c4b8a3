"""A live exchange as planning sees it: what is owned, what is on offer, and what a plan leaves unused.

The exchange implements `Venue` with its client and contributes a function that opens one through the
entry-point group `dongxi.venues`.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from importlib.metadata import entry_points
from itertools import groupby
from pathlib import Path
from typing import NamedTuple, Protocol

from scheduler.io.faults import Where
from scheduler.io.schedule import Schedule
from scheduler.io.supply_rows import CapacityRow, Hours, OfferRow, ReservationRow, SupplyRows
from scheduler.io.workloads import Span
from scheduler.types import MILLI, micro_cny_from_ticks

VENUES_GROUP = "dongxi.venues"


class Holding(NamedTuple):
    """Hours in a row of one day of cards that the member owns.

    They are ``reserved``, ``id`` being the reservation's, or bought and not yet a reservation, with a name.

    ``start`` and ``end`` are in the market's time zone; ``price_ticks`` is what it costs, per lot-hour.
    """

    id: str
    symbol: str
    site: str
    grade: str
    cards: int
    cards_per_lot: int
    start: datetime
    end: datetime
    price_ticks: int
    reserved: bool

    @property
    def name(self) -> str:
        """The id, and where the day doesn't begin with these hours the first of them."""
        return f"{self.id}@{self.start:%H:%M}" if self.start.hour else self.id


class Level(NamedTuple):
    """One level of a contract's asks: lots at a price in ticks per lot-hour.

    A lot delivers from ``start`` to ``end``, in the market's time zone, in the hours of the day that the
    month's mask has (12 masks, January's first, bit h being h:00 to h + 1:00; none: every hour).
    """

    symbol: str
    site: str
    grade: str
    cards_per_lot: int
    start: datetime
    end: datetime
    lots: int
    price_ticks: int
    masks: tuple[int, ...] = ()

    @property
    def hours(self) -> int:
        """Hours that a lot delivers; ticks × hours is what it costs in fen."""
        return sum(end - first for first, end in _stretches(self.start, self.end, self.masks))

    def within(self, span: Span) -> tuple[Hours, ...]:
        """Its hours that the span has, counted from the span's start, stretch by stretch."""
        begin = (self.start - span.start).total_seconds() / 3600
        if not begin.is_integer():
            return ()
        clipped = (
            Hours(max(0, int(begin) + first), min(span.hours, int(begin) + end))
            for first, end in _stretches(self.start, self.end, self.masks)
        )
        return tuple(hours for hours in clipped if hours.start < hours.end)


@lru_cache(maxsize=1 << 12)
def _stretches(start: datetime, end: datetime, masks: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """Delivered hours in a row, counted from the contract's start."""
    hours = range((end - start) // timedelta(hours=1))
    if not masks:
        return ((0, len(hours)),)
    moments = [start + timedelta(hours=hour) for hour in hours]
    delivered = [masks[at.month - 1] >> at.hour & 1 for at in moments]
    runs = (list(run) for has, run in groupby(hours, key=delivered.__getitem__) if has)
    return tuple((run[0], run[-1] + 1) for run in runs)


class Stock(NamedTuple):
    """What a venue has for one member: holdings, and the asks of contracts, each book's best first."""

    holdings: tuple[Holding, ...]
    levels: tuple[Level, ...]


class Nomination(NamedTuple):
    """A workload on whole cards of a reservation; ``first_hour`` counts from 0 within its delivery day."""

    reservation_id: str
    workload: str
    use: str
    cards: int
    first_hour: int
    hours: int


class Venue(Protocol):
    """An exchange as one member sees it."""

    def stock(self, span: Span) -> Stock:
        """Everything that is delivered within the span."""
        ...

    def nominate(self, wanted: Sequence[Nomination]) -> tuple[str, ...]:
        """Make nominations; for each why it was refused, "" where it was taken."""
        ...


class NoVenue(LookupError):
    """No installed package can open an exchange, or the exchange does not answer as hoped."""


OpenVenue = Callable[[str, Path], Venue]
"""Opens a member's view of an exchange from its profile in a directory of keys; raises `NoVenue`."""


def open_venue(member: str, keys: Path) -> Venue:
    """The exchange that an installed package opens. Raises `NoVenue`."""
    found = next(iter(entry_points(group=VENUES_GROUP)), None)
    if found is None:
        raise NoVenue(f"no package provides {VENUES_GROUP}")
    opened: OpenVenue = found.load()
    return opened(member, keys)


def supply_of_stock(stock: Stock, span: Span) -> SupplyRows:
    """Holdings and asks as supply rows; what is delivered only partly within the span is left out.

    Work is placed at prices by the hour; which contracts those hours are bought with, whole, is decided
    after it (`scheduler.io.covering`).

    A holding is worth nothing beyond its use here: what it would fetch is the plan's shadow price.
    """
    reservations: list[ReservationRow] = []
    offers: list[OfferRow] = []
    total: Counter[tuple[str, str]] = Counter()
    for holding in stock.holdings:
        hours = hours_within(holding.start, holding.end, span)
        if hours is not None:
            cards = holding.cards * MILLI
            total[holding.site, holding.grade] += cards
            paid = micro_cny_from_ticks(holding.price_ticks, holding.cards_per_lot)
            where = Where(holding.symbol, "reservation", 0)
            reservations.append(
                ReservationRow(where, holding.name, holding.site, holding.grade, cards, paid, 0, hours)
            )
    for level in stock.levels:
        stretches = level.within(span)
        if sum(end - first for first, end in stretches) == level.hours:
            total[level.site, level.grade] += level.lots * level.cards_per_lot * MILLI
            offers += _offers(level, stretches)
    whole = Hours(0, span.hours)
    capacity = tuple(
        CapacityRow(Where("book", "row", 0), site, grade, cards, whole)
        for (site, grade), cards in total.items()
    )
    return SupplyRows(capacity=capacity, reservations=tuple(reservations), offers=tuple(offers))


def _offers(level: Level, stretches: Sequence[Hours]) -> Iterator[OfferRow]:
    """A level as one row for each stretch of hours; a plan buys any of its hours at the price of an hour."""
    cards = level.lots * level.cards_per_lot * MILLI
    price = micro_cny_from_ticks(level.price_ticks, level.cards_per_lot)
    for number, hours in enumerate(stretches):
        part = f"/{number + 1}" if len(stretches) > 1 else ""
        name = f"{level.symbol}@{level.price_ticks}{part}"
        where = Where(level.symbol, "level", 0)
        yield OfferRow(where, name, level.site, level.grade, cards, price, hours)


def hours_within(start: datetime, end: datetime, span: Span) -> Hours | None:
    """Whole hours of the span from start to end; None where they are not wholly inside it."""
    first, last = ((moment - span.start).total_seconds() / 3600 for moment in (start, end))
    whole = first.is_integer() and last.is_integer()
    return Hours(int(first), int(last)) if whole and 0 <= first < last <= span.hours else None


class Spare(NamedTuple):
    """Whole cards of a holding that the plan never uses while it is held, to resell.

    ``holding`` is the reservation's id where it is ``reserved``, else the position's name.
    """

    holding: str
    symbol: str
    site: str
    grade: str
    cards: int
    reserved: bool


def spare_of(schedule: Schedule, stock: Stock) -> tuple[Spare, ...]:
    """What of each holding stays unused in all its hours, the dearest first where several would do."""
    span = Span(schedule.start, schedule.hours)
    hours: dict[Holding, range] = {}
    for holding in stock.holdings:
        if within := hours_within(holding.start, holding.end, span):
            hours[holding] = range(*within)
    free = _free(schedule, hours)
    stretches: dict[tuple[str, str], list[Holding]] = defaultdict(list)
    for holding in sorted(hours, key=lambda h: -h.price_ticks / h.cards_per_lot):
        stretches[holding.id, holding.symbol].append(holding)
    found = []
    for parts in stretches.values():
        cells = [(h.site, h.grade, hour) for h in parts for hour in hours[h]]
        cards = min(*(h.cards for h in parts), min(free[cell] for cell in cells) // MILLI)
        if cards > 0:
            free.subtract(dict.fromkeys(cells, cards * MILLI))
            h = parts[0]
            found.append(Spare(h.id, h.symbol, h.site, h.grade, cards, h.reserved))
    return tuple(sorted(found, key=lambda spare: (spare.symbol, spare.holding)))


def _free(schedule: Schedule, hours: Mapping[Holding, range]) -> Counter[tuple[str, str, int]]:
    """Milli-cards held and not used by site, grade and hour; below 0 where the plan buys more."""
    free: Counter[tuple[str, str, int]] = Counter()
    for holding, held in hours.items():
        free.update({(holding.site, holding.grade, hour): holding.cards * MILLI for hour in held})
    for run in schedule.runs:
        for grade, milli in run.milli_cards():
            free.subtract({(run.site, grade, hour): milli for hour in range(run.first_hour, run.end_hour)})
    return free
