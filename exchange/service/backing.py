"""Which certificates stand behind which shorts, and what pledged ones count for (clauses 10.4 and 10.7)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from exchange.clearing.certificates import Certificate, Short, back, collateral_value
from exchange.domain.contracts import Contract, PeriodKind
from exchange.service.state import Stamp, State
from matching.records import Records
from nodes.types import Profile

Holder = tuple[int, str, str]
"""Account, grade, hub: whose certificates of what back whose shorts."""


def holder(certificate: Certificate) -> Holder:
    """Return whose shorts a certificate may back."""
    return certificate.account, certificate.grade, certificate.hub


def back_shorts(state: State, of: Iterable[Holder] | None = None) -> None:
    """Put certificates behind open shorts anew: of some holders, or of all."""
    primary = state.primary
    by_holder: dict[Holder, list[Certificate]] = {}
    for certificate in primary.certificates:
        by_holder.setdefault(holder(certificate), []).append(certificate)
    wanted = set(by_holder) if of is None else set(of)
    shorts = _shorts(state, wanted)
    kept = [b for b in primary.backings if holder(primary.certificates[b.certificate_id - 1]) not in wanted]
    for key in sorted(wanted & set(by_holder)):
        kept += back(by_holder[key], shorts.get(key, []))
    primary.backings = sorted(kept, key=lambda b: (b.contract, b.certificate_id))
    _mark_covered(state)


def _mark_covered(state: State) -> None:
    """Write beside each position what is covered of it, for margin."""
    state.positions.rows["covered"] = 0
    for (account, contract), lots in state.primary.covered_lots().items():
        state.positions.row(account, contract)["covered"] = lots


def _shorts(state: State, wanted: set[Holder]) -> dict[Holder, list[Short]]:
    """Return the open shorts of the holders."""
    rows = state.positions.rows
    accounts = np.array(sorted({account for account, _, _ in wanted}), np.int64)
    found: dict[Holder, list[Short]] = {}
    for row in rows[(rows["lots"] < 0) & np.isin(rows["account"], accounts)]:
        contract = state.contracts[int(row["contract"])]
        key = (int(row["account"]), contract.grade, contract.hub)
        if key in wanted:
            found.setdefault(key, []).append(short_of(contract, -int(row["lots"])))
    return found


def short_of(contract: Contract, lots: int) -> Short:
    """Return so many short lots of a contract, as certificates back them."""
    return Short(contract.index, contract.delivery, contract.hours, contract.cards_per_lot, lots)


def collateral_now(state: State, stamp: Stamp) -> dict[int, int]:
    """Return what each account's pledged certificates count for at the present prices, fen."""
    primary, values = state.primary, dict[int, int]()
    haircut = primary.rules.haircut_basis_points
    for certificate in primary.certificates:
        if any(certificate.pledged):
            price = reference_price(state, certificate)
            lot = state.products[certificate.grade, certificate.hub].cards_per_lot
            value = collateral_value(certificate, stamp.day, price, lot, haircut)
            values[certificate.account] = values.get(certificate.account, 0) + value
    return values


def revalue(state: State, stamp: Stamp) -> list[Records]:
    """Value pledged certificates anew and tell the kernel; return its events."""
    fresh = collateral_now(state, stamp)
    before, state.primary.collateral = dict(state.primary.collateral), sorted(fresh.items())
    deltas = {account: fresh.get(account, 0) - before.get(account, 0) for account in {*fresh, *before}}
    return [
        state.engine.adjust_equity(account, delta, seq=stamp.seq)
        for account, delta in sorted(deltas.items())
        if delta
    ]


def reference_price(state: State, certificate: Certificate) -> int:
    """Return the reference price of the product's base day contract that delivers first; 0 if none trades."""
    active = (state.contracts[i] for i in state.active_contracts())
    first = next_day_contract(active, (certificate.grade, certificate.hub))
    return 0 if first is None else int(state.contract_row(first.index)["reference"])


def next_day_contract(
    contracts: Iterable[Contract], product: tuple[str, str], profile: Profile = Profile.BASE
) -> Contract | None:
    """Return the day contract of a product (grade, hub) and profile that delivers first."""
    days = [
        contract
        for contract in contracts
        if contract.kind is PeriodKind.DAY and contract.product == product and contract.profile is profile
    ]
    return min(days, key=lambda contract: contract.period.first, default=None)
