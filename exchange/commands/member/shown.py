"""How prices, money, times and tables look: CNY and Asia/Shanghai, and both said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

PRICE = "CNY/lot-hour"
ZONE = "Asia/Shanghai"


def cny(fen: int | None) -> str:
    """Fen as "1,234.50" in CNY; a dash for none."""
    if fen is None:
        return "–"
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def fen_of(text: str) -> int:
    """An amount in CNY, "1234.50" or "1,234.50", in fen, exactly. Raises typer.BadParameter."""
    try:
        fen = Decimal(text.replace(",", "")) * 100
    except InvalidOperation:
        fen = Decimal("NaN")
    if not fen.is_finite() or fen != fen.to_integral_value():
        raise typer.BadParameter(f"{text!r} is no amount in CNY with at most two decimals, such as 1250.50")
    return int(fen)


def moment(text: str) -> str:
    """A time of the exchange as "2026-12-04 10:00:00"; the zone is said beside."""
    return text[:19].replace("T", " ")


def or_dash(value: object) -> str:
    """The value, or a dash for None."""
    return "–" if value is None else str(value)


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Iterable[str] = ()
) -> Table:
    """A table; columns named in `right` are figures."""
    figures = set(right)
    shown = Table(box=SIMPLE, title=title, title_justify="left", pad_edge=False, show_header=any(columns))
    for column in columns:
        shown.add_column(column, justify="right" if column in figures else "left", no_wrap=column in figures)
    for row in rows:
        shown.add_row(*(or_dash(cell) for cell in row))
    return shown


def show(*parts: object) -> None:
    """Print tables and sentences."""
    console = Console(highlight=False)
    for part in parts:
        console.print(part, markup=False) if isinstance(part, str) else console.print(part)
