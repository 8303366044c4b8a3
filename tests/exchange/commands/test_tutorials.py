"""The commands of docs/tutorials run as they stand."""

from __future__ import annotations

import asyncio
import re
import shlex
from pathlib import Path

import pytest
from server_process import ServerProcess
from typer.testing import CliRunner

from exchange.api.requests import NewOrder
from exchange.cli import app
from exchange.client import ExchangeClient
from exchange.client.profiles import profile_text

TUTORIALS = Path(__file__).resolve().parents[3] / "docs/tutorials"
BLOCK = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^```toml\n(.*?)^```", re.MULTILINE | re.DOTALL)
SYMBOL = "H100.GUIAN.2701"


def run(block: str, folder: Path) -> dict[str, str]:
    """Run a block's commands; what each printed."""
    said: dict[str, str] = {}
    for line in block.splitlines():
        program, *arguments = shlex.split(line)
        assert program == "dongxi"
        home = {"XDG_CONFIG_HOME": str(folder / "config"), "COLUMNS": "200"}
        done = CliRunner().invoke(app, arguments, env=home)
        assert done.exit_code == 0, f"{line}: {done.output}"
        said[line] = done.stdout
    return said


async def furnish(server: ServerProcess, folder: Path) -> None:
    """A buyer with its file, and cards on offer."""
    (folder / "blue.toml").write_text(profile_text(await server.admit("blue")), "utf-8")
    async with ExchangeClient(server.base_url, await server.admit("acme", "provider")) as seller:
        await seller.place(NewOrder(symbol=SYMBOL, side="sell", quantity=6, price="11.60"))


def test_a_month_is_bought_as_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    page = (TUTORIALS / "buy-a-month.md").read_text("utf-8")
    with ServerProcess(tmp_path / "exchange") as server:
        asyncio.run(furnish(server, tmp_path))
        said = run("".join(BLOCK.findall(page)), tmp_path)
    bought = said['dongxi buy --cards 4 --start 2027-01-01 --duration "1 month" --hub GUIAN --yes']
    assert "all 4 lots have traded" in bought
    assert "34,521.60" in bought, "11.60 CNY × 744 h × 4 lots"
    assert "+4" in said["dongxi positions"]
    assert "Account statement" in (tmp_path / "statement.html").read_text("utf-8")


async def furnish_a_buyer(server: ServerProcess, folder: Path) -> None:
    """A provider's file, and somebody who wants three cards."""
    (folder / "acme.toml").write_text(profile_text(await server.admit("acme", "provider")), "utf-8")
    async with ExchangeClient(server.base_url, await server.admit("blue")) as buyer:
        await buyer.place(NewOrder(symbol="H100.GUIAN.261205", side="buy", quantity=3, price="11.70"))


def test_idle_cards_are_sold_as_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    page = (TUTORIALS / "sell-idle-cards.md").read_text("utf-8")
    *before, after = BLOCK.findall(page)
    (site,) = FILE.findall(page)
    (tmp_path / "site.toml").write_text(site, "utf-8")
    with ServerProcess(tmp_path / "exchange") as server:
        asyncio.run(furnish_a_buyer(server, tmp_path))
        said = run("".join(before), tmp_path)
        server.step("at 15:45")
        said |= run(after, tmp_path)
    assert "certificate 1" in said["dongxi agent run site.toml --once"]
    assert "3 of 4 lots have traded" in said["dongxi sell H100.GUIAN.261205 4 --price 11.60 --yes"]
    assert "-3" in said["dongxi positions"]
    assert "11.60" in said["dongxi orders"], "the fourth lot waits in the book"
    assert "GUIAN" in said["dongxi reservations"]


def test_a_market_day_is_run_as_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    page = (TUTORIALS / "run-a-market-day.md").read_text("utf-8")
    *day, after, end = BLOCK.findall(page)
    with ServerProcess(tmp_path / "exchange") as server:
        for name in ("chen", "wang"):
            (tmp_path / f"{name}.toml").write_text(profile_text(server.add_operator(name)), "utf-8")
        said = run("".join(day), tmp_path)
        server.step("at 15:45")
        evening = run(after, tmp_path)
        said |= run(end, tmp_path)
    assert (tmp_path / "blue.toml").stat().st_mode & 0o777 == 0o600
    assert "5,250,000.50" in said["dongxi members list"]
    assert "5,250,013.00" in evening["dongxi members list"], "with what two operators gave back"
    halted = said["dongxi halt --hub GUIAN"].split()[0]
    assert said["dongxi resume --hub GUIAN"].split()[0] == halted != "0"
    assert "approved by wang" in said["dongxi proposals list"]
    assert "every byte is sound" in said["dongxi audit verify --data saved"]
