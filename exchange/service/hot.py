"""Compiled passes over the records of one frame; each reads or writes every record once."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from matching.constants import TRADE, UNCROSS
from matching.jit import kernel
from matching.records import ANY_INSTRUMENT

_ANY = int(ANY_INSTRUMENT)


@kernel
def take(source: NDArray[Any], target: NDArray[Any], account: int) -> None:
    """Copy commands (dtype COMMAND) and overwrite their account."""
    for i in range(len(source)):
        target[i] = source[i]
        target[i]["account"] = account


@kernel
def stamp(commands: NDArray[Any], first_seq: int, time_ns: int) -> None:
    """Write seq, rising by one, and time into commands."""
    for i in range(len(commands)):
        commands[i]["seq"] = first_seq + i
        commands[i]["time_ns"] = time_ns


@kernel
def to_slots(commands: NDArray[Any], target: NDArray[Any], slots: NDArray[Any], unknown: int) -> None:
    """Copy commands with contract indices replaced by the kernel's slots; `unknown` where there is none."""
    for i in range(len(commands)):
        target[i] = commands[i]
        contract = commands[i]["instrument"]
        if 0 <= contract < len(slots):
            target[i]["instrument"] = slots[contract]
        elif contract != _ANY:
            target[i]["instrument"] = unknown


@kernel
def to_contracts(rows: NDArray[Any], target: NDArray[Any], contracts: NDArray[Any]) -> int:
    """Copy events with slots replaced by contract indices, -1 where no known contract is meant; return how
    many are trades.
    """
    trades = 0
    for i in range(len(rows)):
        target[i] = rows[i]
        slot = rows[i]["instrument"]
        target[i]["instrument"] = contracts[slot] if slot >= 0 else -1
        trades += rows[i]["kind"] == TRADE
    return trades


@kernel
def mark(events: NDArray[Any], changed: NDArray[Any], seq: int) -> int:
    """Enter `seq` for each contract that events name; return the highest contract beyond `changed`, or
    -1.
    """
    beyond = -1
    for i in range(len(events)):
        contract = events[i]["instrument"]
        if contract >= len(changed):
            beyond = max(beyond, contract)
        elif contract >= 0:
            changed[contract] = seq
    return beyond


@kernel
def record_trades(events: NDArray[Any], ring: NDArray[Any], trades: int, time_ns: int) -> int:
    """Enter trades into a ring of TAPE_ROW after `trades` earlier ones; return how many there are now."""
    for i in range(len(events)):
        event = events[i]
        if event["kind"] != TRADE:
            continue
        row = ring[trades % len(ring)]
        trades += 1
        row["trade_id"] = trades
        row["seq"] = event["seq"]
        row["time_ns"] = time_ns
        row["order_id"] = event["order_id"]
        row["contra_id"] = event["contra_id"]
        row["price"] = event["price"]
        row["quantity"] = event["quantity"]
        row["account"] = event["account"]
        row["contra_account"] = event["contra_account"]
        row["instrument"] = event["instrument"]
        row["side"] = event["side"]
        row["auction"] = 1 if event["flags"] & UNCROSS else 0
    return trades


@kernel
def first_from(rows: NDArray[Any], seq: int) -> int:
    """Return the place of the first row whose seq isn't below `seq`; seqs never fall."""
    low, high = 0, len(rows)
    while low < high:
        middle = (low + high) // 2
        if rows[middle]["seq"] < seq:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def count_kind(events: NDArray[Any], kind: int) -> int:
    """Return how many events are of a kind."""
    count = 0
    for i in range(len(events)):
        if events[i]["kind"] == kind:
            count += 1
    return count
