"""The JSON schema of scenario files: what the types say, every key's own sentence, and `extends`."""

from __future__ import annotations

import ast
import inspect
from functools import cache
from typing import Any, Final

import msgspec

from sims.scenario import claims, populations, schema, shocks
from sims.scenario.overrides import NAMED

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_MODULES: Final = (schema, populations, shocks, claims)
_EXTENDS: Final = {
    "type": "string",
    "description": "A shipped scenario, or the path of a .toml from this file's directory: what isn't said "
    "here is as it is there. Sections are merged key by key, populations and shocks by name.",
}


def published() -> dict[str, Any]:
    """Return the JSON schema of a scenario file, whole or extending another."""
    found = msgspec.json.schema(schema.Scenario)
    definitions = found["$defs"]
    for name, definition in definitions.items():
        for key, of in definition["properties"].items():
            if key in _sentences()[name]:
                of["description"] = _sentences()[name][key]
    definitions["Extending"] = _extending(definitions)
    return {
        "$schema": _DIALECT,
        "if": {"required": ["extends"]},
        "then": {"$ref": "#/$defs/Extending"},
        "else": {"$ref": "#/$defs/Scenario"},
        "$defs": definitions,
    }


def _extending(definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a file over another: nothing is required, and a named table that is there may be
    changed in part, of which the kind need not be said.
    """
    properties = {"extends": _EXTENDS} | definitions["Scenario"]["properties"]
    of_any_kind = {"type": "object", "required": ["name"], "not": {"required": ["kind"]}}
    for key in NAMED:
        kinds = (of["$ref"].rpartition("/")[2] for of in properties[key]["items"]["anyOf"])
        parts = [definitions[kind] | {"required": ["kind", "name"]} for kind in kinds]
        properties[key] = properties[key] | {"items": {"anyOf": [*parts, of_any_kind]}}
    return {"title": "Extending", "type": "object", "properties": properties, "additionalProperties": False}


@cache
def _sentences() -> dict[str, dict[str, str]]:
    """Return what stands below each key of each section, by class; heirs have what their bases have."""
    found: dict[str, dict[str, str]] = {}
    for module in _MODULES:
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.ClassDef):
                bases = (found.get(base.id, {}) for base in node.bases if isinstance(base, ast.Name))
                found[node.name] = {key: text for base in bases for key, text in base.items()} | _below(node)
    return found


def _below(node: ast.ClassDef) -> dict[str, str]:
    """Return the sentences below the keys of one class."""
    found = {}
    for key, text in zip(node.body, node.body[1:], strict=False):
        match key, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(said))):
                found[name] = inspect.cleandoc(said)
    return found
