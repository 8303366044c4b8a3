"""Which contracts to buy for a plan: whole lots of any period, the cheapest mix that covers what it uses.

A covering integer program for each hub and grade: lots of each level of each book, so that in every hour the
contracts that deliver then carry what the plan buys there. **What lots deliver beyond the plan's use, in its
span or outside it, is worth nothing here**: the orders are what makes the plan certain, and nobody has
promised to buy a surplus. Of mixes that cost the same the one of the shortest contracts is taken.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from ortools.math_opt.python import mathopt

from scheduler.io.schedule import Schedule
from scheduler.io.venue import Level
from scheduler.io.workloads import Span
from scheduler.types import MILLI

FEN_PER_CNY: Final = 100
Book = Sequence[Level]
"""The asks of one contract, the cheapest first."""


class Order(NamedTuple):
    """A buy order ready to send: whole lots and a limit from the book's marginal price.

    ``needed_cards`` is what the plan uses of it at most in any hour, longer contracts being used first;
    ``spare_card_hours`` what it delivers beyond use; ``at_book_fen`` what the lots cost now, the whole
    delivery period counted, ``at_limit_fen`` what they cost at most.
    """

    symbol: str
    lots: int
    limit_ticks: int
    needed_cards: float
    spare_card_hours: float
    at_book_fen: int
    at_limit_fen: int


def orders_of(schedule: Schedule, levels: Iterable[Level]) -> tuple[Order, ...]:
    """The cheapest orders that deliver everything a plan buys, by symbol."""
    books: dict[tuple[str, str], dict[str, list[Level]]] = defaultdict(lambda: defaultdict(list))
    for level in levels:
        books[level.site, level.grade][level.symbol].append(level)
    needs: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for buy in schedule.buys:
        hours = range(buy.first_hour, buy.end_hour)
        needs[buy.site, buy.grade].update(dict.fromkeys(hours, buy.milli_cards))
    span = Span(schedule.start, schedule.hours)
    made = (
        order
        for product, milli in sorted(needs.items())
        for order in _orders(milli, list(map(by_price, books[product].values())), span)
    )
    return tuple(sorted(made))


def by_price(levels: Iterable[Level]) -> Book:
    """A contract's levels, the cheapest first."""
    return sorted(levels, key=lambda level: level.price_ticks)


def _orders(milli: Counter[int], books: list[Book], span: Span) -> Iterator[Order]:
    """The orders of one hub and grade for milli-cards by hour."""
    books.sort(key=lambda book: (-book[0].hours, book[0].symbol))
    delivered = [_hours(book[0], span) for book in books]
    rest = Counter(milli)
    for book, hours, lots in zip(books, delivered, covering_lots(milli, books, span), strict=True):
        if lots:
            used = {hour: min(rest[hour], lots * book[0].cards_per_lot * MILLI) for hour in hours}
            yield order_of(book, lots, used.values())
            rest.subtract(used)


def order_of(book: Book, lots: int, used: Iterable[float]) -> Order:
    """The order for so many lots of a book of which so many milli-cards are used, hour by hour."""
    used = list(used)
    first, limit = book[0], 0
    cost, left = 0, lots
    for level in book:
        taken = min(left, level.lots)
        left -= taken
        if taken:
            limit = level.price_ticks
            cost += taken * limit * first.hours
    spare = lots * first.cards_per_lot * first.hours - sum(used) / MILLI
    needed = max(used, default=0) / MILLI
    return Order(first.symbol, lots, limit, needed, spare, cost, lots * limit * first.hours)


def covering_lots(milli: Mapping[int, int], books: Sequence[Book], span: Span) -> list[int]:
    """Lots of each book, all of one hub and grade, that cover milli-cards by hour at the least cost.

    Raises ``ValueError`` where all of the books together don't.
    """
    needed: dict[tuple[int, ...], int] = {}
    covers: dict[int, list[int]] = defaultdict(list)
    for at, book in enumerate(books):
        for hour in _hours(book[0], span):
            covers[hour].append(at)
    for hour, wanted in milli.items():
        able = tuple(covers[hour])
        lots = -(-wanted // (books[able[0]][0].cards_per_lot * MILLI)) if able else wanted
        needed[able] = max(lots, needed.get(able, 0))
    for able, lots in needed.items():
        if lots > sum(level.lots for at in able for level in books[at]):
            raise ValueError("the books hold less than what is to be covered")
    bought = [0] * len(books)
    if all(len(able) == 1 for able in needed):  # nothing to choose from
        for (only,), lots in needed.items():
            bought[only] = max(bought[only], lots)
        return bought
    return _program(needed, books)


def _program(needed: Mapping[tuple[int, ...], int], books: Sequence[Book]) -> list[int]:
    """The integer program: for each set of books that deliver in the same hours, the lots that are needed."""
    model = mathopt.Model()
    asked = {at for able in needed for at in able}
    most = max(needed.values())
    bought = {
        at: [(level, model.add_integer_variable(lb=0, ub=min(level.lots, most))) for level in books[at]]
        for at in sorted(asked)
    }
    for able, lots in needed.items():
        model.add_linear_constraint(mathopt.fast_sum(v for at in able for _, v in bought[at]) >= lots)
    each = [(level.price_ticks * level.hours, level.hours, v) for b in bought.values() for level, v in b]
    cost = mathopt.fast_sum(fen / FEN_PER_CNY * v for fen, _, v in each)
    model.minimize(cost)
    first = _solved(model)
    least = sum(fen * round(first[v]) for fen, _, v in each)
    model.add_linear_constraint(cost <= (least + 0.5) / FEN_PER_CNY)
    model.minimize(mathopt.fast_sum(hours * hours * v for _, hours, v in each))
    again = _solved(model)
    # costs are whole fen: a second answer that the solver's tolerance let cost more is not taken
    best = again if sum(fen * round(again[v]) for fen, _, v in each) <= least else first
    return [sum(round(best[v]) for _, v in bought.get(at, ())) for at in range(len(books))]


def _solved(model: mathopt.Model) -> dict[mathopt.Variable, float]:
    exactly = mathopt.SolveParameters(relative_gap_tolerance=0.0, absolute_gap_tolerance=0.0)
    result = mathopt.solve(model, mathopt.SolverType.HIGHS, params=exactly)
    if result.termination.reason is not mathopt.TerminationReason.OPTIMAL:
        raise RuntimeError(f"the covering program ended without an optimum: {result.termination}")
    values: dict[mathopt.Variable, float] = result.variable_values()
    return values


def _hours(level: Level, span: Span) -> list[int]:
    return [hour for stretch in level.within(span) for hour in range(*stretch)]
