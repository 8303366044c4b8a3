"""How a simulated market begins: the scenario's rules, its members, their cash."""

from __future__ import annotations

from typing import Final

import msgspec

from exchange.domain.brokerage import SetRevenueSplit
from exchange.domain.defaults import SetContribution
from exchange.domain.listing import CASCADE_LISTED_MAX
from exchange.domain.messages import Product, SetMarginRules, SetRules
from exchange.domain.sessions import SetSessions
from exchange.service.bootstrap import DELIVERY_RULES, MARGIN_RULES, market_rules
from matching.spec import EngineLimits
from nodes.catalogue import Catalogue
from sims.engine.market import SimMarket
from sims.engine.members import FEN_PER_CNY, accounts_max
from sims.scenario.hours import sessions_of
from sims.scenario.populations import Broker, PoissonFlow, Population
from sims.scenario.schema import Scenario

CONTRACTS_OF_GOOD: Final = {"day": 8, "week": 5, "month": 7, "quarter": 5}
"""Most contracts of a kind that one good has at a time, cascaded ones apart."""
CASCADED: Final = 40
ORDERS_OF_AGENT: Final = 256
"""Open orders for which an agent of one's own finds room."""
SINGLE_MARGINS = SetMarginRules(
    near_delivery=MARGIN_RULES.near_delivery,
    lock_limit_basis_points=MARGIN_RULES.lock_limit_basis_points,
    lock_margin_basis_points=MARGIN_RULES.lock_margin_basis_points,
    model_neighbours=MARGIN_RULES.model_neighbours,
)
"""The live exchange's margins of single contracts: nothing that nets."""


def rows_max(scenario: Scenario) -> int:
    """Return the most contracts that can trade on a day."""
    cascaded = CASCADED if scenario.periods != ("day",) else 0
    each = sum(CONTRACTS_OF_GOOD[kind] for kind in scenario.periods) + cascaded
    return each * sum(len(part.grades) * len(part.hubs) for part in scenario.goods)


def limits_of(scenario: Scenario, dearest: float, own_agents: int) -> EngineLimits:
    """Return bounds of the kernel that hold the scenario; `dearest` is the highest reference price, ticks.

    Small tables are quick to make and stay in the processor's cache; a thousand short runs make a thousand.
    """
    rows = rows_max(scenario)
    settling = CASCADE_LISTED_MAX * sum(len(part.grades) * len(part.hubs) for part in scenario.goods)
    accounts = 3 + own_agents + sum(map(accounts_max, scenario.population))
    orders = ORDERS_OF_AGENT * own_agents + sum(_orders(spec, rows) for spec in scenario.population)
    widest = (scenario.limit.daily + 3 * MARGIN_RULES.lock_limit_basis_points) / 10_000
    return EngineLimits(
        max_instruments=_power_of_two(rows + settling),
        max_accounts=_power_of_two(accounts),
        max_orders=_power_of_two(2 * orders + 1_024),
        max_levels=_power_of_two(int(4 * dearest * widest) + 2),
        max_holdings=_power_of_two(min(1 << 19, accounts * (rows + settling))),
        max_refreshes=1 << 10,
    )


def _orders(spec: Population, rows: int) -> int:
    """Return the most open orders of a population."""
    match spec:
        case PoissonFlow():
            return spec.count * spec.open_orders
        case Broker():
            return spec.count * spec.clients
        case _:
            return spec.count * (2 * rows + 1)


def _power_of_two(least: int) -> int:
    return 1 << (least - 1).bit_length()


def rules_of(scenario: Scenario, catalogue: Catalogue) -> SetRules:
    """Return the exchange's rules as the scenario sets them; the calendar is the catalogue's."""
    pairs = {(grade, hub): None for part in scenario.goods for grade in part.grades for hub in part.hubs}
    products = tuple(Product(grade, hub, catalogue.grade(grade).cards_per_lot) for grade, hub in pairs)
    return msgspec.structs.replace(
        market_rules(catalogue, scenario.first_day),
        products=products,
        limit_basis_points=scenario.limit.daily,
        margin_basis_points=scenario.margin.scan,
        maker_basis_points=scenario.fee.maker,
        taker_basis_points=scenario.fee.taker,
    )


def margin_rules_of(scenario: Scenario) -> SetMarginRules:
    """Return the live exchange's margin rules, or those of single contracts if nothing is to net."""
    return MARGIN_RULES if scenario.margin.netting else SINGLE_MARGINS


def revenue_split_of(scenario: Scenario) -> SetRevenueSplit:
    """Return how fees are shared (clause 8.14)."""
    fee = scenario.fee
    return SetRevenueSplit(provider=fee.to_providers, broker=fee.to_brokers, platform=fee.to_platform)


def open_market(market: SimMarket, scenario: Scenario, catalogue: Catalogue) -> None:
    """Set the rules of a fresh market."""
    market.done(margin_rules_of(scenario))
    market.done(DELIVERY_RULES)
    market.done(SetSessions(sessions=sessions_of(scenario.sessions)))
    market.done(rules_of(scenario, catalogue))
    share_fees(market, scenario)
    if scenario.fund.house_cny:
        market.done(SetContribution(member=None, amount_fen=scenario.fund.house_cny * FEN_PER_CNY))


def share_fees(market: SimMarket, scenario: Scenario) -> None:
    """Set how fees are shared, unless they are shared so already."""
    split = revenue_split_of(scenario)
    if split != market.core.state.brokerage.split:
        market.done(split)
