"""Agents of one's own take part in a simulated market like everybody else."""

import re
from pathlib import Path
from typing import Any

import pytest
from sim_markets import FLOW, scenario

from matching.records import EventKind, Records
from sims.agents.crowd import Moment
from sims.agents.custom import Agent
from sims.engine.simulation import Party, Simulation


class Buyer(Agent):
    """Lifts one lot a wake; keeps a bid at the day's low, which it renews."""

    def __init__(self) -> None:
        super().__init__()
        self.resting = 0
        self.kinds: list[int] = []

    def wake(self, now: Moment) -> None:
        """Cancel, bid again, and lift."""
        row = self.board.rows[0]
        if self.resting:
            self.cancel(self.resting)
        self.buy(0, int(row["low"]), 1)
        if row["ask"]:
            self.buy(0, int(row["ask"]), 1, at_once=True)

    def on_events(self, events: Records) -> None:
        """Remember the bid's id."""
        assert set(events["account"].tolist()) | set(events["contra_account"].tolist()) >= {self.account}
        self.kinds += events["kind"].tolist()
        bids = events[(events["kind"] == EventKind.ACCEPTED) & (events["price"] == self.board.rows["low"][0])]
        self.resting = int(bids["order_id"][-1]) if len(bids) else self.resting


def test_an_agent_trades_and_sees_its_events() -> None:
    agents = [Buyer(), Buyer()]
    simulation = Simulation(scenario([FLOW]), 1, parties=[Party("buyers", agents)])
    simulation.run()
    for agent in agents:
        assert agent.position(0) > 0
        assert {EventKind.ACCEPTED, EventKind.TRADE, EventKind.CANCELLED} <= set(agent.kinds)
    again = Simulation(scenario([FLOW]), 1, parties=[Party("buyers", [Buyer(), Buyer()])])
    again.run()
    assert again.market.journal_hash() == simulation.market.journal_hash()


def test_the_agent_of_the_docs_trades(capsys: pytest.CaptureFixture[str]) -> None:
    page = Path(__file__).parents[2].joinpath("docs/simulations.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    noise = {"kind": "zero-intelligence", "name": "noise", "count": 30}
    names: dict[str, Any] = {"scenario": scenario([noise])}
    exec(code, names)
    simulation, printed = names["simulation"], capsys.readouterr().out
    assert printed.strip() == simulation.market.journal_hash()
    assert simulation.board.flows[simulation.crowds[1].accounts].sum() > 0
