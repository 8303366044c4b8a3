"""A live exchange as planning sees it: what is owned, what is on offer, and the orders that a plan asks for.

The exchange implements `Venue` with its client and contributes a function that opens one through the
entry-point group `dongxi.venues`.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import NamedTuple, Protocol

from scheduler.io.faults import Where
from scheduler.io.schedule import Buy, Schedule
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
    """One level of a contract's asks: lots at a price in ticks per lot-hour, delivered from start to end."""

    symbol: str
    site: str
    grade: str
    cards_per_lot: int
    start: datetime
    end: datetime
    lots: int
    price_ticks: int


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

    A holding is worth nothing beyond its use here: what it would fetch is the plan's shadow price.
    """
    reservations, offers = [], []
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
        hours = hours_within(level.start, level.end, span)
        if hours is not None:
            cards = level.lots * level.cards_per_lot * MILLI
            total[level.site, level.grade] += cards
            price = micro_cny_from_ticks(level.price_ticks, level.cards_per_lot)
            where = Where(level.symbol, "level", 0)
            name = offer_name(level)
            offers.append(OfferRow(where, name, level.site, level.grade, cards, price, hours))
    whole = Hours(0, span.hours)
    capacity = tuple(
        CapacityRow(Where("book", "row", 0), site, grade, cards, whole)
        for (site, grade), cards in total.items()
    )
    return SupplyRows(capacity=capacity, reservations=tuple(reservations), offers=tuple(offers))


def offer_name(level: Level) -> str:
    """The id under which a plan buys from a level."""
    return f"{level.symbol}@{level.price_ticks}"


def hours_within(start: datetime, end: datetime, span: Span) -> Hours | None:
    """Whole hours of the span from start to end; None where they are not wholly inside it."""
    first, last = ((moment - span.start).total_seconds() / 3600 for moment in (start, end))
    whole = first.is_integer() and last.is_integer()
    return Hours(int(first), int(last)) if whole and 0 <= first < last <= span.hours else None


class Order(NamedTuple):
    """A buy order ready to send: whole lots and a limit from the book's marginal price.

    ``needed_cards`` is what the plan uses at most in any hour; ``at_book_fen`` what the lots cost now, the
    whole delivery period counted, ``at_limit_fen`` what they cost at most.
    """

    symbol: str
    lots: int
    limit_ticks: int
    needed_cards: float
    at_book_fen: int
    at_limit_fen: int


def orders_of(schedule: Schedule, levels: Iterable[Level]) -> tuple[Order, ...]:
    """The orders that make a plan's purchases: each symbol's lots, rounded up, walked through its asks.

    Where lots round up, the plan pays for a little more than it uses; both figures are there to compare.
    """
    books: dict[str, list[Level]] = defaultdict(list)
    for level in levels:
        books[level.symbol].append(level)
    bought: dict[str, list[Buy]] = defaultdict(list)
    for buy in schedule.buys:
        bought[buy.offer.rpartition("@")[0]].append(buy)
    return tuple(_order(books[symbol], buys) for symbol, buys in sorted(bought.items()))


def _order(book: list[Level], buys: list[Buy]) -> Order:
    by_hour: Counter[int] = Counter()
    for buy in buys:
        for hour in range(buy.first_hour, buy.end_hour):
            by_hour[hour] += buy.milli_cards
    needed = max(by_hour.values())
    lots = left = -(-needed // (book[0].cards_per_lot * MILLI))
    hours = int((book[0].end - book[0].start).total_seconds()) // 3600
    cost = limit = 0
    for level in sorted(book, key=lambda level: level.price_ticks):
        taken = min(left, level.lots)
        left -= taken
        if taken:
            limit = level.price_ticks
            cost += taken * level.price_ticks * hours
    return Order(book[0].symbol, lots, limit, needed / MILLI, cost, lots * limit * hours)


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
