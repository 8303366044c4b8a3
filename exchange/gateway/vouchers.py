"""Compute vouchers' endpoints: an operator opens programmes, issuers give, members look (chapter 11)."""

from __future__ import annotations

from exchange.api import vouchers as api
from exchange.api.formats import day_text, parse_day, parse_id
from exchange.domain.calendar import date_of
from exchange.domain.vouchers import IssueVouchers, OpenVoucherProgramme
from exchange.gateway.call import Call, Route
from exchange.service.voucherstate import Programme, Vouchers

LINES_MAX = 1_000


async def open_programme(call: Call) -> api.ProgrammeMade:
    """Set an issuer's cash aside for vouchers (clause 11.1)."""
    told: api.OpenProgramme = call.body
    message = OpenVoucherProgramme(
        issuer=told.issuer,
        name=told.name,
        budget_fen=told.budget_fen,
        share_basis_points=told.share_basis_points,
        last_day=parse_day(told.last_day, "last_day"),
        hubs=tuple(told.hubs or ()),
        grades=tuple(told.grades or ()),
    )
    data = (await call.submit(message)).data or {}
    return api.ProgrammeMade(programme_id=str(data["programme_id"]), as_of_seq=call.exchange.views.seq)


async def issue_voucher(call: Call) -> api.VoucherIssued:
    """Give a member vouchers of the account's own programme (clause 11.2)."""
    told: api.IssueVoucher = call.body
    message = IssueVouchers(
        account=call.caller.account,
        programme_id=parse_id(call.path["programme_id"], "programme_id"),
        member=told.member,
        amount_fen=told.amount_fen,
    )
    data = (await call.submit(message)).data or {}
    return api.VoucherIssued(voucher_id=str(data["voucher_id"]), as_of_seq=call.exchange.views.seq)


async def programmes(call: Call) -> api.Programmes:
    """Answer all voucher programmes and what became of their budgets."""
    views = call.exchange.views
    kept = views.vouchers
    shown = [_programme(kept, number, of) for number, of in enumerate(kept.programmes, start=1)]
    return api.Programmes(programmes=shown, as_of_seq=views.seq)


def _programme(kept: Vouchers, number: int, programme: Programme) -> api.Programme:
    terms = programme.terms
    given = [voucher for voucher in kept.vouchers if voucher.programme_id == number]
    return api.Programme(
        programme_id=str(number),
        issuer=terms.issuer,
        name=terms.name,
        budget_fen=terms.budget_fen,
        issued_fen=programme.issued_fen,
        spent_fen=sum(voucher.spent_fen for voucher in given),
        expired_fen=sum(voucher.expired_fen for voucher in given),
        outstanding_fen=sum(voucher.outstanding_fen for voucher in given),
        share_basis_points=terms.share_basis_points,
        last_day=day_text(terms.last_day),
        hubs=list(terms.hubs),
        grades=list(terms.grades),
        ended=programme.ended,
    )


async def vouchers(call: Call) -> api.Vouchers:
    """Answer the account's vouchers and their statement."""
    views = call.exchange.views
    kept = views.vouchers
    mine = {n: of for n, of in enumerate(kept.vouchers, start=1) if of.account == call.caller.account}
    lines = [line for line in kept.lines if line.voucher_id in mine][-LINES_MAX:]
    return api.Vouchers(
        vouchers=[
            api.Voucher(
                voucher_id=str(number),
                programme_id=str(of.programme_id),
                issued_fen=of.issued_fen,
                spent_fen=of.spent_fen,
                expired_fen=of.expired_fen,
                outstanding_fen=of.outstanding_fen,
            )
            for number, of in mine.items()
        ],
        lines=[
            api.VoucherLine(
                seq=line.seq,
                day=day_text(date_of(line.day)),
                voucher_id=str(line.voucher_id),
                kind=line.kind,
                amount_fen=line.amount_fen,
                reservation_id=str(line.reservation_id) if line.reservation_id else None,
            )
            for line in lines
        ],
        as_of_seq=views.seq,
    )


ROUTES = (
    Route(
        method="POST",
        path="/v1/operator/voucher-programmes",
        handler=open_programme,
        answer=api.ProgrammeMade,
        summary="Open a voucher programme",
        tag="operator",
        scope="operate",
        roles=("treasury",),
        body=api.OpenProgramme,
    ),
    Route(
        method="GET",
        path="/v1/voucher-programmes",
        handler=programmes,
        answer=api.Programmes,
        summary="Voucher programmes",
        tag="account",
        scope="read",
    ),
    Route(
        method="POST",
        path="/v1/voucher-programmes/{programme_id}/vouchers",
        handler=issue_voucher,
        answer=api.VoucherIssued,
        summary="Give a member vouchers",
        tag="account",
        scope="trade",
        body=api.IssueVoucher,
        path_help={"programme_id": "the programme's number"},
    ),
    Route(
        method="GET",
        path="/v1/vouchers",
        handler=vouchers,
        answer=api.Vouchers,
        summary="The account's vouchers and their statement",
        tag="account",
        scope="read",
    ),
)
