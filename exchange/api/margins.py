"""What margin is computed from, over HTTP (rulebook clauses 5.5 to 5.10, 5.15)."""

from typing import Annotated

from msgspec import Meta

from exchange.api.answers import Answer
from exchange.api.requests import Request

Rate = Annotated[int, Meta(ge=0, le=20_000, description="hundredths of a percent")]
Fen = Annotated[int, Meta(ge=0, le=2**60, description="fen")]


class MarginStep(Answer, frozen=True, kw_only=True):
    """The share of value that is the scan range, from so many trading days before the last one on."""

    trading_days_left: Annotated[int, Meta(ge=0, le=366)]
    basis_points: Rate


class MarginTerms(Answer, frozen=True, kw_only=True):
    """Steps near delivery with ascending days and falling rates, then the rates of clauses 5.7 to 5.10, 6.5,
    6.10 and the neighbours of 6.1 (0: no modelled price).
    """

    near_delivery: Annotated[list[MarginStep], Meta(max_length=8)]
    calendar_basis_points: Rate
    inter_hub_basis_points: Rate
    roll_basis_points: Rate
    roll_after_days: Annotated[int, Meta(ge=0, le=3_660)]
    buy_in_basis_points: Rate
    damages_basis_points: Rate
    concentration_share_basis_points: Rate
    concentration_floor_fen: Fen
    concentration_basis_points: Rate
    lock_limit_basis_points: Rate
    lock_margin_basis_points: Rate
    assessment_basis_points: Annotated[int, Meta(ge=0, le=100_000, description="hundredths of a percent")]
    model_neighbours: Annotated[int, Meta(ge=0, le=1_000)]


class SetMarginRules(Request, frozen=True, kw_only=True):
    """What margin is computed from; it replaces all rates."""

    rules: MarginTerms


class MarginRules(Answer, frozen=True, kw_only=True):
    """What margin is computed from."""

    rules: MarginTerms
    as_of_seq: int
