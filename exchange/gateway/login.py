"""Log-in to the screens: sessions and passwords over HTTP (clauses 9.10, 9.11)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

from exchange.api import requests
from exchange.api.access import SessionAnswer
from exchange.api.answers import Done
from exchange.api.codes import RequestCode, refuse
from exchange.api.requests import SCOPES_BY_KIND
from exchange.domain import messages
from exchange.gateway.call import Call, Route
from exchange.gateway.sessions import Session
from exchange.service.passwords import hash_password

_STATUSES: Final = (401, 403, 404, 409, 429)


async def log_in(call: Call) -> SessionAnswer:
    """Open a session with a member's name and password; the answer sets the session cookie."""
    asked: requests.LogIn = call.body
    return _answer(call, await call.screens.log_in(call.browser, asked.member, asked.password))


async def session(call: Call) -> SessionAnswer:
    """Answer who is logged in, and the token that requests which change something must bring."""
    return _answer(call, call.screens.session_of(call.browser, changes=False))


async def log_out(call: Call) -> Done:
    """End the session."""
    call.screens.session_of(call.browser, changes=True)
    call.screens.sessions.close(call.browser.token)
    call.browser.keep("")
    return Done(as_of_seq=call.exchange.views.seq)


async def change_password(call: Call) -> Done:
    """Change one's own password; every session of the member ends, this one too."""
    asked: requests.ChangePassword = call.body
    caller = call.screens.caller_of(call.screens.session_of(call.browser, changes=True))
    await call.screens.check_password(call.browser, caller.member, asked.old_password)
    await _set(replace(call, signed_by=caller), caller.member, asked.new_password)
    call.browser.keep("")
    return Done(as_of_seq=call.exchange.views.seq)


async def set_password(call: Call) -> Done:
    """Set a member's password, such as its first one; its sessions end.

    An operator sets its own with a key of all an operator's scopes, and no other operator's (clause 8.12).
    """
    asked: requests.SetPassword = call.body
    member = call.exchange.views.member(asked.member)
    if member is not None and member.kind == "operator":
        _check_own(call, member.name)
    await _set(call, asked.member, asked.password)
    return Done(as_of_seq=call.exchange.views.seq)


def _check_own(call: Call, name: str) -> None:
    if name != call.caller.member:
        raise refuse(
            RequestCode.NOT_OVER_HTTP,
            f"Only {name} sets the password of {name}; a lost one is replaced on the exchange's machine: "
            "`dongxi operator password`.",
        )
    missing = set(SCOPES_BY_KIND["operator"]) - set(call.caller.scopes)
    if missing:
        raise refuse(
            RequestCode.SCOPE_REQUIRED,
            f"A session may do more than this key: it lacks {', '.join(sorted(missing))}.",
        )


async def _set(call: Call, member: str, password: str) -> None:
    hashed = await asyncio.to_thread(hash_password, password)
    await call.submit(messages.SetPassword(member=member, hash=hashed))


def _answer(call: Call, opened: Session) -> SessionAnswer:
    caller = call.screens.caller_of(opened)
    return SessionAnswer(
        member=caller.member,
        account=str(caller.account),
        kind=caller.kind,
        roles=list(caller.roles),
        scopes=list(caller.scopes),
        csrf_token=opened.csrf_token,
        as_of_seq=call.exchange.views.seq,
    )


ROUTES = (
    Route(
        method="POST",
        path="/v1/session",
        handler=log_in,
        answer=SessionAnswer,
        summary="Log in to the screens",
        tag="session",
        body=requests.LogIn,
        statuses=_STATUSES,
    ),
    Route(
        method="GET",
        path="/v1/session",
        handler=session,
        answer=SessionAnswer,
        summary="Who is logged in",
        tag="session",
        statuses=_STATUSES,
    ),
    Route(
        method="DELETE",
        path="/v1/session",
        handler=log_out,
        answer=Done,
        summary="Log out",
        tag="session",
        statuses=_STATUSES,
    ),
    Route(
        method="POST",
        path="/v1/session/password",
        handler=change_password,
        answer=Done,
        summary="Change one's own password",
        tag="session",
        body=requests.ChangePassword,
        statuses=_STATUSES,
    ),
    Route(
        method="POST",
        path="/v1/operator/passwords",
        handler=set_password,
        answer=Done,
        summary="Set a member's password",
        tag="operator",
        scope="operate",
        roles=("admin",),
        body=requests.SetPassword,
    ),
)
