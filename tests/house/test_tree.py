"""The tree holds what it should and nothing that ties it to one machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

TOP_LEVEL = {"exchange", "matching", "scheduler", "nodes", "sims", "tests", "bench"}
FRAGMENT = re.compile(r"^(\+[a-z0-9-]+|\d+)(\.\d+)?\.(feature|change|fix)\.md$")
# a home directory, and hosts that serve packages: neither belongs in a tracked file, this one included,
# hence the classes of one letter
HOMES = r"/[h]ome/[a-z]|/[r]oot/|/[U]sers/[A-Za-z]"
PACKAGE_HOSTS = r"[p]ypi|[n]pmjs|[d]eb\.debian|/[s]imple/"
MACHINE = re.compile(rf"({HOMES}|https?://[^ )\"']*({PACKAGE_HOSTS}))")


def tracked(root: Path) -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True)
    return [root / name for name in listed.stdout.splitlines() if (root / name).is_file()]


def test_the_named_top_level_entries_exist(root: Path) -> None:
    assert (root / "pyproject.toml").is_file()
    assert {name for name in TOP_LEVEL if (root / name).is_dir()} == TOP_LEVEL


def test_no_tracked_text_names_a_machine_path_or_a_package_host(root: Path) -> None:
    found = []
    for path in tracked(root):
        if path.stat().st_size > 1_000_000:
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(root)}: {match.group()}" for match in MACHINE.finditer(text)]
    assert found == []


@pytest.mark.parametrize(
    "parts", [("", "home", "x"), ("", "Users", "X"), ("", "root", ""), ("http:", "", "npm" + "js")]
)
def test_what_names_a_machine_or_a_package_host_is_seen(parts: tuple[str, ...]) -> None:
    assert MACHINE.search("see " + "/".join(parts))


def test_only_python_is_source(root: Path) -> None:
    foreign = {".c", ".cc", ".cpp", ".h", ".pyx", ".pxd", ".rs", ".go"}
    assert [path for path in tracked(root) if path.suffix in foreign] == []


def test_every_changelog_fragment_has_a_kind_and_a_sentence(root: Path) -> None:
    fragments = [path for path in (root / "changes").iterdir() if path.name != "README.md"]
    for path in fragments:
        assert FRAGMENT.match(path.name), f"{path.name}: expected +NAME.feature.md, .change.md or .fix.md"
        assert len(path.read_text(encoding="utf-8").strip()) > 20, path.name


def test_constraints_pin_exact_versions_and_name_no_host(root: Path) -> None:
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert pins
    for line in pins:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line), line


@pytest.mark.parametrize("script", [".ci/run"])
def test_scripts_are_executable_and_parse(root: Path, script: str) -> None:
    path = root / script
    assert path.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(path)], check=True)
