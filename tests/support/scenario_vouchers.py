"""What a scenario says about compute vouchers (clauses 11.1 to 11.5), and what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exchange.domain import delivering as d
from exchange.domain import vouchers as v

if TYPE_CHECKING:
    from scenario import Scenario


def _programme(of: Scenario, told: list[Any]) -> str | None:
    """[issuer, budget, share in basis points, last day, hub, grade]."""
    issuer, budget, share, last_day, hub, grade = told
    return of.send(
        v.OpenVoucherProgramme(
            issuer=issuer,
            name="vouchers",
            budget_fen=budget,
            share_basis_points=share,
            last_day=last_day,
            hubs=(hub,) if hub else (),
            grades=(grade,) if grade else (),
        )
    )


def _issue(of: Scenario, told: list[Any]) -> str | None:
    """[issuer, programme, member, fen]."""
    issuer, programme, member, amount = told
    return of.send(
        v.IssueVouchers(account=of.account(issuer), programme_id=programme, member=member, amount_fen=amount)
    )


def _contest(of: Scenario, told: list[Any]) -> str | None:
    """[who, reservation, card-hours]: contested, and decided so."""
    who, reservation, hours = told
    opened = d.OpenDispute(
        account=of.account(who), reservation_id=reservation, card_hours=hours, reason="the log"
    )
    code = of.send(opened)
    number = len(of.core.state.delivering.disputes)
    return code or of.send(d.DecideDispute(dispute_id=number, card_hours=hours, reason="so it was"))


def _vouchers(of: Scenario, _: Any) -> dict[str, list[int]]:
    """Issued, spent, expired, outstanding, by holder and programme, "blue 1"."""
    return {
        f"{of.name(voucher.account)} {voucher.programme_id}": [
            voucher.issued_fen,
            voucher.spent_fen,
            voucher.expired_fen,
            voucher.outstanding_fen,
        ]
        for voucher in of.core.state.vouchers.vouchers
    }


ACTIONS = {"programme": _programme, "issue": _issue, "contest": _contest}
EXPECTATIONS = {"vouchers": _vouchers, "set_aside": lambda of, _: of.core.state.vouchers.escrow_fen}
