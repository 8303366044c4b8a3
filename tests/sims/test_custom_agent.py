"""Agents of one's own take part in a simulated market like everybody else."""

import re
import runpy
import shlex
from pathlib import Path

import pytest
from sim_markets import FLOW, scenario
from typer.testing import CliRunner

from matching.records import EventKind, Records
from sims.agents.crowd import Moment
from sims.agents.custom import Agent
from sims.commands.sim import app
from sims.engine.simulation import Party, Simulation
from sims.experiments.store import Store


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


@pytest.mark.parametrize("names", [["flow"], ["exchange"], ["fat-finger"], ["mine", "mine"]])
def test_a_party_has_a_name_of_its_own(names: list[str]) -> None:
    with pytest.raises(ValueError, match=f"party '{names[-1]}': the name is taken; others: exchange, fat-"):
        Simulation(scenario([FLOW]), 1, parties=[Party(name, [Buyer()]) for name in names])


def test_the_tutorial_goes_from_an_empty_file_to_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    page = Path(__file__).parents[2].joinpath("docs/tutorials/write-an-agent.md").read_text("utf-8")
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert [kind for kind, _ in blocks] == ["toml", "bash", "python", "python", "bash"]
    text = {kind: "".join(body for of, body in blocks if of == kind) for kind, _ in blocks}
    (tmp_path / "market.toml").write_text(text["toml"], "utf-8")
    (tmp_path / "dips.py").write_text(text["python"].replace("range(1, 9)", "range(1, 4)"), "utf-8")
    market, own = text["bash"].splitlines()
    alone = CliRunner().invoke(app, shlex.split(market.removeprefix("dongxi sim ")))
    assert alone.exit_code == 0 and "trades" in alone.stdout
    runpy.run_path(own.removeprefix("python "), run_name="__main__")
    assert capsys.readouterr().out.endswith(f"Report: {Path('dips', 'report.html')}\n")
    written = (tmp_path / "dips/report.md").read_text("utf-8").splitlines()
    (surplus,) = [line.split(" | ") for line in written if line.startswith("| surplus of dips |")]
    assert surplus[1] == "" and "[" in surplus[2]
    classes = [of for one in Store(Path("dips")).finished() for of in one.outcome.classes]
    traders = [of for of in classes if of.population == "dips"]
    assert len(traders) == 3 and sum(of.bought for of in traders) > 0 < sum(of.sold for of in traders)
    assert len(Store(Path("dips")).done()) == 6
