"""Daily settlement: the settlement price, variation margin, the cascade (chapter 6). Pure functions over
tables.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from exchange.domain.money import half_up
from matching.jit import kernel


class PriceRule(IntEnum):
    """Which step of clause 6.1 gave the settlement price; the numbers are stable."""

    LAST_HOUR = 1
    WHOLE_DAY = 2
    PREVIOUS = 3

    @property
    def label(self) -> Literal["last hour", "whole day", "previous"]:
        """The step in words."""
        labels: dict[PriceRule, Literal["last hour", "whole day", "previous"]] = {
            PriceRule.LAST_HOUR: "last hour",
            PriceRule.WHOLE_DAY: "whole day",
            PriceRule.PREVIOUS: "previous",
        }
        return labels[self]


def settlement_price(contract: Any) -> tuple[int, PriceRule]:
    """Return the settlement price (ticks) of a CONTRACT_ROW and the rule that gave it (clause 6.1).

    Volume-weighted average of the settlement window, else of the whole day, rounded half up to the tick;
    else the previous settlement price. An average of prices inside the limits lies inside them.
    """
    if contract["window_lots"]:
        return half_up(int(contract["window_value"]), int(contract["window_lots"])), PriceRule.LAST_HOUR
    if contract["day_lots"]:
        return half_up(int(contract["day_value"]), int(contract["day_lots"])), PriceRule.WHOLE_DAY
    return int(contract["reference"]), PriceRule.PREVIOUS


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
