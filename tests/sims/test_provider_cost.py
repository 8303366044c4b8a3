"""What a delivery costs a provider: power in the very hours that a contract delivers."""

from datetime import time

import numpy as np
import pytest
from numpy.typing import NDArray
from sim_markets import EVERYBODY, fine_market

from exchange.domain.calendar import local_datetime, moment_ns
from exchange.domain.contracts import Contract, hour_period
from exchange.domain.hours import HourSet, hour_set, hour_start_ns
from exchange.domain.listing import ListingRule
from nodes.types import Profile
from sims.engine.simulation import Simulation

PROVIDERS = [crowd | {"count": 12, "running": 9_900} for crowd in EVERYBODY if crowd["kind"] == "provider"]
GOODS = [{"grades": ["H100"], "hubs": ["GUIAN", "HORINGER", "SHANGHAI-EDGE"]}]
MORE = (
    ListingRule(kind="day", ahead=7, profile="valley"),
    ListingRule(kind="week", ahead=1, profile="valley"),
    ListingRule(kind="month", ahead=1, profile="peak"),
)


@pytest.fixture(scope="module")
def market() -> Simulation:
    """Providers alone in the first hours of a day on which parts of days, weeks and months trade."""
    keys = {"periods": ["day", "week", "month"], "days_ahead": 60, "limit": {"daily": 3_000}}
    simulation = fine_market(3, *MORE, population=PROVIDERS, goods=GOODS, **keys)
    simulation.run(moment_ns(simulation.scenario.first_day, time(10)))
    return simulation


def slowly(market: Simulation, grade: str, hub: str, delivery: HourSet) -> float:
    """Ticks of power that a lot-hour takes: hour by hour, on the clock."""
    catalogue = market.world.catalogue
    clock = [local_datetime(hour_start_ns(hour)) for hour in delivery]
    hourly = [catalogue.power_cny_per_card_hour(hub, grade, at) for at in clock]
    return 100 * catalogue.grade(grade).cards_per_lot * sum(hourly) / len(hourly)


def contracts_of(market: Simulation) -> list[Contract]:
    """What the board's rows are of."""
    state = market.market.core.state
    return [state.contracts[index] for index in market.board.rows["contract"].tolist()]


def test_each_contract_costs_the_power_of_the_hours_that_it_delivers(market: Simulation) -> None:
    contracts, rows = contracts_of(market), market.board.rows
    power = [slowly(market, of.grade, of.hub, of.delivery) for of in contracts]
    assert rows["power"].tolist() == pytest.approx(power)
    (providers,) = market.providers()
    cost = providers.unit_worth(rows)
    besides = cost - rows["power"]
    kinds = {(of.kind.value, of.profile.value) for of in contracts}
    assert kinds >= {("day", "peak"), ("day", "valley"), ("week", "valley"), ("month", "base")}
    for good in range(len(market.world.goods)):
        here = rows["good"] == good
        assert np.ptp(besides[:, here], axis=1) == pytest.approx(0), "only power differs by hours"
        by_profile = {
            profile: cost[:, [here[at] and of.profile is profile for at, of in enumerate(contracts)]]
            for profile in Profile
        }
        assert (by_profile[Profile.PEAK].min(axis=1) > by_profile[Profile.BASE].max(axis=1)).all()
        assert (by_profile[Profile.BASE].min(axis=1) > by_profile[Profile.VALLEY].max(axis=1)).all()


def test_a_single_hour_costs_what_power_costs_in_it(market: Simulation) -> None:
    hours = [hour_period(market.scenario.first_day, hour) for hour in range(24)]
    for number, good in enumerate(market.world.goods):
        sets = [hour_set(of.first_hour, of.end_hour) for of in hours]
        found = [market.world.power_over(number, of) for of in sets]
        assert found == pytest.approx([slowly(market, good.grade, good.hub, of) for of in sets])
        assert len(set(found)) > 2


def test_nobody_offers_below_the_cost_of_that_contract_and_some_offer_at_it(market: Simulation) -> None:
    (providers,) = market.providers()
    contracts, cost = contracts_of(market), providers.unit_worth(market.board.rows)
    orders = market.board.refs[market.board.refs["remaining"] > 0]
    member_of = {account: member for member, account in enumerate(providers.accounts.tolist())}
    members = [member_of[account] for account in orders["account"].tolist()]
    floors: NDArray[np.float64] = np.ceil(cost[members, orders["row"]])
    assert (orders["price"] >= floors).all()
    at_cost = orders["row"][orders["price"] == floors]
    assert {contracts[row].profile for row in at_cost.tolist()} == set(Profile)
