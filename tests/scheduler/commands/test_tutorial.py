"""Pages about planning: their files are saved as they say and their commands run."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scheduler.commands.plan import app

DOCS = Path(__file__).parents[3] / "docs"
SAVED = re.compile(r"`([a-z]+\.(?:csv|yaml))`")
MADE = {
    "planning.md": (9, {"plan.json", "plan.html", "plan.csv", "planned.yaml", "odd.json"}),
    "tutorials/plan-every-hour.md": (
        7,
        {"hour1b.json", "hour1.json", "hour3.json", "hour4.json", "other.json"},
    ),
}
"""How many commands each page has, and what they leave."""
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", MADE)
def test_every_command_of_the_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (DOCS / page).read_text(encoding="utf-8")
    names: list[str] = []
    done = 0
    ran = 0
    for fence in FENCE.finditer(text):
        for paragraph in re.findall(r"Save as (.*?):\n", text[done : fence.start()], re.DOTALL):
            names += SAVED.findall(paragraph)
        done = fence.start()
        kind, body = fence.groups()
        if kind in ("csv", "yaml"):
            Path(names.pop(0)).write_text(body, encoding="utf-8")
        elif kind == "bash":
            for line in body.splitlines():
                words = shlex.split(line)
                assert words[:2] == ["dongxi", "plan"]
                planning = words[2] not in ("check", "compare", "fail")
                result = CliRunner().invoke(app, words[2:] + ["--time-limit", "2"] * planning)
                assert result.exit_code == 0, f"{line}\n{result.output}"
                ran += 1
    assert names == []
    commands, made = MADE[page]
    assert ran == commands
    assert made <= {path.name for path in tmp_path.iterdir()}
