"""Figures as people read them, the same in the terminal and in the report."""

from typing import Any, Final

from scheduler.savings import Comparison

NANO_PER_CNY: Final = 1_000_000_000
FEN_PER_CNY: Final = 100


def cny(nano_cny: int) -> str:
    """Nano-CNY as ¥ with two decimals, e.g. ¥12,345.60."""
    return f"¥{nano_cny / NANO_PER_CNY:,.2f}"


def yuan(fen: int) -> str:
    """Fen as ¥ with two decimals."""
    return f"¥{fen / FEN_PER_CNY:,.2f}"


def percent(share: float) -> str:
    """A share in percent, with as many digits as it takes to see that it is not zero."""
    if share == 0:
        return "0 %"
    return f"{100 * share:.2g} %" if share < 0.01 else f"{100 * share:.2f} %"


def comparison_json(comparison: Comparison) -> list[dict[str, Any]]:
    """The comparison as JSON values."""
    return [
        {
            "name": row.name,
            "description": row.description,
            "unserved": row.unserved,
            "same_work": row.baseline_common.placed,
            "cost_saving": row.cost_saving,
            "new_money_saving": row.new_money_saving,
            "power_cost_saving": row.power_cost_saving,
            "carbon_saving": row.carbon_saving,
        }
        for row in comparison.rows
    ]
