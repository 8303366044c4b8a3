"""The front door: right on everything small enough to enumerate, honest about everything else."""

import random
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import scheduler_instances as cases
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.types import Residency
from scheduler.checker import certified_bound, check_plan
from scheduler.explaining import Relaxed, relaxations
from scheduler.placing import place
from scheduler.plan import PlanStatus, UnplacedReason
from scheduler.types import InvalidProblem, Offer, Reservation


def solved_and_enumerated(seed):
    """What the front door finds of a tiny problem, and what is true: violations, value, status."""
    problem = cases.known_grades_only(cases.tiny(seed))
    plan = place(problem)
    found = (check_plan(problem, plan), plan.value_nano_cny, plan.status)
    return found, ((), cases.brute_force(problem), PlanStatus.OPTIMAL)


@pytest.mark.parametrize("block", range(12))
def test_brute_force_agrees(block):
    for seed in range(100 * block, 100 * block + 100):
        found, true = solved_and_enumerated(seed)
        assert found == true, seed


@pytest.mark.soak
@pytest.mark.parametrize("block", range(100))
def test_brute_force_agrees_at_length(block):
    for seed in range(10_000 + 100 * block, 10_000 + 100 * block + 100):
        found, true = solved_and_enumerated(seed)
        assert found == true, seed


def test_the_hand_example():
    problem = cases.two_sites()
    plan = place(problem)
    assert {p.workload: p.site for p in plan.placements} == {"near": "POOL", "far": "HUB", "shared": "HUB"}
    # 2 × 12 × 24 + 3.46 × 8 × 24 CNY
    assert plan.totals.cost_fen == 57600 + 66432
    assert plan.totals.milli_card_hours == 2000 * 24 + 3000 * 24 + 460 * 6
    assert plan.totals.power_cost_fen == 6138
    assert plan.gap == 0
    assert [(c.latency_class, c.placed, c.max_rtt_ms) for c in plan.by_latency_class] == [
        ("fast", 1, 5.0),
        ("slow", 2, 30.0),
    ]


def test_reserved_cards_are_used_first_and_cost_nothing():
    problem = replace(
        cases.two_sites(),
        reservations=(Reservation("r", "HUB", "A", 4000, 9_000_000),),
        offers=(Offer("p", "POOL", "A", 4000, 12_000_000),),
    )
    plan = place(problem)
    assert [(p.site, p.milli_cards) for p in plan.purchases] == [("POOL", 2000)]
    assert plan.totals.cost_with_reserved_fen - plan.totals.cost_fen == 3460 * 9 * 24 // 10


def test_reserved_cards_that_would_fetch_more_than_an_offer_costs_are_kept_for_sale():
    problem = cases.two_sites()
    offers = (problem.offers[0], replace(problem.offers[1], milli_cards=4000))
    for worth, bought, forgone in ((7, 0, 3460 * 7 * 24), (9, 3460, 0)):
        reservation = Reservation("r", "HUB", "A", 4000, 5_000_000, worth * 1_000_000)
        plan = place(replace(problem, reservations=(reservation,), offers=offers))
        assert sum(p.milli_cards for p in plan.purchases if p.site == "HUB") == bought
        assert plan.totals.forgone_nano_cny == forgone * 1_000_000
        assert check_plan(replace(problem, reservations=(reservation,), offers=offers), plan) == ()


def test_a_workload_moves_to_its_faster_grade_only_where_that_is_cheaper():
    cheap = cases.work("w", {"A": 2000})
    both = replace(cheap, alternatives=(*cheap.alternatives, (cases.Need("B", 1000),)))
    sites = (cases.site("HUB", {"A": 4000, "B": 4000}),)
    network = cases.Network(("EAST",), ("HUB",), np.array([[1.0]]))
    origins = (cases.Origin("EAST", "EAST", ""),)
    for price, alternative in ((15, 1), (17, 0)):
        offers = (Offer("a", "HUB", "A", 4000, 8_000_000), Offer("b", "HUB", "B", 4000, price * 1_000_000))
        plan = place(cases.Problem((both,), origins, sites, network, (), offers))
        assert [p.alternative for p in plan.placements] == [alternative]


@pytest.mark.parametrize(
    ("change", "reason", "words"),
    [
        (
            {"latency_ms_max": 4.0},
            UnplacedReason.LATENCY,
            "POOL, the nearest, is 5.0 ms away; the bound is 4 ms",
        ),
        (
            {"residency": Residency.PROVINCE, "latency_ms_max": 40.0, "origin": "WEST"},
            UnplacedReason.RESIDENCY,
            "HUB",
        ),
        ({"alternatives": ((cases.Need("B", 1),),)}, UnplacedReason.NO_GRADE, "0.001 B"),
        ({"alternatives": ((cases.Need("A", 8001),),)}, UnplacedReason.TOO_LARGE, "8.001 A at one site"),
    ],
)
def test_what_cannot_be_placed_says_why(change, reason, words):
    problem = cases.two_sites()
    odd = replace(problem.workloads[1], **change)
    network = cases.Network(("EAST", "WEST"), ("POOL", "HUB"), np.array([[5.0, 30.0], [50.0, 20.0]]))
    origins = (*problem.origins, cases.Origin("WEST", "ELSEWHERE", ""))
    sites = (*problem.sites, cases.site("EMPTY", {"B": 0}))
    network = cases.Network(network.origins, ("POOL", "HUB", "EMPTY"), np.c_[network.rtt_ms, [90.0, 90.0]])
    plan = place(replace(problem, workloads=(odd,), network=network, origins=origins, sites=sites))
    (unplaced,) = plan.unplaced
    assert unplaced.reason is reason
    assert words in unplaced.detail


def test_scarce_capacity_goes_to_priority_first_and_says_so():
    problem = cases.two_sites()
    rivals = tuple(
        cases.work(f"w{n}", {"A": 4000}, latency_ms=10.0, priority=n, latency_class="fast") for n in range(3)
    )
    plan = place(replace(problem, workloads=rivals))
    assert [p.workload for p in plan.placements] == ["w2"]
    assert {u.reason for u in plan.unplaced} == {UnplacedReason.CAPACITY}


def test_what_carbon_makes_too_dear_is_not_said_to_give_way_to_others():
    alone = replace(cases.two_sites(), carbon_price_micro_cny_per_kg=1000 * cases.CNY)
    plan = place(replace(alone, workloads=alone.workloads[1:2]))
    (left,) = plan.unplaced
    assert left.reason is UnplacedReason.TOO_DEAR
    where = "would fit alone at POOL, HUB, where it costs at least"
    assert left.detail == f"{where} 18,576.00 CNY; leaving it out counts 8,640.00 CNY"
    (change,) = (one for one in relaxations(replace(alone, workloads=alone.workloads[1:2]), plan))
    assert (change.relaxed, change.amount, change.detail) == (Relaxed.PRIORITY, 2, "2 instead of 0")
    for priority, placed in ((1, 0), (2, 1)):
        raised = replace(alone.workloads[1], priority=priority)
        assert len(place(replace(alone, workloads=(raised,))).placements) == placed


def test_nothing_to_do_is_a_plan_too():
    problem = cases.two_sites()
    plan = place(replace(problem, workloads=()))
    assert (plan.placements, plan.unplaced, plan.value_nano_cny, plan.gap) == ((), (), 0, 0.0)
    plan = place(replace(problem, offers=()))
    assert len(plan.unplaced) == 3
    assert check_plan(replace(problem, offers=()), plan) == ()


def test_bad_input_is_refused_before_anything_is_solved():
    problem = cases.two_sites()
    with pytest.raises(InvalidProblem, match=r"workloads row 0 \(near\), latency_ms_max: nan"):
        place(replace(problem, workloads=(replace(problem.workloads[0], latency_ms_max=float("nan")),)))
    with pytest.raises(ValueError, match="time limit"):
        place(problem, time_limit_s=0)


@pytest.mark.parametrize("seed", range(4))
def test_a_crowd_is_placed_within_its_stated_gap(seed):
    problem = cases.crowd(seed)
    plan = place(problem, time_limit_s=4)
    assert check_plan(problem, plan) == ()
    assert plan.lower_bound_nano_cny >= certified_bound(problem, plan.certificate)
    assert plan.gap_nano_cny <= plan.value_nano_cny * 0.02


def test_the_shortest_time_limit_still_gives_a_checked_plan():
    problem = cases.crowd(11)
    plan = place(problem, time_limit_s=0.001)
    assert check_plan(problem, plan) == ()
    assert plan.status is PlanStatus.TIME_LIMIT


seeds = st.integers(0, 10**6)


def tiny_problem(seed):
    return cases.known_grades_only(cases.tiny(seed))


@settings(max_examples=60, deadline=None)
@given(seeds, st.randoms(use_true_random=False))
def test_order_does_not_change_the_value(seed, shuffle):
    problem = tiny_problem(seed)
    mixed = {}
    for name in ("workloads", "sites", "offers", "reservations", "origins"):
        rows = list(getattr(problem, name))
        shuffle.shuffle(rows)
        mixed[name] = tuple(rows)
    assert place(replace(problem, **mixed)).value_nano_cny == place(problem).value_nano_cny


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_more_capacity_never_costs_more(seed):
    problem = tiny_problem(seed)
    draw = random.Random(seed)
    offers = [s for s in problem.offers if s.milli_cards <= 2000]
    if not offers:
        return
    raised = draw.choice(offers)
    more = tuple(
        replace(offer, milli_cards=offer.milli_cards + 2000) if offer is raised else offer
        for offer in problem.offers
    )
    assert place(replace(problem, offers=more)).value_nano_cny <= place(problem).value_nano_cny


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_tighter_latency_never_costs_less(seed):
    problem = tiny_problem(seed)
    values = [
        place(
            replace(
                problem,
                workloads=tuple(
                    replace(w, latency_ms_max=min(w.latency_ms_max, most)) for w in problem.workloads
                ),
            )
        ).value_nano_cny
        for most in (40.0, 20.0, 10.0)
    ]
    assert all(wide <= tight for wide, tight in pairwise(values))


@pytest.mark.parametrize("seed", range(3))
def test_certified_intervals_of_related_crowds_never_contradict(seed):
    problem = cases.crowd(seed)
    fewer = replace(problem, offers=problem.offers[: len(problem.offers) // 2])
    wide, narrow = place(problem, 2), place(fewer, 2)
    assert wide.lower_bound_nano_cny <= narrow.value_nano_cny
