"""Small scenarios for simulation tests, as the dictionaries that a TOML file would give."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from exchange.domain.contracts import day_period
from exchange.domain.hours import hour_set
from exchange.domain.listing import BASE_RULES, ListingRule, SetListingRules
from exchange.service.bootstrap import load_profiles
from matching.records import Records
from nodes.catalogue import load_catalogue
from sims.engine.simulation import Simulation
from sims.engine.world import COSTING
from sims.experiments.job import Job
from sims.scenario.load import plain
from sims.scenario.schema import Scenario

FLOW = {"kind": "poisson", "name": "flow", "count": 3, "orders": 6}
EVERYBODY: list[dict[str, Any]] = [
    {"kind": "zero-intelligence", "name": "noise", "count": 8},
    FLOW,
    {"kind": "market-maker", "name": "makers", "count": 2},
    {"kind": "momentum", "name": "trend", "count": 3},
    {"kind": "value", "name": "believers", "count": 4},
    {"kind": "provider", "name": "providers", "count": 4},
    {"kind": "enterprise", "name": "enterprises", "count": 13},
    {"kind": "broker", "name": "brokers", "count": 2, "clients": 2, "give_ups": 5_000},
    {"kind": "arbitrageur", "name": "arbitrage", "count": 3},
    {"kind": "zero-intelligence", "name": "blind", "count": 2, "budget": False},
    {"kind": "zip", "name": "learners", "count": 4},
    {"kind": "reactive", "name": "reactive", "count": 4},
]


def scenario(population: list[dict[str, Any]] | None = None, **keys: Any) -> Scenario:
    """One day of H100 at two hubs, waking every half hour; everybody takes part unless told."""
    table: dict[str, Any] = {
        "name": "small",
        "title": "A small market",
        "shows": "that it runs",
        "plausible": "it is a test",
        "wake_seconds": 1_800,
        "days_ahead": 2,
        "goods": [{"grades": ["H100"], "hubs": ["GUIAN", "SHANGHAI-EDGE"]}],
        "population": EVERYBODY if population is None else population,
    }
    return msgspec.convert(table | keys, Scenario)


def of_goods(simulation: Simulation) -> Records:
    """A day's contract of each good (dtype COSTING), all in one month."""
    goods = simulation.world.goods
    day = day_period(simulation.scenario.first_day)
    found = np.zeros(len(goods), COSTING)
    found["good"] = range(len(goods))
    found["power"] = [
        simulation.world.power_over(good, hour_set(day.first_hour, day.end_hour))
        for good in range(len(goods))
    ]
    return found


def fine_market(seed: int, *more: ListingRule, **keys: Any) -> Simulation:
    """The small market with peak contracts of each day beside the base ones, and what `more` lists, before
    its first day.
    """
    simulation = Simulation(scenario(**keys), seed)
    world = simulation.world
    simulation.market.done(load_profiles(load_catalogue(), world.hubs, simulation.scenario.first_day))
    peak = ListingRule(kind="day", ahead=7, profile="peak")
    base = [rule for rule in BASE_RULES if rule.kind != "quarter"]  # for which a small market has no room
    simulation.market.done(SetListingRules(rules=(*base, peak, *more)))
    return simulation


def small_jobs(count: int, first: int = 1, **keys: Any) -> list[Job]:
    """Jobs of a small market."""
    table = msgspec.json.encode(plain(scenario(**keys)))
    return [Job("small", seed, table) for seed in range(first, first + count)]
