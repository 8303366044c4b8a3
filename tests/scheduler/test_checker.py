"""The checker catches what the rest of the package could get wrong: every planted bug is named."""

import ast
import math
from dataclasses import replace
from pathlib import Path

import pytest
import scheduler_instances as cases
from planted import is_caught

import scheduler.checked_facts
import scheduler.checked_worths
import scheduler.checker
import scheduler.instance
import scheduler.placing
import scheduler.plan
from nodes.types import Residency
from scheduler.checker import certified_bound, check_placements, check_plan
from scheduler.compiling import compile_instance
from scheduler.constraints import with_latency, without_residency
from scheduler.placing import place
from scheduler.plan import Placement, PlanStatus, UnplacedReason
from scheduler.types import Reservation


@pytest.fixture(scope="module")
def problem():
    base = cases.two_sites()
    rivals = tuple(
        cases.work(f"rival{n}", {"A": 3000}, latency_ms=10.0, latency_class="fast") for n in range(2)
    )
    reserved = (Reservation("r", "HUB", "A", 2000, 7_000_000, 1_000_000),)
    offers = (*base.offers[:1], *(replace(base.offers[1], id=f"h{n}", milli_cards=3000) for n in range(2)))
    # the second western step is the dearer one
    offers = (*offers[:2], replace(offers[2], price_micro_cny=9_000_000))
    return replace(base, workloads=base.workloads + rivals, reservations=reserved, offers=offers)


@pytest.fixture(scope="module")
def plan(problem):
    found = place(problem)
    assert check_plan(problem, found) == ()
    assert found.unplaced
    assert len(found.purchases) >= 2
    return found


def test_no_offer_gives_more_than_it_has_though_another_is_as_cheap(problem):
    pool, hub, _ = problem.offers
    small = tuple(replace(hub, id=name, milli_cards=1000) for name in ("one", "two"))
    alike = replace(problem, offers=(pool, *small))
    plan = place(alike)
    here, there = (p for p in plan.purchases if p.site == "HUB")
    milli, cost = here.milli_cards + there.milli_cards, here.cost_nano_cny + there.cost_nano_cny
    others = tuple(p for p in plan.purchases if p.site != "HUB")
    lie = replace(plan, purchases=(*others, here._replace(milli_cards=milli, cost_nano_cny=cost)))
    assert check_plan(alike, plan) == ()
    (violation,) = check_plan(alike, lie)
    assert "takes more than is offered" in violation


def first(rows, **change):
    return (rows[0]._replace(**change), *rows[1:])


PLANTED = {
    "a workload is lost": lambda p: replace(p, placements=p.placements[1:]),
    "a workload is placed twice": lambda p: replace(p, placements=(*p.placements, p.placements[0])),
    "a workload is placed and left out": lambda p: replace(
        p, unplaced=(*p.unplaced, p.unplaced[0]._replace(workload=p.placements[0].workload))
    ),
    "an unknown workload": lambda p: replace(p, placements=first(p.placements, workload="ghost")),
    "an unknown site": lambda p: replace(p, placements=first(p.placements, site="NOWHERE")),
    "an alternative that is none": lambda p: replace(p, placements=first(p.placements, alternative=1)),
    "fewer cards than needed": lambda p: replace(
        p, placements=first(p.placements, needs=(cases.Need("A", 1),))
    ),
    "everything at one site": lambda p: replace(
        p, placements=tuple(x._replace(site="HUB") for x in p.placements)
    ),
    "a purchase forgotten": lambda p: replace(p, purchases=p.purchases[1:]),
    "a purchase too many": lambda p: replace(p, purchases=(*p.purchases, p.purchases[0])),
    "a purchase at a wrong price": lambda p: replace(p, purchases=first(p.purchases, price_micro_cny=1)),
    "a purchase at a wrong cost": lambda p: replace(p, purchases=first(p.purchases, cost_nano_cny=1)),
    "a purchase nobody offers": lambda p: replace(p, purchases=first(p.purchases, offer="ghost")),
    "a wrong reason": lambda p: replace(p, unplaced=first(p.unplaced, reason=UnplacedReason.LATENCY)),
    "a value one off": lambda p: replace(p, value_nano_cny=p.value_nano_cny + 1),
    "a bound above the value": lambda p: replace(p, lower_bound_nano_cny=p.value_nano_cny + 1),
    "a bound below its certificate": lambda p: replace(p, lower_bound_nano_cny=-1),
    "a certificate that claims more": lambda p: replace(
        p, certificate=replace(p.certificate, bound_nano_cny=p.certificate.bound_nano_cny + 1)
    ),
    "a certificate with other prices": lambda p: replace(
        p, certificate=replace(p.certificate, rows=p.certificate.rows[1:])
    ),
    "a bound beyond its certificate": lambda p: replace(
        p,
        bound_from="certificate",
        certificate=replace(p.certificate, bound_nano_cny=p.lower_bound_nano_cny - 1),
    ),
    "optimal though it is not proved": lambda p: replace(p, lower_bound_nano_cny=p.value_nano_cny - 1),
    "not optimal though it is": lambda p: replace(p, status=PlanStatus.WITHIN_GAP),
    "a class summary off": lambda p: replace(p, by_latency_class=first(p.by_latency_class, placed=0)),
    "a class summary missing": lambda p: replace(p, by_latency_class=p.by_latency_class[1:]),
    "a mean that is none": lambda p: replace(p, by_latency_class=first(p.by_latency_class, mean_rtt_ms=1.0)),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_found(problem, plan, bug):
    assert check_plan(problem, PLANTED[bug](plan)) != ()


MODEL_BUGS = {
    "latency is forgotten": lambda p: with_latency(p, math.inf),
    "residency is forgotten": without_residency,
    "moving data is free": lambda p: replace(p, network=replace(p.network, transfer_micro_cny_per_gb=None)),
    "carbon is free": lambda p: replace(p, carbon_price_micro_cny_per_kg=0),
    "offers are counted twice": lambda p: replace(
        p, offers=tuple(replace(o, milli_cards=2 * o.milli_cards) for o in p.offers)
    ),
    "offers cost half": lambda p: replace(
        p, offers=tuple(replace(o, price_micro_cny=o.price_micro_cny // 2) for o in p.offers)
    ),
    "reserved cards fetch nothing": lambda p: replace(
        p, reservations=tuple(replace(r, worth_micro_cny=0) for r in p.reservations)
    ),
    "priority is ignored": lambda p: replace(p, workloads=tuple(replace(w, priority=0) for w in p.workloads)),
}
"""What a model that forgets something would take the problem for."""


@pytest.mark.parametrize("bug", MODEL_BUGS)
def test_a_bug_in_the_model_is_caught_wherever_it_does_harm(bug, monkeypatch):
    monkeypatch.setattr(scheduler.placing, "compile_instance", lambda p: compile_instance(MODEL_BUGS[bug](p)))
    problems = (cases.known_grades_only(cases.tiny(seed)) for seed in range(20))
    caught = [is_caught(problem, place, check_plan, cases.brute_force) for problem in problems]
    assert any(caught)


@pytest.mark.parametrize("name", scheduler.plan.Totals.__slots__)
def test_a_wrong_total_is_found_by_name(problem, plan, name):
    wrong = replace(plan, totals=replace(plan.totals, **{name: getattr(plan.totals, name) + 1}))
    assert any(f"totals.{name} is" in violation for violation in check_plan(problem, wrong))


def test_dearer_offers_taken_before_cheaper_ones_are_found(problem, plan):
    cheap, dear = (offer for offer in problem.offers if offer.site == "HUB")
    bought = next(item for item in plan.purchases if item.offer == cheap.id)
    others = tuple(item for item in plan.purchases if item is not bought)
    swapped = bought._replace(
        offer=dear.id,
        price_micro_cny=dear.price_micro_cny,
        cost_nano_cny=bought.milli_cards * dear.price_micro_cny * 24,
    )
    assert any("cheapest" in v for v in check_plan(problem, replace(plan, purchases=(*others, swapped))))


def test_rules_are_checked_against_the_problem_and_not_the_plan(problem, plan):
    far = replace(problem, network=replace(problem.network, rtt_ms=problem.network.rtt_ms + 10))
    assert any("ms away" in violation for violation in check_plan(far, plan))
    bound = tuple(replace(w, residency=Residency.SITE) for w in problem.workloads)
    assert any("may not leave" in v for v in check_plan(replace(problem, workloads=bound), plan))
    poor = replace(problem, reservations=())
    assert any("cards" in violation for violation in check_plan(poor, plan))


def test_placements_alone_can_be_checked_with_and_without_capacity(problem, plan):
    needs = {w.id: w.alternatives[0] for w in problem.workloads}
    left_out = (Placement(u.workload, "POOL", 0, needs[u.workload]) for u in plan.unplaced)
    crowded = (*plan.placements, *left_out)
    assert check_placements(problem, crowded, capacity=False) == ()
    assert any("milli-cards used" in v for v in check_placements(problem, crowded, capacity=True))


@pytest.mark.parametrize("row", [{"nano_cny": -1}, {"grain": 0}, {"level": -1}])
def test_a_certificate_with_an_invalid_row_is_refused(problem, plan, row):
    broken = replace(plan.certificate, rows=first(plan.certificate.rows, **row))
    with pytest.raises(ValueError, match="no valid row"):
        certified_bound(problem, broken)
    found = check_plan(problem, replace(plan, certificate=broken))
    assert any("proves nothing" in violation for violation in found)


def test_it_shares_no_code_with_what_it_checks():
    """It reads the input and result types, and nothing else of the package."""
    parts = {
        "scheduler.checker": scheduler.checker,
        "scheduler.checked_facts": scheduler.checked_facts,
        "scheduler.checked_worths": scheduler.checked_worths,
    }
    for module in parts.values():
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        own = {name for name in imported if name.startswith("scheduler")}
        assert own - set(parts) <= {"scheduler.plan", "scheduler.types", "scheduler.workload_table"}


def test_it_states_the_same_penalty_as_the_model():
    assert scheduler.checked_facts.PENALTY_FACTOR == scheduler.instance.PENALTY_FACTOR
