"""Prints the help of `dongxi` and of every command as JSON: a list of [name, text].

One process for all: starting the program once for each takes half a minute.

Usage: TYPER_USE_RICH=0 python -m docs.help_texts
"""

from __future__ import annotations

import json
from importlib.metadata import entry_points
from typing import Final

from typer.testing import CliRunner

from exchange.cli import COMMANDS, app

COLUMNS: Final = 78
"""What click leaves of a terminal of 80."""


def help_texts() -> list[tuple[str, str]]:
    """Return the help of the program, whose name here is empty, and of each of its commands, by name."""
    names = sorted(found.name for found in entry_points(group=COMMANDS))
    return [(name, _help(name)) for name in ("", *names)]


def _help(name: str) -> str:
    words = [name] if name else []
    shown = CliRunner().invoke(app, [*words, "--help"], prog_name="dongxi", terminal_width=COLUMNS)
    if shown.exit_code != 0:
        raise RuntimeError(f"dongxi {name} --help ended with {shown.exit_code}: {shown.output}")
    return "\n".join(line.rstrip() for line in shown.stdout.strip().splitlines())


if __name__ == "__main__":
    print(json.dumps(help_texts()))
