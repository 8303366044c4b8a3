"""What stands in one of two markets for what a command names in the other, whatever its id is there.

Both take the same commands; what the same command made in both is the same thing. Reservations are made by
settlements and not by commands: they are told by day, provider, buyer and contract, and by their order.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from exchange.domain.brokerage import OfferGiveUp
from exchange.domain.messages import RareMessage
from exchange.service.results import Applied
from exchange.service.state import State
from exchange.service.tape import Tape
from matching.constants import ACCEPTED
from matching.records import Records

NOTHING: Final = 0
"""Names nothing in the other market: what it is to be done to is refused there."""
UNKNOWN_ORDER: Final = -1
TRADES_KEPT: Final = 1 << 16
"""Latest trades of each market of which a give-up may be."""
MADE: Final = (
    "certificate_id",
    "dispute_id",
    "give_up_id",
    "nomination_id",
    "offer_id",
    "programme_id",
    "proposal_id",
)
"""Ids that a command gives, and by which later ones name what it made."""
_PARTIES: Final = ("day", "provider", "buyer")
_OF_A_TRADE: Final = ("order_id", "contra_id")
_ORDER: Final = ("seq", "account", "instrument", "side")


class Counterparts:
    """Names of things in the market as it was → names in the market as it would be."""

    def __init__(self) -> None:
        self._orders: dict[int, int] = {}
        self._made: dict[str, dict[int, int]] = {name: {} for name in MADE}
        self._was, self._would = Tape(TRADES_KEPT), Tape(TRADES_KEPT)

    def commands(self, commands: Records) -> Records:
        """Return commands (dtype COMMAND) with the order ids of the other market."""
        named = np.flatnonzero(commands["order_id"])
        if not len(named):
            return commands
        copy = commands.copy()
        ids = commands["order_id"][named].tolist()
        copy["order_id"][named] = [self._orders.get(order_id, UNKNOWN_ORDER) for order_id in ids]
        return copy

    def message(self, message: RareMessage, was: State, would: State) -> RareMessage:
        """Return a message with the ids of the other market."""
        ids = {
            name: self._made[name].get(getattr(message, name), NOTHING)
            for name in MADE
            if hasattr(message, name)
        }
        if hasattr(message, "reservation_id"):
            ids["reservation_id"] = reservation_like(was, would, message.reservation_id)
        if isinstance(message, OfferGiveUp):
            return self._give_up(message)
        return msgspec.structs.replace(message, **ids) if ids else message

    def note(self, was: Applied, would: Applied) -> None:
        """Take up what the same command made in both."""
        theirs = _accepted(would.events)
        for key, order_id in _accepted(was.events).items():
            if key in theirs:
                self._orders[order_id] = theirs[key]
        if was.result is not None and was.result.data and would.result is not None:
            for name in MADE:
                if name in was.result.data:
                    made = (would.result.data or {}).get(name, NOTHING)
                    self._made[name][int(was.result.data[name])] = int(made)
        self._was.record(was)
        self._would.record(would)

    def _give_up(self, offer: OfferGiveUp) -> OfferGiveUp:
        """Return an offer of the fill between the same two orders; of nothing, if they didn't trade."""
        ours, theirs = self._was.rows(), self._would.rows()
        like = theirs[:0]
        for given in ours[ours["trade_id"] == offer.trade_id]:
            order, contra = (self._orders.get(int(given[of]), UNKNOWN_ORDER) for of in _OF_A_TRADE)
            like = theirs[(theirs["order_id"] == order) & (theirs["contra_id"] == contra)]
        if not len(like):
            return msgspec.structs.replace(offer, trade_id=NOTHING, trade_lots=0)
        number, price, lots = (int(like[0][of]) for of in ("trade_id", "price", "quantity"))
        return msgspec.structs.replace(offer, trade_id=number, price_ticks=price, trade_lots=lots)


def reservation_like(was: State, would: State, number: int) -> int:
    """Return the id of the reservation in `would` that corresponds to one in `was`; NOTHING if none does."""
    ours = was.reservations.rows
    if not 1 <= number <= len(ours):
        return NOTHING
    row = ours[number - 1]
    alike = _alike(was, row, was)
    place = int(np.searchsorted(alike, number - 1))
    theirs = _alike(was, row, would)
    return int(theirs[place]) + 1 if place < len(theirs) else NOTHING


def _alike(was: State, row: Records, where: State) -> NDArray[np.int64]:
    """Return the places of reservations in a market with the day, parties and contract of a row of `was`."""
    rows, symbol = where.reservations.rows, was.contracts[int(row["contract"])].symbol
    same = np.logical_and.reduce([rows[name] == row[name] for name in _PARTIES])
    symbols = [where.contracts[index].symbol for index in rows["contract"][same].tolist()]
    found: NDArray[np.int64] = np.flatnonzero(same)[np.array(symbols) == symbol]
    return found


def _accepted(events: Records) -> dict[tuple[int, ...], int]:
    """Return order ids by what tells an accepted order: its command, and among those of one command (standing
    sales, close-outs) account, contract, side and number.
    """
    rows = events[events["kind"] == ACCEPTED]
    counts: Counter[tuple[int, ...]] = Counter()
    found = {}
    for order_id, *told in rows[["order_id", *_ORDER]].tolist():
        key = tuple(told)
        found[(*key, counts[key])] = order_id
        counts[key] += 1
    return found
