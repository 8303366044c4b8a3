"""`dongxi listing` against a server (clauses 2.9, 4.2)."""

from __future__ import annotations

import asyncio

import pytest
from command_desk import Desk
from server_process import ServerProcess

pytestmark = pytest.mark.xdist_group("commands")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, server: ServerProcess) -> Desk:
    made = Desk(server, tmp_path_factory.mktemp("listing"))
    made.log_in(asyncio.run(server.admit("reader")), server.operator)
    return made


def test_rules_are_added_changed_and_removed_and_others_stay(desk: Desk) -> None:
    before = desk.json("listing", "show")["rules"]  # type: ignore[index,call-overload]
    what = ("month", "--load", "peak", "--grade", "a100", "--hub", "wuhu")
    rule = {"kind": "month", "ahead": 3, "profile": "peak", "grade": "A100", "hub": "WUHU"}
    assert desk.json("listing", "add", *what, "--ahead", "3") == [*before, rule]
    told = desk.run("listing", "add", *what, "--ahead", "4").stdout
    assert "from the next day that is opened" in told
    assert desk.json("listing", "show")["rules"] == [*before, rule | {"ahead": 4}]  # type: ignore[index,call-overload]
    assert desk.json("listing", "remove", *what) == before
    again = desk.run("listing", "remove", *what)
    assert again.returncode == 2
    assert "no rule lists peak months of A100 at WUHU; `dongxi listing show`" in again.stderr
    assert desk.json("listing", "show")["rules"] == before  # type: ignore[index,call-overload]
    hours = desk.run("listing", "add", "hour", "--load", "peak", "--ahead", "1")
    assert (hours.returncode, "INVALID_RULE" in hours.stderr) == (1, True)
    member = desk.run("listing", "remove", "day", "--profile", "reader")
    assert (member.returncode, "SCOPE_REQUIRED" in member.stderr) == (1, True)


def test_hours_are_set_for_some_months_and_the_others_stay(desk: Desk) -> None:
    set_ = ("listing", "hours", "wuhu", "--from")
    first = desk.json(*set_, "2031-04", "--peak", "9-12,18-24", "--valley", "0-8")
    peak, valley = [9, 10, 11, *range(18, 24)], list(range(8))
    hours = {"hub": "WUHU", "peak": [peak] * 12, "valley": [valley] * 12}
    assert first == {"from_month": "2031-04-01", "hours": hours}
    told = desk.run(*set_, "2031-05", "--valley", "1-7", "--months", "6-8,12").stdout
    rows = [line.split()[2:] for line in told.splitlines() if "WUHU" in line]
    assert rows == [
        ["1-5", "9-12,18-24", "0-8"],
        ["6-8", "9-12,18-24", "1-7"],
        ["9-11", "9-12,18-24", "0-8"],
        ["12", "9-12,18-24", "1-7"],
    ]
    found = desk.json("listing", "show")["profiles"]  # type: ignore[index,call-overload]
    assert [one["from_month"] for one in found if one["hours"]["hub"] == "WUHU"][-2:] == [
        "2031-04-01",
        "2031-05-01",
    ]
    assert "2031-05-01" in desk.run("listing", "show").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("2031-13", "--peak", "9-12"), "2031-13"),
        (("soon", "--peak", "9-12"), "no month such as 2027-04"),
        (("2032-01",), "name --peak, --valley or both"),
        (("2032-01", "--peak", "12-9"), "in order within 0 to 24"),
        (("2032-01", "--peak", "20-25"), "in order within 0 to 24"),
        (("2032-01", "--peak", "noon"), "hours such as 10-13,17-22"),
        (("2032-01", "--peak", "9-12", "--months", "11-13"), "within 1 to 12"),
        (("2032-01", "--peak", "0-24"), "would be peak and valley in month 1"),
    ],
)
def test_hours_that_cannot_be_say_why(desk: Desk, arguments: tuple[str, ...], said: str) -> None:
    refused = desk.run("listing", "hours", "GUIAN", "--from", *arguments)
    assert refused.returncode in (1, 2)
    assert said in refused.stderr
