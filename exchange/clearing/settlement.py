"""Daily settlement: the settlement price, variation margin, the cascade (chapter 6). Pure functions over
tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from exchange.domain.money import half_up
from matching.jit import kernel

PriceLabel = Literal["limit", "last hour", "earlier hour", "auction", "model", "previous", "closing auction"]


class PriceRule(IntEnum):
    """Which step of clause 6.1 gave the settlement price; the numbers are stable."""

    LAST_HOUR = 1
    AUCTION = 2
    PREVIOUS = 3
    EARLIER_HOUR = 4
    MODEL = 5
    LIMIT = 6
    CLOSING_AUCTION = 7

    @property
    def label(self) -> PriceLabel:
        """The step in words."""
        labels: dict[PriceRule, PriceLabel] = {
            PriceRule.LAST_HOUR: "last hour",
            PriceRule.AUCTION: "auction",
            PriceRule.PREVIOUS: "previous",
            PriceRule.EARLIER_HOUR: "earlier hour",
            PriceRule.MODEL: "model",
            PriceRule.LIMIT: "limit",
            PriceRule.CLOSING_AUCTION: "closing auction",
        }
        return labels[self]


def traded_price(contract: Any) -> tuple[int, PriceRule] | None:
    """Return the settlement price (ticks) that a CONTRACT_ROW's own day gives, and its rule; None if it gives
    none (clause 6.1).

    Locked, the limit; else the closing auction's price; else the volume-weighted average of the latest hour
    with continuous trades, else of the other auctions, rounded half up to the tick. An average of prices
    inside the limits lies inside them.
    """
    if contract["locked"]:
        side = "price_high" if contract["locked"] > 0 else "price_low"
        return int(contract[side]), PriceRule.LIMIT
    if contract["close_price"]:
        return int(contract["close_price"]), PriceRule.CLOSING_AUCTION
    if contract["window_lots"]:
        rule = PriceRule.EARLIER_HOUR if contract["window_hour"] else PriceRule.LAST_HOUR
        return half_up(int(contract["window_value"]), int(contract["window_lots"])), rule
    if contract["day_lots"]:
        return half_up(int(contract["day_value"]), int(contract["day_lots"])), PriceRule.AUCTION
    return None


def modelled_price(contract: Any, neighbours: Sequence[tuple[int, int]], least: int) -> tuple[int, PriceRule]:
    """Return the settlement price (ticks) of a CONTRACT_ROW that its own day gives none, and its rule.

    `neighbours` are the previous and the new settlement prices of those that its day gave one. With `least`
    of them or more, the price moves as their sum does, half up to the tick and within the limits; else it
    stays. `least` 0 switches the model off.
    """
    before = sum(old for old, _ in neighbours)
    if not least or len(neighbours) < least:
        return int(contract["reference"]), PriceRule.PREVIOUS
    moved = half_up(int(contract["reference"]) * sum(new for _, new in neighbours), before)
    return min(max(moved, int(contract["price_low"])), int(contract["price_high"])), PriceRule.MODEL


def lock_days(before: int, locked: int) -> int:
    """Return for how many days in a row a contract has ended locked (down: negative), after one more day that
    ended so (`locked` 1 or -1) or not (0); clause 6.5.
    """
    if not locked:
        return 0
    return before + locked if before * locked > 0 else locked


@kernel
def mark_to_market(
    positions: NDArray[Any],
    contracts: NDArray[Any],
    wanted: NDArray[np.bool_],
    cash: NDArray[np.int64],
    margins: NDArray[np.int64],
) -> None:
    """Pay variation margin on the positions (POSITION_ROW) in `wanted` contracts and take them as settled.

    Enters it into `cash` (fen, by account) and into `margins` (fen, one a position, received positive; 0
    elsewhere): hours × (lots × new price − settled lots × old price − signed value traded since), clause 6.2.
    `contracts` are CONTRACT_ROW with their new and old prices in `reference` and `previous`; `wanted` is one
    a contract.
    """
    for i in range(len(positions)):
        row = positions[i]
        margins[i] = 0
        if not wanted[row["contract"]]:
            continue
        terms = contracts[row["contract"]]
        marked = row["lots"] * terms["reference"] - row["settled_lots"] * terms["previous"]
        margins[i] = terms["hours"] * (marked - row["day_value"])
        cash[row["account"]] += margins[i]
        row["settled_lots"] = row["lots"]
        row["day_value"] = 0


def cascade_value(lots: int, price: int, parent_hours: int, child_hours: list[int]) -> int:
    """Return what a cascade moves, in fen; parent and children must carry the same (clause 6.4).

    Raises ValueError if the children's hours aren't the parent's.
    """
    if sum(child_hours) != parent_hours:
        raise ValueError(f"children deliver {sum(child_hours)} hours, the parent {parent_hours}")
    return lots * price * parent_hours
