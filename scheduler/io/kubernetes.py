"""Kubernetes manifests as workloads: Jobs and Pods of a YAML file with any number of documents.

What Kubernetes has no word for comes as annotations or labels under ``dongxi.io/``, with the names of
`scheduler.io.workloads.FIELDS` in kebab case: ``dongxi.io/origin: shanghai``, ``dongxi.io/latency-ms: "20"``.
They go before what is derived:

- cards: the GPU requests of all containers (``nvidia.com/gpu``, ``huawei.com/Ascend910``, ``amd.com/gpu``);
  without any, CPU cores as shares of a CPU64 card;
- grade: the node selector ``nvidia.com/gpu.product`` where it names a grade; Ascend for Huawei's resource;
- gang: a Job's ``parallelism``; hours: ``activeDeadlineSeconds``, rounded up; id: ``namespace/name``;
- together and apart: pod affinity and anti-affinity between hubs (`scheduler.io.pod_affinity`).
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import yaml

from scheduler.io.faults import FaultyInput, Where
from scheduler.io.manifest_parts import WORKLOADS, BrokenManifest, mapping, name_of, said_of
from scheduler.io.pod_affinity import hub_groups
from scheduler.io.tables import Row, read_bytes, refused

SUFFIXES: Final = (".yaml", ".yml")
KINDS: Final = (*WORKLOADS, "List")
ACCELERATORS: Final = {"nvidia.com/gpu": "", "amd.com/gpu": "", "huawei.com/Ascend910": "A910B"}
"""Extended resources that count cards, with the grade where the resource itself tells it."""
PRODUCT_LABEL: Final = "nvidia.com/gpu.product"
CPU_GRADE: Final = "CPU64"
CORES_PER_CARD: Final = 64
_QUANTITY: Final = re.compile(r"(\d+(?:\.\d+)?)(m|k|M|)")
_SCALE: Final = {"m": Decimal("0.001"), "": Decimal(1), "k": Decimal(1000), "M": Decimal(1_000_000)}


def read_manifests(path: Path) -> Iterator[Row]:
    """One row a Job or Pod. Raises `FaultyInput` for what is not YAML or no manifest of these kinds."""
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    number = 0
    try:
        for document in yaml.load_all(read_bytes(path), Loader=loader):
            number += 1
            if document is not None:
                yield from _rows(Where(path.name, "document", number), document)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, FaultyInput):
            raise
        raise refused(path, f"not YAML: {_first_line(error)}", number + 1, "document") from error


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _rows(where: Where, document: Any) -> Iterator[Row]:
    try:
        manifest = mapping("", document)
        kind = manifest.get("kind")
        if kind == "List":
            items = manifest.get("items")
            for item in items if isinstance(items, list) else ():
                yield from _rows(where, item)
        elif kind in KINDS:
            yield Row(where, _Manifest(manifest).fields())
        else:
            yield Row(where, {}, ("kind", f"{kind!r} is none of {', '.join(KINDS)}"))
    except BrokenManifest as broken:
        yield Row(where, {}, (broken.field, broken.message))


class _Manifest:
    """One Job or Pod: its fields as a table's row would give them."""

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self.manifest = manifest
        self.metadata = self.inside(manifest, "metadata")
        self.spec = self.inside(manifest, "spec")
        self.template: Mapping[str, Any] = {}
        self.pod = self.spec
        if manifest["kind"] == "Job":
            self.template = self.inside(self.spec, "template")
            self.pod = self.inside(self.template, "spec")

    def inside(self, of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        return mapping(name, of.get(name))

    def fields(self) -> dict[str, Any]:
        found = self._derived() | said_of(self.manifest)
        if "demand" in found:
            found.pop("grade", None)
            found.pop("cards", None)
        return {name: value for name, value in found.items() if value is not None}

    def _derived(self) -> dict[str, Any]:
        cards, grade = self._cards()
        gang = self.spec.get("parallelism")
        labelled = self.inside(self.template, "metadata") if self.template else self.metadata
        groups = hub_groups(
            self.pod, self.inside(labelled, "labels"), self.metadata.get("namespace") or "", gang
        )
        seconds = self.spec.get("activeDeadlineSeconds")
        return {
            "id": name_of(self.manifest),
            "grade": grade,
            "cards": cards,
            "gang": gang,
            "hours": -(-seconds // 3600) if isinstance(seconds, int) and seconds > 0 else None,
            **groups,
        }

    def _cards(self) -> tuple[Decimal | None, str | None]:
        for resource, grade in ACCELERATORS.items():
            cards = self._requested(resource)
            if cards:
                product = self.inside(self.pod, "nodeSelector").get(PRODUCT_LABEL)
                return cards, grade or product
        cores = self._requested("cpu")
        return (cores / CORES_PER_CARD, CPU_GRADE) if cores else (None, None)

    def _requested(self, resource: str) -> Decimal:
        """The sum over containers; an extended resource's limit is its request, so either will do."""
        containers = self.pod.get("containers")
        total = Decimal(0)
        for container in containers if isinstance(containers, list) else ():
            resources = self.inside(mapping("containers", container), "resources")
            asked = self.inside(resources, "requests").get(
                resource, self.inside(resources, "limits").get(resource)
            )
            total += Decimal(0) if asked is None else self._quantity(resource, asked)
        return total

    def _quantity(self, resource: str, value: Any) -> Decimal:
        found = _QUANTITY.fullmatch(str(value).strip())
        if found is None:
            raise BrokenManifest(resource, f"{value!r} is not a quantity such as 8 or 500m")
        return Decimal(found[1]) * _SCALE[found[2]]
