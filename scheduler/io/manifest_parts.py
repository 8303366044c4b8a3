"""What reading any part of a Kubernetes manifest shares."""

from collections.abc import Mapping
from typing import Any, Final

PREFIX: Final = "dongxi.io/"
HUB_LABEL: Final = f"{PREFIX}hub"
GRADE_LABEL: Final = f"{PREFIX}grade"
"""Labels that nodes must carry: their hub and the grade of their cards."""


class BrokenManifest(ValueError):
    """A manifest that cannot be read: the field at fault and what is wrong with it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


def mapping(name: str, value: Any) -> Mapping[str, Any]:
    """A mapping, empty where there is none; raises `BrokenManifest` for anything else."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BrokenManifest(name, f"expected a mapping, not {value!r:.60}")
    return value
