"""Applying a batch of commands: one compiled call."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from matching.ahead import look_ahead
from matching.amending import amend_order, cancel_order, mass_cancel
from matching.auction import equilibrium
from matching.constants import (
    AMEND,
    CANCEL,
    INDICATIVE,
    MASS_CANCEL,
    NEW,
    NO_REJECT,
    NOT_A_CALL,
    PUBLISH,
    R_UNKNOWN_COMMAND,
)
from matching.emit import emit, emit_rejected
from matching.entry import instrument_fault, new_order
from matching.jit import COMPILED, Row, inlined, kernel, wide
from matching.layout import STOP_BUY, STOP_SELL, instrument_at, ladder_at
from matching.stops import run_stops


@inlined
def events_at_most(core: Row) -> int:
    """Return how many events the next command can cause at most.

    Each open order can be triggered, traded once and once more for each refresh, cancelled, and each of these
    can change a level.
    """
    return 6 * core["live_orders"] + 2 * core["refreshes"] + 64


@kernel
def indicative_of(core: Row, number: int) -> tuple[int, int, int]:
    """Return what an uncross would do now: price, lots, surplus; zeros outside a call."""
    phase = instrument_at(core, number)["phase"]
    if phase in NOT_A_CALL:
        return wide(0), wide(0), wide(0)
    return equilibrium(core, number)


@kernel
def _publish_indicative(core: Row, command: Row) -> None:
    code = instrument_fault(core, command["instrument"])
    if code != NO_REJECT:
        emit_rejected(core, command, code)
        return
    number = wide(command["instrument"])
    price, lots, surplus = indicative_of(core, number)
    emit(core, INDICATIVE, 0, 0, number, -1, price, lots, surplus)


@inlined
def has_stops(core: Row, number: int) -> bool:
    """Tell whether any stop stands in an instrument."""
    buys, sells = ladder_at(core, number * 4 + STOP_BUY), ladder_at(core, number * 4 + STOP_SELL)
    return bool(buys["best"] != 0 or sells["best"] != 0)


@inlined
def apply_one(core: Row, command: Row) -> None:
    """Apply one command."""
    core["seq"] = command["seq"]
    kind = command["kind"]
    number = wide(-1)
    if kind == NEW:
        number = new_order(core, command)
    elif kind == CANCEL:
        cancel_order(core, command)
    elif kind == AMEND:
        number = wide(amend_order(core, command))
    elif kind == MASS_CANCEL:
        mass_cancel(core, command)
    elif kind == PUBLISH:
        _publish_indicative(core, command)
    else:
        emit_rejected(core, command, R_UNKNOWN_COMMAND)
    if number >= 0 and has_stops(core, number):
        run_stops(core, number)


@kernel
def apply_batch(cores: NDArray[Any], commands: NDArray[Any], start: int) -> int:
    """Apply commands from `start` on while their events have room; returns the first one not applied.

    A call from 0 starts a new buffer of events; a later one goes on with it.
    """
    core = cores[0]
    if start == 0:
        core["event_count"] = 0
    for place in range(start, len(commands)):
        if core["event_count"] + events_at_most(core) > core["event_capacity"]:
            return place
        if COMPILED:
            look_ahead(core, commands, place)
        apply_one(core, commands[place])
    return len(commands)
