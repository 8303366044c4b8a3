"""Whether the process lives and takes commands, what version it is, and where the market stands."""

from exchange.api.answers import Answer


class Alive(Answer, frozen=True, kw_only=True):
    """The process answers."""

    alive: bool


class Ready(Answer, frozen=True, kw_only=True):
    """Whether commands are accepted and acknowledged, and if not, why."""

    ready: bool
    reason: str | None = None


class Version(Answer, frozen=True, kw_only=True):
    """What runs here."""

    name: str
    version: str
    api: str


class Status(Answer, frozen=True, kw_only=True):
    """The market as a whole.

    `state_hash` is that of the whole state after `state_hash_seq`. Hashing takes a while and anyone may ask,
    so it is made anew at most once a second and may lie a little behind `as_of_seq`.
    """

    market_time: str
    trading_day: str
    phase: str
    is_trading_day: bool
    clock_speed: float
    contracts_active: int
    members: int
    cash_total_fen: int
    state_hash: str
    state_hash_seq: int
    as_of_seq: int
