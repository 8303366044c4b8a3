"""Position limits and large positions over HTTP (rulebook clauses 5.13, 5.14)."""

from typing import Annotated

from msgspec import Meta

from exchange.api.answers import Answer
from exchange.api.requests import Request, Symbol

LimitCards = Annotated[int, Meta(ge=0, le=2**30, description="cards of one account in one contract; 0: none")]
Share = Annotated[int, Meta(ge=1, le=10_000, description="hundredths of a percent")]


class ContractLimit(Answer, frozen=True, kw_only=True):
    """A limit of one contract's own, instead of its period's."""

    symbol: Symbol
    cards: LimitCards


class SetPositionRules(Request, frozen=True, kw_only=True):
    """Limits by the length of a contract's period and of single contracts, and from which size on a position
    is reported; of what trades from the next settlement on. They replace all that were set before.
    """

    contracts: Annotated[list[ContractLimit], Meta(max_length=100)]
    day_cards: LimitCards
    week_cards: LimitCards
    month_cards: LimitCards
    quarter_cards: LimitCards
    report_limit_basis_points: Share
    report_share_basis_points: Share
    report_cards: LimitCards


class LargePosition(Answer, frozen=True, kw_only=True):
    """A position, long positive; its contract's limit is null without one."""

    member: str
    account: str
    symbol: str
    quantity: int
    limit: int | None
    open_interest_lots: int


class LargePositions(Answer, frozen=True, kw_only=True):
    """Every large position, by contract and account, and the rules that make it one."""

    positions: list[LargePosition]
    contracts: list[ContractLimit]
    day_cards: int
    week_cards: int
    month_cards: int
    quarter_cards: int
    report_limit_basis_points: int
    report_share_basis_points: int
    report_cards: int
    as_of_seq: int
