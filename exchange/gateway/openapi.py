"""The OpenAPI 3.1 document, made from the route table and the protocol's structs, so that it can't drift."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import msgspec

from exchange.api import requests
from exchange.api.answers import ProblemAnswer
from exchange.api.codes import RequestCode
from exchange.api.signing import KEY_HEADER, NONCE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER
from exchange.gateway.call import RETRIABLE, Route
from exchange.gateway.observe import REQUEST_ID_HEADER
from exchange.gateway.screens import COOKIE, CSRF_HEADER

_REF = "#/components/schemas/{name}"
_PARAMETER = re.compile(r"{(\w+)}")
_SIGNING = {
    "key": (KEY_HEADER, "id of the API key"),
    "timestamp": (TIMESTAMP_HEADER, "wall-clock milliseconds since the epoch, within 30 s"),
    "nonce": (NONCE_HEADER, "16 … 64 of A-Z a-z 0-9 - _, new for each request"),
    "signature": (SIGNATURE_HEADER, "HMAC-SHA256, hex; see `dongxi sign --help`"),
}
_TEXT = {"type": "string", "minLength": 1, "maxLength": 64}
_ID = msgspec.json.schema(requests.Id)
_PATH_SCHEMAS = {
    "order_id": _ID,
    "capacity_id": _ID,
    "proposal_id": _ID,
    "name": msgspec.json.schema(requests.ClientName),
    "symbol": msgspec.json.schema(requests.Symbol),
}
_REQUEST_ID = {
    REQUEST_ID_HEADER: {
        "description": "names the request in the server's log",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
    }
}
_RETRY_AFTER = {
    "Retry-After": {
        "description": "seconds after which the request may be sent again",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    }
}
_PUBLIC_STATUS = (413, 415, 422, 500, 503)
_CLIENT: dict[str, dict[str, str]] = {
    "client": {"type": "string", "description": "a broker's client, for whose sub-account this is"}
}
_SIGNED_STATUS = (401, 403, 404, 409, 429)


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of `routes`, ready for JSON."""
    kinds: list[type] = [ProblemAnswer]
    for route in routes:
        kinds += [route.answer, *([route.body] if route.body else [])]
    _, components = msgspec.json.schema_components(dict.fromkeys(kinds), ref_template=_REF)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Dongxi exchange",
            "version": version("dongxi"),
            "description": "Compute-power futures at named hubs. Prices are decimal strings in CNY per "
            "lot-hour, money is integer fen, quantities are lots, times are RFC 3339 in Asia/Shanghai.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": _paths(routes),
        "components": {
            "schemas": components,
            "securitySchemes": {
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": COOKIE,
                    "description": f"log-in with a password; requests that change something also bring "
                    f"the header {CSRF_HEADER} with the csrf_token of GET /v1/session",
                },
            }
            | {
                name: {"type": "apiKey", "in": "header", "name": header, "description": what}
                for name, (header, what) in _SIGNING.items()
            },
        },
    }


def _paths(routes: Sequence[Route]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return paths


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{route.tag}_{route.handler.__name__}",
        "summary": route.summary,
        "description": inspect.getdoc(route.handler) or "",
        "tags": [route.tag],
        "parameters": [*_path_parameters(route), *_query_parameters(route)],
        "responses": _responses(route),
    }
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": _json(route.body)}
    if route.scope is not None:
        operation["security"] = [{name: [] for name in _SIGNING}, {"session": []}]
        operation["x-scope"] = route.scope
        if route.roles:
            operation["x-roles"] = list(route.roles)
    return operation


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": route.path_help.get(name, ""),
            "schema": _PATH_SCHEMAS.get(name, _TEXT),
        }
        for name in _PARAMETER.findall(route.path)
    ]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    schema = msgspec.json.schema(route.query)
    properties = schema["$defs"][route.query.__name__]["properties"]
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": _description(of),
            "schema": of,
        }
        for name, of in (properties | (_CLIENT if route.for_clients else {})).items()
    ]


def _description(schema: dict[str, Any]) -> str:
    if "description" in schema:
        return str(schema["description"])
    return next((str(of["description"]) for of in schema.get("anyOf", ()) if "description" in of), "")


def _responses(route: Route) -> dict[str, Any]:
    statuses = {*_PUBLIC_STATUS, *(_SIGNED_STATUS if route.scope else ()), *route.statuses}
    if route.body is not None:
        statuses.add(400)
    if _PARAMETER.search(route.path):
        statuses.add(404)
    refused = {
        str(status): {
            "description": _codes(status),
            "headers": _REQUEST_ID | (_RETRY_AFTER if status in RETRIABLE else {}),
            "content": _json(ProblemAnswer),
        }
        for status in sorted(statuses)
    }
    done = {"description": "Done", "headers": _REQUEST_ID, "content": _json(route.answer)}
    return {"200": done, **refused}


def _codes(status: int) -> str:
    names = [code.name for code in RequestCode if code.status == status]
    return f"Refused: {', '.join(names)}" if names else "Refused by the exchange"


def _json(kind: type) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(name=kind.__name__)}}}
