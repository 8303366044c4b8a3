"""The day as a scenario sets it: when everybody acts, what margin runs there are, what can't be."""

from datetime import time

import pytest
from sim_markets import scenario

from exchange.domain.calendar import local_datetime
from exchange.domain.phases import MarketPhase
from exchange.domain.sessions import Stretch
from sims.engine.simulation import Simulation
from sims.scenario.load import load_scenario, plain, scenario_of
from sims.scenario.refusal import ScenarioError

FEW = [{"kind": "zero-intelligence", "name": "noise", "count": 4}]


def lived(**sessions: object) -> tuple[Simulation, dict[MarketPhase, list[time]]]:
    """A day with these sessions, and the times of its wakes by phase."""
    wakes: dict[MarketPhase, list[time]] = {}

    def watch(simulation: Simulation) -> None:
        now = local_datetime(simulation.market.clock.now_ns()).time()
        wakes.setdefault(simulation.market.status().phase, []).append(now)

    spec = scenario(FEW, wake_seconds=300, sessions=sessions)
    simulation = Simulation(scenario_of(plain(spec), "test"), 1, watch=watch)
    simulation.run()
    return simulation, wakes


def test_a_day_that_says_nothing_has_opening_and_closing_calls_and_no_break() -> None:
    simulation, wakes = lived()
    assert set(wakes) == {MarketPhase.CALL, MarketPhase.CONTINUOUS, MarketPhase.CLOSING_CALL}
    assert wakes[MarketPhase.CLOSING_CALL] == [time(14, 55)]
    assert len(wakes[MarketPhase.CONTINUOUS]) == 71, "every five minutes from 9:00, until 14:55"
    assert simulation.market.core.state.day.sessions.margin_runs == (time(10, 30), time(13, 30))


def test_nobody_acts_in_a_break_and_trading_can_last_until_the_close() -> None:
    simulation, wakes = lived(break_from="11:30:00", break_until="13:00:00", closing_call_minutes=0)
    continuous = wakes[MarketPhase.CONTINUOUS]
    assert set(wakes) == {MarketPhase.CALL, MarketPhase.CONTINUOUS}
    assert not [at for at in continuous if time(11, 30) <= at < time(13)]
    assert time(11, 25) in continuous and time(13) in continuous and continuous[-1] == time(14, 55)
    morning, afternoon = simulation.market.core.state.day.sessions.continuous
    assert (morning.end, afternoon) == (time(11, 30), Stretch(start=time(13), end=time(15)))


def test_a_long_closing_call_and_other_margin_runs_are_the_exchange_s() -> None:
    simulation, wakes = lived(closing_call_minutes=20, margin_runs=["11:00:00"], call_minutes=0)
    assert wakes[MarketPhase.CLOSING_CALL] == [time(14, minute) for minute in (40, 45, 50, 55)]
    sessions = simulation.market.core.state.day.sessions
    assert (sessions.margin_runs, sessions.call_minutes) == ((time(11),), 0)


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("sessions.break_from=11:30:00", "sessions.break_from: a break has both break_from and break_until"),
        ('sessions={break_from="13:00:00", break_until="11:30:00"}', "continuous doesn't fit"),
        ('sessions.margin_runs=["13:30:00","10:30:00"]', "margin_runs doesn't fit"),
        ('sessions.margin_runs=["08:00:00"]', "margin_runs doesn't fit a day of 09:00 to 15:00"),
        ("sessions.closing_call_minutes=-1", "sessions.closing_call_minutes: Expected `int` >= 0"),
        ("sessions.closing_call_minutes=30", "margin_auction doesn't fit"),
        ("sessions.lunch=1", "sessions: unknown key `lunch`; known: "),
    ],
)
def test_a_day_that_can_t_be_is_named(override: str, sentence: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        load_scenario("calm", [override])
    assert sentence in str(refused.value)
