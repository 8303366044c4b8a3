"""What goes back over HTTP, whichever way the request came in: an answer or a refusal as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec
import structlog

from exchange.api.answers import Answer, Problem, ProblemAnswer
from exchange.api.codes import RequestCode, RequestRefused, refuse
from exchange.gateway.call import RETRIABLE

CONTENT_TYPE: Final = "application/json"
RETRY_AFTER_S: Final = 1
_LOG = structlog.get_logger("gateway")
_ENCODE: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Reply:
    """A status, a JSON body, and after how many seconds to come again, where that is said."""

    status: int
    body: bytes
    retry_after_s: int | None = None


def answered(answer: Answer) -> Reply:
    """Return an answer; fields that are None are kept as null."""
    return Reply(200, _ENCODE(answer))


def refused(why: RequestRefused) -> Reply:
    """Return a refusal."""
    body = ProblemAnswer(error=Problem(code=why.code, message=why.message, field=why.field))
    retry_after_s = why.retry_after_s or RETRY_AFTER_S if why.status in RETRIABLE else None
    return Reply(why.status, _ENCODE(body), retry_after_s)


def failed(method: str, path: str, raised: Exception) -> RequestRefused:
    """Return what the caller is told of an exception that nobody foresaw, which is logged: nothing about the
    inside of the program gets out.
    """
    _LOG.error("request failed", method=method, path=path, exc_info=raised)
    return refuse(
        RequestCode.INTERNAL, "The server failed while it handled this; look up what became of a command."
    )
