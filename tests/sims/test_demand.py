"""From trace to demand: the rules as they are documented, and draws that never change."""

from collections import Counter

import pytest

from nodes.catalogue import load_catalogue
from sims.demand import Demand, cards_milli_of, cards_needed, demand_of, draw, grades_of, hubs_for, load_rules
from sims.trace import Task, load_tasks


def task(**changes: object) -> Task:
    fields: dict[str, object] = {
        "number": 0,
        "cpu_milli": 8_000,
        "memory_mib": 16_384,
        "gpus": 1,
        "share_milli": 1_000,
        "gpu_types": (),
        "qos": "LS",
        "created_s": 0,
        "deleted_s": 60,
    }
    return Task(**(fields | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def demands() -> list[Demand]:
    return demand_of(load_tasks(), load_catalogue().edge_cities, load_rules())


@pytest.mark.parametrize(
    ("changes", "grades"),
    [
        ({"gpus": 0, "share_milli": 0}, ("CPU64",)),
        ({"gpu_types": ("V100M16", "V100M32")}, ("T4",)),
        ({"gpu_types": ("A10", "T4")}, ("T4", "L20")),
        ({"gpu_types": ("G2",)}, ("L20",)),
        ({"gpu_types": ("G3",)}, ("A100",)),
        ({"gpus": 8}, ("A100",)),
        ({"gpus": 8, "qos": "Burstable"}, ("H100",)),
        ({"gpus": 2, "qos": "BE"}, ("H100",)),
        ({"qos": "Guaranteed", "share_milli": 500}, ("H100",)),
        ({"share_milli": 460}, ("L20",)),
        ({"qos": "BE", "share_milli": 810}, ("A910B",)),
        ({"qos": "BE", "share_milli": 799}, ("T4",)),
    ],
)
def test_the_grade_rules(changes: dict[str, object], grades: tuple[str, ...]) -> None:
    assert grades_of(task(**changes), load_rules()) == grades


def test_cores_are_counted_in_units_of_64_and_rounded_up() -> None:
    rules = load_rules()
    assert cards_milli_of(task(gpus=0, share_milli=0, cpu_milli=64_000), rules) == 1_000
    assert cards_milli_of(task(gpus=0, share_milli=0, cpu_milli=1), rules) == 1
    assert cards_milli_of(task(gpus=4), rules) == 4_000


def test_every_task_has_a_city_and_a_class_of_the_catalogue(demands: list[Demand]) -> None:
    catalogue = load_catalogue()
    assert len(demands) == 8_152
    assert {d.origin for d in demands} == set(catalogue.edge_cities)
    assert {d.latency_class for d in demands} <= set(catalogue.workload_classes)
    assert {grade for d in demands for grade in d.grades} == set(catalogue.grades)
    assert all(d.cards_milli > 0 for d in demands)


def test_cards_are_neither_lost_nor_made(demands: list[Demand]) -> None:
    by_grade: Counter[str] = Counter()
    for (_, _, grade), milli in cards_needed(demands).items():
        by_grade[grade] += milli
    cpu = by_grade.pop("CPU64")
    assert by_grade.total() == 6_086_800
    assert 299_000 < cpu < 302_000  # 19,198 cores over 64, each task rounded up


def test_draws_are_fixed_and_follow_the_shares(demands: list[Demand]) -> None:
    assert [d.origin for d in demands[:4]] == [
        d.origin for d in demand_of(load_tasks()[:4], load_catalogue().edge_cities, load_rules())
    ]
    drawn = Counter(draw({"a": 3, "b": 1}, "seed", n) for n in range(4_000))
    assert 2_850 < drawn["a"] < 3_150
    cities = Counter(d.origin for d in demands)
    assert (
        min(cities[name] for name in ("BEIJING", "SHANGHAI", "GUANGZHOU", "SHENZHEN")) > 1.5 * cities["WUHAN"]
    )


def test_a_city_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no such city: SHENZHEN; cities are BEIJING, SHANGHAI, GUANGZHOU"):
        demand_of([], ["BEIJING", "SHANGHAI", "GUANGZHOU"], load_rules())


def test_hubs_are_within_the_round_trip_and_the_data_may_go_there() -> None:
    catalogue = load_catalogue()
    for city in catalogue.edge_cities:
        for workload in catalogue.workload_classes.values():
            for hub in hubs_for(catalogue, city, workload):
                assert catalogue.round_trip_ms(city, hub) <= workload.rtt_budget_ms
    video = catalogue.workload_class("video_sec")
    assert hubs_for(catalogue, "WUHAN", video) == ("WUHAN-EDGE",)
    training = catalogue.workload_class("ai_train")
    assert hubs_for(catalogue, "WUHAN", training) == tuple(sorted(catalogue.hubs))
