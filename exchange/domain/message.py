"""What every rare command is made from."""

from __future__ import annotations

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True):
    """Base of every rare command."""

    by: str = ""
    """The API key that sent it, `session of MEMBER` (clause 9.10), or `command line`; empty: the exchange
    itself, for what the calendar causes. Nothing depends on it: it is there to be found (docs/audit.md).
    """


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what a rare command is put together from."""
