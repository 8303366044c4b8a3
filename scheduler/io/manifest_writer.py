"""Kubernetes manifests with the plan written in: node affinity to the hub, and what stays out held back.

Only manifests that were read can be written: what a plan knows of a workload is not enough to make its pod.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from scheduler.io.kubernetes import PRODUCT_LABEL
from scheduler.io.manifest_parts import (
    GRADE_LABEL,
    HUB_LABEL,
    PREFIX,
    REQUIRED,
    WORKLOADS,
    BrokenManifest,
    name_of,
    said_of,
)
from scheduler.io.planfile import write_text
from scheduler.io.schedule import Left, Run, Schedule
from scheduler.io.tables import read_bytes


def write_manifests(source: Path, path: Path, schedule: Schedule) -> None:
    """Write the manifests of ``source`` as planned.

    A placed workload's pods must run on nodes labelled with its hub and grade, and carry the hub as a label;
    a Job that begins later than the plan is suspended, its start in an annotation. What stays out is
    suspended (a Job) or gated (a Pod), with the reason in an annotation. A gang spread over sites gets no
    affinity to one of them but to all. What was too faulty to be planned is not written; whatever is no
    workload stays as it is.
    """
    runs: dict[str, list[Run]] = {}
    for run in schedule.runs:
        runs.setdefault(run.workload, []).append(run)
    left = {item.workload: item for item in schedule.left}
    documents = list(_planned(yaml.safe_load_all(read_bytes(source)), schedule, runs, left))
    write_text(path, yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True))


def _planned(
    documents: Any, schedule: Schedule, runs: Mapping[str, list[Run]], left: Mapping[str, Left]
) -> Iterator[dict[str, Any]]:
    for document in documents:
        if not isinstance(document, dict):
            continue
        if document.get("kind") == "List":
            yield from _planned(document.get("items") or (), schedule, runs, left)
            continue
        if document.get("kind") not in WORKLOADS:
            yield document
            continue
        name = _id(document)
        if name in runs:
            _place(document, schedule, runs[name])
            yield document
        elif name in left:
            _hold(document, left[name])
            yield document


def _id(document: Mapping[str, Any]) -> str:
    """What it was called when it was read; "" for what could not be read."""
    try:
        return str(said_of(document).get("id") or name_of(document)).strip()
    except BrokenManifest:
        return ""


def _inside(of: dict[str, Any], name: str) -> dict[str, Any]:
    """The mapping under this name to write into; one is made where there is none, or null."""
    found: dict[str, Any] = of.get(name) or {}
    of[name] = found
    return found


def _place(document: dict[str, Any], schedule: Schedule, runs: list[Run]) -> None:
    first = min(run.first_hour for run in runs)
    start = schedule.start + timedelta(hours=first)
    hubs = sorted({run.site for run in runs})
    spec = document["spec"]
    metadatas, pod = [document["metadata"]], spec
    if document["kind"] == "Job":
        metadatas.append(_inside(spec["template"], "metadata"))
        pod = spec["template"]["spec"]
        if first > 0:
            spec["suspend"] = True
    for metadata in metadatas:
        if len(hubs) == 1:
            _inside(metadata, "labels")[HUB_LABEL] = hubs[0]
        _inside(metadata, "annotations")[f"{PREFIX}start"] = start.isoformat()
    (pod.get("nodeSelector") or {}).pop(PRODUCT_LABEL, None)
    grades = sorted({need.grade for run in runs for need in run.needs})
    terms = [_in(HUB_LABEL, hubs), _in(GRADE_LABEL, grades)]
    required = _inside(_inside(_inside(pod, "affinity"), "nodeAffinity"), REQUIRED)
    # terms are alternatives: each one that is there gets the plan's conditions as well
    required["nodeSelectorTerms"] = required.get("nodeSelectorTerms") or [{}]
    for term in required["nodeSelectorTerms"]:
        term["matchExpressions"] = [*(term.get("matchExpressions") or ()), *terms]


def _in(label: str, values: list[str]) -> dict[str, Any]:
    return {"key": label, "operator": "In", "values": values}


def _hold(document: dict[str, Any], left: Left) -> None:
    _inside(document["metadata"], "annotations")[f"{PREFIX}unplaced"] = f"{left.reason}: {left.detail}"
    if document["kind"] == "Job":
        document["spec"]["suspend"] = True
    else:
        gates = document["spec"].get("schedulingGates") or []
        document["spec"]["schedulingGates"] = [*gates, {"name": f"{PREFIX}unplaced"}]
