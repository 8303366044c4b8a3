"""The documents say what the program does: clauses, the two READMEs, links."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import msgspec
import pytest

from exchange.config import Config

ROOT = Path(__file__).resolve().parents[2]
CLAUSE = re.compile(r"^\*\*(\d+\.\d+)\*\*", re.MULTILINE)
CITED = re.compile(r"(?:[Cc]lauses?|[Rr]ule(?:book)?) (\d+\.\d+)")
NUMBER = re.compile(r"\d+\.\d+")
CITATION = re.compile(r"[Cc]lauses?((?:(?:,|,? and|,? or| to|–)? ?\d+\.\d+(?: \(\d+\))?)+)")
LINK = re.compile(r"\[[^\]]*\]\(([^)#]+)(?:#[^)]*)?\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def clauses(root: Path) -> list[str]:
    return CLAUSE.findall((root / "docs/rulebook.md").read_text(encoding="utf-8"))


def test_rulebook_clauses_are_numbered_once_and_in_order(root: Path) -> None:
    numbers = [tuple(int(part) for part in clause.split(".")) for clause in clauses(root)]
    assert numbers, "the rulebook has no clause"
    assert len(numbers) == len(set(numbers))
    assert numbers == sorted(numbers)


def cited_by(path: Path) -> set[str]:
    """The clauses that a test file cites: "clause 3.1", "clauses 3.31 to 3.34 and 8.1", `test_clause_2_8_…`,
    or a table of cases that begin with their clause.
    """
    text = path.read_text(encoding="utf-8")
    found = set(re.findall(r"^\s*\(\s*\"(\d+\.\d+)\",", text, re.MULTILINE))
    named = re.findall(r"clauses?((?:_\d+_\d+|_to|_and)+)", text)
    for listed in CITATION.findall(text) + [re.sub(r"_(\d+)_(\d+)", r" \1.\2", name) for name in named]:
        found |= set(NUMBER.findall(listed))
        for chapter, first, last in re.findall(r"(\d+)\.(\d+)[ _]?(?:to|–)[ _]?\1\.(\d+)", listed):
            found |= {f"{chapter}.{number}" for number in range(int(first), int(last) + 1)}
    return found


def test_every_cited_clause_exists(root: Path) -> None:
    known = set(clauses(root))
    unknown = []
    for folder in ("matching", "exchange", "nodes", "scheduler", "sims", "tests"):
        for path in (root / folder).rglob("*.py"):
            cited = set(CITED.findall(path.read_text(encoding="utf-8")))
            unknown += [f"{path.relative_to(root)} cites {clause}" for clause in sorted(cited - known)]
    assert unknown == []


def test_every_clause_is_proved_somewhere(root: Path) -> None:
    cited = set[str]().union(*(cited_by(path) for path in (root / "tests").rglob("*.py")))
    assert [clause for clause in clauses(root) if clause not in cited] == []


def test_the_chinese_readme_keeps_step(root: Path) -> None:
    english = (root / "README.md").read_text(encoding="utf-8")
    chinese = (root / "README.zh-CN.md").read_text(encoding="utf-8")
    assert FENCE.findall(english) == FENCE.findall(chinese), "the commands shown differ"
    headings = [re.findall(r"^(#+) ", text, re.MULTILINE) for text in (english, chinese)]
    assert headings[0] == headings[1], "the sections differ"
    links = [[link for link in LINK.findall(text) if "README" not in link] for text in (english, chinese)]
    assert links[0] == links[1], "the links differ"


@pytest.mark.parametrize(
    "document",
    ["README.md", "README.zh-CN.md", *(f"{p.relative_to(ROOT)}" for p in Path(ROOT, "docs").rglob("*.md"))],
)
def test_links_inside_the_project_lead_somewhere(root: Path, document: str) -> None:
    path = root / document
    for link in LINK.findall(path.read_text(encoding="utf-8")):
        if not link.startswith(("http:", "https:", "mailto:")):
            assert (path.parent / link).exists(), f"{document} links to {link}, which isn't there"


@pytest.mark.parametrize(
    "name", ["records.md", "api.md", "commands.md", "scenarios.md", "scenario.schema.json"]
)
def test_generated_pages_are_current(root: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(root))
    pages = importlib.import_module("docs.build").PAGES
    written = (root / "docs" / name).read_text(encoding="utf-8")
    assert written == pages[name](), f"docs/{name} is not what the code says; run `make docs`"


def test_every_setting_is_documented(root: Path) -> None:
    page = (root / "docs/operations.md").read_text(encoding="utf-8")
    for setting in msgspec.structs.fields(Config):
        assert f"| `{setting.name}` | `DONGXI_{setting.name.upper()}` |" in page, setting.name
