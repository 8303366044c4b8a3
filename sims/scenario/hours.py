"""The exchange's sessions as a scenario sets them."""

from __future__ import annotations

from datetime import time

import msgspec

from exchange.domain import sessions as rules
from exchange.service.bootstrap import SESSIONS
from sims.scenario.schema import Sessions


def sessions_of(told: Sessions) -> rules.Sessions:
    """Return the sessions of every day of a scenario; they may be at fault."""
    start, close = SESSIONS.continuous[0].start, SESSIONS.close
    end_minutes = close.hour * 60 + close.minute - told.closing_call_minutes
    end = time(*divmod(end_minutes, 60))
    stretches: tuple[rules.Stretch, ...] = (rules.Stretch(start=start, end=end),)
    if told.break_from is not None and told.break_until is not None:
        stretches = (
            rules.Stretch(start=start, end=told.break_from),
            rules.Stretch(start=told.break_until, end=end),
        )
    return msgspec.structs.replace(
        SESSIONS, continuous=stretches, margin_runs=told.margin_runs, call_minutes=told.call_minutes
    )
