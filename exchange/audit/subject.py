"""What is traced, and where the journal first says so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from exchange.journal import Frame
from exchange.service.core import Core
from exchange.service.replay import apply_frame
from matching.records import EventKind, Records

ORDER_IDS_FROM: Final = 1 << 32
"""Order ids are generation × 2^32 + slot (clause 3.9), so no number is both a trade's and an order's."""


class SubjectNotFound(Exception):
    """The journal knows no such trade, order or account; the sentence says so."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A trade by its number or the id of one of its fills ("17-buy"), an order by its number, or an account
    by its name.
    """

    text: str

    @property
    def number(self) -> int:
        """The trade's or the order's; 0 for an account."""
        digits = self.text.removesuffix("-buy").removesuffix("-sell")
        return int(digits) if digits.isascii() and digits.isdigit() else 0

    @property
    def kind(self) -> str:
        """Trade, order or account."""
        if not self.number:
            return "account"
        return "trade" if self.number < ORDER_IDS_FROM else "order"


@dataclass(slots=True)
class Scope:
    """What belongs to the subject; `contracts` and `orders` None: all of the accounts'."""

    accounts: set[int]
    orders: set[int] | None = None
    trade_id: int | None = None
    pairs: set[tuple[int, int]] = field(default_factory=set)
    """Account and contract in which the subject's fills made or changed positions."""
    markets: set[tuple[int, int]] = field(default_factory=set)
    """Account and contract whose commands are applied one by one, so that their margin can be told."""
    reservations: set[int] = field(default_factory=set)

    def holds(self, account: int, contract: int) -> bool:
        """Whether what an account has in a contract belongs to the subject."""
        if self.orders is None:
            return account in self.accounts
        return (account, contract) in self.pairs

    def told_apart(self, commands: Records) -> list[int]:
        """Return which of a hot frame's commands are applied on their own, by place."""
        wanted = np.isin(commands["account"], list(self.accounts))
        if self.orders is not None:
            on_it = np.isin(commands["instrument"], [contract for _, contract in self.markets])
            wanted &= on_it | np.isin(commands["order_id"], list(self.orders))
        return np.flatnonzero(wanted).tolist()


def find(subject: Subject, frames: Iterable[Frame], core: Core, trades: int) -> Scope:
    """Return what belongs to the subject, reading until the journal names it.

    `core` stands before the first of `frames`, and has seen so many trades. Raises SubjectNotFound.
    """
    search = {"trade": _find_trade, "order": _find_order, "account": _find_account}[subject.kind]
    scope = search(subject, frames, core, trades)
    if scope is None:
        raise SubjectNotFound(
            f"the journal knows no {subject.kind} {subject.text}; a number below 2^32 is a trade's, "
            "a greater one an order's, anything else a member's name or BROKER/CLIENT"
        )
    return scope


def _find_account(subject: Subject, frames: Iterable[Frame], core: Core, trades: int) -> Scope | None:
    """Find a member; the names of members are in rare messages, so no hot frame needs a second look."""
    for frame in frames:
        if subject.text in core.state.members:
            break
        apply_frame(core, frame)
    member = core.state.members.get(subject.text)
    return None if member is None else Scope({member.account})


def _find_order(subject: Subject, frames: Iterable[Frame], core: Core, trades: int) -> Scope | None:
    for frame in frames:
        events = apply_frame(core, frame).events
        mine = events[(events["kind"] == EventKind.ACCEPTED) & (events["order_id"] == subject.number)]
        if len(mine):
            account, contract = int(mine["account"][0]), int(mine["instrument"][0])
            return Scope({account}, {subject.number}, markets={(account, contract)})
    return None


def _find_trade(subject: Subject, frames: Iterable[Frame], core: Core, trades: int) -> Scope | None:
    for frame in frames:
        events = apply_frame(core, frame).events
        at = np.flatnonzero(events["kind"] == EventKind.TRADE)
        if trades < subject.number <= trades + len(at):
            trade = events[at[subject.number - trades - 1]]
            accounts = {int(trade["account"]), int(trade["contra_account"])}
            return Scope(
                accounts,
                {int(trade["order_id"]), int(trade["contra_id"])},
                subject.number,
                markets={(account, int(trade["instrument"])) for account in accounts},
            )
        trades += len(at)
    return None
