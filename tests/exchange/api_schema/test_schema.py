"""What `/openapi.json` says against a running server, by generated requests: no 5xx, no answer that it
doesn't describe, nothing taken that it forbids.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zlib import crc32

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import CoveragePhaseData
from signed_requests import SYMBOL, Callers, Signer, served_in_thread

from exchange.gateway.app import ROUTES
from exchange.gateway.openapi import document

SMALL, SOAK = 12, 1_000
MALFORMED = {"MALFORMED_JSON", "UNKNOWN_FIELD", "UNSUPPORTED_MEDIA_TYPE"}

pytestmark = pytest.mark.xdist_group("api schema")
schema = schemathesis.openapi.from_dict(document(ROUTES))
# what is well formed may still be refused for what it asks, with 422: a price outside the limits, say
accepted = schema.config.checks.positive_data_acceptance
accepted.expected_statuses = [*accepted.expected_statuses, "422"]


@pytest.fixture(scope="module")
def callers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callers]:
    with served_in_thread(tmp_path_factory.mktemp("exchange")) as found:
        yield found


def is_about_signing(case: Any) -> bool:
    """Whether the request is to be wrong in its headers, which are all about signing."""
    about = case.meta.phase.data
    in_headers = isinstance(about, CoveragePhaseData) and about.parameter_location == ParameterLocation.HEADER
    return in_headers or bool(case.meta.is_negative_at(ParameterLocation.HEADER))


def name_what_exists(case: Any, callers: Callers) -> None:
    """In half of the well-formed requests put a contract and an order that are there."""
    if not case.meta.generation.mode.is_positive or crc32(repr(case.body).encode()) & 1:
        return
    known = {"symbol": SYMBOL, "order_id": callers.order_id}
    path, body = case.path_parameters, case.body
    for given in (path, body, *(body.get("items", ()) if isinstance(body, dict) else ())):
        if isinstance(given, dict):
            given.update({name: value for name, value in known.items() if name in given})


def check(case: Any, callers: Callers) -> None:
    name_what_exists(case, callers)
    auth = None if is_about_signing(case) else Signer(callers)
    response = case.call_and_validate(base_url=callers.base_url, auth=auth)
    if case.meta.generation.mode.is_positive and response.status_code >= requests.codes.bad_request:
        assert response.json()["error"]["code"] not in MALFORMED


def campaign(requests_an_operation: int) -> Any:
    """Settings of hypothesis. The server keeps what it was told, so that nothing is worth replaying."""
    return settings(
        max_examples=requests_an_operation,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@schema.parametrize()
@campaign(SMALL)
def test_the_server_does_what_the_document_says(case: Any, callers: Callers) -> None:
    check(case, callers)


@pytest.mark.soak
@schema.parametrize()
@campaign(SOAK)
def test_the_same_at_length(case: Any, callers: Callers) -> None:
    check(case, callers)
