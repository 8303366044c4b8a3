"""Scenario files: what they may say, how they extend one another; every shipped one conserves money."""

import json
import tomllib
from pathlib import Path
from typing import Any, get_args

import jsonschema_rs
import msgspec
import numpy as np
import pytest
from sim_markets import EVERYBODY

import sims
from exchange.domain.messages import SetRules
from matching.records import Records
from sims.engine.outcome import outcome_of
from sims.engine.simulation import Simulation
from sims.scenario.load import load_scenario, plain, scenario_of, shipped
from sims.scenario.overrides import split_values
from sims.scenario.populations import Population
from sims.scenario.published import published
from sims.scenario.refusal import ScenarioError


def refusal(*overrides: str, name: str = "calm") -> str:
    """The sentence that a scenario is refused with."""
    with pytest.raises(ScenarioError) as refused:
        load_scenario(name, overrides)
    return str(refused.value)


class Steps:
    """Looks at the whole market after everything that is applied to it: after each array of commands and each
    message, of members, of the day's driver, of shocks.
    """

    def __init__(self, simulation: Simulation) -> None:
        self._market, self._fold = simulation.market, simulation.market.listener
        self.count = 0
        self.wrong: list[str] = []
        self.open_lots: list[int] = []
        simulation.market.listener = self

    def __call__(self, events: Records) -> None:
        self._fold(events)
        self.count += 1
        state = self._market.core.state
        there = int(state.cash.sum() + state.fund.sum())
        if there != state.deposits_fen - state.withdrawals_fen:
            self.wrong.append(f"step {self.count}: money {there} of {state.deposits_fen}")
        held = state.engine.positions()
        sums = np.bincount(held["instrument"], held["position"])
        if sums.any():
            self.wrong.append(f"step {self.count}: contracts {np.flatnonzero(sums)} don't net to 0")
        self.open_lots.append(int(np.abs(held["position"]).sum()))


@pytest.mark.parametrize("name", shipped())
def test_money_and_positions_conserve_at_every_step_of_every_scenario(name: str) -> None:
    simulation = Simulation(load_scenario(name, ["wake_seconds=1800"]), 1)
    steps = Steps(simulation)
    simulation.run()
    assert steps.wrong == []
    assert steps.count > simulation.scenario.days * 20 and max(steps.open_lots) > 100
    simulation.market.core.check()
    outcome = outcome_of(simulation)
    assert (simulation.board.positions.sum(axis=0) == 0).all()
    delivers = bool(simulation.providers()) and "day" in simulation.scenario.periods
    assert outcome.trades > 50 and (outcome.metrics["conversion"] > 0) == delivers


def test_at_least_eight_are_shipped_and_each_says_why() -> None:
    told = [load_scenario(name) for name in shipped()]
    assert len(told) >= 8
    assert all(len(scenario.shows) > 40 and len(scenario.plausible) > 40 for scenario in told)
    page = Path(__file__).parents[2].joinpath("docs/scenarios.md").read_text("utf-8")
    assert all(f"`{name}`" in page for name in shipped())


def test_a_scenario_survives_its_own_table() -> None:
    for name in shipped():
        scenario = load_scenario(name)
        assert scenario_of(plain(scenario), "copy") == scenario


def as_json(text: str) -> Any:
    """A TOML text as a validator of JSON sees it."""
    return msgspec.to_builtins(tomllib.loads(text))


def test_the_published_schema_takes_every_shipped_file_and_says_what_each_key_means() -> None:
    validator = jsonschema_rs.validator_for(published())
    folder = Path(sims.__file__).parent / "scenarios"
    texts = {path.stem: path.read_text("utf-8") for path in folder.glob("*.toml")}
    assert sorted(texts) == shipped()
    assert [name for name, text in texts.items() if not validator.is_valid(as_json(text))] == []
    silent = [
        f"{name}.{key}"
        for name, section in published()["$defs"].items()
        for key, of in section["properties"].items()
        if len(of.get("description", "")) < 5 and key != "kind"
    ]
    assert silent == []


@pytest.mark.parametrize(
    "written",
    [
        "wake_second = 3",
        "[fee]\ntaker = -1",
        '[[population]]\nname = "makers"\nkind = "maker"\ncount = 3',
        '[[population]]\nkind = "poisson"\nname = "flow"\ncount = 1\nspeed = 2',
        '[[shock]]\nkind = "hub-outage"\nname = "dark"\nlost = -1',
        "[[population]]\ncount = 3",
        'periods = ["hour"]',
    ],
)
def test_the_published_schema_refuses_what_the_program_refuses(written: str, tmp_path: Path) -> None:
    path = tmp_path / "child.toml"
    path.write_text(f'extends = "calm"\n{written}\n')
    validator = jsonschema_rs.validator_for(published())
    assert not validator.is_valid(as_json(path.read_text("utf-8"))) and refusal(name=str(path))
    assert validator.is_valid(as_json('extends = "calm"\n[[population]]\nname = "makers"\ncount = 3'))
    assert not validator.is_valid(as_json('name = "alone"')), "a file that extends nothing says everything"


def test_every_population_is_in_the_schema_in_the_docs_and_in_a_market_that_is_tested() -> None:
    kinds = {spec.__struct_config__.tag for spec in get_args(Population)}
    written = json.dumps(published())
    page = Path(__file__).parents[2].joinpath("docs/simulations.md").read_text("utf-8")
    assert len(kinds) == 12
    assert [kind for kind in kinds if f'"{kind}"' not in written or f"| `{kind}` |" not in page] == []
    assert kinds - {crowd["kind"] for crowd in EVERYBODY} == {"planner"}, "test_planner.py has it"


def test_a_population_or_a_shock_can_be_left_out() -> None:
    base, less = (
        load_scenario("fat-finger"),
        load_scenario("fat-finger", ["population.noise=off", "shock.slip=off"]),
    )
    assert (
        less.population == tuple(spec for spec in base.population if spec.name != "noise") != base.population
    )
    assert len(base.shock) == 1 and less.shock == ()
    assert "no 'nois'; known: providers" in refusal("population.nois=off")


def test_overrides_reach_sections_populations_and_shocks() -> None:
    settings = ["fee.taker=7", "population.makers.count=2", "shock.guian-dark.lost=100"]
    scenario = load_scenario("hub-outage", settings)
    simulation = Simulation(scenario, 1)
    assert simulation.market.core.state.rules.taker_basis_points == 7
    assert isinstance(simulation.market.core.state.rules, SetRules)
    assert [crowd.size for crowd in simulation.crowds if crowd.name == "makers"] == [2]
    assert scenario.shock[0].lost == 100  # type: ignore[union-attr]


def test_what_is_wrong_is_named_with_file_key_and_what_is_allowed() -> None:
    assert refusal("fee.takr=1").startswith("calm: fee: unknown key `takr`; known: maker, taker, to_")
    assert "fee.taker: Expected `int` >= 0" in refusal("fee.taker=-1")
    assert "no 'GUIYANG' here; known: ZHANGJIAKOU" in refusal('goods=[{grades=["H100"], hubs=["GUIYANG"]}]')
    assert "no 'maker'; known: providers" in refusal("population.maker.count=1")
    assert "expected KEY=VALUE" in refusal("fee.taker")
    assert "no scenario 'clam'; known: brokers, cable-cut, calm" in refusal(name="clam")
    assert "shock.slip.hub: no 'TIANFU' here" in refusal("shock.slip.hub=TIANFU", name="fat-finger")
    assert "shock.slip.day: the scenario has 1 days" in refusal("shock.slip.day=2", name="fat-finger")
    assert "population.providers: unknown key `speed`; known: activity" in refusal(
        "population.providers.speed=1"
    )
    assert "must be after 10:00" in refusal("shock.guian-dark.until=09:00:00", name="hub-outage")


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("days.x.y=1", "days has no keys of its own; set it as a whole, days=…"),
        ("population.makers.count.x.y=1", "population.makers.count has no keys of its own"),
        ('goods.grades=["H100"]', "goods has no keys of its own"),
        ("population.makers=8", "population needs a name and a key, such as population.makers.count"),
        ("population.makers.name=exchange", "population.exchange.name: can't be exchange or fat-finger"),
        ("population.makers.name=fat-finger", "population.fat-finger.name: can't be exchange or fat-finger"),
        ("population.makers.kind=foo", "population.makers.kind: Invalid value 'foo'; known: arbitrageur,"),
        ("population.makers.lots=0", "population.makers.lots: Expected `int` >= 1"),
        ('shock=[{kind="foo", name="x"}]', "shock.x.kind: Invalid value 'foo'; known: cable-cut, demand"),
        ('periods=["hour"]', "periods[0]: Invalid enum value 'hour'; known: day, month, quarter, week"),
        ("periods=[]", "periods: Expected `array` of length >= 1"),
        ('periods=["day", "day"]', "periods.day: is there twice"),
        ('periods=["month"]', "days_ahead: no contract of periods begins within 3 days: nothing would trade"),
        ("first_day=soon", "first_day: expected a date such as 2026-12-07"),
        ("sessions.break_from=noon", "sessions.break_from: expected a time such as 10:30:00"),
        ("fund.member_cny=60000000", "population.providers.cash_cny: doesn't pay for fund.member_cny"),
        (
            'population=[{kind="reactive", name="r", count=3, horizon_min=9, horizon_max=5}]',
            "population.r.horizon_min: must be 5 at most, which is horizon_max",
        ),
    ],
)
def test_an_override_that_can_t_be_is_named_with_what_can(override: str, said: str) -> None:
    told = refusal(override)
    assert said in told


def test_shocks_that_would_never_come_are_refused() -> None:
    def said(*keys: str) -> str:
        return refusal(*(f"shock.{key}" for key in keys), name="hub-outage")

    assert "shock.guian-dark.at: must be before 15:00:00" in said("guian-dark.at=15:00:00")
    assert "after 10:00:00 and before 15:00:00" in said("guian-dark.until=16:00:00")
    goods = 'goods=[{grades=["H100"], hubs=["HORINGER"]}, {grades=["L20"], hubs=["GUIAN"]}]'
    assert "shock.slip.hub: no 'GUIAN' here; known: HORINGER" in refusal(
        goods, "shock.slip.hub=GUIAN", name="fat-finger"
    )


def test_a_month_trades_on_days_on_which_a_month_is_near_enough() -> None:
    monthly = ['periods=["month"]', "days_ahead=31", "days=40"]
    assert load_scenario("calm", monthly).periods == ("month",)
    assert "nothing would trade on day 1, 2026-12-07" in refusal(*monthly, "days_ahead=24")
    assert "nothing would trade on day 20, 2027-01-01" in refusal(*monthly, "days_ahead=25")


def test_files_extend_and_never_themselves(tmp_path: Path) -> None:
    child, loop = tmp_path / "child.toml", tmp_path / "loop.toml"
    child.write_text(
        'extends = "calm"\n[fee]\ntaker = 9\n[[population]]\nkind="poisson"\nname="flow"\ncount=1\n'
    )
    scenario = load_scenario(str(child))
    assert scenario.fee.taker == 9
    assert [spec.name for spec in scenario.population][-2:] == ["noise", "flow"]
    loop.write_text('extends = "loop.toml"\n')
    assert "extends itself" in refusal(name=str(loop))
    loop.write_text(f'extends = "../{tmp_path.name}/loop.toml"\n')
    assert "extends itself" in refusal(name=str(loop))
    assert "No such file" in refusal(name=str(tmp_path / "none.toml"))
    for written in ("population = [1]", "[[shock]]\nname = [1]", '[[population]]\nkind = "poisson"'):
        child.write_text(f'extends = "calm"\n{written}\n')
        assert f"{child}: {written.strip('[ ')[:5]}" in refusal(name=str(child))
        assert "[0]: expected a table with a name" in refusal(name=str(child))


def test_values_of_a_sweep_are_split_outside_of_brackets() -> None:
    assert split_values("1,2,3") == ["1", "2", "3"]
    assert split_values('["day"],["day","week"]') == ['["day"]', '["day","week"]']
    assert split_values('[{a=["x", "y"], b=[1, 2]}], "[,"') == ['[{a=["x", "y"], b=[1, 2]}]', ' "[,"']
