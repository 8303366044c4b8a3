"""Components of the market health index and their scores. Pure functions; docs/health.md has the formulas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

FULL: Final = 10_000
"""A score of 100, in hundredths."""


class Component(IntEnum):
    """What is measured; the numbers are stable."""

    SPREAD = 1
    DEPTH = 2
    CONVERSION = 3
    DELIVERY = 4
    CONCENTRATION = 5
    COVER = 6
    UTILISATION = 7
    BALANCE = 8
    CONVERGENCE = 9

    @property
    def label(self) -> str:
        """The component as clients see it."""
        return self.name.lower()


class Group(IntEnum):
    """The three groups; each counts a third of the index."""

    CIRCULATION = 1
    SAFETY = 2
    VALUE = 3

    @property
    def label(self) -> str:
        """The group as clients see it."""
        return {1: "circulation efficiency", 2: "safety", 3: "value creation"}[self.value]

    @property
    def label_zh(self) -> str:
        """The same in Chinese."""
        return {1: "流通效率", 2: "安全水平", 3: "价值创造"}[self.value]


@dataclass(frozen=True, slots=True)
class Scale:
    """Between which ratios (basis points) a score runs from 0 to 100, and the group that it counts in."""

    group: Group
    zero: int
    full: int


SCALES: Final[dict[Component, Scale]] = {
    Component.SPREAD: Scale(Group.CIRCULATION, 500, 0),
    Component.DEPTH: Scale(Group.CIRCULATION, 0, 10_000),
    Component.CONVERSION: Scale(Group.CIRCULATION, 0, 10_000),
    Component.DELIVERY: Scale(Group.SAFETY, 9_000, 10_000),
    Component.CONCENTRATION: Scale(Group.SAFETY, 5_000, 1_000),
    Component.COVER: Scale(Group.SAFETY, 0, 10_000),
    Component.UTILISATION: Scale(Group.VALUE, 0, 10_000),
    Component.BALANCE: Scale(Group.VALUE, 0, 10_000),
    Component.CONVERGENCE: Scale(Group.VALUE, 500, 100),
}


@dataclass(frozen=True, slots=True)
class Raw:
    """A measured ratio; a denominator of 0 means that there is nothing to measure."""

    numerator: int
    denominator: int

    def __add__(self, other: Raw) -> Raw:
        return Raw(self.numerator + other.numerator, self.denominator + other.denominator)


def score(component: Component, raw: Raw) -> int | None:
    """Return a component's score in hundredths, 0 … 10,000, rounded down; None without anything to measure.

    Linear between the ends of its scale, and cut off there.
    """
    if not raw.denominator:
        return None
    scale = SCALES[component]
    above = raw.numerator * FULL - scale.zero * raw.denominator
    width = (scale.full - scale.zero) * raw.denominator
    return max(0, min(FULL, above * FULL // width))


def groups(scores: Mapping[Component, int]) -> dict[Group, int]:
    """Return the mean of each group's components, hundredths rounded down, of those that have any."""
    found: dict[Group, list[int]] = {}
    for component, value in sorted(scores.items()):
        found.setdefault(SCALES[component].group, []).append(value)
    return {group: sum(values) // len(values) for group, values in sorted(found.items())}


def index(of_groups: Mapping[Group, int]) -> int | None:
    """Return the mean of the groups, hundredths rounded down; None without any."""
    return sum(of_groups.values()) // len(of_groups) if of_groups else None
