"""Seeds as a person writes them, and reads them: 200, 1-100, 3,5,8-12."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

SEEDS_MAX: Final = 1_000_000
SEED_LAST: Final = (1 << 63) - 1
"""What a table's column of whole numbers holds."""


def parse_seeds(text: str) -> list[int]:
    """Return the seeds of a list of numbers and ranges; one number N alone is 1 … N.

    Raises ValueError naming the part that isn't understood or that overlaps with one before it.
    """
    if text.isdecimal():
        if not 1 <= int(text) <= SEEDS_MAX:
            raise ValueError(f"seeds {text!r}: one number alone says how many, 1 to {SEEDS_MAX:,}")
        return list(range(1, int(text) + 1))
    seeds: dict[int, str] = {}
    for part in text.split(","):
        low, dash, high = part.partition("-")
        if not low.isdecimal() or (dash and not high.isdecimal()):
            raise ValueError(f"seeds {text!r}: {part!r} is neither a number nor a range such as 1-100")
        first, last = int(low), int(high or low)
        if last < first or last - first >= SEEDS_MAX:
            raise ValueError(f"seeds {text!r}: {part!r} must rise, by less than {SEEDS_MAX:,}")
        if last > SEED_LAST:
            raise ValueError(f"seeds {text!r}: {part!r} is beyond the last seed, {SEED_LAST}")
        for seed in range(first, last + 1):
            if seed in seeds:
                raise ValueError(f"seeds {text!r}: {part!r} overlaps with {seeds[seed]!r} at {seed}")
            seeds[seed] = part
    return list(seeds)


def written(seeds: Sequence[int]) -> str:
    """Return a list of seeds with ranges, as `parse_seeds` takes it: 1-100, 3,5,8-12."""
    parts: list[list[int]] = []
    for seed in seeds:
        if parts and seed == parts[-1][-1] + 1:
            parts[-1][1:] = [seed]
        else:
            parts.append([seed])
    return ",".join("-".join(map(str, part)) for part in parts)
