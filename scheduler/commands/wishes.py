"""What was asked for beside the plan: prices of constraints, and the front between money and carbon."""

from typing import Any

from rich.console import Console

from scheduler.commands.summary import table_of
from scheduler.io.planfile import PlanFile
from scheduler.report.wording import NANO_PER_CNY, constraint_rows, front_rows
from scheduler.types import MICRO


def show_wishes(file: PlanFile, console: Console) -> None:
    """Print them, where there are any."""
    if file.constraint_prices:
        title = "What each constraint costs (certified interval)"
        console.print(table_of(title, constraint_rows(file.constraint_prices)))
    if file.front:
        title = "What less carbon costs, and what it must cost at least"
        console.print(table_of(title, front_rows(file.front)))


def wishes_json(file: PlanFile) -> dict[str, Any]:
    """The same as JSON values, money in CNY; nothing where nothing was asked for."""
    found: dict[str, Any] = {}
    if file.constraint_prices:
        found["constraint_prices"] = [
            {
                "constraint": price.constraint,
                "least_cny": price.least / NANO_PER_CNY,
                "most_cny": price.most / NANO_PER_CNY,
                "served_more": price.served_more,
            }
            for price in file.constraint_prices
        ]
    if file.front:
        found["front"] = [
            {
                "carbon_price_cny_per_kg": row.price_micro_cny_per_kg / MICRO,
                "placed": row.placed,
                "new_money_cny": row.cost_nano_cny / NANO_PER_CNY,
                "money_and_penalties_cny": row.money_nano_cny / NANO_PER_CNY,
                "money_bound_cny": row.money_bound_nano_cny / NANO_PER_CNY,
                "kgco2": row.kgco2,
            }
            for row in file.front
        ]
    return found
