"""/openapi.json says what the server does: every route, every reference, every scope."""

from __future__ import annotations

import re
from typing import Any

from exchange.gateway.app import ROUTES
from exchange.gateway.openapi import document

DOCUMENT = document(ROUTES)


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(inner) for inner in value.values()))
    if isinstance(value, list):
        return set().union(*(references(inner) for inner in value))
    return set()


def test_every_route_and_no_other_is_described() -> None:
    described = {(verb.upper(), path) for path, verbs in DOCUMENT["paths"].items() for verb in verbs}
    assert described == {(route.method, route.path) for route in ROUTES}
    assert DOCUMENT["openapi"].startswith("3.1")


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    schemas = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert references(DOCUMENT) == schemas


def test_operations_are_named_once_and_carry_their_scope() -> None:
    operations = {
        (verb.upper(), path): about
        for path, verbs in DOCUMENT["paths"].items()
        for verb, about in verbs.items()
    }
    names = [about["operationId"] for about in operations.values()]
    assert len(names) == len(set(names))
    for route in ROUTES:
        about = operations[route.method, route.path]
        assert about.get("x-scope") == route.scope
        assert bool(about.get("security")) == bool(route.scope)
        assert ("requestBody" in about) == (route.body is not None)
        assert about["summary"]
        assert about["description"]
        in_path = {one["name"] for one in about["parameters"] if one["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", route.path))
        assert all(one["description"] for one in about["parameters"] if one["in"] == "path")
