"""Standing sales: sell orders kept up for what a provider's certificates have free (clause 10.8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from exchange.clearing.certificates import Short, back
from exchange.clearing.portfolio.terms import margin_short
from exchange.domain.contracts import Contract
from exchange.domain.phases import MarketPhase
from exchange.service.backing import short_of
from exchange.service.calls import deficit
from exchange.service.guard import apply_guarded
from exchange.service.primarystate import StandingSale
from exchange.service.state import Stamp, State
from exchange.service.taking import LOTS_MAX
from matching.records import EventKind, Records, Side, StpMode, mass_cancel, new_order

STANDING_GROUP = 0xFFFF
"""The orders' group; connections have lower ones."""
PHASES = (MarketPhase.CALL, MarketPhase.CONTINUOUS)
"""When orders are taken."""


def set_sale(state: State, account: int, what: tuple[str, str, str, str], price_ticks: int) -> None:
    """Set the lowest price of a sale (grade, hub, kind and profile of contract); 0 ends it."""
    same = account, *what
    kept = [s for s in state.primary.standing if (s.account, s.grade, s.hub, s.kind, s.profile) != same]
    sale = [StandingSale(account, *what, price_ticks)] if price_ticks else []
    state.primary.standing = kept + sale


def renew_standing(state: State, account: int, stamp: Stamp) -> list[Records]:
    """Cancel an account's standing sell orders, and enter anew what is free; return the events."""
    mine = [sale for sale in state.primary.standing if sale.account == account]
    if not mine:
        return []
    events = cancel_standing(state, account, stamp)
    member = state.members_by_account[account]
    if state.day.phase in PHASES and state.may_trade(member) and not state.restricted(account):
        events += [part for sale in mine for part in _placed(state, sale, stamp)]
    return events


def cancel_standing(state: State, account: int, stamp: Stamp) -> list[Records]:
    """Cancel an account's standing sell orders; return the events."""
    return [_apply(state, mass_cancel(account=account, group=STANDING_GROUP, seq=stamp.seq), stamp)]


def accepted_orders(events: Sequence[Records]) -> int:
    """Return how many orders were accepted."""
    return sum(int((part["kind"] == EventKind.ACCEPTED).sum()) for part in events)


def _placed(state: State, sale: StandingSale, stamp: Stamp) -> Iterator[Records]:
    """Enter the orders of one sale, the contract that is delivered first first."""
    active = (state.contracts[i] for i in state.active_contracts())
    wanted = sale.grade, sale.hub, sale.kind, sale.profile
    chosen = [c for c in active if (*c.product, c.kind.value, c.profile.value) == wanted]
    for contract in sorted(chosen, key=lambda c: c.period.first):
        row = state.contract_row(contract.index)
        price = max(sale.price_ticks, int(row["price_low"]))
        lots = min(_free_lots(state, sale.account, contract), LOTS_MAX)
        if margin_short(row):
            lots = min(lots, max(0, -deficit(state, sale.account)) // margin_short(row))
        if lots > 0 and price <= row["price_high"]:
            order = new_order(
                account=sale.account,
                instrument=contract.index,
                side=Side.SELL,
                quantity=lots,
                price=price,
                stp=StpMode.CANCEL_TAKING,
                group=STANDING_GROUP,
                seq=stamp.seq,
                time_ns=stamp.time_ns,
            )
            events = _apply(state, order, stamp)
            if events["kind"][0] != EventKind.REJECTED:  # a halted contract
                yield events


def _apply(state: State, command: Records, stamp: Stamp) -> Records:
    def apply(rows: Records) -> Records:
        events = state.engine.apply(rows)
        state.fold(events, state.hour(stamp.time_ns))
        return events

    return apply_guarded(state, command, apply)


def _free_lots(state: State, account: int, contract: Contract) -> int:
    """Return the lots of a contract that the account's certificates have free in every hour of its delivery,
    beside its shorts and its open sell orders in the product.
    """
    product = contract.product
    certificates = [
        msgspec.structs.replace(certificate, backed_bytes=certificate.backed_bytes.copy())
        for certificate in state.primary.certificates
        if (certificate.account, certificate.grade, certificate.hub) == (account, *product)
    ]
    back(certificates, list(_sold(state, account, product)))
    return sum(c.free_in(contract.delivery) // contract.cards_per_lot for c in certificates)


def _sold(state: State, account: int, product: tuple[str, str]) -> Iterator[Short]:
    """Yield what an account is short of a product, and what it would be if its sell orders trade."""
    rows, orders = state.positions.rows, state.engine.open_orders(account)
    lots: Counter[int] = Counter()
    for row in rows[(rows["account"] == account) & (rows["lots"] < 0)]:
        lots[int(row["contract"])] -= int(row["lots"])
    for order in orders[orders["side"] == Side.SELL]:
        lots[int(order["instrument"])] += int(order["remaining"])
    for index, sold in sorted(lots.items()):
        contract = state.contracts[index]
        if contract.product == product:
            yield short_of(contract, sold)
