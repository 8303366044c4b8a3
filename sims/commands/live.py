"""What is seen while simulations run: how far and how fast, prices by hub, volume and spread; on stderr.

In a terminal it is one picture, drawn anew; elsewhere, such as in a log file, a plain line now and then.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType
from typing import Final

from rich.box import SIMPLE
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from exchange.domain.contracts import PeriodKind
from sims.engine.simulation import Simulation
from sims.experiments.inference import readable
from sims.experiments.job import Finished

PICTURE_SECONDS: Final = 0.25
LINE_SECONDS: Final = 5.0
VARIANTS_SHOWN: Final = 4
FIGURES: Final = ("volume_lots", "spread", "welfare_cny")
_DAY: Final = PeriodKind.DAY.value
FEN: Final = 100


@dataclass(frozen=True, slots=True)
class Look:
    """How things stood at one moment."""

    what: str
    """How much is done, in words."""
    share: float
    """Of everything, 0 … 1."""
    rate: float
    """Of `unit` in a second, since the first."""
    unit: str
    seconds: float
    """Since the first was done."""
    share_then: float
    rows: list[tuple[str, ...]]
    """A table, headings first."""

    def words(self) -> str:
        """Return what is done, how fast, and when it will be over."""
        grown = self.share - self.share_then
        rate = f", {readable(self.rate)} {self.unit} a second" if self.rate else ""
        left = self.seconds * (1 - self.share) / grown if grown > 0 else 0.0
        return f"{self.what}{rate}" + (f", {timedelta(seconds=round(left))} left" if grown > 0 else "")

    def line(self) -> str:
        """Return it as one line."""
        told = (f"{name} {' / '.join(cells)}" for name, *cells in self.rows)
        return "; ".join((self.words(), *told))

    def __rich__(self) -> RenderableType:
        headings, *rows = self.rows
        table = Table(*headings, box=SIMPLE)
        for column in table.columns[1:]:
            column.justify = "right"
        for row in rows:
            table.add_row(*row)
        progress = Table.grid(padding=(0, 1))
        progress.add_row(ProgressBar(total=1.0, completed=self.share, width=40), self.words())
        return Group(progress, table)


@dataclass(slots=True)
class _Sums:
    """Running sums over the finished runs of a variant."""

    runs: int = 0
    figures: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    prices: dict[str, tuple[float, int]] = field(default_factory=dict)
    """Sum and number of a good's settlement prices of the nearest day, ticks."""

    def add(self, one: Finished) -> None:
        self.runs += 1
        for name in FIGURES:
            self.figures[name] += one.outcome.metrics[name]
        for good, price in _nearest_prices(one).items():
            total, count = self.prices.get(good, (0.0, 0))
            self.prices[good] = (total + price, count + 1)


class LiveView:
    """Shows so many runs of these variants. A context; `advance` and `watch` tell it what happened. `clock`
    gives seconds.
    """

    def __init__(
        self, total: int, variants: Iterable[str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._total = total
        self._console = Console(stderr=True)
        self._live = Live(console=self._console, transient=True)
        self._sums = {variant: _Sums() for variant in variants}
        self._next = 0.0
        self._first: dict[str, tuple[float, float, float]] = {}

    def __enter__(self) -> LiveView:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def advance(self, one: Finished) -> None:
        """A run is finished: show means over all that are, by variant; one alone is its own result."""
        if self._total == 1:
            return
        self._sums[one.variant].add(one)
        runs = sum(sums.runs for sums in self._sums.values())
        what = f"{runs:,} of {self._total:,} runs"
        self._show(what, runs / self._total, runs, "runs", lambda: _of_variants(self._sums))

    def watch(self, simulation: Simulation) -> None:
        """A wake of the only run is over: show its market."""
        events = simulation.market.events
        what = f"day {simulation.day} of {simulation.scenario.days}"
        self._show(what, simulation.share_done, events, "events", lambda: _of_market(simulation))

    def _show(
        self, what: str, share: float, count: int, unit: str, rows: Callable[[], list[tuple[str, ...]]]
    ) -> None:
        now = self._clock()
        if now < self._next and share < 1:
            return
        self._next = now + (PICTURE_SECONDS if self._console.is_terminal else LINE_SECONDS)
        began, share_then, count_then = self._first.setdefault(unit, (now, share, count))
        rate = (count - count_then) / (now - began) if now > began else 0.0
        look = Look(what, share, rate, unit, now - began, share_then, rows())
        if self._console.is_terminal:
            self._live.update(look)
        else:
            self._console.print(look.line(), highlight=False, soft_wrap=True)


def _nearest_prices(one: Finished) -> dict[str, int]:
    """Return settlement prices of the last day's nearest delivery by good, ticks."""
    last = max((row.day for row in one.outcome.prices), default=0)
    rows = [row for row in one.outcome.prices if row.day == last and row.kind == _DAY]
    return {row.good: row.price for row in sorted(rows, key=lambda row: -row.first_day)}


def _of_variants(sums: dict[str, _Sums]) -> list[tuple[str, ...]]:
    """Return means by variant: what the next delivery costs at each hub, CNY, and the market's figures."""
    shown = list(sums)[:VARIANTS_SHOWN]
    more = f" (and {len(sums) - len(shown)} variants more)" if len(sums) > len(shown) else ""
    rows: list[tuple[str, ...]] = [(f"means{more}", *shown)]
    for good in dict.fromkeys(good for name in shown for good in sums[name].prices):
        means = [sums[name].prices.get(good) for name in shown]
        rows.append((good, *(f"{mean[0] / mean[1] / FEN:,.2f}" if mean else "" for mean in means)))
    for figure in FIGURES:
        told = (sums[name] for name in shown)
        rows.append((figure, *(readable(of.figures[figure] / of.runs) if of.runs else "" for of in told)))
    return rows


def _of_market(simulation: Simulation) -> list[tuple[str, ...]]:
    """Return what the board shows of each good's nearest delivery day, CNY and lots."""
    found: list[tuple[str, ...]] = [("nearest day", "last CNY", "bid", "ask", "spread", "lots today")]
    board = simulation.board.rows
    for number, good in enumerate(simulation.world.goods):
        rows = board[board["good"] == number]
        if not len(rows):
            continue
        row = rows[rows["first_day"].argmin()]
        prices = [f"{int(row[name]) / FEN:,.2f}" if row[name] else "" for name in ("last", "bid", "ask")]
        both = row["bid"] and row["ask"]
        spread = f"{2 * (row['ask'] - row['bid']) / (row['ask'] + row['bid']):.2%}" if both else ""
        found.append((str(good), *prices, spread, f"{int(rows['lots'].sum()):,}"))
    return found
