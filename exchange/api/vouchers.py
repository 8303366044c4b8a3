"""Compute vouchers over HTTP (chapter 11)."""

from typing import Annotated, Literal

from msgspec import Meta

from exchange.api.answers import Answer
from exchange.api.requests import ClientName, Fen, Request

Names = Annotated[list[Annotated[str, Meta(min_length=1, max_length=64)]], Meta(max_length=64)]


class OpenProgramme(Request, frozen=True, kw_only=True):
    """Sets an issuer's cash aside for vouchers; without hubs or grades they pay for everything."""

    issuer: ClientName
    name: Annotated[str, Meta(min_length=1, max_length=64)]
    budget_fen: Fen
    share_basis_points: Annotated[int, Meta(ge=1, le=10_000, description="most of one invoice")]
    last_day: Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="last delivery day")]
    hubs: Names | None = None
    grades: Names | None = None


class IssueVoucher(Request, frozen=True, kw_only=True):
    """Gives a member vouchers of the programme."""

    member: ClientName
    amount_fen: Fen


class ProgrammeMade(Answer, frozen=True, kw_only=True):
    """The budget is set aside."""

    programme_id: str
    as_of_seq: int


class VoucherIssued(Answer, frozen=True, kw_only=True):
    """The member's voucher of this programme, new or with more on it."""

    voucher_id: str
    as_of_seq: int


class Programme(Answer, frozen=True, kw_only=True):
    """A programme: `issued = spent + expired + outstanding`, at most the budget."""

    programme_id: str
    issuer: str
    name: str
    budget_fen: int
    issued_fen: int
    spent_fen: int
    expired_fen: int
    outstanding_fen: int
    share_basis_points: int
    last_day: str
    hubs: list[str]
    grades: list[str]
    ended: bool


class Programmes(Answer, frozen=True, kw_only=True):
    """All programmes."""

    programmes: list[Programme]
    as_of_seq: int


class VoucherLine(Answer, frozen=True, kw_only=True):
    """One movement of a voucher's balance; `issued` and `returned` add to it."""

    seq: int
    day: str
    voucher_id: str
    kind: Literal["issued", "spent", "returned", "expired"]
    amount_fen: int
    reservation_id: str | None


class Voucher(Answer, frozen=True, kw_only=True):
    """What the account holds of one programme."""

    voucher_id: str
    programme_id: str
    issued_fen: int
    spent_fen: int
    expired_fen: int
    outstanding_fen: int


class Vouchers(Answer, frozen=True, kw_only=True):
    """The account's vouchers, and their statement: the latest 1,000 movements, oldest first."""

    vouchers: list[Voucher]
    lines: list[VoucherLine]
    as_of_seq: int
