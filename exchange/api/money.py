"""An account's positions, cash, margin and statements."""

from exchange.api.answers import Answer


class Position(Answer, frozen=True, kw_only=True):
    """Net lots in one contract: positive is bought (long), negative sold (short)."""

    symbol: str
    quantity: int
    settlement_price: str


class Positions(Answer, frozen=True, kw_only=True):
    """The account's positions."""

    positions: list[Position]
    as_of_seq: int


class Balances(Answer, frozen=True, kw_only=True):
    """The account's cash and what open positions and orders hold of it.

    `available_fen` is free for orders; `withdrawable_fen` may be paid out: what positions have lost since the
    last settlement is taken off it, and today's gains aren't in it (clause 8.4).
    """

    account: str
    cash_fen: int
    delivery_hold_fen: int
    margin_fen: int
    available_fen: int
    withdrawable_fen: int
    as_of_seq: int


class MarginFigures(Answer, frozen=True, kw_only=True):
    """An account's equity, today's trades marked and fees paid; what margin holds of it; what remains."""

    equity_fen: int
    margin_fen: int
    available_fen: int


class MarginLine(Answer, frozen=True, kw_only=True):
    """One amount of margin and the clause that asks for it; what lowers margin is negative."""

    clause: str
    what: str
    how: str
    amount_fen: int


class MarginExplained(Answer, frozen=True, kw_only=True):
    """Where an account's margin comes from.

    `portfolio` sums to `portfolio_fen`, what the positions as they are ask for; `gate` sums to `margin_fen`,
    what orders are checked against now.
    """

    account: str
    portfolio: list[MarginLine]
    portfolio_fen: int
    gate: list[MarginLine]
    margin_fen: int
    equity_fen: int
    available_fen: int
    as_of_seq: int


class StatementLine(Answer, frozen=True, kw_only=True):
    """Money that moved, summed by kind and contract. Positive came in, negative went out."""

    kind: str
    symbol: str | None
    amount_fen: int


class Statement(Answer, frozen=True, kw_only=True):
    """One account, one day: opening cash + lines = closing cash, to the fen."""

    account: str
    day: str
    opening_cash_fen: int
    lines: list[StatementLine]
    closing_cash_fen: int
    as_of_seq: int
