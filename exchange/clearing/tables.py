"""Tables of the clearing state: structured rows in one growing array, in the order in which they were
added.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

CONTRACT_ROW: Final = np.dtype(
    [
        ("hours", "<i8"),  # delivery hours
        ("cards_per_lot", "<i8"),
        ("reference", "<i8"),  # last settlement price, else the listing price, ticks
        ("previous", "<i8"),  # the reference price before the latest settlement, ticks
        ("price_low", "<i8"),  # ticks
        ("price_high", "<i8"),  # ticks
        ("scan", "<i8"),  # scan range of one lot, fen (clause 5.5)
        ("roll", "<i8"),  # what a long lot loses when a generation rolls, fen (clause 5.8)
        ("failure", "<i8"),  # what a short lot loses when its hub fails, fen (clause 5.9)
        ("last_price", "<i8"),  # of the latest trade; 0 before the first
        ("day_lots", "<i8"),  # traded today, auction included
        ("day_value", "<i8"),  # Σ price × lots of them, tick-lots
        ("window_hour", "<i8"),  # latest hour with a continuous trade: 0 the last before the close, -1 …
        ("window_lots", "<i8"),  # traded continuously in that hour
        ("window_value", "<i8"),  # Σ price × lots of them, tick-lots
        ("close_price", "<i8"),  # of today's closing auction; 0 without a trade in it
        ("lock_days", "<i8"),  # days in a row that ended locked at the upper limit; lower: negative
        ("group", "<i4"),  # number of its grade × hub
        ("grade", "<i4"),  # number of its grade
        ("hub", "<i4"),  # number of its hub
        ("active", "<i1"),  # 1 until settled on its last trading day
        ("settled", "<i1"),  # 1 once it has a settlement price
        ("halted", "<i1"),
        ("locked", "<i1"),  # how today's trading ended: 1 locked at the upper limit, -1 at the lower
    ]
)
"""One contract, by instrument index."""

RESERVATION_ROW: Final = np.dtype(
    [
        ("buyer", "<i4"),
        ("provider", "<i4"),
        ("contract", "<i4"),
        ("day", "<i4"),  # delivery day, days since 1970-01-01
        ("lots", "<i8"),
        ("price", "<i8"),  # final settlement price, ticks per lot-hour
        ("invoiced", "<i8"),  # fen
        ("certificate", "<i4"),  # id of the one that it is delivered from; 0 for none
        ("finished", "<i4"),  # 1 once the delivery day is closed
        ("source", "<i4"),  # id of the reservation that it was resold out of; 0 for none
        ("pad", "<i4"),  # 0
        ("metered", "<i4", (24,)),  # cards delivered in each hour; -1 without a reading
    ]
)
"""One reservation; its id is its row number + 1."""

SETTLEMENT_ROW: Final = np.dtype(
    [
        ("day", "<i4"),  # trading day, days since 1970-01-01
        ("contract", "<i4"),
        ("price", "<i8"),  # ticks
        ("lots", "<i8"),  # traded on the day
        ("open_interest", "<i8"),  # long lots after settlement
        ("rule", "<i8"),  # PriceRule
    ]
)
"""One contract's settlement on one day."""

LEDGER_ROW: Final = np.dtype(
    [
        ("seq", "<i8"),  # of the command that moved the money
        ("amount", "<i8"),  # fen; in positive
        ("account", "<i4"),
        ("day", "<i4"),  # calendar day in Asia/Shanghai, days since 1970-01-01
        ("contract", "<i4"),  # -1 without one
        ("kind", "<i4"),  # LedgerKind
    ]
)
"""One movement of money on one account (clause 8.5)."""


CLAIM_ROW: Final = np.dtype(
    [
        ("seq", "<i8"),  # of the command that found the loss
        ("amount", "<i8"),  # fen
        ("open", "<i8"),  # fen that aren't repaid
        ("debtor", "<i4"),  # the account that defaulted
        ("creditor", "<i4"),  # the account that paid for it; the house's for what nobody paid
        ("layer", "<i4"),  # default.Layer
        ("pad", "<i4"),  # 0
    ]
)
"""What a defaulter owes to one account (clause 6.10)."""


class Table:
    """Rows of one structured dtype; memory doubles as it fills. `rows` is a view that ends at the last
    row.
    """

    def __init__(self, dtype: np.dtype[np.void], reserve: int = 64) -> None:
        self._memory: NDArray[Any] = np.zeros(reserve, dtype)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def rows(self) -> NDArray[Any]:
        """The rows, shape (len,); writable, valid until the next `append`."""
        return self._memory[: self._count]

    def append(self, rows: NDArray[Any]) -> None:
        """Add rows of the table's dtype at the end."""
        need = self._count + len(rows)
        if need > len(self._memory):
            grown = np.zeros(max(need, 2 * len(self._memory)), self._memory.dtype)
            grown[: self._count] = self._memory[: self._count]
            self._memory = grown
        self._memory[self._count : need] = rows
        self._count = need

    def add(self, **columns: Any) -> int:
        """Add one row; columns not named are 0. Return its number."""
        row = np.zeros(1, self._memory.dtype)
        for name, value in columns.items():
            row[name] = value
        self.append(row)
        return self._count - 1

    def state_bytes(self) -> bytes:
        """Return the rows as bytes, for the state hash."""
        return self.rows.tobytes()
