"""Daily settlement: the settlement price, variation margin, the cascade (chapter 6). Pure functions over
tables.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from exchange.domain.money import half_up


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


def variation_margin(
    positions: NDArray[Any], hours: NDArray[np.int64], new: NDArray[np.int64], old: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the variation margin of each POSITION_ROW in fen (clause 6.2), received positive.

    hours × (lots × new price − settled lots × old price − signed value traded since); `hours`, `new` and
    `old` are each row's own, shape (n,).
    """
    marked = positions["lots"] * new - positions["settled_lots"] * old - positions["day_value"]
    result: NDArray[np.int64] = hours * marked
    return result


def cascade_value(lots: int, price: int, parent_hours: int, child_hours: list[int]) -> int:
    """Return what a cascade moves, in fen; parent and children must carry the same (clause 6.4).

    Raises ValueError if the children's hours aren't the parent's.
    """
    if sum(child_hours) != parent_hours:
        raise ValueError(f"children deliver {sum(child_hours)} hours, the parent {parent_hours}")
    return lots * price * parent_hours
