"""Planning over HTTP: a job's life, what it plans on, and that its orders are a member's own orders."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
import pytest_asyncio
from exchange_server import SATURDAY, Served, serving

from exchange.api.plans import NewPlan, PlanAnswer, PlanJob
from exchange.api.requests import NewOrder
from exchange.client import ExchangeClient, ExchangeError, Profile
from exchange.client.profiles import save_profile
from exchange.domain.calendar import day_start_ns
from exchange.planning.jobs import OF_ACCOUNT_MAX
from exchange.planning.stock import moment_of, stock_of
from exchange.planning.venue import ClientVenue
from scheduler.io.workloads import Span

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("plan jobs")]
GUIAN = "H100.GUIAN.261205"
EDGE = "H100.SHANGHAI-EDGE.261205"
NEXT, NEXT_EDGE = "H100.GUIAN.261206", "H100.SHANGHAI-EDGE.261206"
FAR = {"id": "far", "origin": "Shanghai", "grade": "H100", "cards": 3}
NEAR = {"id": "near", "origin": "上海", "grade": "H100", "cards": 1.5, "latency_ms": 5}


@dataclass
class Stage:
    served: Served
    member: Profile
    other: Profile
    maker: Profile


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with serving(tmp_path_factory.mktemp("exchange"), fine_listing=("H100.GUIAN",)) as served:
        member = await served.admit("blue", "enterprise")
        other = await served.admit("red", "enterprise")
        maker = await served.admit("guian-provider", "provider")
        await served.at(9, 30)
        yield Stage(served, member, other, maker)


@pytest_asyncio.fixture(loop_scope="module")
async def client(stage: Stage) -> AsyncIterator[ExchangeClient]:
    """The member's client; 2 lots at 12.00 and 4 at 12.10 are offered at Guian, 4 at 13.00 in Shanghai."""
    async with stage.served.client(stage.maker) as maker, stage.served.client(stage.member) as member:
        for one in (maker, member):
            await one.cancel_all()
        for held in await member.positions():
            seller, buyer = (member, maker) if held.quantity > 0 else (maker, member)
            await trade(seller, buyer, held.symbol, held.settlement_price, abs(held.quantity))
        for symbol, price, quantity in ((GUIAN, "12.00", 2), (GUIAN, "12.10", 4), (EDGE, "13.00", 4)):
            await maker.place(NewOrder(symbol=symbol, side="sell", price=price, quantity=quantity))
        yield member


async def trade(seller: ExchangeClient, buyer: ExchangeClient, symbol: str, price: str, lots: int) -> None:
    for one, side in ((buyer, "buy"), (seller, "sell")):
        answer = await one.place(NewOrder(symbol=symbol, side=side, price=price, quantity=lots))
    assert answer.order.status == "filled"


def new(*workloads: dict[str, Any], **more: Any) -> NewPlan:
    return NewPlan(workloads=list(workloads), first_day="2026-12-05", **more)


async def ended(client: ExchangeClient, posted: PlanAnswer) -> tuple[PlanAnswer, list[PlanJob]]:
    seen = [job async for job in client.plan_events(posted.plan.plan_id)]
    return await client.planned(posted.plan.plan_id), seen


async def test_a_plan_is_watched_and_accepted_in_parts(client: ExchangeClient) -> None:
    # of three cards one is bought already
    await client.place(NewOrder(symbol=GUIAN, side="buy", price="12.00", quantity=1))
    posted = await client.plan(new(FAR, NEAR))
    assert posted.plan.state in ("queued", "running")
    answer, seen = await ended(client, posted)
    assert seen[-1].state == "done"
    assert seen[-1].progress is not None
    result = answer.result
    assert result is not None
    assert {run.workload: run.hub for run in result.runs} == {"far": "GUIAN", "near": "SHANGHAI-EDGE"}
    assert [(o.symbol, o.quantity, o.price) for o in result.orders] == [
        (GUIAN, 2, "12.10"),
        (EDGE, 2, "13.00"),
    ]
    assert [o.needed_cards for o in result.orders] == [2, 1.5]
    assert result.orders[0].cost_at_book_fen == 24 * (1200 + 1210)
    assert result.nominations == [], "a position is no reservation yet"
    assert [(w.hub, w.first_hour, w.end_hour, w.worth) for w in result.worths] == [
        ("SHANGHAI-EDGE", 0, 24, "13.00"),
        ("GUIAN", 0, 24, "12.10"),
    ]
    assert result.resell == []
    assert result.gap == 0

    first = await client.accept_plan(posted.plan.plan_id, [1])
    (placed,) = first.results
    assert placed.order is not None
    assert (placed.order.status, placed.order.filled_quantity) == ("filled", 2)
    with pytest.raises(ExchangeError, match="No order 1 is left"):
        await client.accept_plan(posted.plan.plan_id, [1])
    rest = await client.accept_plan(posted.plan.plan_id)
    assert rest.orders == [0]
    positions = {p.symbol: p.quantity for p in await client.positions()}
    assert positions == {GUIAN: 3, EDGE: 2}
    with pytest.raises(ExchangeError, match="no order that isn't made already"):
        await client.accept_plan(posted.plan.plan_id)


async def test_an_accepted_plan_is_what_runs_for_the_next(client: ExchangeClient, stage: Stage) -> None:
    async with stage.served.client(stage.maker) as maker:
        for symbol, price in ((NEXT, "12.00"), (NEXT_EDGE, "11.90")):
            await maker.place(NewOrder(symbol=symbol, side="sell", price=price, quantity=8))
    # hours count from the start of the first plan, in the next ones too
    long = FAR | {"id": "long", "cards": 2, "hours": 30, "latest": 30, "migration_cny": 1000}
    answer, _ = await ended(client, await client.plan(new(long, days=2, time_limit_s=2)))
    assert answer.result is not None
    assert answer.result.changes is None
    before = answer.plan.plan_id
    again = NewPlan(workloads=[long], first_day="2026-12-06", after=before, moves_max=1, time_limit_s=1)
    with pytest.raises(ExchangeError, match="is accepted or nominated") as refused:
        await client.plan(again)
    assert (refused.value.code, refused.value.status) == ("PLAN_NOT_FOLLOWED", 409)
    await client.accept_plan(before)
    # a day has passed: six hours are left, and their hub has failed
    failed = msgspec.structs.replace(again, failed=["GUIAN@0-24"], forecast=[FAR | {"probability": 0.5}])
    answer, _ = await ended(client, await client.plan(failed))
    assert answer.result is not None
    assert answer.result.changes is not None
    (move,) = answer.result.changes.moved
    assert (move.before, move.after, move.reason) == ("GUIAN", "SHANGHAI-EDGE", "barred")
    assert {(r.hub, r.first_hour, r.end_hour) for r in answer.result.runs} == {("SHANGHAI-EDGE", 0, 6)}
    assert answer.result.kept is not None
    assert answer.result.kept.expected == 1
    with pytest.raises(ExchangeError, match="spans 2 days from 2026-12-05"):
        await client.plan(msgspec.structs.replace(again, first_day="2026-12-09"))


async def test_faulty_workloads_are_named_and_the_rest_can_be_planned(client: ExchangeClient) -> None:
    odd = FAR | {"id": "odd", "origin": "Atlantis"}
    answer, _ = await ended(client, await client.plan(new(FAR, odd)))
    assert answer.plan.state == "refused"
    (fault,) = answer.plan.faults
    assert fault.startswith("workloads row 2 (odd), origin: unknown city 'Atlantis'")
    answer, _ = await ended(client, await client.plan(new(FAR, odd, skip_faulty=True)))
    assert (answer.plan.state, len(answer.plan.faults)) == ("done", 1)
    assert answer.result is not None
    assert answer.result.placed == 1


async def test_what_the_book_cannot_serve_is_left_out_with_a_reason(client: ExchangeClient) -> None:
    answer, _ = await ended(
        client, await client.plan(new(FAR | {"cards": 40}, FAR | {"id": "t4", "grade": "T4"}))
    )
    assert answer.result is not None
    assert {left.workload: left.reason for left in answer.result.left_out} == {
        "far": "too_large",
        "t4": "no_grade",
    }
    with pytest.raises(ExchangeError, match="no order"):
        await client.accept_plan(answer.plan.plan_id)


async def test_carbon_constraints_and_the_front_are_asked_for_over_http(client: ExchangeClient) -> None:
    free, _ = await ended(client, await client.plan(new(FAR, NEAR, explain=True, pareto=True, advise=True)))
    assert free.result is not None
    assert free.result.constraint_prices is not None
    near = {price.constraint: price for price in free.result.constraint_prices}["latency"]
    # without its bound the work of Shanghai would run on the levels of Guian, whole cards a plan need not buy
    saved = round(24 * (3 * 1300 - 1210 * 3) / 2)
    assert (near.least_fen, near.most_fen, near.served_more) == (saved, saved, 0)
    assert free.result.front is not None
    assert free.result.front[0].new_money_fen == free.result.new_money_fen
    assert all(point.money_bound_fen <= point.money_fen for point in free.result.front)
    assert free.result.baselines is not None
    assert free.result.advice is not None
    assert [one.symbol for one in free.result.advice] == [order.symbol for order in free.result.orders]
    assert all(one.expected_fen > 0 and one.saved_fen >= 0 for one in free.result.advice)
    price, cap = 2.0, free.result.kgco2 / 2
    ruled = new(FAR, NEAR, carbon_price_cny_per_kg=price, carbon_cap_kg=cap, time_limit_s=2)
    capped, _ = await ended(client, await client.plan(ruled))
    assert capped.result is not None
    assert 0 < capped.result.kgco2 <= cap
    assert capped.result.placed == 1
    assert (capped.result.constraint_prices, capped.result.front, capped.result.advice) == (None, None, None)


@pytest.mark.parametrize("field", ["carbon_price_cny_per_kg", "carbon_cap_kg"])
async def test_carbon_below_nothing_is_refused_by_field(client: ExchangeClient, field: str) -> None:
    with pytest.raises(ExchangeError) as refused:
        await client.plan(new(FAR, **{field: -1}))
    assert (refused.value.status, refused.value.field) == (422, field)


async def test_a_plan_is_its_members_own(client: ExchangeClient, stage: Stage) -> None:
    posted = await client.plan(new(FAR))
    async with stage.served.client(stage.other) as other:
        with pytest.raises(ExchangeError) as refused:
            await other.planned(posted.plan.plan_id)
        assert refused.value.code == "UNKNOWN_PLAN"
        with pytest.raises(ExchangeError):
            await other.accept_plan(posted.plan.plan_id)
        assert await other.plans() == []
    await ended(client, posted)


async def test_jobs_are_bounded_and_cancelled(client: ExchangeClient) -> None:
    posted = [await client.plan(new(FAR)) for _ in range(OF_ACCOUNT_MAX)]
    with pytest.raises(ExchangeError) as refused:
        await client.plan(new(FAR))
    assert (refused.value.code, refused.value.status) == ("TOO_MANY_PLANS", 429)
    for one in posted:
        cancelled = await client.cancel_plan(one.plan.plan_id)
        assert cancelled.plan.state in ("cancelled", "done")
    answer, _ = await ended(client, await client.plan(new(FAR)))
    assert answer.plan.state == "done"


async def test_the_client_sees_the_stock_that_the_server_plans_on(
    client: ExchangeClient, stage: Stage
) -> None:
    span = Span(moment_of(day_start_ns(SATURDAY)), 24)
    here = stock_of(stage.served.exchange.views, int(stage.member.account), SATURDAY, SATURDAY + timedelta(1))
    there = await ClientVenue(stage.member).stock_now(span)
    assert sorted(there.levels) == sorted(here.levels)
    assert len(there.levels) == 3
    assert there.holdings == here.holdings


async def test_a_week_is_owned_hour_by_hour_less_what_was_sold_of_it(
    client: ExchangeClient, stage: Stage
) -> None:
    async with stage.served.client(stage.maker) as maker:
        await trade(maker, client, "H100.GUIAN.26W50", "12.00", 3)
        await trade(client, maker, "H100.GUIAN.261207", "12.00", 1)
    own = (await client.stock(date(2026, 12, 6), days=3)).own
    assert [(o.symbol, o.cards, o.start[5:16], o.end[5:16], o.reservation_id) for o in own] == [
        ("H100.GUIAN.261207", 2, "12-07T00:00", "12-08T00:00", None),
        ("H100.GUIAN.261208", 3, "12-08T00:00", "12-09T00:00", None),
    ]


async def test_days_at_the_end_of_the_calendar_are_refused(client: ExchangeClient) -> None:
    with pytest.raises(ExchangeError) as refused:
        await client.stock(date.max)
    assert refused.value.code == "INVALID_PARAMETER"
    with pytest.raises(ExchangeError) as refused:
        await client.plan(NewPlan(workloads=[FAR], first_day=date.min.isoformat()))
    assert refused.value.code == "INVALID_FIELD"


async def test_a_week_is_bought_as_one_order_where_it_is_what_the_plan_needs(
    client: ExchangeClient, stage: Stage
) -> None:
    day, week, nights = "H100.GUIAN.261207", "H100.GUIAN.26W50", "H100.GUIAN.26W50-VALLEY"
    always = NewPlan(workloads=[FAR], first_day="2026-12-07", days=7, time_limit_s=2)
    async with stage.served.client(stage.maker) as maker:
        await maker.place(NewOrder(symbol=week, side="sell", price="11.50", quantity=4))
        answer, _ = await ended(client, await client.plan(always))
        assert answer.result is not None
        (order,) = answer.result.orders
        assert (order.symbol, order.quantity, order.price, order.spare_card_hours) == (week, 3, "11.50", 0)
        assert order.cost_at_book_fen == 3 * 168 * 1150
        for symbol, price in ((day, "12.00"), (nights, "11.60")):
            await maker.place(NewOrder(symbol=symbol, side="sell", price=price, quantity=4))
    # its Monday alone: six more days of the week would be paid for
    monday, _ = await ended(client, await client.plan(msgspec.structs.replace(always, days=1)))
    assert monday.result is not None
    assert [(o.symbol, o.quantity) for o in monday.result.orders] == [(day, 3)]
    offered = {o.symbol: o.masks for o in (await client.stock(date(2026, 12, 13))).offered}
    assert offered == {week: [], nights: [0] * 11 + [0b1111_1111]}
    (accepted,) = (await client.accept_plan(answer.plan.plan_id)).results
    assert accepted.order is not None
    assert accepted.order.filled_quantity == 3


async def test_the_command_line_plans_and_lists_orders(
    client: ExchangeClient, stage: Stage, tmp_path: Path
) -> None:
    save_profile(tmp_path, stage.member)
    await client.place(NewOrder(symbol=EDGE, side="buy", price="13.00", quantity=1))
    (tmp_path / "jobs.csv").write_text("id,origin,grade,cards,latency_ms\nnear,Shanghai,H100,1.5,5\n")
    options = ("--from-exchange", "--buy", "--as", "blue", "--start", "2026-12-05")
    answer = await command(tmp_path, "jobs.csv", *options)
    assert answer["orders"] == [{"symbol": EDGE, "side": "buy", "quantity": 1, "price": "13.00"}]
    (advice,) = answer["forward_against_spot"]
    assert advice["value_of_stochastic_solution_cny"] >= 0
    (body,) = answer["orders"]
    assert (await client.place(NewOrder(**body))).order.status == "filled"


async def command(folder: Path, *words: str) -> dict[str, Any]:
    """What `dongxi plan … --json` prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "exchange", "plan", *words, "--keys", str(folder), "--json"),
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    answer: dict[str, Any] = orjson.loads(out)
    return answer


async def test_orders_that_found_no_room_can_be_accepted_again(client: ExchangeClient, stage: Stage) -> None:
    answer, _ = await ended(client, await client.plan(new(FAR)))
    exchange, plan_id = stage.served.exchange, answer.plan.plan_id
    config = exchange.config
    exchange.config = replace(config, queue_commands_max=0)
    async with ExchangeClient(stage.member.base_url, stage.member, retries=0) as impatient:
        with pytest.raises(ExchangeError, match="BUSY"):
            await impatient.accept_plan(plan_id)
    exchange.config = config
    accepted = await client.accept_plan(plan_id)
    assert [result.error for result in accepted.results] == [None] * len(accepted.orders)
    assert len(accepted.orders) > 0


async def test_what_runs_on_reservations_is_nominated_in_parts_or_from_the_command_line(
    client: ExchangeClient, stage: Stage, tmp_path: Path
) -> None:
    await client.place(NewOrder(symbol=EDGE, side="buy", price="13.00", quantity=4))
    await stage.served.at(15, 45)
    held = {r.hub: r for r in await client.reservations() if r.role == "buyer"}
    answer, _ = await ended(client, await client.plan(new(NEAR, NEAR | {"id": "more", "cards": 0.5})))
    assert answer.result is not None
    assert answer.result.orders == []
    wanted = [(n.reservation_id, n.workload, n.cards, n.hours) for n in answer.result.nominations]
    number = held["SHANGHAI-EDGE"].reservation_id
    # a card and a half are two whole cards, half a card is one
    assert wanted == [(number, "near", 2, 24), (number, "more", 1, 24)]
    assert (number, EDGE, 2) in [(s.reservation_id, s.symbol, s.cards) for s in answer.result.resell]
    plan_id = answer.plan.plan_id
    one = await client.nominate_plan(plan_id, [0])
    assert [bool(result.nomination_id) for result in one.results] == [True]
    with pytest.raises(ExchangeError, match="No nomination 0 is left"):
        await client.nominate_plan(plan_id, [0])
    assert [n.workload for n in await client.delivery.nominations()] == ["near"]

    save_profile(tmp_path, stage.member)
    (tmp_path / "jobs.csv").write_text("id,origin,grade,cards\nfar,Shanghai,H100,1\n")
    options = ("--from-exchange", "--nominate", "--as", "blue", "--start", "2026-12-05")
    made = (await command(tmp_path, "jobs.csv", *options))["nominations"]
    assert [(m["workload"], m["cards"], m["refused"]) for m in made] == [("far", 1, "")]
    assert "far" in [n.workload for n in await client.delivery.nominations()]


async def test_nominations_asked_for_twice_at_once_are_made_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        member, maker = await served.admit("blue", "enterprise"), await served.admit("guian", "provider")
        await served.at(9, 30)
        second = served.client(member)
        async with served.client(maker) as seller, served.client(member) as client, second:
            for side, one in (("sell", seller), ("buy", client)):
                await one.place(NewOrder(symbol=EDGE, side=side, price="13.00", quantity=3))
            await served.at(15, 45)
            jobs = [NEAR | {"id": name, "cards": 1} for name in ("a", "b", "c")]
            answer, _ = await ended(client, await client.plan(new(*jobs)))
            await second.plans()  # it is connected
            asked = [one.nominate_plan(answer.plan.plan_id) for one in (client, second)]
            made = await asyncio.gather(*asked, return_exceptions=True)
            (refused,) = [one for one in made if isinstance(one, ExchangeError)]
            assert "isn't made already" in str(refused)
            assert sorted(n.workload for n in await client.delivery.nominations()) == ["a", "b", "c"]
