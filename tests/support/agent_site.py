"""The agent of a site with eight H100, moved by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import msgspec
from exchange_server import SATURDAY, Served

from exchange.agent.agent import Agent
from exchange.agent.clock import MarketTime
from exchange.agent.config import AgentConfig, read_config
from exchange.client import ExchangeClient

INVENTORY = """
site = "{hub}"
hub = "{hub}"
state = "{state}"
[[inventory]]
grade = "H100"
cards = 8
memory_gb = 80
gflops = 950000
"""
OFFER = """
[[offers]]
grade = "H100"
cards = 8
first_day = "2026-12-05"
last_day = "2026-12-06"
"""


def site_file(folder: Path, hub: str, offer: str = OFFER) -> Path:
    """Write the configuration of a hub's agent, with or without an offer; its state is beside it."""
    file = folder / f"{hub}.toml"
    file.write_text(INVENTORY.format(hub=hub, state=folder / hub) + offer, "utf-8")
    return file


@dataclass
class Site:
    """A site's agent, which can be replaced by a new one on the same files, and what it said."""

    client: ExchangeClient
    file: Path
    monotonic_s: float = 1_000.0
    said: list[str] = field(default_factory=list)
    down: int = 0

    def __post_init__(self) -> None:
        self._killed: list[Agent] = []
        self.agent = self.start()

    def close(self) -> None:
        for agent in (*self._killed, self.agent):
            agent.close()

    def config(self) -> AgentConfig:
        config = read_config(self.file)
        cards = msgspec.structs.replace(config.inventory[0], down=self.down)
        return msgspec.structs.replace(config, inventory=[cards])

    def start(self) -> Agent:
        clock = MarketTime(lambda: self.monotonic_s)
        return Agent(self.config, self.client, clock=clock, say=self.said.append)

    def restart(self) -> None:
        """Another process takes over; the first one was killed and closed nothing until the test ends."""
        self._killed.append(self.agent)
        self.agent = self.start()


async def deliver(served: Served, site: Site) -> None:
    """The agent's rounds at half past each hour of Saturday, and the one after its end."""
    for hour in range(25):
        days, of_day = divmod(hour, 24)
        await served.at(of_day, 30, SATURDAY + timedelta(days=days))
        site.monotonic_s += 3_600
        assert await site.agent.round()
    await served.at(1, 30, SATURDAY + timedelta(days=1))
