"""When the agents of sites were last heard: in memory only, since it says nothing of what was delivered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from exchange.service.primarystate import Site

ROUNDS: Final = 3
"""So many of its own rounds without a heartbeat, and an agent is silent."""
FIRST_S: Final = 180.0
"""How long an agent that has spoken before may be silent after a start of the server."""


@dataclass(frozen=True, slots=True)
class _Heard:
    at_s: float
    wall_ns: int
    every_s: float


class Heartbeats:
    """One entry a site at most. `now` is monotonic, in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._began_s = now()
        self._heard: dict[int, _Heard] = {}

    def hear(self, site_id: int, every_s: float) -> None:
        """Note that a site's agent has spoken, and that it means to again in `every_s` seconds."""
        self._heard[site_id] = _Heard(self._now(), time.time_ns(), every_s)

    def heard_ns(self, site_id: int) -> int | None:
        """Return when an agent was last heard, wall clock; None if not since the server's start."""
        heard = self._heard.get(site_id)
        return None if heard is None else heard.wall_ns

    def silent(self, site: Site) -> bool:
        """Return whether a site's agent should have spoken; one that never did needn't."""
        heard = self._heard.get(site.site_id)
        if heard is None:
            return site.sequence > 0 and self._now() - self._began_s > FIRST_S
        return self._now() - heard.at_s > ROUNDS * heard.every_s

    def silent_count(self, sites: Iterable[Site]) -> int:
        """Return how many of the sites are silent."""
        return sum(self.silent(site) for site in sites)
