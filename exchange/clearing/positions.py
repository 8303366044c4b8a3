"""Positions of accounts in contracts, and the fold of the kernel's trades into them.

The kernel keeps positions too, for its margin gate. These are clearing's own: they come from the trades
alone, carry what settlement needs, and `Core.check` compares the two.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from matching.api import InvariantViolation
from matching.constants import TRADE, UNCROSS
from matching.jit import kernel, wide
from matching.records import Records, Side

POSITION_ROW: Final = np.dtype(
    [
        ("account", "<i4"),
        ("contract", "<i4"),
        ("lots", "<i8"),  # now, long positive
        ("settled_lots", "<i8"),  # at the last settlement
        ("day_value", "<i8"),  # Σ price × signed lots since then, tick-lots; bought positive
        ("day_fees", "<i8"),  # fees since then, fen: already taken from cash, not yet in the ledger
        ("traded_lots", "<i8"),  # Σ signed lots ever traded; what cascaded in is not in it
        ("sold_lots", "<i8"),  # most that −traded_lots ever was: first sales (clause 7.2)
        ("gross_lots", "<i8"),  # lots traded since the last settlement, bought and sold alike (clause 8.13)
        ("gross_value", "<i8"),  # Σ price × lots of them, tick-lots
        ("covered", "<i8"),  # short lots that certificates backed when that was last worked out (clause 10.4)
    ]
)
"""One account in one contract that it ever traded or received by cascade while the contract is active."""

CLOSING: Final = 1
"""In place of an hour: these trades are the closing auction's."""

_FREE: Final = -1
_BUY: Final = int(Side.BUY)
_FULL_NUMERATOR: Final = 2  # the index doubles when it would be over half full


@kernel
def _slot(index: NDArray[Any], rows: NDArray[Any], account: int, contract: int) -> Any:
    """Return where (account, contract) stands in the open-addressing index, or the free slot where it
    belongs.
    """
    mask = len(index) - 1
    slot = (np.int64(account) * 0x9E3779B1 + np.int64(contract) * 0x85EBCA6B) & mask
    while True:
        row = index[slot]
        if row < 0 or (rows[row]["account"] == account and rows[row]["contract"] == contract):
            return slot
        slot = (slot + 1) & mask


@kernel
def _row(index: NDArray[Any], rows: NDArray[Any], count: NDArray[Any], account: int, contract: int) -> Any:
    """Return the row of (account, contract), making it if need be; the caller has reserved room."""
    slot = _slot(index, rows, account, contract)
    if index[slot] < 0:
        row = count[0]
        count[0] = row + 1
        index[slot] = row
        rows[row]["account"] = account
        rows[row]["contract"] = contract
    return index[slot]


@kernel
def _book(row: Any, signed_lots: Any, price: Any, fee: Any) -> None:
    """Enter one side of a trade."""
    row["lots"] += signed_lots
    row["day_value"] += signed_lots * price
    row["day_fees"] += fee
    row["gross_lots"] += abs(signed_lots)
    row["gross_value"] += abs(signed_lots) * price
    row["traded_lots"] += signed_lots
    row["sold_lots"] = max(row["sold_lots"], -row["traded_lots"])


@kernel
def _fee(value: Any, basis_points: int) -> Any:
    """Return the fee on a value in fen, halves up (clause 8.1)."""
    return (value * basis_points + 5_000) // 10_000


@kernel
def fold_trades(
    events: NDArray[Any],
    index: NDArray[Any],
    rows: NDArray[Any],
    count: NDArray[Any],
    contracts: NDArray[Any],
    cash: NDArray[Any],
    maker_basis_points: int,
    taker_basis_points: int,
    hour: int,
) -> None:
    """Enter the trades of `events` (dtype EVENT) into positions, contracts (CONTRACT_ROW) and cash (fen,
    int64).

    In an uncross both sides pay the maker's rate; account 0, the house, receives all fees. `hour` is when
    they traded, 0 for the last hour of continuous trading, -1 for the one before it …, `CLOSING` for the
    closing auction.
    """
    for i in range(len(events)):
        event = events[i]
        if event["kind"] != TRADE:
            continue
        contract = contracts[event["instrument"]]
        price = np.int64(event["price"])
        lots = np.int64(event["quantity"])
        auction = event["flags"] & UNCROSS != 0
        value = price * lots * contract["hours"]
        maker_fee = _fee(value, maker_basis_points)
        taker_fee = maker_fee if auction else _fee(value, taker_basis_points)
        signed = lots if event["side"] == _BUY else -lots
        taker = _row(index, rows, count, event["account"], event["instrument"])
        _book(rows[taker], signed, price, taker_fee)
        maker = _row(index, rows, count, event["contra_account"], event["instrument"])
        _book(rows[maker], -signed, price, maker_fee)
        cash[event["account"]] -= taker_fee
        cash[event["contra_account"]] -= maker_fee
        cash[0] += taker_fee + maker_fee
        contract["last_price"] = price
        contract["day_lots"] += lots
        contract["day_value"] += price * lots
        if auction and hour == CLOSING:
            contract["close_price"] = price
        if not auction:
            if contract["window_hour"] != hour:
                contract["window_hour"], contract["window_lots"], contract["window_value"] = hour, 0, 0
            contract["window_lots"] += lots
            contract["window_value"] += price * lots


@kernel
def lock(
    index: NDArray[Any],
    rows: NDArray[Any],
    accounts: NDArray[Any],
    contracts: NDArray[Any],
    signed_lots: NDArray[Any],
    left: NDArray[np.int64],
) -> None:
    """Take orders off what is `left` of the positions that they are against, to 0 at least."""
    for i in range(len(accounts)):
        row = index[_slot(index, rows, accounts[i], contracts[i])]
        if row < 0:
            continue
        if left[row] > 0 and signed_lots[i] < 0:
            left[row] = max(wide(0), left[row] + signed_lots[i])
        elif left[row] < 0 and signed_lots[i] > 0:
            left[row] = min(wide(0), left[row] + signed_lots[i])


@kernel
def _rebuild(index: NDArray[Any], rows: NDArray[Any], count: int) -> None:
    """Enter all rows into an index that is free."""
    for row in range(count):
        index[_slot(index, rows, rows[row]["account"], rows[row]["contract"])] = row


class Positions:
    """All positions, in the order in which they first arose."""

    def __init__(self) -> None:
        self._rows: NDArray[Any] = np.zeros(1 << 10, POSITION_ROW)
        self._count = np.zeros(1, np.int64)
        self._index = np.full(1 << 11, _FREE, np.int64)

    @property
    def rows(self) -> NDArray[Any]:
        """The rows (POSITION_ROW); writable but for account and contract, valid until the next change."""
        return self._rows[: int(self._count[0])]

    def fold(
        self,
        events: Records,
        contracts: NDArray[Any],
        cash: NDArray[np.int64],
        fees: tuple[int, int],
        hour: int,
    ) -> None:
        """Enter the trades of `events`; `fees` are the maker's and the taker's basis points, `hour` as of
        `fold_trades`.
        """
        if len(events):
            self._reserve(2 * len(events))
            fold_trades(events, self._index, self._rows, self._count, contracts, cash, fees[0], fees[1], hour)

    def row(self, account: int, contract: int) -> Any:
        """Return the row of (account, contract), made if need be; a record that writes through."""
        self._reserve(1)
        return self._rows[_row(self._index, self._rows, self._count, account, contract)]

    def lots(self, account: int, contract: int) -> int:
        """Return the position in lots, long positive; 0 without one."""
        row = self._index[_slot(self._index, self._rows, account, contract)]
        return int(self._rows[row]["lots"]) if row >= 0 else 0

    def locked(
        self, accounts: NDArray[Any], contracts: NDArray[Any], signed_lots: NDArray[Any]
    ) -> NDArray[np.int64]:
        """Return what stays of each row's lots if open orders against it trade, shape of `rows`.

        Orders are given by account, contract and open lots (bought positive), shape (n,); orders with a
        position, or without one, change nothing.
        """
        left: NDArray[np.int64] = self.rows["lots"].copy()
        lock(self._index, self._rows, accounts, contracts, signed_lots, left)
        return left

    def restore(self, rows: NDArray[Any]) -> None:
        """Fill empty positions with the rows (POSITION_ROW) of others."""
        self._reserve(len(rows))
        self._rows[: len(rows)] = rows
        self._count[0] = len(rows)
        _rebuild(self._index, self._rows, len(rows))

    def keep(self, wanted: NDArray[np.bool_]) -> None:
        """Drop the rows where `wanted` (shape of `rows`) is False."""
        kept = self.rows[wanted]
        self._rows[: len(kept)] = kept
        self._rows[len(kept) :] = np.zeros(1, POSITION_ROW)
        self._count[0] = len(kept)
        self._index[:] = _FREE
        _rebuild(self._index, self._rows, len(kept))

    def check(self) -> None:
        """Verify that in every contract lots, settled lots and day values sum to 0; raises
        InvariantViolation.
        """
        rows = self.rows
        if not len(rows):
            return
        size = int(rows["contract"].max()) + 1
        for column in ("lots", "settled_lots", "day_value"):
            sums = np.zeros(size, np.int64)
            np.add.at(sums, rows["contract"], rows[column])
            if sums.any():
                raise InvariantViolation(
                    f"{column} of contract {int(np.flatnonzero(sums)[0])} don't sum to 0"
                )
        pairs = rows["account"].astype(np.int64) << 32 | rows["contract"]
        if len(np.unique(pairs)) != len(pairs):
            raise InvariantViolation("an account has two rows in one contract")

    def state_bytes(self) -> bytes:
        """Return the rows as bytes, for the state hash."""
        return self.rows.tobytes()

    def _reserve(self, extra: int) -> None:
        need = int(self._count[0]) + extra
        if need > len(self._rows):
            grown = np.zeros(1 << (need - 1).bit_length(), POSITION_ROW)
            grown[: len(self.rows)] = self.rows
            self._rows = grown
        if _FULL_NUMERATOR * need > len(self._index):
            self._index = np.full(_FULL_NUMERATOR << (need - 1).bit_length(), _FREE, np.int64)
            _rebuild(self._index, self._rows, int(self._count[0]))
