"""The same as test_schema.py, at length; each operation has a server of its own, so that lists stay short."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from schema_campaign import campaign, check, schema
from signed_requests import Callers, served_in_thread

SOAK = 1_000


@pytest.fixture
def callers(tmp_path: Path) -> Iterator[Callers]:
    """A fresh server, and who may ask it for what."""
    with served_in_thread(tmp_path) as found:
        yield found


@pytest.mark.soak
@schema.parametrize()
@campaign(SOAK)
def test_the_server_does_what_the_document_says(case: Any, callers: Callers) -> None:
    check(case, callers)
