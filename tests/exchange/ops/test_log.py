"""The log: JSON lines with request id, account and seq; no secrets, whoever wrote them."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from exchange_server import serving

from exchange.api.requests import NewOrder
from exchange.ops.log import GATHERED_MAX, LogLevel, gathering_file, log_to

SYMBOL = "H100.GUIAN.261205"


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def lines(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


async def trade_and_read(folder: Path, level: LogLevel) -> tuple[list[dict[str, object]], str, str]:
    """Log at a level what an order, a refused order and a read leave; also an account and its secret."""
    file = log_to(folder / "log", level)
    async with serving(folder) as served:
        await served.at(9, 30)
        member = await served.admit("blue", "enterprise")
        async with served.client(member) as client:
            await client.place(NewOrder(symbol=SYMBOL, side="buy", price="11.85", quantity=2))
            await client.balances()
        body = b'{"symbol":"H100.GUIAN.261205","side":"buy","price":"99.00","quantity":2}'
        status, _ = await served.raw(
            "POST", "/v1/orders", body, profile=member, headers={"X-Request-Id": "mine-7"}
        )
        assert status == 422
    logging.getLogger("test").error("the end")  # lines of requests that wait for others come before it
    said = lines(file)
    assert said[-1]["event"] == "the end"
    return said, member.account, member.secret


async def test_commands_are_logged_with_id_account_and_seq(tmp_path: Path) -> None:
    said, account, _ = await trade_and_read(tmp_path, "info")
    placed, refused = [line for line in said if line.get("operation") == "POST /v1/orders"]
    assert (placed["status"], str(placed["account"])) == (200, account)
    assert isinstance(placed["seq"], int)
    assert placed["seq"] > 0
    assert len(str(placed["request_id"])) == 16
    assert (refused["request_id"], refused["code"]) == ("mine-7", "PRICE_OUTSIDE_LIMITS")
    assert [line for line in said if "balances" in str(line.get("operation"))] == []


async def test_reads_are_logged_at_level_debug(tmp_path: Path) -> None:
    said, _, _ = await trade_and_read(tmp_path, "debug")
    assert [line["status"] for line in said if line.get("operation") == "GET /v1/balances"] == [200]


async def test_no_secret_is_in_the_log(tmp_path: Path) -> None:
    _, _, secret = await trade_and_read(tmp_path, "debug")
    structlog.get_logger("x").info("careless", api_secret=secret, Authorization="Bearer " + secret)
    written = "".join(file.read_text(encoding="utf-8") for file in (tmp_path / "log").iterdir())
    assert "careless" in written
    assert secret not in written


async def test_lines_of_requests_are_written_together_and_none_is_lost(tmp_path: Path) -> None:
    file = log_to(tmp_path, "info")
    gathering = gathering_file()
    assert gathering is not None
    for number in range(GATHERED_MAX + 1):
        gathering.gather("info", "gateway", "request", {"seq": number})
    assert [line["seq"] for line in lines(file)] == list(range(GATHERED_MAX))
    structlog.get_logger("gateway").info("request", seq=GATHERED_MAX + 1)
    assert [line["seq"] for line in lines(file)] == list(range(GATHERED_MAX + 2))
    assert {(*line,) for line in lines(file)[:-1]} == {("seq", "event", "level", "logger", "timestamp")}
    assert lines(file)[-1].keys() == lines(file)[0].keys()
    gathering.gather("info", "gateway", "request", {"seq": -1})
    while lines(file)[-1]["seq"] != -1:  # noqa: ASYNC110  (a tenth of a second later it is in the file)
        await asyncio.sleep(0.01)


def test_what_libraries_log_is_json_too(tmp_path: Path) -> None:
    file = log_to(tmp_path, "info")
    logging.getLogger("aiohttp.server").warning("a %s thing", "strange")
    (line,) = lines(file)
    assert (line["event"], line["level"], line["logger"]) == ("a strange thing", "warning", "aiohttp.server")
