"""The members' commands against a server in a process of its own.

Most run inside this process, which saves the program's start each time; the last tests start it.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest
from command_desk import Desk
from program import DONGXI, environment, run
from proxy import proxied
from server_process import ServerProcess

from exchange.api.requests import NewOrder
from exchange.clearing.ledger import LedgerKind
from exchange.client import ExchangeClient, Profile
from exchange.commands.member.statement import KINDS_ZH

pytestmark = pytest.mark.xdist_group("commands")
DAYS = ("261205", "261206", "261207")
PRICES = {"GUIAN": "11.50", "WUHU": "12.40", "NANJING-EDGE": "12.50"}


@dataclass
class Traders(Desk):
    """A running market with offers at three hubs, and two members."""

    buyer: Profile
    seller: Profile


async def furnish(server: ServerProcess) -> tuple[Profile, Profile]:
    buyer, seller = await server.admit("blue"), await server.admit("acme", "provider")
    async with ExchangeClient(server.base_url, seller) as client:
        for hub, price in PRICES.items():
            for period in (*DAYS, "2701"):
                offer = NewOrder(symbol=f"H100.{hub}.{period}", side="sell", quantity=4, price=price)
                await client.place(offer)
    return buyer, seller


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, server: ServerProcess) -> Traders:
    made = Traders(server, tmp_path_factory.mktemp("members"), *asyncio.run(furnish(server)))
    made.log_in(made.seller, made.buyer)
    return made


def test_a_key_is_kept_for_its_owner_only(desk: Traders) -> None:
    kept = desk.folder / "config/dongxi/profiles/blue.toml"
    assert kept.stat().st_mode & 0o777 == 0o600
    shown = desk.run("login", "--list")
    assert "acme" in shown.stdout
    assert desk.buyer.secret not in shown.stdout
    secret = ("0" * 64 + "\n").encode()
    known = ("--key-id", desk.buyer.key_id, "--base-url", desk.server.base_url)
    wrong = desk.run("login", "blue", *known, stdin=secret)
    assert wrong.returncode == 1
    assert "BAD_SIGNATURE" in wrong.stderr
    assert "dongxi login" in wrong.stderr
    assert "000000" not in wrong.stderr, "no secret is shown"
    assert desk.run("balance").returncode == 0, "the good key is still there"


def test_without_a_key_one_sees_the_market_and_is_told_how_to_log_in(desk: Traders) -> None:
    nobody = {"XDG_CONFIG_HOME": str(desk.folder / "nobody")}
    there = ("--base-url", desk.server.base_url)
    seen = desk.run("markets", "--grade", "H100", "--hub", "GUIAN", *there, **nobody)
    assert seen.returncode == 0, seen.stderr
    assert "Asia/Shanghai" in seen.stdout
    assert "CNY/lot-hour" in seen.stdout
    assert "11.50 × 4" in seen.stdout
    terms = desk.run("contract", "h100.guian.2701", *there, **nobody)
    assert terms.returncode == 0, terms.stderr
    assert "744 card-hours" in terms.stdout
    assert "H100.GUIAN.270131" in terms.stdout  # what it becomes
    refused = desk.run("balance", *there, **nobody)
    assert refused.returncode == 2
    assert "dongxi login" in refused.stderr


def test_the_environment_has_a_key_too(desk: Traders) -> None:
    key = {
        "DONGXI_MEMBER": "acme",
        "DONGXI_KEY_ID": desk.seller.key_id,
        "DONGXI_SECRET": desk.seller.secret,
        "DONGXI_BASE_URL": desk.server.base_url,
    }
    assert f"Account {desk.seller.account}" in desk.run("balance", **key).stdout
    del key["DONGXI_SECRET"]
    assert "DONGXI_SECRET not set" in desk.run("balance", **key).stderr


def test_an_order_is_previewed_placed_seen_and_cancelled(desk: Traders) -> None:
    asked = ("buy", "H100.GUIAN.2701", "2", "--price", "11.20")
    preview = desk.run(*asked, stdin=b"n\n")
    assert preview.returncode == 1
    assert "2 rest" in preview.stdout
    assert "16,665.60" in preview.stdout, "11.20 CNY × 744 h × 2 lots"
    assert "Nothing was done" in preview.stderr
    assert desk.json("orders") == []
    (placed,) = desk.json(*asked, "--yes", "--id", "42")  # type: ignore[misc]
    assert placed["state"] == "resting"
    again = desk.run(*asked, "--yes", "--id", "42")
    assert again.returncode == 0, "the same order under the same id is the same order"
    (standing,) = desk.json("orders")  # type: ignore[misc]
    assert (standing["client_order_id"], standing["order_id"]) == ("42", placed["order_id"])
    assert placed["order_id"] in desk.run("orders", "--id", "42").stdout
    assert desk.run("cancel", placed["order_id"]).returncode == 0
    gone = desk.run("cancel", placed["order_id"])
    assert gone.returncode == 1
    assert "UNKNOWN_ORDER" in gone.stderr


def test_an_order_outside_limits_is_refused_and_says_what_to_do(desk: Traders) -> None:
    refused = desk.run("buy", "H100.GUIAN.2701", "1", "--price", "99.00", "--yes")
    assert refused.returncode == 1
    assert "10.81 to 13.21" in refused.stderr
    assert "Nothing was done" in refused.stderr


def test_cards_are_bought_where_they_are_cheapest_and_near_enough(desk: Traders) -> None:
    days = ("buy", "--start", "2026-12-05", "--duration", "3d", "--of", "Shanghai")
    far = desk.run(*days, "--cards", "6", "--any-hub-within", "100ms", "--dry-run")
    assert "4 × H100" not in far.stdout
    assert "H100.GUIAN.261205" in far.stdout
    assert "H100.WUHU.261205" in far.stdout, "4 in Guian, 2 more in Wuhu"
    near = desk.run(*days, "--cards", "6", "--any-hub-within", "20ms", "--yes")
    assert near.returncode == 0, near.stderr
    assert "GUIAN" not in near.stdout
    held = {one["symbol"]: one["quantity"] for one in desk.json("positions")}  # type: ignore[attr-defined]
    assert held == {
        f"H100.{hub}.{day}": lots for hub, lots in (("WUHU", 4), ("NANJING-EDGE", 2)) for day in DAYS
    }
    many = desk.run(*days, "--cards", "60", "--any-hub-within", "20ms")
    assert many.returncode == 2
    assert "the offers don't suffice" in many.stderr
    nowhere = desk.run(*days[:-1], "Atlantis", "--cards", "6", "--any-hub-within", "20ms")
    assert "unknown city 'Atlantis'" in nowhere.stderr


def test_the_statement_adds_up_in_every_form(desk: Traders) -> None:
    shown = desk.json("statement")
    assert shown["opening_fen"] == 0  # type: ignore[index]
    csv = desk.run("statement", "--form", "csv").stdout
    first, *_, last = csv.splitlines()
    assert first == "day,what,contract,amount_cny,cash_cny"
    assert last.endswith(f"{shown['closing_fen'] / 100:.2f}")  # type: ignore[index]
    page = desk.folder / "statement.html"
    assert desk.run("statement", "--form", "html", "--out", str(page)).returncode == 0
    text = page.read_text("utf-8")
    assert "Account statement 账户结算单" in text
    assert "Closing cash 期末资金" in text
    assert "http" not in text, "it needs nothing from a network"


def test_a_statement_names_every_reason_in_chinese_too() -> None:
    words = (Path(__file__).resolve().parents[3] / "exchange/gateway/static/lib/chinese.js").read_text(
        "utf-8"
    )
    on_screen = dict(re.findall(r'"money_of\.([^"]+)": "([^"]+)"', words))
    assert {kind.label for kind in LedgerKind} == set(KINDS_ZH)
    assert on_screen == KINDS_ZH, "the screens call them the same"


def test_a_provider_posts_capacity_and_takes_it_back(desk: Traders) -> None:
    days = ("--from", "2026-12-10", "--to", "2026-12-20")
    what = ("--grade", "H100", "--hub", "GUIAN", "--cards", "16", "--price", "11.50", "--profile", "acme")
    posted = desk.json("capacity", "post", *what, *days)
    listed = desk.run("capacity", "list", "--profile", "acme")
    assert "2026-12-10" in listed.stdout
    ended = desk.run("capacity", "withdraw", posted["capacity_id"], "--profile", "acme")  # type: ignore[index]
    assert ended.returncode == 0
    assert desk.json("capacity", "list", "--profile", "acme")["capacity"] == []  # type: ignore[index]
    wrong = desk.run("capacity", "post", *what, "--from", "tomorrow", "--to", "2026-12-20")
    assert wrong.returncode == 1
    assert "first_day" in wrong.stderr or "day" in wrong.stderr


def test_the_rest_is_shown(desk: Traders) -> None:
    assert "11.50" in desk.run("book", "H100.GUIAN.2701").stdout
    assert "10.81 … 13.21" in desk.run("quote", "h100.guian.2701").stdout
    assert desk.json("reservations") == []
    assert "UNKNOWN_RESERVATION" in desk.run("nominate", "7", "--workload", "w", "--cards", "1").stderr
    assert desk.json("resell", "list") == []
    assert "UNKNOWN_OFFER" in desk.run("resell", "take", "7", "1").stderr
    told = desk.run("watch", "H100.GUIAN.2701", "--json", "--count", "3").stdout.splitlines()
    assert json.loads(told[0])["type"] == "welcome"


@pytest.mark.parametrize(
    ("typed", "offered"), [("dongxi book H100.WU", "H100.WUHU.2701"), ("dongxi buy --hub SU", "SUZHOU-EDGE")]
)
def test_the_shell_completes_contracts_and_hubs(desk: Traders, typed: str, offered: str) -> None:
    words = {"_TYPER_COMPLETE_ARGS": "", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    shown = run(_DONGXI_COMPLETE="complete_bash", XDG_CONFIG_HOME=str(desk.folder / "config"), **words)
    assert offered in shown.stdout.split()


async def test_a_server_gone_in_mid_order_leaves_an_order_that_can_be_asked_for(desk: Traders) -> None:
    async with proxied(desk.server.base_url) as proxy:

        async def dongxi(*arguments: str) -> tuple[int | None, str, str]:
            process = await asyncio.create_subprocess_exec(
                DONGXI,
                *arguments,
                "--base-url",
                proxy.base_url,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=environment(XDG_CONFIG_HOME=str(desk.folder / "config")),
            )
            out, err = await process.communicate()
            return process.returncode, out.decode(), err.decode()

        order = ("buy", "H100.GUIAN.2701", "1", "--price", "11.10", "--yes")
        proxy.lose_answer, proxy.cut_after = b"POST /v1/orders HTTP", True
        code, _, said = await dongxi(*order, "--id", "77", "--patience", "0")
        assert code == 3
        assert "may or may not have been taken" in said
        assert "dongxi orders --id 77" in said
        proxy.mend()
        assert (await dongxi("orders", "--id", "77"))[0] == 0
        code, said, _ = await dongxi(*order, "--id", "77")
        assert code == 0
        assert "0 of 1 lots have traded" in said
    standing = await asyncio.to_thread(desk.json, "orders")
    assert [one["client_order_id"] for one in standing] == ["77"]  # type: ignore[attr-defined]


async def test_ctrl_c_in_mid_order_says_what_is_certain(desk: Traders) -> None:
    async with proxied(desk.server.base_url) as proxy:
        proxy.lose_answer, proxy.cut_after = b"POST /v1/orders HTTP", True
        order = ("buy", "H100.GUIAN.2701", "1", "--price", "11.10", "--yes", "--id", "78")
        process = await asyncio.create_subprocess_exec(
            *(DONGXI, *order, "--base-url", proxy.base_url),
            stderr=asyncio.subprocess.PIPE,
            env=environment(XDG_CONFIG_HOME=str(desk.folder / "config")),
        )
        await proxy.lost.wait()
        process.send_signal(signal.SIGINT)
        _, said = await process.communicate()
        assert process.returncode == 3
        assert b"may or may not have been taken" in said
        assert b"dongxi orders --id 78" in said
