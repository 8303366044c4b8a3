"""Small scenarios for simulation tests, as the dictionaries that a TOML file would give."""

from __future__ import annotations

from typing import Any

import msgspec

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
    {"kind": "arbitrageur", "name": "arbitrage", "count": 3},
]


def scenario(population: list[dict[str, Any]] | None = None, **keys: Any) -> Scenario:
    """One day of H100 at two hubs, waking every half hour; everybody takes part unless told."""
    plain: dict[str, Any] = {
        "name": "small",
        "title": "A small market",
        "shows": "that it runs",
        "plausible": "it is a test",
        "wake_seconds": 1_800,
        "days_ahead": 2,
        "goods": [{"grades": ["H100"], "hubs": ["GUIAN", "SHANGHAI-EDGE"]}],
        "population": EVERYBODY if population is None else population,
    }
    return msgspec.convert(plain | keys, Scenario)
