"""What /metrics shows is what happened; other machines don't see it unless they are to."""

from __future__ import annotations

import re
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from exchange_server import Served, serving
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.parser import text_string_to_metric_families

from exchange.api.feed import FeedResults
from exchange.api.requests import NewOrder
from exchange.client import ExchangeError
from exchange.gateway.app import make_app
from exchange.gateway.binary.gateway import BinaryGateway
from exchange.gateway.protocol import ExchangeRunner
from exchange.ops.figures import Spread
from exchange.ops.metrics import Metrics

SYMBOL = "H100.GUIAN.261205"


async def figures(served: Served) -> dict[tuple[str, tuple[str, ...]], float]:
    """Read /metrics as Prometheus does: (name, label values) to value."""
    async with aiohttp.ClientSession() as session, session.get(served.base_url + "/metrics") as answer:
        assert answer.status == 200
        text = await answer.text()
    return {
        (sample.name, tuple(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_figures_follow_what_happens(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.at(9, 30)
        member = await served.admit("blue", "enterprise")
        before = await figures(served)
        async with served.client(member) as client:
            for _ in range(3):
                await client.place(NewOrder(symbol=SYMBOL, side="buy", price="11.85", quantity=2))
            with pytest.raises(ExchangeError, match="PRICE_OUTSIDE_LIMITS"):
                await client.place(NewOrder(symbol=SYMBOL, side="buy", price="99.00", quantity=2))
        after = await figures(served)

        def rise(name: str, *labels: str) -> float:
            return after[name, labels] - before.get((name, labels), 0.0)

        assert rise("dongxi_seq") == 8, "each request's nonce is a command of its own"
        assert rise("dongxi_commands_total", "NoteRequests") == 4
        assert rise("dongxi_commands_total", "hot") == 4
        assert rise("dongxi_rejects_total", "PRICE_OUTSIDE_LIMITS") == 1
        assert rise("dongxi_refused_requests_total", "PRICE_OUTSIDE_LIMITS", "http") == 1
        assert rise("dongxi_request_seconds_count", "http", "POST /v1/orders", "200") == 3
        assert rise("dongxi_request_seconds_count", "http", "POST /v1/orders", "422") == 1
        assert rise("dongxi_frame_commands_sum") == 8
        assert after["dongxi_acknowledging", ()] == 1
        assert after["dongxi_queue_commands", ()] == 0


async def test_paths_that_do_not_exist_are_one_operation(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        for path in ("/a", "/b", "/v1/nothing"):
            assert (await served.raw("GET", path))[0] == 404
        seen = await figures(served)
        assert seen["dongxi_request_seconds_count", ("http", "GET elsewhere", "404")] == 3


@pytest.mark.parametrize(("to_anyone", "status"), [(False, 404), (True, 200)])
async def test_other_machines_see_figures_only_if_told(tmp_path: Path, to_anyone: bool, status: int) -> None:
    async with serving(tmp_path) as served:
        runner = ExchangeRunner(make_app(served.exchange, metrics_to_anyone=to_anyone))
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}/metrics"
            # an address other than 127.0.0.1, as another machine's would be
            elsewhere = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
            async with aiohttp.ClientSession(connector=elsewhere) as session, session.get(url) as answer:
                assert answer.status == status
        finally:
            await runner.cleanup()


async def test_each_gateway_has_its_times_and_queues(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        member = await served.admit("blue", "enterprise")
        await served.at(9, 30)
        async with served.client(member) as client, await client.feed(["l2"], [SYMBOL]) as feed:
            await feed.log_on()
            good = NewOrder(symbol=SYMBOL, side="buy", price="11.85", quantity=2)
            bad = NewOrder(symbol=SYMBOL, side="buy", price="99.00", quantity=2)
            await feed.enter("a", [good, bad, bad])
            await feed.ping()
            async for message in feed:
                if isinstance(message, FeedResults):
                    break
            seen = await figures(served)
        assert seen["dongxi_request_seconds_count", ("websocket", "orders", "200")] == 1
        assert seen["dongxi_request_seconds_bucket", ("websocket", "+Inf", "ping", "200")] == 1
        assert seen["dongxi_refused_requests_total", ("PRICE_OUTSIDE_LIMITS", "websocket")] == 2
        assert seen["dongxi_websocket_readers", ()] == 1
        assert seen["dongxi_websocket_orders_waiting", ()] == 0
        assert seen["dongxi_websocket_unread_bytes_max", ()] <= seen["dongxi_websocket_unread_bytes", ()]
        assert seen["dongxi_websocket_held_bytes", ()] > 0


async def test_every_figure_is_in_the_page_for_operators(tmp_path: Path, root: Path) -> None:
    async with serving(tmp_path) as served:
        BinaryGateway(served.exchange, metrics := Metrics())
        metrics.watch(served.exchange)
        page = (root / "docs/operations.md").read_text(encoding="utf-8")
        shown = {name for name, _ in await figures(served)}
        shown |= {line.split()[2] for line in metrics.exposition().decode().splitlines() if "# TYPE" in line}
        for name in shown:
            base = re.sub(r"_(bucket|count|sum|created|total)$", "", name)
            assert not name.startswith("dongxi_") or f"`{base}" in page, name


@given(st.lists(st.floats(0, 20, allow_nan=False)))
def test_a_histogram_is_what_prometheus_counts(values: list[float]) -> None:
    bounds = (0.5, 1.0, 5.0)
    registry = CollectorRegistry()
    theirs = Histogram("seconds", "x", buckets=bounds, registry=registry)
    ours = Spread(bounds)
    for value in values:
        theirs.observe(value)
        ours.observe(value)
    rows, total = ours.rows()
    assert total == pytest.approx(registry.get_sample_value("seconds_sum"))
    for name, count in rows:
        assert registry.get_sample_value("seconds_bucket", {"le": name}) == count
