"""Pod affinity and anti-affinity between hubs, as groups that run together or apart.

Read are required terms whose ``topologyKey`` is ``dongxi.io/hub``; others (a node, a rack) and preferences
are for the scheduler inside the hub. A group is a selector of ``matchLabels`` that every pod of it carries
and states: a term that selects other pods has a direction, which groups have not, so it is refused.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from scheduler.io.manifest_parts import HUB_LABEL, REQUIRED, BrokenManifest, mapping

GROUPS: Final = (("podAffinity", "together"), ("podAntiAffinity", "apart"))
"""Kinds of terms, and the workload's field that says the same."""


def hub_groups(
    pod: Mapping[str, Any], labels: Mapping[str, Any], namespace: str, parallelism: object
) -> dict[str, str]:
    """``together`` and ``apart`` of a pod specification, as far as it has them.

    Raises `BrokenManifest` naming the kind of term for one that groups cannot say.
    """
    affinity = mapping("affinity", pod.get("affinity"))
    found: dict[str, str] = {}
    for kind, field in GROUPS:
        names = [_group(kind, term, labels, namespace) for term in _hub_terms(kind, affinity)]
        if len(names) > 1:
            raise BrokenManifest(kind, f"{len(names)} required terms between hubs; one can be planned")
        if names:
            found[field] = names[0]
    if "apart" in found and isinstance(parallelism, int) and parallelism > 1:
        raise BrokenManifest("podAntiAffinity", f"the Job's own {parallelism} pods run as one gang")
    return found


def _hub_terms(kind: str, affinity: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    terms = mapping(kind, affinity.get(kind)).get(REQUIRED)
    if not isinstance(terms, list | None):
        raise BrokenManifest(kind, f"expected a list of terms, not {terms!r:.60}")
    for term in terms or ():
        if mapping(kind, term).get("topologyKey") == HUB_LABEL:
            yield term


def _group(kind: str, term: Mapping[str, Any], labels: Mapping[str, Any], namespace: str) -> str:
    selector = mapping(kind, term.get("labelSelector"))
    wanted = mapping(kind, selector.get("matchLabels"))
    beyond = [*(term.keys() - {"topologyKey", "labelSelector"}), *(selector.keys() - {"matchLabels"})]
    if beyond or not wanted:
        what = f"{min(map(str, beyond))} cannot be planned" if beyond else "no labels are selected"
        raise BrokenManifest(kind, f"{what}; a term between hubs selects by matchLabels")
    text = ",".join(sorted(f"{name}={value}" for name, value in wanted.items()))
    if any(labels.get(name) != value for name, value in wanted.items()):
        raise BrokenManifest(kind, f"it selects {text}, which the pod does not carry itself")
    return f"{namespace}/{text}" if namespace else text
