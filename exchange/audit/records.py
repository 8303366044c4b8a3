"""What a trail is made of: one record of the journal, and what it did to the subject."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

What = Literal[
    "order",
    "refusal",
    "fill",
    "give-up",
    "change",
    "message",
    "settlement",
    "cascade",
    "expiry",
    "margin",
    "margin call",
    "statement",
]
"""What happened: a command and what it did, a step of the contract's life, or an entry of a statement."""


class FrameOf(msgspec.Struct, frozen=True, kw_only=True):
    """The journal frame that a record stands in; docs/journal.md says how `chain` follows from the rest."""

    segment: str
    offset: int
    """First byte in the segment."""
    first_seq: int
    last_seq: int
    previous_chain: str
    """Hex; the frame before's."""
    chain: str
    """Hex."""


class Margin(msgspec.Struct, frozen=True, kw_only=True):
    """An account as the gate saw it right after, fen (clause 3.36)."""

    equity_fen: int
    requirement_fen: int
    offset_fen: int


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One link of the chain."""

    seq: int
    at: str
    """Market time."""
    what: What
    who: str
    """Who caused it."""
    by: str
    """API key, `session of MEMBER` or `command line` that it came by; empty if from the exchange itself."""
    account: str
    """Whose account it concerns; empty if nobody's in particular."""
    contract: str
    """Symbol, or empty."""
    text: str
    amount_fen: int | None = None
    """What it moved on the account."""
    share_fen: int | None = None
    """Of that, what the traced fills alone account for."""
    margin: Margin | None = None
    """Where it can be told to the command."""
    message: dict[str, Any] | None = None
    """The journaled message, without secrets."""
    frame: FrameOf


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """The whole chain of a subject."""

    subject: str
    from_seq: int
    """The first command that was read; later than 1 if an older program wrote what came before."""
    as_of_seq: int
    records: list[Record]
