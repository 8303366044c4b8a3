"""The history over HTTP: what members see of it, what they don't, and that nobody waits for it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from exchange_server import SATURDAY, Served, serving
from history_filling import caught_up, filling

from exchange.api import history as api
from exchange.api.codes import RequestRefused
from exchange.api.health import HealthQuery
from exchange.api.requests import NewOrder
from exchange.client import ExchangeError, Profile
from exchange.history.follower import Follower
from exchange.history.mark import history_folder
from exchange.history.reader import WAITING_MAX, HistoryReader, read_progress
from exchange.history.schema import SCHEMA_VERSION
from exchange.history.store import latest

DAY = "H100.GUIAN.261205"
WEEK = "H100.GUIAN.26W50"
MONTH = "H100.GUIAN.2702"
ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


pytestmark = pytest.mark.asyncio(loop_scope="module")
Traded = tuple[Served, Profile, Profile]


@asynccontextmanager
async def trading(folder: Path) -> AsyncIterator[Traded]:
    """A server with its history after a day of a few trades, and the two members that made them."""
    async with serving(folder) as served:
        buyer, seller = await served.admit("blue", "enterprise"), await served.admit("acme", "provider")
        await served.at(9, 30)
        with filling(folder / "data"):
            async with served.client(buyer) as buys, served.client(seller) as sells:
                for minute, symbol, price, lots in (
                    (31, DAY, "12.00", 5),
                    (31, DAY, "12.10", 3),
                    (38, DAY, "11.90", 4),
                    (40, WEEK, "12.00", 2),
                ):
                    await served.at(9, minute)
                    order = NewOrder(symbol=symbol, side="sell", price=price, quantity=lots + 1)
                    await sells.place(order)
                    chosen = str(2**64 - lots)  # the largest ids there are
                    order = NewOrder(
                        symbol=symbol, side="buy", price=price, quantity=lots, client_order_id=chosen
                    )
                    await buys.place(order)
                for order_of in await sells.orders(WEEK):
                    await sells.cancel(order_of.order_id)
                await served.at(16)
                await served.at(2, 0, SATURDAY)
                await caught_up(served, buys)
            yield served, buyer, seller


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def traded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Traded]:
    """One for all that only read."""
    async with trading(tmp_path_factory.mktemp("history")) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def changing(tmp_path: Path) -> AsyncIterator[Traded]:
    """One for a test that changes something."""
    async with trading(tmp_path) as found:
        yield found


async def test_trades_and_candles_for_anyone(traded: Traded) -> None:
    served, _, _ = traded
    async with served.client() as anyone:
        page = await anyone.history.trades(DAY, api.HistoryQuery(limit=2))
        assert [(trade.price, trade.quantity) for trade in page.trades] == [("11.90", 4), ("12.10", 2)]
        assert page.as_of_seq == served.exchange.views.seq
        rest = await anyone.history.trades(DAY, api.HistoryQuery(limit=2, cursor=page.next_cursor))
        assert [(trade.price, trade.quantity) for trade in rest.trades] == [("12.00", 1), ("12.00", 5)]
        assert rest.next_cursor is None
        early = api.HistoryQuery(to_time="2026-12-04T09:38:00+08:00")
        assert (await anyone.history.trades(DAY, early)).trades == [page.trades[1], *rest.trades]
        seqs = api.HistoryQuery(from_seq=rest.trades[0].seq, to_seq=rest.trades[0].seq)
        assert (await anyone.history.trades(DAY, seqs)).trades == [page.trades[1], rest.trades[0]]

        minutes = (await anyone.history.candles(DAY)).candles
        assert [candle.start[11:16] for candle in minutes] == ["09:38", "09:31"]
        first = minutes[1]
        assert (first.open, first.high, first.low, first.close) == ("12.00", "12.10", "12.00", "12.10")
        assert (first.volume_lots, first.trades) == (8, 3)
        assert first.value_fen == 24 * (6 * 1_200 + 2 * 1_210)
        (day,) = (await anyone.history.candles(DAY, api.CandlesQuery(interval="1d"))).candles
        assert day.start == "2026-12-04T00:00:00.000000+08:00"
        assert (day.open, day.high, day.low, day.close) == ("12.00", "12.10", "11.90", "11.90")
        paged = await anyone.history.candles(DAY, api.CandlesQuery(limit=1))
        after = await anyone.history.candles(DAY, api.CandlesQuery(limit=1, cursor=paged.next_cursor))
        assert paged.candles + after.candles == minutes


async def test_orders_and_fills_are_the_accounts_own(traded: Traded) -> None:
    served, buyer, seller = traded
    async with served.client(buyer) as buys, served.client(seller) as sells:
        orders = (await buys.history.orders()).orders
        assert [(order.status, order.filled_quantity) for order in orders] == [
            ("filled", n) for n in (2, 4, 3, 5)
        ]
        assert [order.client_order_id for order in orders] == [str(2**64 - n) for n in (2, 4, 3, 5)]
        ours = (await sells.history.orders(api.OwnHistoryQuery(symbol=WEEK))).orders
        assert [(order.status, order.reason, order.open_quantity) for order in ours] == [
            ("cancelled", "REQUESTED", 0)
        ]
        assert ours[0].quantity == 3
        assert ours[0].filled_quantity == 2
        expired = (await sells.history.orders(api.OwnHistoryQuery(symbol=DAY, side="sell"))).orders
        assert {order.status for order in expired} <= {"filled", "cancelled"}

        bought = (await buys.history.fills()).fills
        sold = (await sells.history.fills()).fills
        assert {fill.side for fill in bought} == {"buy"}
        assert {fill.side for fill in sold} == {"sell"}
        assert [fill.fill_id.split("-")[0] for fill in bought] == [
            fill.fill_id.split("-")[0] for fill in sold
        ]
        recent = await buys.fills()
        assert [fill.fill_id for fill in recent] == [fill.fill_id for fill in bought]
        first = bought[-1]
        assert (first.liquidity, first.fee_fen, sold[-1].fee_fen) == ("taker", 29, 0)  # clause 8.1
        assert first.value_fen == 24 * 1_200 * 5
        assert (await buys.history.fills(api.OwnHistoryQuery(side="sell"))).fills == []
        found: list[api.HistoryFill] = []
        cursor: str | None = None
        while True:
            page = await buys.history.fills(api.OwnHistoryQuery(limit=1, cursor=cursor))
            found += page.fills
            cursor = page.next_cursor
            if cursor is None:
                break
        assert found == bought


async def test_the_ledger_and_the_statements_agree_with_the_core(
    traded: Traded,
) -> None:
    served, buyer, _ = traded
    async with served.client(buyer) as client:
        entries = (await client.history.ledger()).entries
        assert [entry.kind for entry in entries][-1] == "deposit"
        assert all(
            later.cash_fen == earlier.cash_fen + later.amount_fen for later, earlier in pairwise(entries)
        )
        kinds = {entry.kind for entry in entries}
        assert kinds >= {"deposit", "fee", "variation margin"}
        fees = (await client.history.ledger(api.LedgerQuery(kind="fee", symbol=DAY))).entries
        assert fees == [entry for entry in entries if entry.kind == "fee" and entry.symbol == DAY]
        assert (await client.history.ledger(api.LedgerQuery(from_day="2026-12-05"))).entries == []
        balance = await client.balances()
        assert entries[0].cash_fen == balance.cash_fen
        (day,) = (await client.history.statements()).days
        core = await client.statement("2026-12-04")
        assert (day.opening_cash_fen, day.closing_cash_fen) == (core.opening_cash_fen, core.closing_cash_fen)
        sums: dict[str, int] = {}
        for line in core.lines:
            sums[line.kind] = sums.get(line.kind, 0) + line.amount_fen
        assert {one.kind: one.amount_fen for one in day.sums} == sums


async def test_how_far_it_is_stands_among_the_figures(traded: Traded) -> None:
    served, _, _ = traded
    async with aiohttp.ClientSession() as session, session.get(served.base_url + "/metrics") as answer:
        lines = (await answer.text()).splitlines()
    figures = dict(line.split() for line in lines if line.startswith(("dongxi_seq ", "dongxi_history_seq ")))
    assert float(figures["dongxi_history_seq"]) == float(figures["dongxi_seq"]) == served.exchange.views.seq


async def test_wrong_questions_are_refused(traded: Traded) -> None:
    served, buyer, _ = traded
    for target, status, code in (
        ("trades/NO.SUCH.THING", 404, "UNKNOWN_SYMBOL"),
        (f"trades/{DAY}?limit=501", 422, "INVALID_PARAMETER"),
        (f"trades/{DAY}?cursor=x", 422, "INVALID_PARAMETER"),
        (f"trades/{DAY}?from_time=yesterday", 422, "INVALID_PARAMETER"),
        (f"trades/{DAY}?side=buy", 422, "INVALID_PARAMETER"),
        (f"trades/{DAY}?from_seq={2**63}", 422, "INVALID_PARAMETER"),
        (f"candles/{DAY}?interval=2m", 422, "INVALID_PARAMETER"),
        ("orders", 401, "AUTHENTICATION_REQUIRED"),
        ("fills", 401, "AUTHENTICATION_REQUIRED"),
        ("ledger", 401, "AUTHENTICATION_REQUIRED"),
        ("statements", 401, "AUTHENTICATION_REQUIRED"),
    ):
        got, body = await served.raw("GET", f"/v1/history/{target}")
        assert (got, body["error"]["code"]) == (status, code), target  # type: ignore[index]
    for target, status, code in (
        ("orders?symbol=NO.SUCH.THING", 404, "UNKNOWN_SYMBOL"),
        ("ledger?kind=gift", 422, "INVALID_PARAMETER"),
        ("ledger?from_day=2026-13-01", 422, "INVALID_PARAMETER"),
        ("statements?to_day=tomorrow99", 422, "INVALID_PARAMETER"),
    ):
        got, body = await served.raw("GET", f"/v1/history/{target}", profile=buyer)
        assert (got, body["error"]["code"]) == (status, code), target  # type: ignore[index]


@pytest.mark.parametrize(
    "query",
    [
        f"cursor={9 * 10**60}",
        "from_time=1700-01-01T00:00:00%2B00:00&to_time=2262-01-01T00:00:00%2B00:00",
        f"from_seq={2**63 - 1}&to_seq={2**63 - 1}",
    ],
)
async def test_extreme_questions_are_answered(traded: Traded, query: str) -> None:
    served, buyer, _ = traded
    for path in (f"trades/{DAY}", "orders", "fills"):
        status, body = await served.raw("GET", f"/v1/history/{path}?{query}", profile=buyer)
        assert status == 200, body
    times = query if "seq" not in query else ""
    status, body = await served.raw("GET", f"/v1/history/candles/{DAY}?{times}", profile=buyer)
    assert status == 200, body
    for days in ("from_day=0001-01-01&to_day=9999-12-31", f"cursor={10**40}"):
        for path in ("ledger", "statements"):
            status, body = await served.raw("GET", f"/v1/history/{path}?{days}", profile=buyer)
            assert status == 200, body


async def test_without_a_history_the_exchange_goes_on(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.at(9, 30)
        buyer = await served.admit("blue", "enterprise")
        for path in ("status", f"trades/{DAY}", f"candles/{DAY}", "orders", "fills", "ledger", "statements"):
            status, body = await served.raw("GET", f"/v1/history/{path}", profile=buyer)
            assert (status, body["error"]["code"]) == (503, "HISTORY_UNAVAILABLE")  # type: ignore[index]
        async with served.client(buyer) as client:
            placed = await client.place(NewOrder(symbol=DAY, side="buy", price="12.00", quantity=1))
            assert placed.order.status == "resting"


async def test_an_older_history_answers_as_of_its_seq(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        buyer = await served.admit("blue", "enterprise")
        async with served.client(buyer) as client:
            with filling(tmp_path / "data"):
                before = await caught_up(served, client)
            await served.at(9, 30)
            status = await client.history.status()
            assert status.as_of_seq == before.as_of_seq
            assert status.behind == served.exchange.views.seq - before.as_of_seq > 0


async def test_a_slow_query_delays_no_order(changing: Traded) -> None:
    """Orders are acknowledged while as many endless queries run as may."""
    served, buyer, _ = changing
    await served.at(9, 30, SATURDAY.replace(day=7))
    reader = HistoryReader(history_folder(served.exchange.config.data_dir), timeout_s=3600)

    def endless(connection: sqlite3.Connection) -> int:
        return int(connection.execute(ENDLESS).fetchone()[0])

    slow = [asyncio.create_task(reader.run(endless)) for _ in range(WAITING_MAX)]
    async with served.client(buyer) as client:
        price = (await client.contract(MONTH)).price_low
        for _ in range(50):
            placed = await client.place(NewOrder(symbol=MONTH, side="buy", price=price, quantity=1))
            assert placed.order.status == "resting"
        with pytest.raises(RequestRefused, match="HISTORY_BUSY"):
            await reader.run(endless)
        assert not any(task.done() for task in slow)
        assert (await client.history.trades(DAY)).trades  # the gateway's own reader has threads of its own
    await asyncio.to_thread(reader.close)
    outcomes = await asyncio.gather(*slow, return_exceptions=True)
    assert all(isinstance(outcome, BaseException) for outcome in outcomes)


async def test_a_query_that_takes_too_long_is_broken_off(traded: Traded) -> None:
    served, _, _ = traded
    reader = HistoryReader(history_folder(served.exchange.config.data_dir), timeout_s=0.01)
    with pytest.raises(RequestRefused, match="HISTORY_TIMEOUT") as refused:
        await reader.run(lambda connection: connection.execute(ENDLESS).fetchone())
    assert refused.value.status == 504
    seq, rows = await reader.run(lambda connection: connection.execute("SELECT 1").fetchall())
    assert rows == [(1,)]
    assert seq == served.exchange.views.seq
    await asyncio.to_thread(reader.close)


async def test_readers_cannot_write(traded: Traded) -> None:
    served, _, _ = traded
    reader = HistoryReader(history_folder(served.exchange.config.data_dir))
    with pytest.raises(RequestRefused, match="HISTORY_UNAVAILABLE"):
        await reader.run(lambda connection: connection.execute("DELETE FROM trades"))
    await asyncio.to_thread(reader.close)


async def test_a_file_of_another_schema_or_that_was_replaced_is_not_read(
    traded: Traded, tmp_path: Path
) -> None:
    """Also if the new one has the old one's name."""
    folder = history_folder(traded[0].exchange.config.data_dir)
    mine = tmp_path / "mine"
    mine.mkdir()
    reader = HistoryReader(mine)
    with sqlite3.connect(folder / latest_name(folder)) as source:
        for seq, version in ((7, SCHEMA_VERSION), (8, SCHEMA_VERSION), (9, SCHEMA_VERSION + 1)):
            with sqlite3.connect(mine / "new") as copy:
                source.backup(copy)
                copy.execute("UPDATE progress SET seq = ?, schema_version = ?", (seq, version))
            copy.close()
            (mine / "new").rename(mine / "000001.sqlite")
            if version == SCHEMA_VERSION:
                assert (await reader.run(read_progress))[0] == seq
            else:
                with pytest.raises(RequestRefused, match="HISTORY_UNAVAILABLE"):
                    await reader.run(read_progress)
    source.close()
    await asyncio.to_thread(reader.close)


def latest_name(folder: Path) -> str:
    path = latest(folder)
    assert path is not None
    return path.name


async def test_a_rebuild_beside_the_readers(changing: Traded) -> None:
    """The old generation answers until the new one is complete; as_of_seq never falls."""
    served, _, _ = changing
    folder = history_folder(served.exchange.config.data_dir)
    names = {path.name for path in folder.glob("*.sqlite")}
    async with served.client() as client:
        before = await client.history.trades(DAY)
        Follower.want_rebuild(folder)
        seen = before.as_of_seq
        async with asyncio.timeout(60):
            while names & {path.name for path in folder.glob("*.sqlite")}:
                page = await client.history.trades(DAY)
                assert page.as_of_seq >= seen
                assert page.trades == before.trades
                seen = page.as_of_seq
        assert (await client.history.trades(DAY)).trades == before.trades


async def test_the_health_index_over_time_and_for_prometheus(
    traded: Traded,
) -> None:
    served, _, _ = traded
    async with served.client() as anyone:
        now = await anyone.health()
        assert now.overall is not None
        assert {group.name_zh for group in now.overall.groups} == {"安全水平", "流通效率"}
        (guian,) = (await anyone.health_of("GUIAN")).measurements
        assert guian in now.hubs
        assert (await anyone.health_of("GUIAN", HealthQuery(cursor=str(guian.seq)))).measurements == []
        with pytest.raises(ExchangeError, match="UNKNOWN_HUB"):
            await anyone.health_of("ATLANTIS")
    async with aiohttp.ClientSession() as session, session.get(f"{served.base_url}/metrics") as answer:
        figures = await answer.text()
    assert f'dongxi_health_index{{hub="overall"}} {now.overall.index}' in figures
    assert 'dongxi_health_group{group="circulation efficiency",hub="GUIAN"}' in figures
