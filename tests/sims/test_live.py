"""The live view: a picture in a terminal, plain lines elsewhere, of a sweep and of a single run."""

import pytest
from sim_markets import scenario, small_jobs

from sims.commands.live import LiveView
from sims.engine.simulation import Simulation
from sims.experiments.job import run_job


def lines_of(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines()]


def test_a_log_file_gets_the_first_line_and_the_last(capsys: pytest.CaptureFixture[str]) -> None:
    jobs = small_jobs(3, wake_seconds=7_200)
    runs = [run_job(job, "here") for job in jobs]
    seconds = iter((0.0, 1.0, 2.0))
    with LiveView(3, ["small", "other"], lambda: next(seconds)) as view:
        for one in runs:
            view.advance(one)
    first, last = lines_of(capsys.readouterr().err)
    assert first.startswith("1 of 3 runs; means small / other; H100.GUIAN 1")
    assert last.startswith("3 of 3 runs, ") and "0:00:00 left" in last
    volume = sum(one.outcome.metrics["volume_lots"] for one in runs) / 3
    assert f"volume_lots {volume:,.4g} / ;" in last


def test_a_terminal_gets_a_picture_of_the_market_of_a_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "120")
    view = LiveView(1, ["small"])
    shares: list[float] = []

    def watch(simulation: Simulation) -> None:
        shares.append(simulation.share_done)
        view.watch(simulation)

    simulation = Simulation(scenario(days=2, wake_seconds=7_200), 1, watch=watch)
    with view:
        simulation.run()
    shown = capsys.readouterr().err
    assert "day 1 of 2" in shown
    assert "nearest day" in shown and "H100.SHANGHAI-EDGE" in shown
    assert shares == sorted(shares) and shares[0] < 0.1 and 0.8 < shares[-1] <= 1
