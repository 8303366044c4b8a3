"""What reading any part of a Kubernetes manifest shares."""

from collections.abc import Mapping
from typing import Any, Final

WORKLOADS: Final = ("Job", "Pod")
"""Kinds that are workloads."""
PREFIX: Final = "dongxi.io/"
HUB_LABEL: Final = f"{PREFIX}hub"
GRADE_LABEL: Final = f"{PREFIX}grade"
"""Labels that nodes must carry: their hub and the grade of their cards."""
REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
"""Affinity terms that a pod cannot run without."""


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


def name_of(manifest: Mapping[str, Any]) -> str | None:
    """What a Job or Pod is called in a plan unless it says so itself: ``namespace/name``."""
    metadata = mapping("metadata", manifest.get("metadata"))
    name, namespace = metadata.get("name"), metadata.get("namespace")
    return f"{namespace}/{name}" if namespace and name else name


def said_of(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What labels and annotations under ``dongxi.io/`` say, by the names of workload fields.

    A Job's own go before its template's, annotations before labels.
    """
    said: dict[str, Any] = {}
    template = mapping("template", mapping("spec", manifest.get("spec")).get("template"))
    for of in (template if manifest.get("kind") == "Job" else {}, manifest):
        metadata = mapping("metadata", of.get("metadata"))
        for part in ("labels", "annotations"):
            for name, value in mapping(part, metadata.get(part)).items():
                if str(name).startswith(PREFIX):
                    said[str(name).removeprefix(PREFIX).replace("-", "_")] = value
    return said
