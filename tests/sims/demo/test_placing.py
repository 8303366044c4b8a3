"""The scheduler's problem of a delivery day, and the process that solves it."""

from datetime import date

import pytest

from nodes.catalogue import load_catalogue
from nodes.types import Residency
from sims.demand import demand_of, load_rules
from sims.demo.placing import PlacingFailed, PlacingTask, Supply, place_elsewhere, problem_of
from sims.demo.prices import text
from sims.trace import load_tasks


@pytest.fixture(scope="module")
def supply() -> list[Supply]:
    """A sixth of what the catalogue posts is reserved, at reference prices."""
    catalogue = load_catalogue()
    rows = []
    for hub in catalogue.hubs:
        for code, grade in catalogue.grades.items():
            cards = catalogue.default_capacity_cards(hub, code)
            reserved = cards // 6 // grade.cards_per_lot * grade.cards_per_lot
            if cards:
                price = text(catalogue.reference_price_ticks(code, hub))
                rows.append(Supply(hub, code, cards, reserved, price))
    return rows


def test_everything_posted_is_reserved_or_on_offer(supply: list[Supply]) -> None:
    catalogue = load_catalogue()
    problem = problem_of(catalogue, [], supply)
    there: dict[tuple[str, str], int] = {}
    for item in (*problem.reservations, *problem.offers):
        there[item.site, item.grade] = there.get((item.site, item.grade), 0) + item.milli_cards
    assert there == {(row.hub, row.grade): 1_000 * row.posted_cards for row in supply}
    capacity = {(s.code, g.grade): g.capacity_milli_cards for s in problem.sites for g in s.grades}
    assert capacity == there


def test_prices_are_per_card_hour_and_exact(supply: list[Supply]) -> None:
    catalogue = load_catalogue()
    (row,) = [row for row in supply if (row.hub, row.grade) == ("GUIAN", "T4")]
    problem = problem_of(catalogue, [], [row])
    assert {offer.price_micro_cny for offer in problem.offers} == {
        catalogue.reference_price_ticks("T4", "GUIAN") * 10_000 // 8
    }


def test_tasks_keep_their_class_and_where_they_may_run(supply: list[Supply]) -> None:
    catalogue = load_catalogue()
    demands = demand_of(load_tasks(), catalogue.edge_cities, load_rules())
    problem = problem_of(catalogue, demands, supply)
    assert len(problem.workloads) == 8_152
    for demand, workload in zip(demands, problem.workloads, strict=True):
        kind = catalogue.workload_class(demand.latency_class)
        assert workload.latency_ms_max == kind.rtt_budget_ms
        assert workload.alternatives[0] == ((demand.grade, demand.cards_milli),)
        assert len(workload.alternatives) == len(demand.grades)
    assert {w.residency for w in problem.workloads} >= {Residency.ANY, Residency.CITY}


async def test_the_process_places_the_trace(supply: list[Supply]) -> None:
    placement = await place_elsewhere(PlacingTask(date(2026, 12, 5), supply, 5.0))
    assert sum(row.tasks for row in placement.classes) == 8_152
    placed = sum(row.placed for row in placement.classes)
    assert placed + sum(placement.unplaced.values()) == 8_152
    assert placed > 8_000
    assert all(row.max_rtt_ms <= row.budget_ms for row in placement.classes)
    assert placement.gap_fen >= 0
    assert {row.name for row in placement.against} >= {"all_east", "cheapest_first"}
    assert all(0 < row.common <= placed for row in placement.against)


async def test_a_process_that_fails_is_said_so() -> None:
    nonsense = [Supply("NOWHERE", "L20", 8, 0, "not a price")]
    with pytest.raises(PlacingFailed, match="ended with 1"):
        await place_elsewhere(PlacingTask(date(2026, 12, 5), nonsense * 2, -1.0))
