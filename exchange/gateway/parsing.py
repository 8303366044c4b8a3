"""From bytes and query strings to typed requests; each way of being wrong has its code and its sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
import orjson

from exchange.api.codes import RequestCode, RequestRefused, refuse

T = TypeVar("T", bound=msgspec.Struct)

_UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>[^`]*)`")
_MISSING = re.compile(r"Object missing required field `(?P<field>[^`]*)`")
_PLACE = re.compile(r" - at `\$\.?(?P<place>[^`]*)`$")


def parse_body(raw: bytes, kind: type[T]) -> T:
    """Return the body as `kind`. Raises RequestRefused: MALFORMED_JSON, or as `convert` does."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise refuse(
            RequestCode.MALFORMED_JSON,
            f"The body is not JSON: {error}. Send a JSON object, UTF-8 encoded.",
        ) from None
    return convert(value, kind)


def convert(value: Any, kind: type[T]) -> T:
    """Return decoded JSON as `kind`. Raises RequestRefused: UNKNOWN_FIELD, MISSING_FIELD, INVALID_FIELD."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _refusal(str(error), kind) from None


def parse_query(query: Mapping[str, str], repeated: bool, kind: type[T]) -> T:
    """Return query parameters as `kind`; `repeated` says that a name came twice.

    Raises RequestRefused INVALID_PARAMETER.
    """
    if repeated:
        raise refuse(RequestCode.INVALID_PARAMETER, "A query parameter is given twice; give each once.")
    try:
        return msgspec.convert(dict(query), kind, strict=False)
    except msgspec.ValidationError as error:
        found = _refusal(str(error), kind)
        raise refuse(RequestCode.INVALID_PARAMETER, found.message, found.field) from None


def _refusal(text: str, kind: type[msgspec.Struct]) -> RequestRefused:
    place = _PLACE.search(text)
    where = place["place"] if place else ""
    what = text[: place.start()] if place else text
    if unknown := _UNKNOWN.match(what):
        field = _join(where, unknown["field"])
        return refuse(
            RequestCode.UNKNOWN_FIELD,
            f"The field {field!r} is not known here; known are: {_names(kind)}. Leave it out or correct it.",
            field,
        )
    if missing := _MISSING.match(what):
        field = _join(where, missing["field"])
        return refuse(RequestCode.MISSING_FIELD, f"The field {field!r} is required; add it.", field)
    subject = f"The field {where!r}" if where else "The body"
    return refuse(
        RequestCode.INVALID_FIELD, f"{subject} is wrong: {what[:1].lower()}{what[1:]}.", where or None
    )


def _join(place: str, field: str) -> str:
    return f"{place}.{field}" if place else field


def _names(kind: type[msgspec.Struct]) -> str:
    return ", ".join(field.encode_name for field in msgspec.structs.fields(kind)) or "none"
