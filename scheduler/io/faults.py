"""What is wrong with input files: every fault names file, row and field, and all come at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

FAULTS_SHOWN_MAX = 20
FAULTS_KEPT_MAX = 1_000
"""Beyond it faults are only counted, so that a wrong file of a million rows cannot fill the memory."""


class Where(NamedTuple):
    """A row of a file as a person counts: a CSV file's line, a table's row, a YAML file's document."""

    file: str
    unit: str
    row: int

    def __str__(self) -> str:
        return f"{self.file} {self.unit} {self.row}" if self.row else self.file


class FileFault(NamedTuple):
    """One thing wrong: where, whose (the row's id, "" if it has none), which field, and what."""

    where: Where
    key: str
    field: str
    message: str

    def __str__(self) -> str:
        whose = f" ({self.key})" if self.key else ""
        what = f", {self.field}" if self.field else ""
        return f"{self.where}{whose}{what}: {self.message}"


class FaultyInput(ValueError):
    """Input that cannot be planned as it is; ``faults`` names each (the first thousand), ``count`` all."""

    def __init__(self, faults: Sequence[FileFault], count: int | None = None) -> None:
        self.faults = tuple(faults)
        self.count = len(self.faults) if count is None else count
        shown = [str(fault) for fault in self.faults[:FAULTS_SHOWN_MAX]]
        rest = self.count - len(shown)
        super().__init__("\n".join([*shown, f"and {rest} more"] if rest > 0 else shown))


@dataclass(slots=True)
class Faults:
    """Collects faults while a file is read."""

    found: list[FileFault] = field(default_factory=list)
    count: int = 0

    def add(self, where: Where, key: str, name: str, message: str) -> None:
        """Note a fault."""
        self.count += 1
        if len(self.found) < FAULTS_KEPT_MAX:
            self.found.append(FileFault(where, key, name, message))

    def raise_if_any(self) -> None:
        """Raise `FaultyInput` with everything noted, if anything was."""
        if self.count:
            raise FaultyInput(self.found, self.count)
