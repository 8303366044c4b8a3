"""The operator's side: members, keys, cash."""

from __future__ import annotations

from exchange.api import requests
from exchange.api.access import KeyAnswer, Keys, MemberAnswer, Members
from exchange.api.answers import Done
from exchange.api.codes import RequestCode, refuse
from exchange.domain import messages
from exchange.gateway import translate
from exchange.gateway.call import ANY_OPERATOR, Call, Route
from exchange.gateway.networks import parse_networks
from exchange.service.exchange import Exchange
from exchange.service.secrets import new_key_id, new_secret


async def add_member(call: Call) -> MemberAnswer:
    """Take in a member: its account, and a first key whose secret is shown once (clause 8.7)."""
    wanted: requests.AddMember = call.body
    scopes = tuple(wanted.scopes or requests.SCOPES_BY_KIND[wanted.kind])
    if wanted.kind == "operator":
        _check_first_second(call.exchange)
    secret, key_id = new_secret(), new_key_id()
    key = messages.FirstKey(key_id, scopes, call.exchange.encrypt_secret(secret, key_id))
    message = messages.AddMember(
        name=wanted.name, kind=wanted.kind, state=wanted.state, roles=tuple(wanted.roles), key=key
    )
    data = (await call.submit(message)).data or {}
    return MemberAnswer(
        member=wanted.name,
        account=str(data["account"]),
        kind=wanted.kind,
        key_id=key_id,
        secret=secret.hex(),
        scopes=list(scopes),
        as_of_seq=call.exchange.views.seq,
    )


def _check_first_second(exchange: Exchange) -> None:
    """Raise RequestRefused NOT_OVER_HTTP if there are two operators: whoever could make a third one alone,
    or another's key, would be two (clause 8.12).
    """
    if sum(member.kind == "operator" for member in exchange.views.members()) > 1:
        raise refuse(
            RequestCode.NOT_OVER_HTTP,
            "Operators after the second are made on the exchange's machine: `dongxi operator add`.",
        )


async def members(call: Call) -> Members:
    """Answer all members and brokers' clients with their state and cash."""
    views = call.exchange.views
    return Members(members=[translate.member(view) for view in views.members()], as_of_seq=views.seq)


async def add_key(call: Call) -> KeyAnswer:
    """Make another key for a member; its secret is shown once."""
    wanted: requests.AddKey = call.body
    networks = parse_networks(wanted.networks, "networks")
    member = call.exchange.views.member(wanted.member)
    if member is not None and member.kind == "operator" and member.name != call.caller.member:
        raise refuse(
            RequestCode.NOT_OVER_HTTP,
            f"Only {member.name} makes keys for {member.name}; a lost one is replaced on the exchange's "
            "machine: `dongxi operator key`.",
        )
    return await _make_key(call, wanted.member, tuple(wanted.scopes), networks)


async def set_member_state(call: Call) -> Done:
    """Approve an applicant, or suspend a member (clause 8.7); a suspension's end is proposed."""
    return await call.done(messages.SetMemberState(name=call.path["name"], state=call.body.state))


async def keys(call: Call) -> Keys:
    """Answer all keys, without their secrets."""
    views = call.exchange.views
    return Keys(keys=[translate.key(view) for view in views.api_keys()], as_of_seq=views.seq)


async def revoke_key(call: Call) -> Done:
    """End a key at once."""
    return await call.done(messages.RevokeKey(key_id=call.path["key_id"]))


async def deposit(call: Call) -> Done:
    """Pay cash into a member's account (clause 8.3)."""
    paid: requests.Deposit = call.body
    return await call.done(messages.Deposit(member=paid.member, amount_fen=paid.amount_fen))


async def withdraw(call: Call) -> Done:
    """Pay out cash that nothing holds (clause 8.4)."""
    paid: requests.Withdrawal = call.body
    return await call.done(messages.Withdraw(member=paid.member, amount_fen=paid.amount_fen))


async def _make_key(
    call: Call, member: str, scopes: tuple[requests.Scope, ...], networks: tuple[str, ...]
) -> KeyAnswer:
    secret, key_id = new_secret(), new_key_id()
    exchange = call.exchange
    ciphertext = exchange.encrypt_secret(secret, key_id)
    message = messages.AddKey(
        member=member, key_id=key_id, scopes=scopes, ciphertext=ciphertext, networks=networks
    )
    await call.submit(message)
    key = exchange.views.key(key_id)
    if key is None:
        raise AssertionError(f"key {key_id} was added and isn't there")
    return KeyAnswer(
        member=member,
        account=str(key.account),
        key_id=key_id,
        secret=secret.hex(),
        scopes=list(scopes),
        networks=list(networks),
        as_of_seq=exchange.views.seq,
    )


ROUTES = (
    Route(
        method="POST",
        path="/v1/operator/members",
        handler=add_member,
        answer=MemberAnswer,
        summary="Admit a member",
        tag="operator",
        scope="operate",
        roles=("admin",),
        body=requests.AddMember,
    ),
    Route(
        method="GET",
        path="/v1/operator/members",
        handler=members,
        answer=Members,
        summary="All members",
        tag="operator",
        scope="operate",
        roles=ANY_OPERATOR,
    ),
    Route(
        method="POST",
        path="/v1/operator/members/{name}/state",
        handler=set_member_state,
        answer=Done,
        summary="Approve or suspend a member",
        tag="operator",
        scope="risk",
        roles=("risk", "admin"),
        body=requests.MemberState,
        path_help={"name": "the member's name"},
    ),
    Route(
        method="GET",
        path="/v1/operator/keys",
        handler=keys,
        answer=Keys,
        summary="All keys",
        tag="operator",
        scope="operate",
        roles=("admin",),
    ),
    Route(
        method="POST",
        path="/v1/operator/keys",
        handler=add_key,
        answer=KeyAnswer,
        summary="Make a key",
        tag="operator",
        scope="operate",
        roles=("admin",),
        body=requests.AddKey,
    ),
    Route(
        method="DELETE",
        path="/v1/operator/keys/{key_id}",
        handler=revoke_key,
        answer=Done,
        summary="Revoke a key",
        tag="operator",
        scope="operate",
        roles=("admin",),
        path_help={"key_id": "id of the key"},
    ),
    Route(
        method="POST",
        path="/v1/operator/deposits",
        handler=deposit,
        answer=Done,
        summary="Pay cash in",
        tag="operator",
        scope="operate",
        roles=("treasury",),
        body=requests.Deposit,
    ),
    Route(
        method="POST",
        path="/v1/operator/withdrawals",
        handler=withdraw,
        answer=Done,
        summary="Pay cash out",
        tag="operator",
        scope="operate",
        roles=("treasury",),
        body=requests.Withdrawal,
    ),
)
