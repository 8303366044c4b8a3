"""Codes of requests that never reach the core: authentication, syntax, routing, capacity of the server.

Codes of commands that the core refuses live with the core (`exchange.domain.rejects`) and with the kernel.
A code is stable: clients may branch on it, while the sentence beside it may improve.
"""

from enum import Enum


class RequestCode(Enum):
    """Why a request was refused before a command was made of it; `value` is (HTTP status, what it means)."""

    MALFORMED_JSON = (400, "The body is not JSON.")
    INVALID_FIELD = (422, "A field is missing its type, its format or its range.")
    MISSING_FIELD = (422, "A required field is absent.")
    UNKNOWN_FIELD = (422, "The body has a field that this request does not know.")
    INVALID_PARAMETER = (422, "A query parameter is unknown or has a wrong value.")
    UNKNOWN_SYMBOL = (404, "No contract has this symbol.")
    CLIENT_ORDER_ID_USED = (409, "The account has used this client order id for another order.")
    UNKNOWN_HUB = (404, "No hub has this code.")
    PRICE_OFF_TICK = (422, "The price is not a multiple of the tick of 0.01 CNY.")
    BODY_TOO_LARGE = (413, "The body is larger than this endpoint accepts.")
    UNSUPPORTED_MEDIA_TYPE = (415, "The body is declared as something other than JSON.")
    AUTHENTICATION_REQUIRED = (401, "A header that signs the request is absent or malformed.")
    BAD_SIGNATURE = (401, "The key is unknown or revoked, or the signature does not match the request.")
    STALE_TIMESTAMP = (401, "The signed timestamp is outside the window around the server's clock.")
    NONCE_REPLAYED = (401, "This key has already used this nonce within the window.")
    NONCE_MEMORY_FULL = (503, "The server remembers as many nonces as it may and cannot rule out a replay.")
    SCOPE_REQUIRED = (403, "The key lacks the scope that this endpoint needs.")
    ROLE_REQUIRED = (403, "The operator lacks the role that this endpoint needs, or isn't one.")
    RATE_LIMIT = (429, "The key has made more requests than it may for now; nothing was done.")
    NOT_LOGGED_IN = (401, "There is no session, or it is over.")
    LOGIN_FAILED = (401, "There is no member of this name with this password.")
    LOGIN_SLOWED = (429, "Log-ins of this name or from this address have failed too often for now.")
    LOGIN_BUSY = (503, "As many passwords are being checked as may be at once.")
    SESSION_LIMIT = (503, "As many people are logged in as may be.")
    CSRF_REQUIRED = (403, "A request of a session lacks its token, or comes from another site's page.")
    NOT_OVER_HTTP = (403, "This is done on the exchange's machine, with `dongxi operator`.")
    ADDRESS_NOT_ALLOWED = (403, "The key may not be used from this address.")
    UNKNOWN_CLIENT = (404, "The member has no client of this name.")
    UNKNOWN_FILL = (404, "The account has no such fill today.")
    NOT_FOUND = (404, "Nothing answers at this path.")
    METHOD_NOT_ALLOWED = (405, "The path exists but does not answer this method.")
    BAD_REQUEST = (400, "The request isn't one that this endpoint can read.")
    UPGRADE_REQUIRED = (426, "The feed is a WebSocket: ask to upgrade the connection.")
    NOT_READY = (503, "The exchange is starting, stopping, or has stopped acknowledging.")
    TOO_MANY_READERS = (503, "The feed serves as many connections as it may.")
    HISTORY_UNAVAILABLE = (503, "The history is being built, or the process that fills it is down.")
    HISTORY_BUSY = (503, "As many queries of the history wait as may.")
    HISTORY_TIMEOUT = (504, "The query of the history took too long and was broken off.")
    UNKNOWN_PLAN = (404, "The account has no plan of this id.")
    NOTHING_TO_ACCEPT = (409, "The plan is not ready, or names no order that is still to be placed.")
    PLAN_NOT_FOLLOWED = (409, "The earlier plan is not accepted, not ready, or not of these days.")
    TOO_MANY_PLANS = (429, "As many plans wait as may, of the account or of all.")
    INTERNAL = (500, "The server failed; the outcome is unknown until it is looked up.")

    @property
    def status(self) -> int:
        """HTTP status of an answer that carries this code."""
        return int(self.value[0])

    @property
    def meaning(self) -> str:
        """One sentence for the reference page."""
        return str(self.value[1])


NOTHING_DONE = frozenset(
    {
        "BUSY",
        "STOPPING",
        "ENGINE_FULL",
        "TOO_MANY_HOLDINGS",
        "TOO_MANY_REFRESHES",
        *(code.name for code in RequestCode if code.status == 503),
    }
)
"""The codes with status 503: the command was not done, so that it may be sent again as it is."""


class RequestRefused(Exception):
    """Ends a request with a code and a sentence; raised and caught within one request, never in the core."""

    def __init__(
        self,
        code: str,
        status: int,
        message: str,
        field: str | None = None,
        *,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.status = status
        self.message = message
        self.field = field
        self.retry_after_s = retry_after_s


def refuse(code: RequestCode, message: str, field: str | None = None) -> RequestRefused:
    """The refusal for `code`, ready to raise."""
    return RequestRefused(code.name, code.status, message, field)
