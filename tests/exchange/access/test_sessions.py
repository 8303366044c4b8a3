"""Log-in with a password, sessions and what ends them, CSRF, the slow-down (clauses 9.10, 9.11)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from exchange_server import serving
from hypothesis import given
from hypothesis import strategies as st
from logged_in import PASSWORD, browsing

from exchange.client import ExchangeError
from exchange.gateway.sessions import IDLE_S, LIFE_S, SESSIONS_A_MEMBER_MAX, SESSIONS_MAX, Sessions
from exchange.gateway.slowdown import FORGET_S, REMEMBERED_MAX, Slowdown


async def test_a_session_acts_with_its_members_scopes_until_log_out(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, browsing(served) as browser:
        blue = await served.admit("blue", "enterprise")
        async with served.client(served.operator) as operator:
            await operator.set_password("blue", PASSWORD)
        await served.at(9)
        assert await browser.ask("GET", "/v1/session") == (401, "NOT_LOGGED_IN")
        status, answer = await browser.log_in("blue")
        assert (status, answer["member"], answer["scopes"]) == (200, "blue", ["read", "trade"])
        for part in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"):
            assert part in browser.cookie
        assert "Secure" not in browser.cookie  # plain HTTP on loopback
        assert answer["csrf_token"] not in browser.cookie
        assert (await browser.ask("GET", "/v1/balances"))[1]["account"] == blue.account
        order = {"symbol": "H100.GUIAN.261208", "side": "buy", "quantity": 1, "price": "12.00"}
        for wrong in ("", "x", answer["csrf_token"][:-1]):
            assert await browser.ask("POST", "/v1/orders", order, Dongxi_Csrf=wrong) == (403, "CSRF_REQUIRED")
        foreign = await browser.ask("POST", "/v1/orders", order, Origin="https://evil.example")
        assert foreign == (403, "CSRF_REQUIRED")
        placed = await browser.ask("POST", "/v1/orders", order, Origin=served.base_url)
        assert placed[1]["order"]["status"] == "resting"
        assert await browser.ask("GET", "/v1/operator/members") == (403, "SCOPE_REQUIRED")
        assert await browser.ask("DELETE", "/v1/session", Dongxi_Csrf="") == (403, "CSRF_REQUIRED")
        assert (await browser.ask("DELETE", "/v1/session"))[0] == 200
        assert await browser.ask("GET", "/v1/balances") == (401, "AUTHENTICATION_REQUIRED")


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_a_stolen_cookie_is_worth_nothing_after_log_out_or_a_restart(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, browsing(served) as browser:
        async with served.client(served.operator) as operator:
            await operator.set_password("operator", PASSWORD)
        await browser.log_in("operator")
        first = browser.cookie.split(";")[0]
        await browser.ask("DELETE", "/v1/session")
        assert await browser.ask("GET", "/v1/session", Cookie=first) == (401, "NOT_LOGGED_IN")
        await browser.log_in("operator")
        second = browser.cookie.split(";")[0]
        assert (await browser.ask("GET", "/v1/session"))[1]["roles"] == [
            "market",
            "risk",
            "treasury",
            "admin",
        ]
    async with serving(tmp_path) as served, browsing(served) as browser:
        assert await browser.ask("GET", "/v1/balances", Cookie=second) == (401, "NOT_LOGGED_IN")
        assert (await browser.log_in("operator"))[0] == 200  # the password is journaled
    held = everything_in(tmp_path)
    assert PASSWORD.encode() not in held
    assert second.partition("=")[2].encode() not in held


async def test_a_new_password_ends_every_session_of_its_member(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as served,
        browsing(served) as here,
        browsing(served) as there,
        browsing(served) as other,
    ):
        async with served.client(served.operator) as operator:
            for name in ("blue", "red"):
                await served.admit(name, "enterprise")
                await operator.set_password(name, PASSWORD)
        for browser, name in ((here, "blue"), (there, "blue"), (other, "red")):
            assert (await browser.log_in(name))[0] == 200
        wrong = {"old_password": "another password", "new_password": "a better horse battery"}
        assert await here.ask("POST", "/v1/session/password", wrong) == (401, "LOGIN_FAILED")
        short = {"old_password": PASSWORD, "new_password": "short"}
        assert await here.ask("POST", "/v1/session/password", short) == (422, "INVALID_FIELD")
        right = wrong | {"old_password": PASSWORD}
        assert (await here.ask("POST", "/v1/session/password", right))[0] == 200
        assert (await there.ask("GET", "/v1/session")) == (401, "NOT_LOGGED_IN")
        assert (await other.ask("GET", "/v1/session"))[0] == 200
        assert await here.log_in("blue") == (401, "LOGIN_FAILED")
        assert (await here.log_in("blue", "a better horse battery"))[0] == 200


async def test_failures_slow_the_name_down_and_say_for_how_long(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, browsing(served) as browser:
        await served.admit("blue", "enterprise")
        async with served.client(served.operator) as operator:
            await operator.set_password("blue", PASSWORD)
        # all at once: counted before they are checked, so that no more than five are free
        tried = await asyncio.gather(*(browser.log_in("blue", f"wrong {n}") for n in range(12)))
        assert [answer[1] for answer in tried].count("LOGIN_FAILED") == 5
        assert [answer[1] for answer in tried].count("LOGIN_SLOWED") == 7
        assert await browser.log_in("nobody", "wrong") == (401, "LOGIN_FAILED")  # as for a name that exists


async def test_a_foreign_page_logs_nobody_in(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, browsing(served) as browser:
        async with served.client(served.operator) as operator:
            await operator.set_password("operator", PASSWORD)
        refused = await browser.log_in("operator", Origin="https://evil.example")
        assert refused == (403, "CSRF_REQUIRED")
        assert browser.cookie == ""


async def test_who_may_set_whose_password(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.add_operator("second", "admin")
        async with served.client(served.operator) as operator:
            with pytest.raises(ExchangeError, match="NOT_OVER_HTTP"):
                await operator.set_password("second", PASSWORD)
            with pytest.raises(ExchangeError, match="UNKNOWN_MEMBER"):
                await operator.set_password("nobody", PASSWORD)
            with pytest.raises(ExchangeError, match="INVALID_FIELD") as short:
                await operator.set_password("operator", "eleven char")
            assert "eleven char" not in str(short.value)
            # a session may do more than a key of fewer scopes, so that such a key makes no password
            made = await operator.add_key("operator", ("operate",))
        narrow = type(served.operator)(
            member="operator",
            account=served.operator.account,
            key_id=made.key_id,
            secret=made.secret,
            base_url=served.base_url,
        )
        async with served.client(narrow) as client:
            with pytest.raises(ExchangeError, match="SCOPE_REQUIRED"):
                await client.set_password("operator", PASSWORD)


@given(
    st.lists(st.tuples(st.integers(0, 2 * IDLE_S), st.sampled_from(["open", "find", "close"])), max_size=60)
)
def test_sessions_end_when_idle_and_at_their_age(steps: list[tuple[int, str]]) -> None:
    now = 0.0
    sessions = Sessions(lambda: now)
    model: list[tuple[int, str, float, float]] = []  # number, token, began, last used; the oldest first
    for number, (ahead, action) in enumerate(steps):
        now += ahead
        model = [one for one in model if now - one[2] <= LIFE_S and now - one[3] <= IDLE_S]
        if action == "open":
            opened = sessions.open("blue", "hash")
            assert opened is not None
            model = [*model, (number, opened[0], now, now)][-SESSIONS_A_MEMBER_MAX:]
        elif model and action == "close":
            sessions.close(model.pop(0)[1])
        elif model:
            made, token, began, _ = model.pop(number % len(model))
            assert sessions.find(token) is not None
            model = sorted([*model, (made, token, began, now)])
        assert sessions.find("none of these") is None
    alive = {token for _, token, *_ in model}
    assert all(sessions.find(token) is not None for token in alive)


def test_a_members_ninth_session_ends_its_oldest_and_no_other() -> None:
    sessions = Sessions(lambda: 0.0)
    tokens: list[str] = []
    for _ in range(SESSIONS_A_MEMBER_MAX + 1):
        opened = sessions.open("blue", "hash")
        assert opened is not None
        tokens.append(opened[0])
        alive = [token for token in tokens if sessions.look(token) is not None]
        assert alive == tokens[-SESSIONS_A_MEMBER_MAX:]


def test_sessions_are_bounded_and_make_room_as_they_end() -> None:
    now = 0.0
    sessions = Sessions(lambda: now)
    for number in range(SESSIONS_MAX):
        assert sessions.open(f"m{number}", "hash") is not None
    assert sessions.open("late", "hash") is None
    assert sessions.open("m0", "hash") is None
    now = IDLE_S + 1.0
    assert sessions.open("late", "hash") is not None


def test_the_slow_down_is_the_rulebooks() -> None:
    now = 0.0
    slow = Slowdown(5, lambda: now)
    for _ in range(5):
        assert slow.wait_s("blue") == 0
        slow.begin("blue")
    waits = []
    for _ in range(8):
        waits.append(slow.wait_s("blue"))
        now += waits[-1]
        assert slow.wait_s("blue") == 0
        slow.begin("blue")
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]  # clause 9.11
    assert slow.wait_s("red") == 0
    slow.succeeded("blue")
    assert slow.wait_s("blue") == 0
    for _ in range(6):
        slow.begin("blue")
    assert slow.wait_s("blue") == 2
    now += FORGET_S + 1
    assert slow.wait_s("blue") == 0
    for number in range(REMEMBERED_MAX + 5):
        slow.begin(str(number))
    assert slow.wait_s("0") == 0
