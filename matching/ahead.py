"""Looking ahead in a batch: ask for the cache lines that a later command will need, so that they are there in
time.

Nothing here changes or decides anything. A command is looked at twice: first for the rows that it names
itself, and some commands later, when those have arrived, for the rows that they name.
"""

from __future__ import annotations

from typing import Any, Final

from numpy.typing import NDArray

from matching.constants import NEW
from matching.exposure import holding_home
from matching.jit import Row, inlined, prefetch, wide
from matching.layout import account_at, holding_at, index_at, link_at, order_at

FAR: Final = 12
"""How many commands ahead the rows named by a command are asked for."""
NEAR: Final = 5
"""How many commands ahead the rows named by those are."""


@inlined
def _slot_of(core: Row, command: Row) -> int:
    """Return the slot that an order id names, brought into range."""
    slot = wide(command["order_id"]) & 0xFFFFFFFF
    return slot if slot <= core["max_orders"] else 0


@inlined
def ask_far(core: Row, command: Row) -> None:
    """Ask for what a command names: its account, and its order or its entry in the index of holdings."""
    account = wide(command["account"])
    prefetch(account_at(core, account))
    if command["kind"] == NEW:
        prefetch(index_at(core, holding_home(core, account, wide(command["instrument"]))))
    else:
        slot = _slot_of(core, command)
        prefetch(order_at(core, slot))
        prefetch(link_at(core, slot))


@inlined
def ask_near(core: Row, command: Row) -> None:
    """Ask for what those rows name: holding, and an order's neighbours in queue and account's list."""
    number = wide(command["instrument"])
    if command["kind"] == NEW:
        home = holding_home(core, wide(command["account"]), number)
        prefetch(holding_at(core, wide(index_at(core, home)["value"])))
        prefetch(link_at(core, wide(account_tail(core, command))))
        return
    slot = _slot_of(core, command)
    order, link = order_at(core, slot), link_at(core, slot)
    prefetch(holding_at(core, wide(order["holding"])))
    prefetch(order_at(core, wide(order["next"])))
    prefetch(order_at(core, wide(order["prev"])))
    prefetch(link_at(core, wide(link["next"])))
    prefetch(link_at(core, wide(link["prev"])))


@inlined
def account_tail(core: Row, command: Row) -> int:
    """Return the slot at the tail of a command's account's list, or 0 for an account out of range."""
    account = wide(command["account"])
    if 0 <= account < core["max_accounts"]:
        return wide(account_at(core, account)["tail"])
    return 0


@inlined
def look_ahead(core: Row, commands: NDArray[Any], place: int) -> None:
    """Look ahead from a place in a batch."""
    count = len(commands)
    if place + FAR < count:
        ask_far(core, commands[place + FAR])
    if place + NEAR < count:
        ask_near(core, commands[place + NEAR])
