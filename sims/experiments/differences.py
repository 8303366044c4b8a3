"""In which keys the variants of an experiment differ: what was compared, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from exchange.domain.calendar import local_datetime
from sims.scenario.overrides import NAMED, has_name

if TYPE_CHECKING:
    from sims.experiments.store import Manifest

SAID = ("name", "title", "shows", "plausible", "claim")
"""Keys of a scenario that change nothing in its market."""


def differences(manifest: Manifest) -> list[str]:
    """Return a sentence for each variant but the first: the keys in which its market differs from that."""
    (first, base), *others = manifest.variants.items()
    told = [(f"{name} differs from {first} in", table) for name, table in others]
    if manifest.fork is not None:
        moment = f"{local_datetime(manifest.fork.at_ns):%Y-%m-%d %H:%M:%S}"
        told = [
            (
                f"{manifest.fork.variant} goes on from {moment}, and differs from {first} in",
                manifest.fork.table,
            )
        ]
    return [f"{begin} {'; '.join(changed(base, table)) or 'nothing'}." for begin, table in told]


def changed(base: dict[str, Any], other: dict[str, Any], within: str = "") -> Iterator[str]:
    """Yield each key that differs, as --set takes it, with both values; of scenarios, those of the market."""
    for key in dict.fromkeys((*base, *other)):
        ours, theirs = (_by_name(key, table.get(key)) for table in (base, other))
        if ours == theirs or (key in SAID and not within):
            continue
        if isinstance(ours, dict) and isinstance(theirs, dict):
            yield from changed(ours, theirs, f"{within}{key}.")
        else:
            yield f"{within}{key} {_written(ours)} → {_written(theirs)}"


def _by_name(key: str, value: Any) -> Any:
    """Return a list of named tables by their names; what else there is as it is."""
    named = key in NAMED and isinstance(value, list) and all(map(has_name, value))
    return {part["name"]: part for part in value} if named else value


def _written(value: Any) -> str:
    if has_name(value):
        return "on"
    return "off" if value is None else msgspec.json.encode(value).decode()
