"""What of a state goes into the market health index: raw figures by hub, and of all hubs together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.domain.calendar import epoch_day
from exchange.domain.contracts import PeriodKind
from exchange.domain.hours import HOURS_PER_DAY
from exchange.health.scores import Component, Raw
from exchange.service.conversion import conversion
from exchange.service.state import State
from nodes.types import Profile

OVERALL: Final = -1
"""In place of a hub's number: all hubs together."""

DEEP_LOTS: Final = 5
"""A contract is deep if it shows as many lots at the best price of either side."""

WINDOW_DAYS: Final = 30
"""Delivery days that delivery quality and utilisation look back on."""

Figures = dict[int, dict[Component, Raw]]
"""By hub number or OVERALL; what can't be measured is left out."""


@dataclass(frozen=True, slots=True)
class Places:
    """What the catalogue says of hubs: opening reference prices by grade and hub (ticks a lot-hour), and
    which lie in the east and in the west.
    """

    reference: Callable[[str, str], int]
    east: frozenset[str]
    west: frozenset[str]


def measure(state: State, places: Places) -> Figures:
    """Return every component's raw figures; reads the state and changes nothing."""
    found: defaultdict[int, dict[Component, Raw]] = defaultdict(dict)
    used = _utilisation(state)
    for component, by_hub in (
        (Component.SPREAD, _spread(state)),
        (Component.DEPTH, _depth(state)),
        (Component.CONVERSION, _conversion(state)),
        (Component.DELIVERY, _delivery(state)),
        (Component.COVER, _cover(state)),
        (Component.UTILISATION, used),
        (Component.CONVERGENCE, _convergence(state, places)),
    ):
        for hub, raw in by_hub.items():
            if raw.denominator:
                found[hub][component] = raw
                found[OVERALL][component] = found[OVERALL].get(component, Raw(0, 0)) + raw
    for hub, raw in _concentration(state).items():
        found[hub][Component.CONCENTRATION] = raw
    balance = _balance(state, used, places)
    if balance is not None:
        found[OVERALL][Component.BALANCE] = balance
    return dict(found)


def _summed(pairs: list[tuple[int, Raw]]) -> dict[int, Raw]:
    sums: dict[int, Raw] = {}
    for hub, raw in pairs:
        sums[hub] = sums.get(hub, Raw(0, 0)) + raw
    return sums


def _spread(state: State) -> dict[int, Raw]:
    """Σ (ask − bid) over Σ mid-prices, of contracts with both: both doubled, so that they are whole."""
    pairs = []
    for index in state.active_contracts().tolist():
        top = state.engine.l1(index)
        if top.bid_price and top.ask_price:
            raw = Raw(2 * (top.ask_price - top.bid_price), top.ask_price + top.bid_price)
            pairs.append((int(state.contract_row(index)["hub"]), raw))
    return _summed(pairs)


def _depth(state: State) -> dict[int, Raw]:
    """Contracts that are deep, over those with an order in the book."""
    pairs = []
    for index in state.active_contracts().tolist():
        top = state.engine.l1(index)
        if top.bid_price or top.ask_price:
            deep = min(top.bid_quantity, top.ask_quantity) >= DEEP_LOTS
            pairs.append((int(state.contract_row(index)["hub"]), Raw(int(deep), 1)))
    return _summed(pairs)


def _conversion(state: State) -> dict[int, Raw]:
    """Card-hours sold first over card-hours posted, by provider, grade and hub (clause 7.2)."""
    return _summed(
        [
            (state.hub_indices[hub], Raw(min(sold, posted), posted))
            for (_, _, hub), (sold, posted) in conversion(state).items()
        ]
    )


def _delivery(state: State) -> dict[int, Raw]:
    """Card-hours delivered over card-hours reserved, of the window's finished reservations."""
    rows = state.reservations.rows
    rows = rows[(rows["finished"] == 1) & (rows["day"] > _last_day(state) - WINDOW_DAYS)]
    terms = state.contract_table.rows[rows["contract"]]
    reserved = rows["lots"] * terms["cards_per_lot"] * terms["hours"]
    delivered = np.maximum(rows["metered"], 0).sum(axis=1)
    return _by_hub(terms["hub"], delivered, reserved)


def _cover(state: State) -> dict[int, Raw]:
    """Short lots that certificates back over all short lots, in card-hours."""
    rows = state.positions.rows
    rows = rows[rows["lots"] < 0]
    terms = state.contract_table.rows[rows["contract"]]
    card_hours = terms["hours"] * terms["cards_per_lot"]
    short = -rows["lots"] * card_hours
    return _by_hub(terms["hub"], np.minimum(rows["covered"], -rows["lots"]) * card_hours, short)


def _by_hub(hubs: NDArray[Any], parts: NDArray[Any], wholes: NDArray[Any]) -> dict[int, Raw]:
    """Return Σ parts over Σ wholes by hub."""
    return {
        int(hub): Raw(int(parts[hubs == hub].sum()), int(wholes[hubs == hub].sum()))
        for hub in np.unique(hubs)
    }


def _last_day(state: State) -> int:
    return 0 if state.day.delivered_day is None else epoch_day(state.day.delivered_day)


def _utilisation(state: State) -> dict[int, Raw]:
    """Card-hours reserved of certificates over card-hours certified, on the window's days that are over."""
    last = _last_day(state)
    rows = state.reservations.rows
    rows = rows[(rows["certificate"] > 0) & (rows["day"] > last - WINDOW_DAYS) & (rows["day"] <= last)]
    terms = state.contract_table.rows[rows["contract"]]
    reserved = rows["lots"] * terms["cards_per_lot"] * terms["hours"]
    pairs = list(_by_hub(terms["hub"], reserved, np.zeros(len(rows), np.int64)).items())
    for certificate in state.primary.certificates:
        begin = max(0, last - WINDOW_DAYS + 1 - certificate.first_day)
        end = max(begin, last + 1 - certificate.first_day)
        cards = sum(certificate.cards[begin:end])
        pairs.append((state.hub_indices[certificate.hub], Raw(0, cards * HOURS_PER_DAY)))
    return _summed(pairs)


def _balance(state: State, used: dict[int, Raw], places: Places) -> Raw | None:
    """10,000 less how far utilisation in the east and in the west lie apart, basis points; None if one of
    them has nothing.
    """
    rates = []
    for codes in (places.east, places.west):
        hubs = [number for code, number in state.hub_indices.items() if code in codes]
        whole = sum((used[hub] for hub in hubs if hub in used), Raw(0, 0))
        if not whole.denominator:
            return None
        rates.append(whole.numerator * 10_000 // whole.denominator)
    return Raw(10_000 - abs(rates[0] - rates[1]), 10_000)


def _concentration(state: State) -> dict[int, Raw]:
    """The Herfindahl-Hirschman index of open positions by value, of the more concentrated side, basis
    points; by hub and of all.
    """
    rows = state.positions.rows
    rows = rows[rows["lots"] != 0]
    terms = state.contract_table.rows[rows["contract"]]
    values = rows["lots"] * terms["reference"] * terms["hours"]
    places = [(int(hub), terms["hub"] == hub) for hub in np.unique(terms["hub"])]
    if len(rows):
        places.append((OVERALL, np.ones(len(rows), np.bool_)))
    return {hub: Raw(_hhi(rows["account"][at], values[at]), 10_000) for hub, at in places}


def _hhi(accounts: NDArray[Any], values: NDArray[Any]) -> int:
    """Return the greater of both sides' Σ (share of an account)², basis points, rounded down."""
    worst = 0
    for signed in (values, -values):
        held: defaultdict[int, int] = defaultdict(int)
        for account, value in zip(accounts.tolist(), np.maximum(signed, 0).tolist(), strict=True):
            held[account] += value
        whole = sum(held.values())
        if whole:
            worst = max(worst, sum(value * value for value in held.values()) * 10_000 // (whole * whole))
    return worst


def _convergence(state: State, places: Places) -> dict[int, Raw]:
    """How far a base day contract's settlement price, less what the hub's opening reference is above or below
    the others', lies from the mean of the same grade and day at all hubs: Σ distance over Σ price, ticks.
    """
    rows = state.contract_table.rows
    alike: defaultdict[tuple[str, object], list[tuple[int, int, int]]] = defaultdict(list)
    for index in state.active_contracts().tolist():
        contract, row = state.contracts[index], rows[index]
        if row["settled"] and contract.kind is PeriodKind.DAY and contract.profile is Profile.BASE:
            price = int(row["reference"])
            above = price - places.reference(contract.grade, contract.hub)
            alike[contract.grade, contract.period].append((int(row["hub"]), price, above))
    pairs = []
    for hubs in alike.values():
        total, count = sum(above for _, _, above in hubs), len(hubs)
        if count > 1:
            pairs += [
                (hub, Raw((abs(above * count - total) + count // 2) // count, price))
                for hub, price, above in hubs
            ]
    return _summed(pairs)
