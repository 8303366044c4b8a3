"""Candles in half-cell characters: bodies heavy, wicks light, prices at the right, volume at the bottom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exchange.api.formats import price_text
from exchange.terminal.paint.cells import Ink, Line, Span, cut, filled, fit
from exchange.terminal.state.model import TradingModel
from exchange.terminal.state.tape import Bar

AXIS_CELLS = 9
VOLUME_ROWS = 2
VOLUME = " ▁▂▃▄▅▆▇█"

# (upper half, lower half) → character; a half is empty, wick or body
GLYPHS = {
    (0, 0): " ",
    (1, 1): "│",
    (2, 2): "┃",
    (1, 0): "╵",
    (0, 1): "╷",
    (2, 0): "╹",
    (0, 2): "╻",
    (1, 2): "╽",
    (2, 1): "╿",
}


@dataclass(frozen=True)
class Scale:
    """Prices (ticks) of the lowest and the highest half row, and how many half rows there are."""

    low: int
    high: int
    halves: int

    def half(self, price: int) -> int:
        """The half row of a price, 0 being the lowest."""
        span = max(self.high - self.low, 1)
        return round((price - self.low) * (self.halves - 1) / span)

    def price(self, half: int) -> int:
        """The price of a half row."""
        return self.low + round(half * (self.high - self.low) / max(self.halves - 1, 1))


def paint_chart(model: TradingModel, size: tuple[int, int]) -> list[Line]:
    """The contract's latest candles."""
    width, height = size
    say, interval = model.say, model.chart.interval
    rows = height - VOLUME_ROWS - 2
    bars = model.chart.bars((width - AXIS_CELLS) // 2)
    title = cut((Span(f"{model.symbol or ''} · {interval}", "dim"),), width)
    if not bars or rows < 2:
        return filled([title, cut((Span(say("no_trades"), "dim"),), width)], size)
    scale = _scale(bars, 2 * rows)
    drawn = [candle_column(bar, scale) for bar in bars]
    inks: list[Ink] = ["up" if bar.close >= bar.open else "down" for bar in bars]
    last = scale.half(bars[-1].close) // 2
    lines = [title]
    for up in range(rows - 1, -1, -1):
        body = [Span(f"{column[up]} ", ink) for column, ink in zip(drawn, inks, strict=True)]
        lines.append(_with_axis(body, up, scale, last, bars[-1].close, width))
    lines += _volume(bars, inks, width)
    lines.append(_times(bars, width))
    return filled(lines, size)


def _scale(bars: Sequence[Bar], halves: int) -> Scale:
    """From the lowest to the highest price, and at least a tick a half row, around the middle."""
    low, high = min(bar.low for bar in bars), max(bar.high for bar in bars)
    lacking = max(halves - 1 - (high - low), 0)
    return Scale(low - lacking // 2, high + lacking - lacking // 2, halves)


def candle_column(bar: Bar, scale: Scale) -> list[str]:
    """The characters of one candle, lowest row first."""
    low, high = scale.half(bar.low), scale.half(bar.high)
    foot, top = sorted((scale.half(bar.open), scale.half(bar.close)))
    halves = [2 if foot <= half <= top else 1 if low <= half <= high else 0 for half in range(scale.halves)]
    return [GLYPHS[halves[half + 1], halves[half]] for half in range(0, scale.halves, 2)]


def _with_axis(body: Sequence[Span], up: int, scale: Scale, last: int, close: int, width: int) -> Line:
    """A row with its price, where one is due: every fourth row, and the last price where it is."""
    if up == last:
        label, ink = f"◂{price_text(close)}", "last"
    else:
        label, ink = (
            (f" {price_text(scale.price(2 * up))}" if up % 4 == 0 and abs(up - last) > 1 else ""),
            "dim",
        )
    return cut((*cut(body, width - AXIS_CELLS), Span(fit(label, AXIS_CELLS), ink)), width)  # type: ignore[arg-type]


def _volume(bars: Sequence[Bar], inks: Sequence[Ink], width: int) -> list[Line]:
    most = max(1, *(bar.lots for bar in bars))
    steps = [round(bar.lots * VOLUME_ROWS * 8 / most) for bar in bars]
    lines = []
    for up in range(VOLUME_ROWS - 1, -1, -1):
        glyphs = [VOLUME[min(max(step - 8 * up, 0), 8)] for step in steps]
        body = [Span(f"{glyph} ", ink) for glyph, ink in zip(glyphs, inks, strict=True)]
        label = fit(f" {most}" if up == VOLUME_ROWS - 1 else "", AXIS_CELLS)
        lines.append(cut((*cut(body, width - AXIS_CELLS), Span(label, "dim")), width))
    return lines


def _times(bars: Sequence[Bar], width: int) -> Line:
    """The first and the last candle's start; the day where that isn't the same."""
    first, last = bars[0].start, bars[-1].start
    cut_at = slice(11, 16) if first[:10] == last[:10] else slice(5, 16)
    ends = [first[cut_at].replace("T", " "), last[cut_at].replace("T", " ")]
    room = min(2 * len(bars), width - AXIS_CELLS)
    gap = room - len(ends[0]) - len(ends[1])
    text = ends[0] + " " * gap + ends[1] if gap > 0 else ends[1]
    return cut((Span(text, "dim"),), width)
