"""Kubernetes manifests as workloads."""

from datetime import datetime

import pytest

from exchange.planning.places import catalogue_places
from nodes.types import Residency
from scheduler.io.workloads import Span, read_workloads
from scheduler.types import Need

START = datetime.fromisoformat("2026-12-04T00:00:00+08:00")
DAY = Span(START, 24)
PLACES = catalogue_places(START)

JOB = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: train
  namespace: lab
  labels: {dongxi.io/origin: beijing}
  annotations:
    dongxi.io/latency-ms: "40"
    dongxi.io/residency: any
    dongxi.io/latest: "2026-12-04T20:00:00+08:00"
    dongxi.io/data-gb: "120"
spec:
  parallelism: 4
  activeDeadlineSeconds: 21000
  template:
    spec:
      nodeSelector: {nvidia.com/gpu.product: NVIDIA-H100-80GB-HBM3}
      containers:
        - name: main
          resources: {limits: {nvidia.com/gpu: 8}, requests: {cpu: 64}}
        - name: sidecar
          resources: {requests: {cpu: 500m}}
"""
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: serve, annotations: {dongxi.io/origin: 深圳, dongxi.io/cards: "0.46", dongxi.io/grade: L20}}
spec:
  containers: [{name: main, resources: {requests: {nvidia.com/gpu: 1}}}]
"""


def read(tmp_path, text):
    path = tmp_path / "jobs.yaml"
    path.write_text(text, encoding="utf-8")
    return read_workloads(path, PLACES, DAY)


def test_a_job_and_a_pod(tmp_path):
    job, pod = read(tmp_path, f"{JOB}---\n{POD}---\n").rows
    assert (job.id, job.origin, job.latency_ms_max) == ("lab/train", "BEIJING", 40)
    assert job.residency is Residency.ANY
    assert job.demand == (Need("H100", 8000),)
    assert (job.gang, job.hours, job.latest_hour, job.data_gb) == (4, 6, 20, 120)
    assert (pod.id, pod.origin, pod.demand) == ("serve", "SHENZHEN", (Need("L20", 460),))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("kind: Pod", "kind: Service", "jobs.yaml document 1, kind: 'Service' is none of Job, Pod, List"),
        ("gpu: 1", "gpu: many", "jobs.yaml document 1, nvidia.com/gpu: 'many' is not a quantity"),
        ("dongxi.io/grade: L20", "dongxi.io/gradee: L20", "document 1 (serve), gradee: no such field"),
        ('"0.46"', '"-1"', "jobs.yaml document 1 (serve), cards: -1 is outside 0"),
        ("spec:", "spec: []\nother:", "jobs.yaml document 1, spec: expected a mapping"),
    ],
)
def test_a_faulty_manifest_is_named_and_the_next_is_read(tmp_path, old, new, expected):
    file = read(tmp_path, POD.replace(old, new) + "---\n" + JOB)
    assert [row.id for row in file.rows] == ["lab/train"]
    assert expected in str(file.faults.found[0])


REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
HUB = "{topologyKey: dongxi.io/hub, labelSelector: {matchLabels: {app: api, tier: web}}}"
NODE = "{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: other}}}"


def with_term(kind, terms, labels="{app: api, tier: web, more: x}"):
    """The pod with required terms between pods, and labels of its own."""
    affinity = f"spec:\n  affinity: {{{kind}: {{{REQUIRED}: [{terms}]}}}}"
    return POD.replace("spec:", affinity).replace("{name: serve", f"{{name: serve, labels: {labels}")


@pytest.mark.parametrize(("kind", "field"), [("podAffinity", "together"), ("podAntiAffinity", "apart")])
def test_affinity_between_hubs_makes_groups(tmp_path, kind, field):
    (pod,) = read(tmp_path, with_term(kind, f"{NODE}, {HUB}")).rows
    (plain,) = read(tmp_path, with_term(kind, NODE)).rows
    assert getattr(pod, field) == "app=api,tier=web"
    assert (plain.together, plain.apart) == ("", "")


def test_affinity_of_a_job_is_its_templates(tmp_path):
    affinity = f"affinity: {{podAffinity: {{{REQUIRED}: [{HUB}]}}}}"
    text = JOB.replace(
        "    spec:\n", f"    metadata: {{labels: {{app: api, tier: web}}}}\n    spec:\n      {affinity}\n"
    )
    (job,) = read(tmp_path, text).rows
    assert (job.together, job.gang) == ("lab/app=api,tier=web", 4)
    (fault,) = read(tmp_path, text.replace("podAffinity", "podAntiAffinity")).faults.found
    assert "podAntiAffinity: the Job's own 4 pods run as one gang" in str(fault)


@pytest.mark.parametrize(
    ("terms", "labels", "expected"),
    [
        (HUB, "{app: api}", "it selects app=api,tier=web, which the pod does not carry itself"),
        (f"{HUB}, {HUB}", "{app: api, tier: web}", "2 required terms between hubs; one can be planned"),
        (HUB.replace("matchLabels", "matchExpressions"), "{}", "matchExpressions cannot be planned"),
        (HUB.replace("{topo", "{namespaces: [a], topo"), "{}", "namespaces cannot be planned"),
        ("{topologyKey: dongxi.io/hub}", "{}", "no labels are selected"),
        ("[]", "{}", "expected a mapping"),
    ],
)
def test_a_term_that_groups_cannot_say_is_refused(tmp_path, terms, labels, expected):
    (fault,) = read(tmp_path, with_term("podAffinity", terms, labels)).faults.found
    assert "jobs.yaml document 1, podAffinity: " in str(fault)
    assert expected in str(fault)


def test_a_list_and_cpu_work(tmp_path):
    pod = "{kind: Pod, metadata: {name: n%d, labels: {dongxi.io/origin: xian}}, spec: {containers: [%s]}}"
    container = "{resources: {requests: {cpu: 3200m}}}"
    file = read(tmp_path, f"kind: List\nitems: [{pod % (1, container)}, {pod % (2, container)}]\n")
    assert [row.id for row in file.rows] == ["n1", "n2"]
    assert file.rows[0].demand == (Need("CPU64", 50),)
