"""Every scenario file beside this one comes out as computed by hand (`tests/support/scenario.py`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from scenario import Scenario

FILES = sorted(Path(__file__).parent.glob("*.toml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_scenario(path: Path) -> None:
    assert Scenario.of(path).run() > 0, "a scenario expects something"
