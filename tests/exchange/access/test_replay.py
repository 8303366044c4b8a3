"""A signed request is good once, also across a restart (clauses 9.3, 9.4)."""

from __future__ import annotations

import secrets
import time
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from exchange_server import DEPOSIT_FEN, Served, serving
from hypothesis import given
from hypothesis import strategies as st

from exchange.api.signing import WINDOW_MS
from exchange.client import Profile
from exchange.gateway.networks import allowed, parse_networks
from exchange.service.nonces import Nonces, nonce_digest, nonce_entry

DEPOSIT = b'{"member": "blue", "amount_fen": 1}'
ORDER = b'{"symbol": "H100.GUIAN.261208", "side": "buy", "quantity": 1, "price": "12.00"}'


async def send(served: Served, profile: Profile, path: str, body: bytes, stamp: int, nonce: str) -> str:
    status, answer = await served.raw("POST", path, body, profile=profile, timestamp_ms=stamp, nonce=nonce)
    return "done" if status == 200 else str(answer["error"]["code"])  # type: ignore[index]


async def test_a_replay_is_refused_before_and_after_a_restart(tmp_path: Path) -> None:
    # signed by a clock that is ahead: the only kind whose timestamp survives a restart
    ahead = time.time_ns() // 1_000_000 + 25_000
    deposit_nonce, order_nonce, unused = (secrets.token_urlsafe(16) for _ in range(3))
    async with serving(tmp_path) as served:
        member = await served.admit("blue", "enterprise")
        await served.at(9)
        for profile, path, body, nonce in (
            (served.operator, "/v1/operator/deposits", DEPOSIT, deposit_nonce),
            (member, "/v1/orders", ORDER, order_nonce),
        ):
            assert await send(served, profile, path, body, ahead, nonce) == "done"
            assert await send(served, profile, path, body, ahead, nonce) == "NONCE_REPLAYED"
        before = served.state()
    async with serving(tmp_path) as served:
        assert served.state() == before
        again = (served.operator, "/v1/operator/deposits", DEPOSIT, ahead)
        assert await send(served, *again, deposit_nonce) == "NONCE_REPLAYED"
        assert await send(served, member, "/v1/orders", ORDER, ahead, order_nonce) == "NONCE_REPLAYED"
        # another body under a used nonce is no better
        other = (member, "/v1/orders", ORDER.replace(b"12.00", b"11.90"), ahead)
        assert await send(served, *other, order_nonce) == "NONCE_REPLAYED"
        assert served.state() == before
        assert await send(served, *again, unused) == "done"
        async with served.client(member) as client:
            assert (await client.balances()).cash_fen == DEPOSIT_FEN + 2
            assert len(await client.orders()) == 1


async def test_a_request_from_before_the_start_is_stale(tmp_path: Path) -> None:
    before = time.time_ns() // 1_000_000
    async with serving(tmp_path) as served:
        sent = (served.operator, "/v1/operator/deposits", DEPOSIT, before)
        assert await send(served, *sent, secrets.token_urlsafe(16)) == "STALE_TIMESTAMP"


@given(st.lists(st.tuples(st.integers(0, 300_000), st.integers(-WINDOW_MS, WINDOW_MS)), max_size=60))
def test_a_nonce_is_remembered_as_long_as_it_could_be_used(requests: list[tuple[int, int]]) -> None:
    """Against a clock that only the test knows: what is forgotten has left the window."""
    nonces, start = Nonces(), 1_796_000_000_000
    noted: list[tuple[bytes, int]] = []
    for number, (later, skew) in enumerate(sorted(requests)):
        now = start + later
        noted.append((nonce_digest("k", str(number)), now + skew))
        nonces.note(nonce_entry(*noted[-1]))
        held = dict(nonces)
        assert all(digest in held for digest, stamp in noted if abs(stamp - now) <= WINDOW_MS)
    replayed = Nonces()
    replayed.note(nonces.state_bytes())
    assert replayed.state_bytes() == nonces.state_bytes()


Address = IPv4Address | IPv6Address


def plain(address: Address | None) -> Address | None:
    """An IPv4 address in IPv6 clothes is an IPv4 address."""
    return getattr(address, "ipv4_mapped", None) or address


@given(st.one_of(st.ip_addresses(), st.none()), st.ip_addresses())
def test_an_address_is_allowed_where_its_own_network_is(peer: Address | None, other: Address) -> None:
    networks = parse_networks([str(other)], "networks")
    assert allowed(networks, None if peer is None else str(peer)) == (plain(peer) == plain(other))
    assert allowed(networks, str(other))
    assert allowed((), None if peer is None else str(peer))


@given(st.text(max_size=43))
def test_any_text_is_a_network_or_refused(text: str) -> None:
    try:
        (network,) = parse_networks([text], "networks")
    except Exception as refused:
        assert getattr(refused, "code", None) == "INVALID_FIELD"
    else:
        assert parse_networks([network], "networks") == (network,)
        assert not allowed((network,), "nonsense")
