"""What to buy for a plan: ready-to-send orders, how much of them now, and what to resell."""

from typing import Any, NamedTuple

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from scheduler.io.covering import Order, orders_of
from scheduler.io.hedging import TICKS_PER_CNY, Hedge, Outlook, hedge
from scheduler.io.schedule import Schedule
from scheduler.io.venue import Spare, Stock, spare_of
from scheduler.report.wording import yuan


class Purchases(NamedTuple):
    """What to buy for a plan: the orders that make it, advice under uncertainty, and what to resell."""

    orders: tuple[Order, ...]
    hedges: tuple[Hedge, ...]
    spare: tuple[Spare, ...]


def purchases_of(schedule: Schedule, stock: Stock, outlook: Outlook) -> Purchases:
    """Orders from the book's marginal prices, and for each how much of it to buy now."""
    orders = orders_of(schedule, stock.levels)
    books = {o.symbol: [level for level in stock.levels if level.symbol == o.symbol] for o in orders}
    hedges = tuple(hedge(o, books[o.symbol], outlook) for o in orders)
    return Purchases(orders, hedges, spare_of(schedule, stock))


def show_purchases(found: Purchases, console: Console) -> None:
    """Print what to buy, and what to resell."""
    for spare in found.spare:
        what = f"reservation {spare.holding} ({spare.symbol})" if spare.reserved else spare.symbol
        console.print(f"To resell: {spare.cards:,} cards of {what}, never used", highlight=False)
    if not found.orders:
        console.print("Nothing needs to be bought.")
        return
    table = Table(box=SIMPLE, pad_edge=False, title="Orders to send", title_justify="left")
    for name in ("Buy", "Lots", "Limit ¥/h", "At the book", "Spare h", "Now", "Resell", "VSS"):
        table.add_column(name, justify="left" if name == "Buy" else "right", no_wrap=True)
    for o, advice in zip(found.orders, found.hedges, strict=True):
        now = (f"{advice.buy.lots:,}", f"{advice.resell_lots:.1f}", f"¥{_saved_cny(advice):,.2f}")
        cells = (f"{o.limit_ticks / TICKS_PER_CNY:.2f}", yuan(o.at_book_fen), f"{o.spare_card_hours:,.0f}")
        table.add_row(o.symbol, f"{o.lots:,}", *cells, *now)
    console.print(table)
    console.print(
        "Lots and limit make the plan certain, at the least cost of contracts of all periods; Spare h: "
        "card-hours beyond its use. Now: lots to buy ahead if demand and spot are as uncertain "
        "as assumed; Resell: the surplus then expected; VSS: saved against deciding by the mean.",
        style="dim",
        highlight=False,
    )


def purchases_json(found: Purchases) -> dict[str, Any]:
    """Orders as bodies of ``POST /v1/orders``, the advice, and what to resell."""
    return {
        "orders": [_body(order) for order in found.orders],
        "forward_against_spot": [
            {
                "order": _body(advice.buy) if advice.buy.lots else None,
                "symbol": advice.buy.symbol,
                "expected_cny": round(advice.expected_cny, 2),
                "value_of_stochastic_solution_cny": round(_saved_cny(advice), 2),
                "resell_lots": round(advice.resell_lots, 3),
            }
            for advice in found.hedges
        ],
        "resell": [spare._asdict() for spare in found.spare],
    }


def _saved_cny(advice: Hedge) -> float:
    """The value of the stochastic solution without rounding's minus zero."""
    return max(0.0, advice.value_of_stochastic_solution_cny)


def _body(order: Order) -> dict[str, Any]:
    price = f"{order.limit_ticks / TICKS_PER_CNY:.2f}"
    return {"symbol": order.symbol, "side": "buy", "quantity": order.lots, "price": price}
