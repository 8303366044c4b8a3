"""Orders under a client order id are done once: the same again gets the same answer (clause 9.9)."""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from exchange.api.codes import RequestCode, RequestRefused, refuse
from exchange.domain.messages import NoteRequests
from exchange.gateway.orders import Outcome, results_of
from exchange.service.clientorders import Key, order_digest
from exchange.service.exchange import Exchange
from matching.records import CommandKind, Records

_under_way: WeakKeyDictionary[Exchange, dict[Key, asyncio.Event]] = WeakKeyDictionary()
"""Ids of orders that were submitted and aren't answered yet; bounded by what the exchange lets wait."""

_clearing: set[asyncio.Task[None]] = set()
"""Held until they end: the loop itself only remembers tasks weakly."""


async def submit_once(exchange: Exchange, account: int, by: str, commands: Records) -> list[Outcome]:
    """Submit commands (dtype COMMAND, shape (n,), n ≥ 1) of a key or session (`by`) as one block; return each
    one's outcome in place.

    An order whose id is held isn't submitted: it gets its first answer, or CLIENT_ORDER_ID_USED. Raises
    RequestRefused if the block as a whole is refused.
    """
    named = _named(commands)
    if not named:
        exchange.note_sender(account, by)
        return await _submit(exchange, account, commands)
    under_way = _under_way.setdefault(exchange, {})
    ids = [(account, int(commands[at]["client_id"])) for at in named]
    while (busy := next((under_way[key] for key in ids if key in under_way), None)) is not None:
        await busy.wait()
    held = held_outcomes(exchange, account, commands)
    fresh = [at for at in range(len(commands)) if at not in held]
    if fresh:
        exchange.note_sender(account, by)
        keys = {at: key for at, key in zip(named, ids, strict=True) if at not in held}
        for at, key in keys.items():
            exchange.note_order(*key, order_digest(_owned(commands[at], account)))
        found = await _submit_named(exchange, account, commands[fresh], list(keys.values()))
        held |= dict(zip(fresh, found, strict=True))
    return [held[at] for at in range(len(commands))]


async def _submit_named(
    exchange: Exchange, account: int, commands: Records, keys: list[Key]
) -> list[Outcome]:
    """Submit, and keep the ids under way until the outcome is known, even if the caller goes away."""
    done = asyncio.Event()
    under_way = _under_way[exchange]
    under_way.update(dict.fromkeys(keys, done))

    def known() -> None:
        for key in keys:
            del under_way[key]
        done.set()

    async def known_later() -> None:
        # what is submitted later is answered later, whatever the answer is
        await exchange.submit_rare(NoteRequests())
        known()

    try:
        found = await _submit(exchange, account, commands)
    except asyncio.CancelledError:
        task = asyncio.create_task(known_later())
        _clearing.add(task)
        task.add_done_callback(_clearing.discard)
        raise
    except BaseException:
        known()
        raise
    known()
    return found


async def _submit(exchange: Exchange, account: int, commands: Records) -> list[Outcome]:
    result = await exchange.submit_hot(commands, account)
    if result.code is not None:
        raise RequestRefused(result.code.name, result.code.status, result.code.sentence)
    return results_of(exchange, commands, result.first_seq, result.events)


def held_outcomes(exchange: Exchange, account: int, commands: Records) -> dict[int, Outcome]:
    """Return, by place, the outcomes of orders whose id is held, or was used before in the same block."""
    outcomes: dict[int, Outcome] = {}
    seen: set[int] = set()
    for at in _named(commands):
        client_id = int(commands[at]["client_id"])
        first = exchange.views.client_order(account, client_id)
        if client_id in seen or (
            first is not None and first.digest != order_digest(_owned(commands[at], account))
        ):
            outcomes[at] = _used(client_id)
        elif first is not None:
            (outcomes[at],) = results_of(exchange, commands[at : at + 1], first.seq, first.records())
        seen.add(client_id)
    return outcomes


def _named(commands: Records) -> list[int]:
    """Return the places of orders with a client order id."""
    if not commands["client_id"].any():
        return []
    with_id = (commands["kind"] == CommandKind.NEW) & (commands["client_id"] != 0)
    places: list[int] = np.flatnonzero(with_id).tolist()
    return places


def _owned(command: Any, account: int) -> Any:
    """Return a copy of a record as the exchange will stamp it."""
    copy = command.copy()
    copy["account"] = account
    return copy


def _used(client_id: int) -> RequestRefused:
    return refuse(
        RequestCode.CLIENT_ORDER_ID_USED,
        f"The client order id {client_id} stands for another order; choose another id.",
        "client_order_id",
    )
