"""A live market's journal under other rules: what if yesterday had had the new one?

Two cores take the same commands in the same sequence: one under the rules as they were, one under rules with
some figures changed. Members are taken to have sent the same commands; what a command names is led to its
counterpart in the other core, whatever its id is there. Meters are of the world and
not of a market: a provider delivers the same share of what it owes in both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from exchange.domain.calendar import epoch_day
from exchange.domain.hours import HOURS_PER_DAY
from exchange.domain.messages import FinishDelivery, MeterReadings, RareMessage, SetRules
from exchange.journal import Frame, FrameKind, Position, frames_after
from exchange.service.core import CORE_VERSION, LIMITS, Core, command_block
from exchange.service.frames import unpack_rare
from exchange.service.results import Applied
from exchange.service.state import HOUSE, State
from matching.constants import REJECTED, TRADE
from matching.engine import Engine
from matching.records import Records, RejectCode
from sims.engine.surplus import gained_fen
from sims.experiments.counterparts import Counterparts

RULES = {
    "fee.maker": "maker_basis_points",
    "fee.taker": "taker_basis_points",
    "limit.daily": "limit_basis_points",
    "margin.scan": "margin_basis_points",
}
"""What can be changed, and the field of SetRules that it is."""

SAME = ("day", "provider", "buyer", "contract", "lots", "certificate")
"""Columns that tell a reservation from another."""


class RuleError(ValueError):
    """A rule that can't be changed, or not to that."""


@dataclass(slots=True)
class Side:
    """One of the two markets, and what was counted in it."""

    core: Core = field(default_factory=lambda: Core(Engine(LIMITS)))
    trades: int = 0
    lots: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    """Rare messages that were refused, by type and code."""

    def note(self, applied: Applied) -> None:
        """Count what a frame did."""
        events = applied.events
        trades = events["kind"] == TRADE
        self.trades += int(np.count_nonzero(trades))
        self.lots += int(events["quantity"][trades].sum())
        codes = events["code"][events["kind"] == REJECTED]
        self.rejected.update(RejectCode(code).name for code in codes.tolist())
        if applied.result is not None and applied.result.code is not None:
            self.refused[f"{type(applied.message).__name__} {applied.result.code.name}"] += 1

    def gains(self) -> dict[str, float]:
        """Return what each member gained or lost in money, CNY."""
        fen = gained_fen(self.core.state)
        members = self.core.state.members_by_account
        return {members[account].name: float(fen[account]) / 100 for account in members}

    @property
    def house_cny(self) -> float:
        """What the exchange itself has."""
        return float(self.core.state.cash[HOUSE]) / 100


@dataclass(frozen=True, slots=True)
class Replayed:
    """A journal as it was, and as it would have been."""

    was: Side
    would: Side
    commands: int


def parse_rules(overrides: list[str]) -> dict[str, int]:
    """Return fields of SetRules from KEY=VALUE. Raises RuleError."""
    changed = {}
    for text in overrides:
        key, _, value = text.partition("=")
        if key not in RULES:
            raise RuleError(f"--set {text}: can't be changed in a replay; known: {', '.join(RULES)}")
        if not value.isdecimal() or int(value) > 10_000:
            raise RuleError(f"--set {text}: expected basis points, 0 … 10000")
        changed[RULES[key]] = int(value)
    return changed


def replay_under(journal: Path, changed: dict[str, int], progress: Callable[[int], None]) -> Replayed:
    """Fold a journal twice, the second time under changed rules. `progress` is called with bytes.

    Raises JournalDamage, JournalVersion.
    """
    was, would, names = Side(), Side(), Counterparts()
    for frame in frames_after(journal, Position(), CORE_VERSION):
        if frame.kind is FrameKind.RARE:
            first, second = _rare(frame, was.core, would.core, names, changed)
        else:
            commands = command_block(frame.body)
            first = was.core.apply_hot(commands)
            second = would.core.apply_hot(names.commands(commands))
        names.note(first, second)
        was.note(first)
        if not isinstance(first.message, MeterReadings):  # they name reservations of the other market
            would.note(second)
        progress(len(frame.body))
    return Replayed(was, would, was.core.seq)


def _rare(
    frame: Frame, was: Core, would: Core, names: Counterparts, changed: dict[str, int]
) -> tuple[Applied, Applied]:
    """Apply a rare message to both."""
    time_ns, message = unpack_rare(frame.body)
    if isinstance(message, FinishDelivery):
        deliver_alike(was.state, would.state, message.day)
    other = names.message(_under(message, changed), was.state, would.state)
    first = was.apply_rare(frame.first_seq, time_ns, message)
    return first, would.apply_rare(frame.first_seq, time_ns, other)


def deliver_alike(was: State, would: State, day: date) -> None:
    """Set the meters of a day's reservations in `would` by those in `was`, hour by hour.

    A provider delivers the share that it delivered of the same contract; of what it owes in `would` alone,
    the share that it delivered of everything that day; all of it, if it owed nothing there. An hour in which
    it owed nothing goes by its other hours. Nothing is set where both have the same reservations: their
    readings are the same.
    """
    ours, theirs = was.reservations.rows, would.reservations.rows
    if len(ours) == len(theirs) and all((ours[name] == theirs[name]).all() for name in SAME):
        return
    ours = ours[ours["day"] == epoch_day(day)]
    symbols = np.array([was.contracts[index].symbol for index in ours["contract"].tolist()])
    owed, got = _due(was, ours), np.maximum(ours["metered"], 0)
    todays = np.flatnonzero(theirs["day"] == epoch_day(day))
    due = _due(would, theirs[todays])
    for at, cards in zip(todays.tolist(), due, strict=True):
        row = theirs[at]
        like = ours["provider"] == row["provider"]
        same = like & (symbols == would.contracts[int(row["contract"])].symbol)
        some = same if same.any() else like
        share = _share(got[some].sum(axis=0), owed[some].sum(axis=0))
        theirs["metered"][at] = np.where(cards > 0, np.floor(share * cards + 0.5), -1)


def _share(got: NDArray[np.int64], owed: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what was delivered of what was owed in each hour; that of all hours where nothing was owed."""
    whole = float(got.sum() / owed.sum()) if owed.any() else 1.0
    shares: NDArray[np.float64] = np.divide(got, owed, out=np.full(len(owed), whole), where=owed > 0)
    return shares


def _due(state: State, reservations: Records) -> NDArray[np.int64]:
    """Return how many cards reservations are due each hour of their day, shape (n, 24)."""
    found = np.zeros((len(reservations), HOURS_PER_DAY), np.int64)
    for at, row in enumerate(reservations):
        contract = state.contracts[int(row["contract"])]
        _, (served,) = contract.delivery.grid()
        found[at] = int(row["lots"]) * contract.cards_per_lot * served
    return found


def _under(message: RareMessage, changed: dict[str, int]) -> RareMessage:
    return msgspec.structs.replace(message, **changed) if isinstance(message, SetRules) else message
