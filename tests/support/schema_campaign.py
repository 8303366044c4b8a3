"""Generated requests against what `/openapi.json` says, for campaigns of any size."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import CoveragePhaseData
from signed_requests import SYMBOL, Callers, Signer

from exchange.gateway.app import ROUTES
from exchange.gateway.openapi import document

MALFORMED = {"MALFORMED_JSON", "UNKNOWN_FIELD", "UNSUPPORTED_MEDIA_TYPE"}

schema = schemathesis.openapi.from_dict(document(ROUTES))
# what is well formed may still be refused for what it asks, with 422: a price outside the limits, say
accepted = schema.config.checks.positive_data_acceptance
accepted.expected_statuses = [*accepted.expected_statuses, "422"]
# what breaks the schema by its length may be too long to be read at all
rejected = schema.config.checks.negative_data_rejection
rejected.expected_statuses = [*rejected.expected_statuses, "413"]


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
