"""Where work comes from and where it can run, before any file says otherwise.

The exchange provides the real catalogue's places through the entry-point group `dongxi.places`, so that the
scheduler itself depends on no data of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from importlib.metadata import entry_points
from typing import NamedTuple

import numpy as np

from nodes.types import Point, Residency
from scheduler.types import Network, Origin, Site

PLACES_GROUP = "dongxi.places"


class LatencyClass(NamedTuple):
    """What a class of work asks for where a workload does not say: the round trip in ms, and residency."""

    rtt_ms: float
    residency: Residency


@dataclass(frozen=True, slots=True)
class Facility:
    """A site's electricity: price in micro-CNY per kWh by hour of day in Asia/Shanghai (24), PUE, carbon."""

    micro_cny_per_kwh: tuple[int, ...] = (0,) * 24
    pue_milli: int = 1000
    carbon_g_per_kwh: int = 0


@dataclass(frozen=True, eq=False)
class Places:
    """Cities, sites and the network between them.

    ``city_names`` gives each name of a city, case-folded, its origin; ``cards_per_lot`` each grade its lot;
    ``grade_names`` other names of grades, case-folded (`nvidia-h100-80gb-hbm3` → `H100`). ``points`` are for
    the map only. ``watts`` is what a card of each grade draws, before PUE.
    """

    origins: tuple[Origin, ...]
    sites: tuple[Site, ...]
    network: Network
    city_names: Mapping[str, str]
    classes: Mapping[str, LatencyClass]
    cards_per_lot: Mapping[str, int]
    grade_names: Mapping[str, str] = field(default_factory=dict)
    points: Mapping[str, Point] = field(default_factory=dict)
    watts: Mapping[str, int] = field(default_factory=dict)
    facilities: Mapping[str, Facility] = field(default_factory=dict)

    @cached_property
    def nearest_ms(self) -> Mapping[str, float]:
        """The shortest round trip from each origin to any site."""
        shortest = self.network.rtt_ms.min(axis=1, initial=np.inf)
        return dict(zip(self.network.origins, shortest.tolist(), strict=True))

    @cached_property
    def grades(self) -> tuple[str, ...]:
        """Every grade that some site has or that has a lot size, in alphabetical order."""
        return tuple(sorted({g.grade for site in self.sites for g in site.grades} | set(self.cards_per_lot)))

    def city(self, name: str) -> str | None:
        """The origin city of this name, if there is one."""
        return self.city_names.get(name.casefold())

    def grade(self, name: str) -> str | None:
        """The grade of this code or other name, if there is one."""
        code = name.upper()
        return code if code in self.grades else self.grade_names.get(name.casefold())


def names_of(origins: Sequence[Origin]) -> dict[str, str]:
    """City names where there are none but the origins' own."""
    return {origin.city.casefold(): origin.city for origin in origins}


class NoPlaces(LookupError):
    """Nothing installed says where compute is, and no files were given."""


def default_places(at: datetime) -> Places:
    """The places that an installed package provides for a plan that starts at ``at``; raises `NoPlaces`."""
    found = next(iter(entry_points(group=PLACES_GROUP)), None)
    if found is None:
        raise NoPlaces(f"no package provides {PLACES_GROUP}; name a sites file with --sites")
    places = found.load()(at)
    if not isinstance(places, Places):
        raise NoPlaces(f"{found.value} provides {type(places).__name__}, not scheduler.io.places.Places")
    return places
