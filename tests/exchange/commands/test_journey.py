"""A contract's whole life by three people at their shells: posted, certified, bought, nominated, delivered by
the site's agent, and on both statements.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from agent_site import site_file
from command_desk import Desk
from exchange_server import SATURDAY
from server_process import ServerProcess

from exchange.client import Profile

SYMBOL = "H100.GUIAN.261205"
PROVIDER, OPERATOR = ("--profile", "acme"), ("--profile", "operator")


async def admit(server: ServerProcess) -> tuple[Profile, Profile]:
    return await server.admit("acme", "provider"), await server.admit("blue")


def said(desk: Desk, *arguments: str) -> str:
    done = desk.run(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def certify(desk: Desk, site: str) -> None:
    """The agent registers its site, posts and attests; the operator certifies six of the eight cards."""
    assert "waits for an operator" in said(desk, "certificates", "by-hand", *OPERATOR)
    assert "awaits the operator" in said(desk, "agent", "run", site, "--once", *PROVIDER)
    assert "950,000" in said(desk, "certificates", "list", *OPERATOR)
    assert "Certificate 1: 6 cards" in said(desk, "certificates", "issue", "1", "6", *OPERATOR)
    assert "2026-12-05 … 2026-12-06" in said(desk, "capacity", "list", *PROVIDER)


def trade(desk: Desk) -> None:
    """A bid stands and is filled by the provider; the rest of the offer is found by what the buyer needs."""
    assert "0 of 4 lots have traded" in said(desk, "buy", SYMBOL, "4", "--price", "11.90", "--yes")
    sale = said(desk, "sell", SYMBOL, "6", "--price", "11.90", "--yes", *PROVIDER)
    assert "4 of 6 lots have traded" in sale
    near = ("--any-hub-within", "60ms", "--of", "Shanghai")
    bought = said(desk, "buy", "--cards", "1", "--start", "2026-12-05", "--duration", "1d", *near, "--yes")
    assert "all 1 lots have traded" in bought
    assert "11.90" in said(desk, "fills")
    assert "+5" in said(desk, "positions")


def deliver(desk: Desk, site: str) -> None:
    """The agent's rounds at half past each hour of Saturday, and the one after its end."""
    for hour in range(25):
        days, of_day = divmod(hour, 24)
        desk.server.step(f"at {of_day}:30 {SATURDAY + timedelta(days=days)}")
        said(desk, "agent", "run", site, "--once", *PROVIDER)
    desk.server.step(f"at 1:30 {SATURDAY + timedelta(days=1)}")


def test_from_posted_capacity_to_the_statement(tmp_path: Path) -> None:
    site = str(site_file(tmp_path, "GUIAN"))
    with ServerProcess(tmp_path / "exchange") as server:
        desk = Desk(server, tmp_path)
        desk.log_in(server.operator, *asyncio.run(admit(server)))
        certify(desk, site)
        trade(desk)
        server.step("at 15:45")
        assert SYMBOL in said(desk, "reservations")
        nominated = said(desk, "nominate", "1", "--workload", "llm-7b", "--cards", "5")
        assert "llm-7b on 5 cards of reservation 1" in nominated
        deliver(desk, site)
        for profile, sign in ((("--profile", "blue"), "-"), (PROVIDER, "")):
            row = next(line for line in said(desk, "reservations", *profile).splitlines() if SYMBOL in line)
            assert "120 of 120" in row
            assert "finished" in row
            day = ("statement", "--day", "2026-12-06", *profile)  # paid when the day is over
            paid = f"delivery payment,{SYMBOL},{sign}1428.00"  # 5 cards × 24 h × 11.90
            assert paid in said(desk, *day, "--form", "csv")
            assert f"{sign}1,428.00" in said(desk, *day)
