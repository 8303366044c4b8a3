"""What all answers of the server share. `as_of_seq` is the journal sequence number that the state belongs to.

Prices are decimal strings in CNY per lot-hour, quantities integer lots, money integer fen, times RFC 3339 in
Asia/Shanghai, ids decimal strings. Fields may be added later; a client ignores those that it does not know.
"""

import msgspec


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Base of everything the server sends."""


class Problem(Answer, frozen=True, kw_only=True):
    """What was wrong: a stable code, one sentence, and the field at fault if there is one."""

    code: str
    message: str
    field: str | None = None


class ProblemAnswer(Answer, frozen=True, kw_only=True):
    """The body of every answer with a status of 400 or more."""

    error: Problem


class Done(Answer, frozen=True, kw_only=True):
    """The command was applied and is durable."""

    as_of_seq: int
