"""docs/terminal.md names every key and every state; the state and its painting know no screen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from exchange.terminal.keys import GROUPS
from exchange.terminal.state.connection import State
from exchange.terminal.words import WORDS


def test_the_page_has_every_key_and_state(root: Path) -> None:
    page = (root / "docs/terminal.md").read_text(encoding="utf-8")
    rows = [f"| `{key.shown}` | {key.says[0]} |" for keys in GROUPS.values() for key in keys]
    assert [row for row in rows if row not in page] == []
    states = [WORDS[state.name.lower()][0].split(" {")[0] for state in State]
    assert [state for state in states if f"`{state}" not in page] == []


def test_every_word_takes_the_same_values_in_both_languages() -> None:
    assert [
        key for key, (english, chinese) in WORDS.items() if english.count("{}") != chinese.count("{}")
    ] == []


def test_state_and_painting_know_no_screen() -> None:
    names = "actions, layout, paint.bars, paint.chart, paint.help, paint.ladder, paint.lists, state.model"
    script = f"import sys\nimport {', '.join('exchange.terminal.' + name for name in names.split(', '))}\n"
    done = subprocess.run(
        [sys.executable, "-c", script + "print([name for name in sys.modules if 'textual' in name])"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
