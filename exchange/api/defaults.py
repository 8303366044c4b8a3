"""Margin calls, the auction of a defaulter's positions, and claims on it."""

from exchange.api.answers import Answer


class MarginCall(Answer, frozen=True, kw_only=True):
    """What an account lacked when that was last looked at; `restricted` once its deadline passed unmet."""

    account: str
    amount_fen: int
    issued: str
    due_at: str | None
    """Deadline of a call within the day; null: that of the next trading day."""
    restricted: bool


class MarginCalls(Answer, frozen=True, kw_only=True):
    """Margin calls that aren't met."""

    calls: list[MarginCall]
    as_of_seq: int


class AuctionLot(Answer, frozen=True, kw_only=True):
    """A position that may be bid for; `quantity` in lots, long positive."""

    account: str
    symbol: str
    quantity: int
    settlement_price: str


class Auctions(Answer, frozen=True, kw_only=True):
    """What restricted accounts hold."""

    lots: list[AuctionLot]
    as_of_seq: int


class Claim(Answer, frozen=True, kw_only=True):
    """What a defaulter owes to an account that paid in a layer of the waterfall; account 0 is the house."""

    seq: int
    debtor: str
    creditor: str
    layer: str
    amount_fen: int
    open_fen: int
    """What isn't repaid yet."""


class Claims(Answer, frozen=True, kw_only=True):
    """Claims in the order in which they arose."""

    claims: list[Claim]
    as_of_seq: int
