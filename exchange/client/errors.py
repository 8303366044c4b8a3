"""What a client can be told besides an answer."""

from exchange.api.codes import NOTHING_DONE


class ExchangeError(Exception):
    """The exchange refused a request, or could not be reached.

    `code` is stable (`CONNECTION_FAILED`, `UNREADABLE_ANSWER` and `HTTP_…`, for answers without a code, are
    the client's own), `status` the HTTP status or 0, `field` what was at fault. After one of the client's
    own, NOT_ACKNOWLEDGING or INTERNAL the outcome of a command is unknown: look before sending it again.
    """

    def __init__(
        self, code: str, status: int, message: str, field: str | None = None, *, sent: bool = True
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.sent = sent
        """False if no connection came about, so that nothing can have been done."""
        self.code = code
        self.status = status
        self.message = message
        self.field = field

    @property
    def outcome_unknown(self) -> bool:
        """Whether a command that met this may have been done all the same."""
        if self.code in ("CONNECTION_FAILED", "UNREADABLE_ANSWER"):
            return self.sent
        return self.status >= 500 and self.code not in NOTHING_DONE


class FeedClosed(Exception):
    """The server ended the feed; `close_code` and `reason` say why (RFC 6455 codes)."""

    def __init__(self, close_code: int, reason: str) -> None:
        super().__init__(f"The feed was closed ({close_code}): {reason or 'no reason given'}")
        self.close_code = close_code
        self.reason = reason


class BookMismatch(Exception):
    """A local book isn't the exchange's: the checksums differ. Subscribe anew."""

    def __init__(self, symbol: str, seq: int) -> None:
        super().__init__(f"The local book of {symbol} differs from the exchange's at {seq}; subscribe anew.")
        self.symbol = symbol
        self.seq = seq
