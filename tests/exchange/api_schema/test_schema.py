"""What `/openapi.json` says against a running server, by generated requests: no 5xx, no answer that it
doesn't describe, nothing taken that it forbids.
"""

from __future__ import annotations

from typing import Any

from schema_campaign import campaign, check, schema
from signed_requests import Callers

SMALL = 8


@schema.parametrize()
@campaign(SMALL)
def test_the_server_does_what_the_document_says(case: Any, callers: Callers) -> None:
    check(case, callers)
