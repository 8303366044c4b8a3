"""Draws docs/images/run.svg from what a real run printed on a terminal of 82 columns
(`script -qc "stty cols 82; make run RUN_ARGS=--once" run.txt`).

Usage: python -m docs.picture run.txt
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

TARGET: Final = Path(__file__).parent / "images" / "run.svg"
COLUMNS: Final = 82
FIRST_LINE: Final = "Trading day"
LAST_LINE: Final = "next "
_THEME: Final = TerminalTheme(
    (18, 22, 20),
    (228, 232, 229),
    [
        (18, 22, 20),
        (255, 138, 128),
        (111, 209, 154),
        (230, 200, 120),
        (130, 170, 240),
        (200, 150, 230),
        (95, 201, 181),
        (228, 232, 229),
    ],
)
# rich's own template fetches a font from the network; this one takes what the reader has
_TEMPLATE: Final = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: "DejaVu Sans Mono", "Noto Sans Mono CJK SC", Menlo, Consolas, monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g>
</svg>
"""


def picture(printed: str) -> str:
    """Return the SVG of the table that was printed."""
    lines = [line.rstrip() for line in printed.splitlines()]
    first = next(at for at, line in enumerate(lines) if FIRST_LINE in line)
    last = next(at for at, line in enumerate(lines) if Text.from_ansi(line).plain.startswith(LAST_LINE))
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi("\n".join(lines[first : last + 1])), no_wrap=True, overflow="crop")
    return console.export_svg(title="make run", theme=_THEME, code_format=_TEMPLATE, unique_id="run")


def main() -> None:
    """Draw the picture of the run whose output file is named."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(picture(Path(sys.argv[1]).read_text(encoding="utf-8")), encoding="utf-8")
    print(f"{TARGET.relative_to(Path.cwd())}")


if __name__ == "__main__":
    main()
