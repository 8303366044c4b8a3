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

PAGE = Path(__file__).resolve().parents[3] / "docs/tutorials/buy-a-month.md"
BLOCK = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
SYMBOL = "H100.GUIAN.2701"


async def furnish(server: ServerProcess, folder: Path) -> None:
    """A buyer with its file, and cards on offer."""
    (folder / "blue.toml").write_text(profile_text(await server.admit("blue")), "utf-8")
    async with ExchangeClient(server.base_url, await server.admit("acme", "provider")) as seller:
        await seller.place(NewOrder(symbol=SYMBOL, side="sell", quantity=6, price="11.60"))


def test_a_month_is_bought_as_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said: dict[str, str] = {}
    with ServerProcess(tmp_path / "exchange") as server:
        asyncio.run(furnish(server, tmp_path))
        for line in "".join(BLOCK.findall(PAGE.read_text("utf-8"))).splitlines():
            program, *arguments = shlex.split(line)
            assert program == "dongxi"
            home = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "COLUMNS": "200"}
            done = CliRunner().invoke(app, arguments, env=home)
            assert done.exit_code == 0, f"{line}: {done.output}"
            said[line] = done.stdout
    bought = said['dongxi buy --cards 4 --start 2027-01-01 --duration "1 month" --hub GUIAN --yes']
    assert "all 4 lots have traded" in bought
    assert "34,521.60" in bought, "11.60 CNY × 744 h × 4 lots"
    assert "+4" in said["dongxi positions"]
    assert "Account statement" in (tmp_path / "statement.html").read_text("utf-8")
