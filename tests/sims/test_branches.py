"""One market gone on with in two ways: forks of simulated ones, replays of a journal."""

import math
from pathlib import Path

import numpy as np
import pytest
from history_days import Days
from numpy.typing import NDArray
from sim_markets import fine_market
from typer.testing import CliRunner

from exchange.domain.calendar import date_of
from exchange.service.state import State
from matching.records import Records
from nodes.types import Profile
from sims.commands.sim import app
from sims.experiments.plan import fork_plan
from sims.experiments.store import Manifest, Store
from sims.experiments.whatif import RuleError, Side, deliver_alike, parse_rules, replay_under
from sims.scenario.load import load_scenario, plain
from sims.scenario.refusal import ScenarioError


def invoke(*arguments: str, code: int = 0) -> str:
    """What the command prints, with the exit code that is expected."""
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two days."""
    out = tmp_path_factory.mktemp("branches") / "run"
    invoke("run", "calm", "--set", "wake_seconds=3600", "--out", str(out))
    return out


def branches(run: Path, name: str, at: str, *settings: str) -> tuple[str, str, str]:
    """Hashes: of the run, of the fork's base, of the fork's candidate."""
    out = run.with_name(name)
    sets = [part for setting in settings for part in ("--set", setting)]
    invoke("fork", str(run), "--at", at, *sets, "--out", str(out), "--executor", "serial")
    (was,) = Store(run).finished()
    base, candidate = Store(out).finished()
    assert candidate.outcome.metrics.keys() == base.outcome.metrics.keys()
    return was.outcome.journal_hash, base.outcome.journal_hash, candidate.outcome.journal_hash


def test_a_fork_goes_on_from_the_run_itself(kept: Path) -> None:
    was, base, candidate = branches(kept, "fees", "2@10:17", "fee.taker=30")
    assert was == base != candidate
    fees = [one.outcome.metrics["fees_cny"] for one in Store(kept.with_name("fees")).finished()]
    assert fees[1] > fees[0]
    told = kept.with_name("fees").joinpath("report.md").read_text("utf-8")
    assert "candidate goes on from 2026-12-08 10:17:00, and differs from base in fee.taker 2 → 30." in told
    assert "2 of 2 runs are the same to the bit" in invoke(
        "reproduce", str(kept.with_name("fees")), "--executor", "serial"
    )


def test_a_shock_after_the_moment_happens_in_the_fork_alone(kept: Path) -> None:
    shock = 'shock=[{kind="new-generation", name="roll", grade="H100", worth=0.8, day=2, at="11:00:00"}]'
    was, base, candidate = branches(kept, "shock", "2@10:30", shock)
    assert was == base != candidate


def test_a_fork_names_what_can_t_change(kept: Path) -> None:
    def said(*arguments: str) -> str:
        return invoke("fork", str(kept), *arguments, "--out", str(kept.with_name("wrong")), code=2)

    assert "population can't change within a run" in said(
        "--at", "1@10:00", "--set", "population.makers.count=1"
    )
    assert "the run's days are 1 … 2" in said("--at", "3@10:00")
    assert "expected DAY@TIME" in said("--at", "noon")
    assert not kept.with_name("wrong").exists()


def test_of_several_variants_one_is_named_and_the_candidate_of_a_fork_is_none() -> None:
    tables = {name: plain(load_scenario("calm", [f"fee.taker={name}"])) for name in "12"}
    swept = Manifest("sweep", tables, {"1": [4], "2": [5]})
    with pytest.raises(ScenarioError, match="several variants ran; known: 1, 2"):
        fork_plan(swept, "1@10:00", [])
    with pytest.raises(ScenarioError, match="no '3' to fork; known: 1, 2"):
        fork_plan(swept, "1@10:00", [], "3")
    forked = fork_plan(swept, "1@10:00", ["fee.taker=9"], "2")
    assert forked.seeds["base"] == [5] and forked.variants["base"] == tables["2"]
    again = fork_plan(forked, "1@11:00", ["fee.taker=8"])
    assert again.variants["base"] == tables["2"]
    with pytest.raises(ScenarioError, match="no 'candidate' to fork; known: base"):
        fork_plan(forked, "1@11:00", [], "candidate")


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of an exchange that lived two days."""
    data = tmp_path_factory.mktemp("live")
    days = Days(seed=11)
    days.live(2, orders=60)
    days.write(data)
    return data


def test_a_journal_replayed_under_its_own_rules_is_itself(journal: Path) -> None:
    found = replay_under(journal / "journal", {}, lambda _: None)
    assert found.was.trades > 10
    assert found.was.core.state_hash() == found.would.core.state_hash()
    assert found.was.refused == found.would.refused


def test_a_replay_under_another_fee_changes_money_and_nothing_else(journal: Path) -> None:
    found = replay_under(journal / "journal", parse_rules(["fee.taker=50", "fee.maker=10"]), lambda _: None)
    assert found.would.trades == found.was.trades
    assert found.would.house_cny > found.was.house_cny
    for side in (found.was, found.would):
        side.core.check()
    assert sum(found.would.gains().values()) < sum(found.was.gains().values())


def test_a_replay_under_narrow_limits_refuses_orders_and_stays_sound(journal: Path) -> None:
    found = replay_under(journal / "journal", parse_rules(["limit.daily=50"]), lambda _: None)
    found.would.core.check()
    assert found.would.rejected["PRICE_OUTSIDE_LIMITS"] > found.was.rejected["PRICE_OUTSIDE_LIMITS"]


def delivered(side: Side) -> dict[tuple[int, int, int], tuple[NDArray[np.float64], int, int]]:
    """Of finished reservations by day, provider and contract: cards by hour, cards due an hour, how many."""
    found: dict[tuple[int, int, int], tuple[NDArray[np.float64], int, int]] = {}
    for row in side.core.state.reservations.rows[side.core.state.reservations.rows["finished"] == 1]:
        key = (int(row["day"]), int(row["provider"]), int(row["contract"]))
        cards, due, count = found.get(key, (np.zeros(24), 0, 0))
        each = side.core.state.contracts[int(row["contract"])].cards_per_lot
        found[key] = (cards + row["metered"].clip(0), due + int(row["lots"]) * each, count + 1)
    return found


def test_in_a_replay_providers_deliver_the_share_that_they_delivered(journal: Path) -> None:
    found = replay_under(journal / "journal", parse_rules(["limit.daily=50"]), lambda _: None)
    was, would = delivered(found.was), delivered(found.would)
    owing = {key[:2] for key in was}
    both, new = was.keys() & would.keys(), [key for key in would if key[:2] not in owing]
    assert both and new, "the day has what this test looks at"
    for key in both:
        cards, due, count = would[key]
        expected = was[key][0] / was[key][1] * due
        assert (np.abs(cards - expected) <= 0.5 * count).all()
    assert all((would[key][0] == would[key][1]).all() for key in new), "who owed nothing delivers in full"


def delivered_by_share(was: State, row: Records, due: NDArray[np.int64], symbol: str) -> list[int]:
    """What a reservation (dtype RESERVATION_ROW) delivers of what it owes each hour; slow, obvious code."""
    theirs = [of for of in was.reservations.rows if of["provider"] == row["provider"]]
    mine = [of for of in theirs if of["day"] == row["day"]]
    mine = [of for of in mine if was.contracts[of["contract"]].symbol == symbol] or mine
    owed, got = np.zeros(24), np.zeros(24)
    for of in mine:
        contract = was.contracts[of["contract"]]
        _, (served,) = contract.delivery.grid()
        owed += of["lots"] * contract.cards_per_lot * served
        got += of["metered"].clip(0)
    whole = got.sum() / owed.sum() if mine else 1.0
    shares = [got[hour] / owed[hour] if owed[hour] else whole for hour in range(24)]
    owing = zip(shares, due.tolist(), strict=True)
    return [math.floor(share * cards + 0.5) if cards else -1 for share, cards in owing]


def test_shares_of_peak_contracts_are_of_their_hours_and_their_day() -> None:
    was, would = (fine_market(seed, days=2, wake_seconds=3_600) for seed in (6, 1))
    was.world.lost_basis_points[:] = 2_500
    for simulation in (was, would):
        simulation.run()
    ours, theirs = (simulation.market.core.state for simulation in (was, would))
    days = np.unique(theirs.reservations.rows["day"]).tolist()
    for day in days:
        deliver_alike(ours, theirs, date_of(day))
    partly = 0
    for row in theirs.reservations.rows:
        contract = theirs.contracts[row["contract"]]
        _, (served,) = contract.delivery.grid()
        due = row["lots"] * contract.cards_per_lot * served
        assert row["metered"].tolist() == delivered_by_share(ours, row, due, contract.symbol)
        partly += contract.profile is Profile.PEAK and 0 < row["metered"].clip(0).sum() < due.sum()
    assert partly > 0 and len(days) > 1
    would.market.core.check()


def test_the_command_prints_both_and_refuses_with_a_sentence(journal: Path, tmp_path: Path) -> None:
    said = invoke("replay", str(journal), "--set", "fee.taker=50")
    assert "would be" in said and "not the same" in said
    assert "holds no journal" in invoke("replay", str(tmp_path), code=2)
    tmp_path.joinpath("notes.txt").write_text("not a journal")
    assert "holds no journal" in invoke("replay", str(tmp_path), code=2)
    assert "known: fee.maker" in invoke("replay", str(journal), "--set", "fee.takr=1", code=2)
    with pytest.raises(RuleError, match="basis points"):
        parse_rules(["fee.taker=-1"])
