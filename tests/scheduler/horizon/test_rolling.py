"""Slot after slot: what runs goes on, what ended is gone, and a failure is answered at once."""

from dataclasses import replace

import horizon_instances as cases
import pytest

from bench.horizon_instances import jobs_problem
from scheduler.horizon.checker import check_plan
from scheduler.horizon.failover import LivePlan
from scheduler.horizon.planning import plan_horizon
from scheduler.horizon.rolling import advance
from scheduler.horizon.types import GangScope, Maintenance, RunMode, Running
from scheduler.horizon.validation import faults


def test_a_slot_passes():
    problem = cases.two_sites()
    plan = plan_horizon(problem, 5)
    # near runs in slots 0 and 1 at the pool, the others in 2 and 3 at the hub
    passed = advance(problem, plan.placements, migration_micro_cny=7)
    later = passed.problem
    assert (passed.finished, passed.expired) == ((), ())
    assert later.horizon.slots == 3
    assert later.horizon.start.hour == 1
    assert [(r.workload, r.parts[0].site, r.migration_micro_cny) for r in later.running] == [
        ("near", "POOL", 7)
    ]
    assert [(w.id, w.alternatives[0].slots, w.earliest, w.latest_end) for w in later.workloads] == [
        ("near", 1, 0, 1),
        ("far", 2, 0, 3),
        ("pausing", 2, 0, 3),
    ]
    assert [(o.id, o.first, o.end) for o in later.offers] == [("p", 0, 3), ("h", 0, 1), ("night", 1, 3)]
    again = plan_horizon(later, 5)
    assert again.moved == ()
    assert advance(later, again.placements).finished == ("near",)


def test_what_can_no_longer_be_done_is_said():
    problem = cases.two_sites()
    passed = advance(problem, ())
    assert passed.expired == ("near",)
    with pytest.raises(ValueError, match="only one slot"):
        advance(cases.two_sites(1), ())


@pytest.mark.parametrize("seed", range(40))
def test_rolling_on_never_breaks_a_rule_and_finishes_what_it_began(seed):
    problem = cases.tiny(seed, workloads_max=4, slots_max=5)
    problem = replace(problem, carbon=cases.CarbonRule(), running=(), moves_max=None)
    left = {w.id: None for w in problem.workloads}
    while True:
        assert faults(problem) == []
        plan = plan_horizon(problem, 5)
        assert check_plan(problem, plan) == ()
        for p in plan.placements:
            if left[p.workload] is not None and p.workload not in plan.moved:
                # what began goes on with what is left of it
                assert len(p.slots) == left[p.workload]
            left[p.workload] = len(p.slots) - (p.slots[0] == 0)
        if problem.horizon.slots == 1:
            break
        passed = advance(problem, plan.placements, cases.CNY)
        assert all(left[name] == 0 for name in passed.finished)
        problem = passed.problem


def test_nothing_moves_when_nothing_changes():
    problem = jobs_problem(300, 0.6, 1)
    plan = plan_horizon(problem, 1)
    later = advance(problem, plan.placements, migration_micro_cny=10**9).problem
    assert len(later.running) > 10
    again = plan_horizon(later, 1)
    assert check_plan(later, again) == ()
    assert again.moved == ()


def running_crowd(best_effort):
    problem = jobs_problem(400, 0.7, 2)
    mixed = tuple(replace(w, best_effort=best_effort and n % 2 == 0) for n, w in enumerate(problem.workloads))
    problem = replace(problem, workloads=mixed)
    return problem, plan_horizon(problem, 1)


@pytest.mark.parametrize("best_effort", [False, True])
def test_a_failed_hub_is_left_at_once_and_nobody_else_moves(best_effort):
    problem, plan = running_crowd(best_effort)
    repair = LivePlan(problem, plan).fail("S3")
    assert Maintenance("S3", 0, 24) in repair.problem.maintenance
    assert check_plan(repair.problem, repair.plan) == ()
    before = {p.workload: p for p in plan.placements}
    after = {p.workload: p for p in repair.plan.placements}
    assert {name for name, p in before.items() if p.parts[0].site == "S3"} == set(repair.displaced)
    touched = {*repair.displaced, *repair.gave_way}
    assert all(after[name] == p for name, p in before.items() if name not in touched)
    assert set(repair.lost) == before.keys() - after.keys()
    assert bool(repair.gave_way) <= best_effort
    with pytest.raises(ValueError, match="unknown site"):
        LivePlan(problem, plan).fail("NOWHERE")


def third_site(urgent_milli):
    """The pool is down; the hub holds urgent work, a third site best-effort work that fills it."""
    problem = cases.two_sites()
    urgent = cases.work("urgent", {"A": urgent_milli}, 4, (0, 4))
    idle = replace(cases.work("idle", {"A": 6000}, 4, (0, 4)), best_effort=True)
    third = cases.site("THIRD", {"A": 6000})
    network = cases.Network(("EAST",), ("POOL", "HUB", "THIRD"), cases.np.array([[5.0, 30.0, 30.0]]))
    return replace(
        problem,
        workloads=(urgent, idle),
        sites=(*problem.sites, third),
        network=network,
        offers=(*problem.offers, cases.SlotOffer("t", "THIRD", "A", 0, 4, 6000, 5 * cases.CNY)),
        maintenance=(Maintenance("POOL", 0, 4),),
    )


@pytest.mark.parametrize("runs", [False, True])
@pytest.mark.parametrize(("urgent_milli", "gives_way"), [(4000, ("idle",)), (7000, ())])
def test_best_effort_work_gives_way_where_that_helps(runs, urgent_milli, gives_way):
    problem = third_site(urgent_milli)
    if runs:
        problem = replace(problem, running=(Running("idle", 0, (cases.Part("THIRD", 1),)),))
    plan = plan_horizon(problem, 5)
    where = {p.workload: p.parts[0].site for p in plan.placements}
    assert where == {"urgent": "HUB", "idle": "THIRD"}
    repair = LivePlan(problem, plan).fail("HUB")
    assert repair.displaced == ("urgent",)
    assert repair.gave_way == gives_way
    assert repair.lost == (gives_way or ("urgent",))
    assert check_plan(repair.problem, repair.plan) == ()


def test_best_effort_work_follows_the_label_it_shares():
    problem = third_site(4000)
    # the mate flees first, to a site too small for both; there is room for two at the third one
    mate = cases.work("mate", {"A": 1000}, 4, (0, 4), best_effort=True, priority=1, together="pair")
    urgent = replace(problem.workloads[0], together="pair")
    network = cases.Network(
        ("EAST",), ("POOL", "HUB", "THIRD", "SMALL"), cases.np.array([[5.0, 30.0, 30.0, 30.0]])
    )
    offer = cases.SlotOffer("s", "SMALL", "A", 0, 4, 1000, 9 * cases.CNY)
    problem = replace(
        problem,
        workloads=(urgent, problem.workloads[1], mate),
        sites=(*problem.sites, cases.site("SMALL", {"A": 1000})),
        network=network,
        offers=(*problem.offers, offer),
    )
    plan = plan_horizon(problem, 5)
    assert [p.parts[0].site for p in plan.placements] == ["HUB", "THIRD", "HUB"]
    repair = LivePlan(problem, plan).fail("HUB")
    assert {p.workload: p.parts[0].site for p in repair.plan.placements} == {
        "urgent": "THIRD",
        "mate": "THIRD",
    }
    assert set(repair.gave_way) == {"idle", "mate"}
    assert repair.lost == ("idle",)
    assert check_plan(repair.problem, repair.plan) == ()


def test_a_gang_over_two_sites_gives_way_to_displaced_work_by_the_rule():
    problem = cases.two_sites()
    twins = [cases.site(code, {"A": 3000}, city="TWO") for code in ("ONE", "OTHER")]
    gang = cases.work("gang", {"A": 2000}, 4, (0, 4), latency_ms=10.0, gang_size=2, best_effort=True)
    offers = (cases.SlotOffer(s.code, s.code, "A", 0, 4, 3000, 5 * cases.CNY) for s in twins)
    problem = replace(
        problem,
        workloads=(cases.work("firm", {"A": 2000}, 4, (0, 4)), replace(gang, gang_scope=GangScope.CITY)),
        sites=(*problem.sites, *twins),
        network=cases.Network(
            ("EAST",), ("POOL", "HUB", "ONE", "OTHER"), cases.np.array([[5.0, 30.0, 5.0, 5.0]])
        ),
        offers=(*problem.offers, *offers),
        maintenance=(Maintenance("POOL", 0, 4),),
        best_effort_yields=True,
    )
    plan = plan_horizon(problem, 5)
    assert [len(p.parts) for p in plan.placements] == [1, 2]
    repair = LivePlan(problem, plan).fail("HUB")
    assert check_plan(repair.problem, repair.plan) == ()
    assert (repair.displaced, repair.gave_way, repair.lost) == (("firm",), ("gang",), ("gang",))


@pytest.mark.parametrize("seed", range(40))
def test_a_failure_breaks_no_rule_and_firm_work_never_gives_way(seed):
    problem = cases.tiny(seed, workloads_max=6, slots_max=4)
    mixed = tuple(replace(w, best_effort=n % 2 == 0) for n, w in enumerate(problem.workloads))
    cap = replace(problem.carbon, cap_g=None)
    problem = replace(problem, workloads=mixed, carbon=cap, best_effort_yields=seed % 2 == 0)
    repair = LivePlan(problem, plan_horizon(problem, 5)).fail("S0")
    assert check_plan(repair.problem, repair.plan) == ()
    assert {*repair.gave_way} <= {w.id for w in mixed if w.best_effort}
    assert not any(part.site == "S0" for p in repair.plan.placements for part in p.parts)


def test_pausing_work_may_pause_again_after_a_slot():
    problem = cases.two_sites()
    pausing = replace(problem.workloads[2], earliest=0)
    offers = tuple(o for o in problem.offers if o.id != "h")
    cheap_now = cases.SlotOffer("now", "HUB", "A", 0, 1, 1000, 1)
    problem = replace(problem, workloads=(pausing,), offers=(*offers, cheap_now))
    plan = plan_horizon(problem, 5)
    assert plan.placements[0].slots in ((0, 2), (0, 3))
    later = advance(problem, plan.placements).problem
    assert later.workloads[0].mode is RunMode.PREEMPTIBLE
    again = plan_horizon(later, 5)
    assert again.moved == ()
    assert check_plan(later, again) == ()
