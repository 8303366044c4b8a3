"""Commands of brokers, vouchers and limits against a server (clauses 5.13, 8.9 to 8.15, 11.1 to 11.4)."""

from __future__ import annotations

import asyncio

import pytest
from command_desk import Desk
from server_process import ServerProcess

pytestmark = pytest.mark.xdist_group("commands")
SYMBOL = "H100.TIANFU.2701"
NEEDED = ("--price", "11.50", "--yes")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, server: ServerProcess) -> Desk:
    made = Desk(server, tmp_path_factory.mktemp("brokers"))
    kinds = {"mill": "provider", "city": "enterprise", "north": "broker"}
    made.log_in(server.operator, *(asyncio.run(server.admit(*one)) for one in kinds.items()))
    return made


def test_a_client_is_opened_charged_and_its_fill_given_up(desk: Desk) -> None:
    assert desk.json("broker", "clients") == []
    for name in ("liu", "wang"):
        assert desk.run("broker", "add", name).returncode == 0
        asyncio.run(desk.server.pay_in(f"north/{name}"))
    again = desk.run("broker", "add", "liu")
    assert again.returncode == 1
    assert "MEMBER_EXISTS" in again.stderr
    told = desk.run("broker", "commission", "liu", "--basis-points", "3", "--per-lot", "0.50")
    assert told.stdout == "liu pays 3 basis points and 0.50 CNY a lot from 2026-12-05 on.\n"
    (agreed,) = desk.json("broker", "commissions")  # type: ignore[misc]
    assert (agreed["basis_points"], agreed["next_basis_points"], agreed["next_fen_per_lot"]) == (0, 3, 50)

    assert desk.run("sell", SYMBOL, "10", *NEEDED, "--profile", "mill").returncode == 0
    (bought,) = desk.json("buy", SYMBOL, "10", *NEEDED, "--client", "liu")  # type: ignore[misc]
    assert bought["state"] == "filled"
    (fill,) = desk.json("fills", "--client", "liu")  # type: ignore[misc]
    (held,) = desk.json("positions", "--client", "liu")  # type: ignore[misc]
    assert (held["symbol"], held["quantity"]) == (SYMBOL, 10)
    assert desk.json("positions") == [], "the broker's own account has none"

    offer = ("broker", "offer", fill["fill_id"], "6", "north/wang", "--fee", "3.00", "--client", "liu")
    assert "is offered" in desk.run(*offer).stdout
    (offered,) = desk.json("broker", "give-ups", "--client", "wang")  # type: ignore[misc]
    assert (offered["giver"], offered["lots"], offered["fee_fen"]) == ("north/liu", 6, 300)
    taken = desk.json("broker", "accept", offered["give_up_id"], "--client", "wang")
    assert taken == offered | {"state": "accepted"}
    assert desk.run("broker", "decline", offered["give_up_id"], "--client", "liu").returncode == 1
    money = desk.json("broker", "statements")
    assert list(money) == ["liu", "wang"]  # type: ignore[call-overload]
    (fee,) = (line for line in money["wang"]["lines"] if line["kind"] == "give up fee")  # type: ignore[call-overload]
    assert fee["amount_fen"] == -300
    assert desk.json("statement", "--client", "wang")["member"] == "north/wang"  # type: ignore[call-overload]


def test_what_a_broker_asks_wrongly_says_what_to_do(desk: Desk) -> None:
    nobody = desk.run("balance", "--client", "nobody")
    assert nobody.returncode == 1
    assert "dongxi broker clients" in nobody.stderr
    other = desk.run("broker", "commission", "liu", "--basis-points", "1", "--profile", "mill")
    assert "NOT_A_BROKER" in other.stderr
    amount = desk.run("broker", "commission", "liu", "--per-lot", "0.505")
    assert amount.returncode == 2
    assert "at most two decimals" in amount.stderr
    desk.run("broker", "add", "liu")  # unless an earlier test did
    unknown = desk.run("broker", "offer", "99-buy", "1", "mill", "--client", "liu")
    assert "dongxi fills" in unknown.stderr


def test_vouchers_are_opened_issued_and_reported(desk: Desk) -> None:
    operator = ("--profile", desk.server.operator.member)
    terms = (
        "city",
        "GUIAN 30 %",
        "--budget",
        "5,000",
        "--share",
        "30",
        "--until",
        "2026-12-31",
        "--hub",
        "guian",
    )
    refused = desk.run("vouchers", "open", *terms)
    assert "SCOPE_REQUIRED" in refused.stderr
    opened = desk.run("vouchers", "open", *terms, *operator)
    assert opened.stdout == "Programme 1 is open: 5,000.00 CNY of city are set aside.\n"
    assert desk.json("vouchers", "issue", "1", "mill", "600", "--profile", "city") == {"voucher_id": "1"}
    beyond = desk.run("vouchers", "issue", "1", "mill", "4400.01", "--profile", "city")
    assert beyond.returncode == 1
    assert "dongxi vouchers report" in beyond.stderr
    (programme,) = desk.json("vouchers", "report", *operator)  # type: ignore[misc]
    assert (programme["budget_fen"], programme["issued_fen"], programme["ended"]) == (500_000, 60_000, False)
    shown = desk.run("vouchers", "list", "--profile", "mill").stdout
    assert "600.00" in shown
    assert "30 %" in shown
    missing = desk.run("vouchers", "report", "7")
    assert missing.returncode == 2
    assert "there is no programme '7'; there are: 1" in missing.stderr


def test_an_operator_sets_limits_and_what_isnt_named_stays(desk: Desk) -> None:
    operator = ("--profile", desk.server.operator.member)
    before = desk.json("large-positions", *operator)
    wanted = ("--month", "50000", "--contract", "h100.tianfu.2701=20000", *operator)
    told = desk.run("position-limits", *wanted).stdout
    assert "month 50,000, quarter 100,000; H100.TIANFU.2701 20,000." in told
    after = desk.json("large-positions", *operator)
    assert after["day_cards"] == before["day_cards"]  # type: ignore[index,call-overload]
    assert after["contracts"] == [{"symbol": SYMBOL, "cards": 20_000}]  # type: ignore[index,call-overload]
    ended = desk.json("position-limits", "--contract", f"{SYMBOL}=", *operator)
    assert ended["contracts"] == []  # type: ignore[index,call-overload]
    wrong = desk.run("position-limits", "--contract", "H100", *operator)
    assert "'H100' is not SYMBOL=CARDS" in wrong.stderr
    unknown = desk.run("position-limits", "--contract", "H100.TIANFU.9901=1", *operator)
    assert "UNKNOWN_CONTRACT" in unknown.stderr


def test_nobody_is_taken_in_whose_key_cant_be_written(desk: Desk) -> None:
    operator = ("--profile", desk.server.operator.member)
    key = desk.folder / "red.toml"
    nowhere = desk.run("members", "add", "red", "--out", str(desk.folder / "no" / "red.toml"), *operator)
    assert nowhere.returncode == 2
    assert "can't be written (No such file or directory); name another file" in nowhere.stderr
    told = desk.run("members", "add", "red", "--cash", "1000", "--out", str(key), *operator)
    assert told.returncode == 0, told.stderr
    assert "red is a member: enterprise" in told.stdout
    assert "1,000.00 CNY are booked to red." in told.stdout
    assert key.stat().st_mode & 0o777 == 0o600
