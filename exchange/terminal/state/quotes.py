"""The watchlist: every contract with the top of its book, found by words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from exchange.api.feed import FeedTop
from exchange.api.formats import parse_price_ticks
from exchange.api.market import Contract

KINDS: Final = ("day", "week", "month", "quarter", "hour")
PROFILES: Final = ("base", "peak", "valley")


def ticks(price: str | None) -> int | None:
    """A price of the exchange in ticks, None for none."""
    return None if price is None else parse_price_ticks(price)


@dataclass(slots=True)
class Quote:
    """A contract and how it is quoted now; prices in ticks, quantities in lots."""

    contract: Contract
    bid: int | None
    bid_lots: int
    ask: int | None
    ask_lots: int
    last: int | None
    reference: int
    """What changes and the day's profit are counted from: the last settlement price, or where there is none
    the reference price of today's limits."""

    @property
    def change(self) -> int | None:
        """Ticks that the last price is above the reference; None before a trade."""
        return None if self.last is None else self.last - self.reference

    @property
    def mark(self) -> int:
        """The price at which a position is valued: the last, else the reference."""
        return self.reference if self.last is None else self.last


def quote_of(contract: Contract) -> Quote:
    """A contract of the listing, as it was quoted then."""
    return Quote(
        contract=contract,
        bid=ticks(contract.bid),
        bid_lots=contract.bid_lots,
        ask=ticks(contract.ask),
        ask_lots=contract.ask_lots,
        last=ticks(contract.last_price),
        reference=parse_price_ticks(contract.settlement_price or contract.reference_price),
    )


class Quotes:
    """All contracts; `shown` are those that the search and the grade let through, by hub and period."""

    def __init__(self) -> None:
        self.by_symbol: dict[str, Quote] = {}
        self.grades: list[str] = []
        self.grade: str | None = None
        """Only this grade is shown, unless one searches."""
        self.search = ""
        self.shown: list[str] = []
        self._hub_names: dict[str, str] = {}
        self._hub_place: dict[str, int] = {}

    def name_hubs(self, names: Sequence[tuple[str, str]]) -> None:
        """Take in the hubs' codes and what else one may search them by, in the order in which they stand."""
        self._hub_names = {code: name.lower() for code, name in names}
        self._hub_place = {code: place for place, (code, _) in enumerate(names)}
        self._find()

    def load(self, contracts: Iterable[Contract]) -> None:
        """Take over the listing."""
        self.by_symbol = {one.symbol: quote_of(one) for one in contracts}
        self.grades = list(dict.fromkeys(one.contract.grade for one in self.by_symbol.values()))
        if self.grade not in self.grades:
            self.grade = self.grades[0] if self.grades else None
        self._find()

    def follow(self, top: FeedTop) -> tuple[int | None, int | None] | None:
        """Take in a new top; returns the last price before and now, None for a contract that isn't listed."""
        quote = self.by_symbol.get(top.symbol)
        if quote is None:
            return None
        before = quote.last
        quote.bid, quote.bid_lots = (None, 0) if top.bid is None else (ticks(top.bid[0]), top.bid[1])
        quote.ask, quote.ask_lots = (None, 0) if top.ask is None else (ticks(top.ask[0]), top.ask[1])
        quote.last = ticks(top.last)
        return before, quote.last

    def look_for(self, words: str) -> None:
        """Show the contracts in whose symbol, hub or period all the words are; nothing shows the grade's."""
        self.search = words.lower()
        self._find()

    def next_grade(self) -> None:
        """Show the next grade."""
        if self.grades and self.grade in self.grades:
            self.show_grade(self.grades[(self.grades.index(self.grade) + 1) % len(self.grades)])

    def show_grade(self, grade: str) -> None:
        """Show a grade, and nothing else."""
        self.grade, self.search = grade, ""
        self._find()

    def _find(self) -> None:
        wanted = self.search.split()
        found = [
            quote.contract
            for quote in self.by_symbol.values()
            if (self._matches(quote.contract, wanted) if wanted else quote.contract.grade == self.grade)
        ]
        found.sort(key=self._place)
        self.shown = [one.symbol for one in found]

    def _matches(self, contract: Contract, wanted: Sequence[str]) -> bool:
        text = f"{contract.symbol.lower()} {contract.kind} {self._hub_names.get(contract.hub, '')}"
        return all(word in text for word in wanted)

    def _place(self, contract: Contract) -> tuple[int, int, str, int, int, str]:
        grade, place = (
            self.grades.index(contract.grade),
            self._hub_place.get(contract.hub, len(self._hub_place)),
        )
        profile, kind = PROFILES.index(contract.profile), KINDS.index(contract.kind)
        return grade, place, contract.hub, profile, kind, contract.delivery_start
