"""The full terms of one contract over HTTP (rulebook chapters 2, 4, 5, 6 and 8)."""

from exchange.api.answers import Answer
from exchange.api.market import Contract, Grade, Hub
from exchange.api.regimes import RegimeKind


class Specification(Answer, frozen=True, kw_only=True):
    """Everything that a contract is: what, where and when it delivers, what it costs, how it ends."""

    contract: Contract
    grade: Grade
    hub: Hub
    card_hours: int
    """What one lot delivers in all."""
    tick_value_fen: int
    """What one tick on one lot is worth."""
    becomes: list[str]
    """The contracts that it becomes on its last trading day (clause 6.4); none of a day or an hour, which
    becomes reservations.
    """
    hours_of_day: list[int]
    """Hours 0 … 23 that it delivers on its first day; fixed when it is listed (clause 2.10)."""
    peak_hours: list[int]
    """Hours 0 … 23 that are peak at the hub when delivery begins (clause 2.9)."""
    valley_hours: list[int]
    regime: RegimeKind
    floor: str | None
    ceiling: str | None
    limit_basis_points: int
    """The day's limits either way, before widening and within the regime (clauses 4.5, 4.12)."""
    position_limit: int | None
    """Lots that one account may hold; null without a limit, and once the contract has ended (clause 5.13)."""
    maker_basis_points: int
    taker_basis_points: int
    as_of_seq: int
