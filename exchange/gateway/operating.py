"""The operator's side: members, keys, cash."""

from __future__ import annotations

from exchange.api import answers, requests
from exchange.api.codes import RequestCode, refuse
from exchange.domain import messages
from exchange.gateway import translate
from exchange.gateway.call import Call, Route, accepted
from exchange.gateway.networks import parse_networks
from exchange.service.exchange import Exchange
from exchange.service.secrets import new_key_id, new_secret


async def add_member(call: Call) -> answers.MemberAnswer:
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
    data = accepted(await call.exchange.submit_rare(message)).data or {}
    return answers.MemberAnswer(
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


async def members(call: Call) -> answers.Members:
    """Answer all members and brokers' clients with their state and cash."""
    views = call.exchange.views
    return answers.Members(members=[translate.member(view) for view in views.members()], as_of_seq=views.seq)


async def add_key(call: Call) -> answers.KeyAnswer:
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
    return await _make_key(call.exchange, wanted.member, tuple(wanted.scopes), networks)


async def set_member_state(call: Call) -> answers.Done:
    """Approve an applicant, or suspend a member (clause 8.7); a suspension's end is proposed."""
    return await _done(call, messages.SetMemberState(name=call.path["name"], state=call.body.state))


async def keys(call: Call) -> answers.Keys:
    """Answer all keys, without their secrets."""
    views = call.exchange.views
    return answers.Keys(keys=[translate.key(view) for view in views.api_keys()], as_of_seq=views.seq)


async def revoke_key(call: Call) -> answers.Done:
    """End a key at once."""
    return await _done(call, messages.RevokeKey(key_id=call.path["key_id"]))


async def deposit(call: Call) -> answers.Done:
    """Pay cash into a member's account (clause 8.3)."""
    paid: requests.Deposit = call.body
    return await _done(call, messages.Deposit(member=paid.member, amount_fen=paid.amount_fen))


async def withdraw(call: Call) -> answers.Done:
    """Pay out cash that nothing holds (clause 8.4)."""
    paid: requests.Withdrawal = call.body
    return await _done(call, messages.Withdraw(member=paid.member, amount_fen=paid.amount_fen))


async def _done(call: Call, message: messages.RareMessage) -> answers.Done:
    accepted(await call.exchange.submit_rare(message))
    return answers.Done(as_of_seq=call.exchange.views.seq)


async def _make_key(
    exchange: Exchange, member: str, scopes: tuple[requests.Scope, ...], networks: tuple[str, ...]
) -> answers.KeyAnswer:
    secret, key_id = new_secret(), new_key_id()
    ciphertext = exchange.encrypt_secret(secret, key_id)
    message = messages.AddKey(
        member=member, key_id=key_id, scopes=scopes, ciphertext=ciphertext, networks=networks
    )
    accepted(await exchange.submit_rare(message))
    key = exchange.views.key(key_id)
    if key is None:
        raise AssertionError(f"key {key_id} was added and isn't there")
    return answers.KeyAnswer(
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
        answer=answers.MemberAnswer,
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
        answer=answers.Members,
        summary="All members",
        tag="operator",
        scope="operate",
        roles=("market", "risk", "treasury", "admin"),
    ),
    Route(
        method="POST",
        path="/v1/operator/members/{name}/state",
        handler=set_member_state,
        answer=answers.Done,
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
        answer=answers.Keys,
        summary="All keys",
        tag="operator",
        scope="operate",
        roles=("admin",),
    ),
    Route(
        method="POST",
        path="/v1/operator/keys",
        handler=add_key,
        answer=answers.KeyAnswer,
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
        answer=answers.Done,
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
        answer=answers.Done,
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
        answer=answers.Done,
        summary="Pay cash out",
        tag="operator",
        scope="operate",
        roles=("treasury",),
        body=requests.Withdrawal,
    ),
)
