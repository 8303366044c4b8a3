"""Onboarding, suspension, and brokers with their clients, over HTTP (clauses 5.4, 8.2, 8.7, 8.9)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec
import pytest
from exchange_server import Served, serving

from exchange.api import requests
from exchange.client import ExchangeClient, ExchangeError, Profile

SYMBOL = "H100.GUIAN.261208"


def order(side: str, price: str = "12.00") -> requests.NewOrder:
    return requests.NewOrder(symbol=SYMBOL, side=side, quantity=1, price=price)


async def refused(awaited: object) -> str:
    with pytest.raises(ExchangeError) as caught:
        await awaited  # type: ignore[misc]
    return caught.value.code


def broker_client(served: Served, profile: Profile, client: str | None = None) -> ExchangeClient:
    return ExchangeClient(served.base_url, profile, client=client, retries=0)


async def test_an_applicant_reads_and_does_not_trade_until_approved(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        async with served.client(served.operator) as operator:
            made = await operator.add_member("newcomer", "provider")
            await operator.deposit("newcomer", 10**9)
            assert await refused(operator.set_member_state("newcomer", "suspended")) == "WRONG_MEMBER_STATE"
            assert await refused(operator.set_member_state("nobody", "approved")) == "UNKNOWN_MEMBER"
            await served.at(9)
            profile = msgspec.structs.replace(
                served.operator,
                member="newcomer",
                account=made.account,
                key_id=made.key_id,
                secret=made.secret,
            )
            async with served.client(profile) as member:
                assert (await member.balances()).cash_fen == 10**9
                assert await refused(member.place(order("buy"))) == "ACCOUNT_DISABLED"
                post = requests.PostCapacity(
                    grade="H100", hub="GUIAN", cards=8, first_day="2026-12-07", last_day="2026-12-08"
                )
                assert await refused(member.post_capacity(post)) == "MEMBER_NOT_APPROVED"
                await operator.set_member_state("newcomer", "approved")
                assert (await member.place(order("buy"))).order.status == "resting"
                await member.post_capacity(post)
        before = served.state()
    async with serving(tmp_path) as served:
        assert served.state() == before


async def test_a_suspension_cancels_and_an_approval_gives_the_same_equity_back(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        seller = await served.admit("seller", "market-maker")
        buyer = await served.admit("buyer", "enterprise")
        await served.at(9)
        async with (
            served.client(served.operator) as operator,
            served.client(seller) as sells,
            served.client(buyer) as buys,
        ):
            await sells.place(order("sell"))
            assert (await buys.place(order("buy"))).order.status == "filled"
            equity = (await buys.balances()).available_fen
            resting = await buys.place(order("buy", "11.90"))
            await operator.set_member_state("buyer", "suspended")
            assert await buys.orders() == []
            assert await refused(buys.cancel(resting.order.order_id)) == "UNKNOWN_ORDER"
            assert await refused(buys.place(order("buy"))) == "ACCOUNT_DISABLED"
            assert (await buys.balances()).available_fen == equity
            assert [position.quantity for position in await buys.positions()] == [1]
            assert await refused(operator.set_member_state("buyer", "approved")) == "SECOND_OPERATOR_NEEDED"
            proposal = await operator.propose_restore("buyer")
            assert await refused(operator.decide(proposal, True)) == "SAME_OPERATOR"
            async with served.client(await served.add_operator("second", "risk")) as second:
                assert (await second.decide(proposal, True)).decided_by == "second"
                assert await refused(second.decide(proposal, True)) == "PROPOSAL_OVER"
            assert (await buys.balances()).available_fen == equity
            assert (await buys.place(order("buy", "11.90"))).order.status == "resting"
            states = {member.member: member.state for member in await operator.members()}
            assert states["buyer"] == "approved"


async def test_a_broker_acts_for_its_own_clients_only(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        east, west = await served.admit("east", "broker"), await served.admit("west", "broker")
        other = await served.admit("other", "enterprise")
        await served.at(9)
        async with (
            served.client(served.operator) as operator,
            broker_client(served, east) as broker,
            broker_client(served, east, "liu") as liu,
            broker_client(served, west, "liu") as stranger,
            broker_client(served, other, "liu") as outsider,
        ):
            assert await refused(liu.balances()) == "UNKNOWN_CLIENT"
            client = await broker.add_client("liu")
            assert await refused(broker.add_client("liu")) == "MEMBER_EXISTS"
            assert await refused(outsider.balances()) == "UNKNOWN_CLIENT"
            async with served.client(other) as enterprise:
                assert await refused(enterprise.add_client("mine")) == "NOT_A_BROKER"
            await operator.deposit("east/liu", 10**9)
            assert [(c.name, c.cash_fen) for c in await broker.clients()] == [("liu", 10**9)]
            placed = await liu.place(order("buy"))
            assert [o.order_id for o in await liu.orders()] == [placed.order.order_id]
            assert await broker.orders() == []
            assert (await liu.balances()).account == client.account
            for of in (stranger, outsider):
                assert await refused(of.cancel(placed.order.order_id)) == "UNKNOWN_CLIENT"
                assert await refused(of.orders()) == "UNKNOWN_CLIENT"
            assert await refused(broker.cancel(placed.order.order_id)) == "UNKNOWN_ORDER"
            # the account of another broker's client can't be reached by a path-like name either
            async with broker_client(served, west, "../east/liu") as sneaky:
                assert await refused(sneaky.balances()) == "UNKNOWN_CLIENT"
            await operator.set_member_state("east", "suspended")
            assert await liu.orders() == []
            assert await refused(liu.place(order("buy"))) == "ACCOUNT_DISABLED"
            assert await refused(broker.add_client("wang")) == "MEMBER_NOT_APPROVED"
            await operator.set_member_state("east/liu", "approved")  # its broker isn't
            assert await refused(liu.place(order("buy"))) == "ACCOUNT_DISABLED"


async def test_a_key_bound_to_networks_is_good_only_from_there(tmp_path: Path) -> None:
    """Clause 9.8."""
    async with serving(tmp_path) as served:
        member = await served.admit("blue", "enterprise")
        async with served.client(served.operator) as operator:
            near = await operator.add_key("blue", ("read",), ("127.0.0.0/8", "::1"))
            far = await operator.add_key("blue", ("read",), ("192.0.2.0/24",))
            assert await refused(operator.add_key("blue", ("read",), ("192.0.2.1/24",))) == "INVALID_FIELD"
            listed = {key.key_id: key for key in await operator.keys()}
            assert listed[near.key_id].networks == ["127.0.0.0/8", "::1/128"]
            await operator.revoke_key(near.key_id)
            assert not {key.key_id: key for key in await operator.keys()}[near.key_id].enabled
        for key, expected in ((near, 401), (far, 403)):
            profile = msgspec.structs.replace(member, key_id=key.key_id, secret=key.secret)
            status, _ = await served.raw("GET", "/v1/balances", profile=profile)
            assert status == expected


async def test_cash_is_corrected_by_two_operators_within_a_day(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        member = await served.admit("blue", "enterprise")
        second = await served.add_operator("second", "treasury")
        async with (
            served.client(served.operator) as first,
            served.client(second) as other,
            served.client(member) as blue,
        ):
            cash = (await blue.balances()).cash_fen
            down = await first.propose_cash("blue", -100, "booked twice")
            assert (await blue.balances()).cash_fen == cash
            assert await refused(first.decide(down, True)) == "SAME_OPERATOR"
            # an id of one kind is not decided through the other kind's endpoint
            wrong = msgspec.structs.replace(down, kind="restore")
            assert await refused(first.decide(wrong, True)) == "UNKNOWN_PROPOSAL"
            await other.decide(down, True)
            assert (await blue.balances()).cash_fen == cash - 100
            up = await first.propose_cash("blue", 100, "was right")
            assert not (await other.decide(up, False)).approved
            too_much = await first.propose_cash("blue", -(10**15), "all of it")
            assert await refused(other.decide(too_much, True)) == "INSUFFICIENT_CASH"
            late = await first.propose_cash("blue", 7, "late")
            await served.at(8, 0, date(2026, 12, 5))
            assert await refused(other.decide(late, True)) == "PROPOSAL_OVER"
            assert (await blue.balances()).cash_fen == cash - 100
            lines = [(line.kind, line.amount_fen) for line in (await blue.statement("2026-12-04")).lines]
            assert lines == [("deposit", cash), ("adjustment", -100)]
            listed = await other.proposals()
            assert [proposal.decided_by for proposal in listed] == [None, None, "second", "second"]
        before = served.state()
    async with serving(tmp_path) as served:
        assert served.state() == before


async def test_nobody_can_make_themselves_a_second_operator(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, served.client(served.operator) as first:
        made = await first.add_member("second", "operator", state="approved", roles=("risk", "admin"))
        own = msgspec.structs.replace(
            served.operator, member="second", key_id=made.key_id, secret=made.secret
        )
        # clause 8.12: the first operator admits the second, and nobody a third, nor a key for another one
        third = first.add_member("third", "operator", state="approved", roles=("risk",))
        assert await refused(third) == "NOT_OVER_HTTP"
        assert await refused(first.add_key("second", ("read", "risk"))) == "NOT_OVER_HTTP"
        assert (await first.add_key("operator", ("read",))).member == "operator"
        async with served.client(own) as second:
            assert [key.member for key in await second.keys()] == ["operator", "second", "operator"]
            await first.set_member_state("second", "suspended")
            assert await refused(second.keys()) == "ROLE_REQUIRED"
            assert await refused(second.propose_restore("second")) == "ROLE_REQUIRED"
            restore = await first.propose_restore("second")
            assert await refused(second.decide(restore, True)) == "ROLE_REQUIRED"
            third_operator = await served.add_operator("third", "risk")
            async with served.client(third_operator) as other:
                await other.decide(restore, True)
            assert len(await second.keys()) == 4
