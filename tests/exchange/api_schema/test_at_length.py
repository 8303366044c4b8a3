"""The same as test_schema.py, at length."""

from __future__ import annotations

from typing import Any

import pytest
from schema_campaign import campaign, check, schema
from signed_requests import Callers

SOAK = 1_000


@pytest.mark.soak
@schema.parametrize()
@campaign(SOAK)
def test_the_server_does_what_the_document_says(case: Any, callers: Callers) -> None:
    check(case, callers)
