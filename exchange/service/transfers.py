"""Positions that pass from one account to another at a price, outside the market (clauses 6.9, 8.15)."""

from __future__ import annotations

from dataclasses import dataclass

from exchange.clearing.portfolio.terms import margin_long, margin_short
from exchange.service.calls import deficit
from exchange.service.margins import netting_left
from exchange.service.state import Stamp, State
from matching.records import Records


@dataclass(frozen=True, slots=True)
class Transfer:
    """Lots (long positive) of a contract at a price, ticks."""

    giver: int
    taker: int
    contract: int
    lots: int
    price_ticks: int


def _marked(state: State, of: Transfer) -> int:
    """Return what the taker gains against the settlement price, fen."""
    row = state.contract_row(of.contract)
    return (int(row["reference"]) - of.price_ticks) * int(row["hours"]) * of.lots


def can_margin(state: State, of: Transfer, fee_fen: int = 0) -> bool:
    """Tell whether the taker's free equity covers the lots on their own, what it loses on them, and a fee."""
    terms = state.contract_row(of.contract)
    needed = abs(of.lots) * (margin_long(terms) if of.lots > 0 else margin_short(terms))
    return needed + fee_fen - min(0, _marked(state, of)) <= -deficit(state, of.taker)


def transfer(state: State, of: Transfer, stamp: Stamp) -> list[Records]:
    """Move the lots, without an exchange fee. The giver's netting is for the caller to set anew."""
    events: list[Records] = []
    gain = _marked(state, of)
    for account, signed, gained in ((of.giver, -of.lots, -gain), (of.taker, of.lots, gain)):
        row = state.positions.row(account, of.contract)
        row["lots"] += signed
        row["day_value"] += signed * of.price_ticks
        held = int(row["lots"])
        events.append(state.engine.set_position(account, of.contract, held, seq=stamp.seq))
        events.append(state.engine.adjust_equity(account, gained, seq=stamp.seq))
    kept = int(state.netting[of.taker])
    state.netting[of.taker] = min(kept, netting_left(state, of.taker))
    events.append(state.engine.set_offset(of.taker, state.offset(of.taker), seq=stamp.seq))
    return events
