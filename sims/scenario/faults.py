"""What a schema can't say of a scenario: names that don't exist, times that don't come, markets without
goods.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import time
from itertools import chain

from exchange.domain.contracts import PeriodKind
from exchange.domain.listing import BASE_RULES, periods_ahead
from exchange.service.bootstrap import market_rules
from nodes.catalogue import Catalogue
from nodes.types import UnknownName
from sims.scenario.hours import sessions_of
from sims.scenario.populations import RESERVED, Buyer, Planner, Population, Provider, Reactive
from sims.scenario.schema import Scenario
from sims.scenario.shocks import FatFinger, ProviderDefault, Shock

Fault = tuple[str, str]
"""A key, and what is wrong with it."""


def faults(scenario: Scenario, catalogue: Catalogue) -> Iterable[Fault]:
    """Yield what is wrong, the most telling first."""
    grades, hubs = _grades(scenario), _hubs(scenario)
    yield from _unknown("goods.grades", grades, list(catalogue.grades))
    yield from _unknown("goods.hubs", hubs, list(catalogue.hubs))
    yield from _repeated("periods", list(scenario.periods))
    yield from _of_sessions(scenario)
    yield from _repeated("population", [spec.name for spec in scenario.population])
    yield from _repeated("shock", [shock.name for shock in scenario.shock])
    of_population = (_of_population(spec, scenario, catalogue) for spec in scenario.population)
    of_shock = (_of_shock(shock, scenario) for shock in scenario.shock)
    yield from chain.from_iterable((*of_population, *of_shock))
    yield from _of_listing(scenario, catalogue)


def _grades(scenario: Scenario) -> list[str]:
    return [grade for part in scenario.goods for grade in part.grades]


def _hubs(scenario: Scenario) -> list[str]:
    return [hub for part in scenario.goods for hub in part.hubs]


def _of_sessions(scenario: Scenario) -> Iterable[Fault]:
    told = scenario.sessions
    if (told.break_from is None) != (told.break_until is None):
        yield "sessions.break_from", "a break has both break_from and break_until"
    fault = sessions_of(told).fault()
    if fault:
        yield "sessions", f"{fault} doesn't fit a day of 09:00 to 15:00"


def _of_population(spec: Population, scenario: Scenario, catalogue: Catalogue) -> Iterable[Fault]:
    at = f"population.{spec.name}"
    if spec.name in RESERVED:
        yield f"{at}.name", f"can't be {' or '.join(RESERVED)}, which take part in every market"
    if isinstance(spec, Provider):
        yield from _unknown(f"{at}.hubs", spec.hubs, _hubs(scenario))
    elif isinstance(spec, Buyer):
        yield from _cities(f"{at}.cities", spec.cities, catalogue)
    elif isinstance(spec, Reactive) and spec.horizon_min > spec.horizon_max:
        yield f"{at}.horizon_min", f"must be {spec.horizon_max} at most, which is horizon_max"
    if isinstance(spec, Planner) and "day" not in scenario.periods:
        yield f"{at}.kind", 'it trades days; periods has no "day"'
    if spec.cash_cny < scenario.fund.member_cny:
        yield f"{at}.cash_cny", f"doesn't pay for fund.member_cny, which is {scenario.fund.member_cny}"


def _of_shock(shock: Shock, scenario: Scenario) -> Iterable[Fault]:
    at, hubs, grades = f"shock.{shock.name}", _hubs(scenario), _grades(scenario)
    close = sessions_of(scenario.sessions).close
    until: time | None = getattr(shock, "until", None)
    if shock.day > scenario.days:
        yield f"{at}.day", f"the scenario has {scenario.days} days"
    if shock.at >= close:
        yield f"{at}.at", f"must be before {close}, when trading ends"
    if until is not None and not shock.at < until < close:
        yield f"{at}.until", f"must be after {shock.at} and before {close}, when trading ends"
    yield from _unknown(f"{at}.hub", [shock.hub] if hasattr(shock, "hub") else [], hubs)
    yield from _unknown(f"{at}.hubs", getattr(shock, "hubs", ()), hubs)
    yield from _unknown(f"{at}.grade", [shock.grade] if hasattr(shock, "grade") else [], grades)
    if isinstance(shock, ProviderDefault):
        providers = [spec.name for spec in scenario.population if isinstance(spec, Provider)]
        yield from _unknown(f"{at}.population", [shock.population], providers)
    elif isinstance(shock, FatFinger):
        of_grade = [hub for part in scenario.goods if shock.grade in part.grades for hub in part.hubs]
        yield from _unknown(f"{at}.hub", [shock.hub], of_grade)


def _of_listing(scenario: Scenario, catalogue: Catalogue) -> Iterable[Fault]:
    """Name the first day on which nothing would trade. There is always a next day's contract."""
    if "day" in scenario.periods:
        return
    kinds = [(PeriodKind(rule.kind), rule.ahead) for rule in BASE_RULES if rule.kind in scenario.periods]
    closed = market_rules(catalogue, scenario.first_day).closed_days
    day, latest = scenario.first_day, scenario.first_day
    if not catalogue.is_trading_day(day):
        day = catalogue.next_trading_day(day)
    for number in range(1, scenario.days + 1):
        ahead = (of for kind, most in kinds for of in periods_ahead(kind, most, day, closed))
        listed = [of.first for of in ahead if (of.first - day).days <= scenario.days_ahead]
        latest = max((latest, *listed))
        if latest <= day:
            told = f"no contract of periods begins within {scenario.days_ahead} days"
            yield "days_ahead", f"{told}: nothing would trade on day {number}, {day}"
            return
        day = catalogue.next_trading_day(day)


def _unknown(key: str, named: Sequence[str], known: list[str]) -> Iterable[Fault]:
    for name in named:
        if name not in known:
            yield key, f"no {name!r} here; known: {', '.join(dict.fromkeys(known))}"


def _repeated(key: str, names: Sequence[str]) -> Iterable[Fault]:
    for name, times in Counter(names).items():
        if times > 1:
            yield f"{key}.{name}", "is there twice"


def _cities(key: str, cities: Sequence[str], catalogue: Catalogue) -> Iterable[Fault]:
    for city in cities:
        try:
            catalogue.edge_pool_of(city)
        except UnknownName as error:
            yield key, str(error)
