"""Frozen dataclasses and named tuples as plain JSON values, and back, by their annotations.

An infinite figure is null in JSON. Integers keep every digit, since checkers recompute to the last one.
"""

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any

import numpy as np

Encode = Callable[[Any], Any]
Decode = Callable[[Any], Any]


class NotOfType(ValueError):
    """A JSON value that is not what its place asks for; ``path`` says where."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(f"{path.lstrip('.') or 'the document'}: {message}")
        self.message = message
        self.path = path

    def inside(self, place: str) -> "NotOfType":
        """The same, seen from one level further out."""
        return NotOfType(self.message, f"{place}{self.path}")


def to_plain(value: Any, kind: Any) -> Any:
    """A value of ``kind`` as dicts, lists, strings, numbers and None."""
    return _codec(kind)[0](value)


def from_plain(value: Any, kind: Any) -> Any:
    """The inverse of `to_plain`. Raises `NotOfType`."""
    return _codec(kind)[1](value)


@cache
def _codec(kind: Any) -> tuple[Encode, Decode]:
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        return _union(typing.get_args(kind))
    if origin is tuple:
        return _tuple(typing.get_args(kind))
    if origin is Sequence:
        return _tuple((*typing.get_args(kind), ...))
    if origin is np.ndarray or kind is np.ndarray:
        return _array(kind)
    if kind in (int, str, bool):
        return _same, _expecting(kind)
    if kind is float:
        return _float, _to_float
    if kind is datetime:
        return datetime.isoformat, _to_datetime
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _enum_value, _to_enum(kind)
    return _record(kind)


def _same(value: Any) -> Any:
    # numpy's integers and texts that are enums come out as what they are
    return value.item() if isinstance(value, np.generic) else value


def _expecting(kind: type) -> Decode:
    def decode(value: Any) -> Any:
        if type(value) is not kind:
            raise NotOfType(f"expected {kind.__name__}, not {value!r:.60}")
        return value

    return decode


def _float(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _to_float(value: Any) -> float:
    if value is None:
        return math.inf
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotOfType(f"expected a number, not {value!r:.60}")
    return float(value)


def _to_datetime(value: Any) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise NotOfType(f"expected a time, not {value!r:.60}") from None


def _enum_value(value: Enum) -> Any:
    return value.value


def _to_enum(kind: type[Enum]) -> Decode:
    def decode(value: Any) -> Any:
        try:
            return kind(value)
        except ValueError:
            raise NotOfType(f"{value!r:.60} is none of {', '.join(str(m.value) for m in kind)}") from None

    return decode


def _union(kinds: tuple[Any, ...]) -> tuple[Encode, Decode]:
    """``X | None``, or ``int | tuple[int, ...]``: told apart by whether the value is a list."""
    if type(None) in kinds:
        (inner,) = (kind for kind in kinds if kind is not type(None))
        encode, decode = _codec(inner)
        return (
            lambda value: None if value is None else encode(value),
            lambda value: None if value is None else decode(value),
        )
    (plain,) = (kind for kind in kinds if typing.get_origin(kind) is not tuple)
    (listed,) = (kind for kind in kinds if typing.get_origin(kind) is tuple)
    one, many = _codec(plain), _codec(listed)
    return (
        lambda value: (many if isinstance(value, tuple) else one)[0](value),
        lambda value: (many if isinstance(value, list) else one)[1](value),
    )


def _tuple(kinds: tuple[Any, ...]) -> tuple[Encode, Decode]:
    if len(kinds) != 2 or kinds[1] is not Ellipsis:
        raise TypeError(f"tuple{list(kinds)}: only tuples of one kind are written")
    encode, decode = _codec(kinds[0])

    def decode_all(values: Any) -> tuple[Any, ...]:
        if not isinstance(values, list):
            raise NotOfType(f"expected an array, not {values!r:.60}")
        found = []
        for at, value in enumerate(values):
            try:
                found.append(decode(value))
            except NotOfType as error:
                raise error.inside(f"[{at}]") from None
        return tuple(found)

    return lambda values: [encode(value) for value in values], decode_all


def _array(kind: Any) -> tuple[Encode, Decode]:
    dtype = typing.get_args(typing.get_args(kind)[1])[0]
    floats = issubclass(dtype, np.floating)

    def encode(values: Any) -> Any:
        return [[_float(v) for v in row] if floats else row for row in values.tolist()]

    def decode(values: Any) -> Any:
        if not isinstance(values, list) or not all(isinstance(row, list) for row in values):
            raise NotOfType("expected an array of arrays")
        cells = [[_to_float(v) if floats else _expecting(int)(v) for v in row] for row in values]
        if len({len(row) for row in cells}) > 1:
            raise NotOfType("expected rows of one length")
        return np.array(cells, dtype=dtype).reshape(len(cells), len(cells[0]) if cells else 0)

    return encode, decode


def _record(kind: type) -> tuple[Encode, Decode]:
    """A dataclass or named tuple as an object with its fields' names."""
    hints = typing.get_type_hints(kind)
    if dataclasses.is_dataclass(kind):
        names = tuple(field.name for field in dataclasses.fields(kind))
    elif issubclass(kind, tuple) and hasattr(kind, "_fields"):
        names = kind._fields
    else:
        raise TypeError(f"{kind} is not written to files")
    encoders = {name: _codec(hints[name])[0] for name in names}
    decoders = {name: _codec(hints[name])[1] for name in names}

    def encode(value: Any) -> Any:
        return {name: encode_field(getattr(value, name)) for name, encode_field in encoders.items()}

    def decode(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise NotOfType(f"expected an object, not {value!r:.60}")
        if value.keys() != decoders.keys():
            odd = sorted(value.keys() ^ decoders.keys())
            raise NotOfType(f"missing or unknown fields: {', '.join(map(str, odd))}")
        found = {}
        for name, decode_field in decoders.items():
            try:
                found[name] = decode_field(value[name])
            except NotOfType as error:
                raise error.inside(f".{name}") from None
        return kind(**found)

    return encode, decode
