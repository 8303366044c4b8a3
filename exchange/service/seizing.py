"""Pledged certificates of a defaulter: the house takes them over at what they count for (clause 6.10)."""

from __future__ import annotations

from exchange.clearing.certificates import Certificate, card_value, pledge, transfer
from exchange.clearing.ledger import LedgerKind
from exchange.service.backing import reference_price, revalue
from exchange.service.insuring import move
from exchange.service.state import HOUSE, Stamp, State
from matching.records import Records


def seize_collateral(state: State, account: int, stamp: Stamp) -> list[Records]:
    """Sell pledged cards of an account that owes cash to the house, the fewest whole cards that cover it, and
    return the kernel's events.
    """
    before = int(state.cash[account])
    for certificate in [c for c in state.primary.certificates if c.account == account and not c.revoked]:
        if state.cash[account] < 0:
            _seize(state, certificate, stamp)
    gained = int(state.cash[account]) - before
    return [state.engine.adjust_equity(account, gained, seq=stamp.seq), *revalue(state, stamp)]


def _seize(state: State, certificate: Certificate, stamp: Stamp) -> None:
    pledged = certificate.pledged_after(stamp.day)
    each = card_value(
        certificate,
        stamp.day,
        reference_price(state, certificate),
        state.products[certificate.grade, certificate.hub].cards_per_lot,
        state.primary.rules.haircut_basis_points,
    )
    if not pledged or not each:
        return
    owner, owed = certificate.account, -int(state.cash[certificate.account])
    cards = min(pledged, -(-owed // each))
    pledge(certificate, pledged - cards, stamp.day)
    number = len(state.primary.certificates) + 1
    state.primary.certificates.append(transfer(certificate, number, HOUSE, cards, stamp.day))
    move(state, HOUSE, owner, cards * each, LedgerKind.COLLATERAL_SALE, stamp)
