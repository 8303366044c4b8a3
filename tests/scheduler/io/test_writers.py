"""Plans as tables and as Kubernetes manifests."""

import csv
from datetime import datetime

import pyarrow.parquet as pq
import pytest
import yaml
from typer.testing import CliRunner

from scheduler.commands.plan import app
from scheduler.io.manifest_parts import REQUIRED
from scheduler.io.manifest_writer import write_manifests
from scheduler.io.schedule import Left, Run, Schedule, Totals
from scheduler.io.writers import write_table
from scheduler.plan import PlanStatus
from scheduler.types import Need

START = datetime.fromisoformat("2026-12-04T00:00:00+08:00")
RUNS = (
    Run("lab/train", "BEIJING", "", "GUIAN", 3, 9, 4, (Need("H100", 8000),), 30.5),
    Run("serve", "SHENZHEN", "", "SHENZHEN-EDGE", 0, 24, 1, (Need("L20", 460),), 1.0),
)
LEFT = (Left("batch", "", "capacity", "would fit alone", ""), Left("lone", "", "latency", "too far", ""))
SCHEDULE = Schedule(
    START,
    24,
    RUNS,
    LEFT,
    (),
    (),
    Totals(2, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0),
    PlanStatus.OPTIMAL,
    0,
    0,
    0,
    0,
    "",
    "",
    "",
    0,
)
MANIFESTS = """\
kind: Job
metadata: {name: train, namespace: lab}
spec: {template: {spec: {nodeSelector: {nvidia.com/gpu.product: NVIDIA-A800, disk: ssd}, containers: []}}}
---
kind: List
items:
  - kind: Pod
    metadata: {name: serve}
    spec:
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms: [{matchExpressions: [{key: disk, operator: Exists}]}]
  - {kind: Job, metadata: {name: batch}, spec: {template: {spec: {}}}}
  - {kind: Pod, metadata: {name: lone}, spec: {}}
"""


def test_tables_hold_one_row_a_run_and_grade(tmp_path):
    write_table(tmp_path / "plan.csv", SCHEDULE)
    write_table(tmp_path / "plan.parquet", SCHEDULE)
    with (tmp_path / "plan.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {
        "workload": "lab/train", "origin": "BEIJING", "class": "", "site": "GUIAN", "grade": "H100",
        "cards": "32.0", "members": "4", "from": "2026-12-04T03:00:00+08:00",
        "to": "2026-12-04T09:00:00+08:00", "round_trip_ms": "30.5",
    }  # fmt: skip
    table = pq.read_table(tmp_path / "plan.parquet").to_pylist()
    assert [{name: str(value) for name, value in row.items()} for row in table] == rows


def test_manifests_are_bound_to_their_hub_or_held(tmp_path):
    (tmp_path / "jobs.yaml").write_text(MANIFESTS, encoding="utf-8")
    write_manifests(tmp_path / "jobs.yaml", tmp_path / "planned.yaml", SCHEDULE)
    train, serve, batch, lone = yaml.safe_load_all((tmp_path / "planned.yaml").read_text("utf-8"))
    pod = train["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"disk": "ssd"}
    (term,) = pod["affinity"]["nodeAffinity"][REQUIRED]["nodeSelectorTerms"]
    assert term["matchExpressions"] == [
        {"key": "dongxi.io/hub", "operator": "In", "values": ["GUIAN"]},
        {"key": "dongxi.io/grade", "operator": "In", "values": ["H100"]},
    ]
    assert train["spec"]["suspend"] is True, "it begins three hours after the plan"
    assert train["metadata"]["annotations"]["dongxi.io/start"] == "2026-12-04T03:00:00+08:00"
    assert train["spec"]["template"]["metadata"]["labels"] == {"dongxi.io/hub": "GUIAN"}
    (term,) = serve["spec"]["affinity"]["nodeAffinity"][REQUIRED]["nodeSelectorTerms"]
    assert [found["key"] for found in term["matchExpressions"]] == [
        "disk",
        "dongxi.io/hub",
        "dongxi.io/grade",
    ]
    assert "suspend" not in serve["spec"]
    assert batch["spec"]["suspend"] is True
    assert batch["metadata"]["annotations"]["dongxi.io/unplaced"] == "capacity: would fit alone"
    assert lone["spec"]["schedulingGates"] == [{"name": "dongxi.io/unplaced"}]


EMPTY_FIELDS = """\
kind: Job
metadata: {name: t, labels:, annotations:}
spec:
  template:
    metadata: {labels: {dongxi.io/id: lab/train}, annotations:}
    spec: {nodeSelector:, affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution:}}}
---
kind: Pod
metadata: {name: lone, annotations:}
spec: {schedulingGates:}
---
{kind: ConfigMap, metadata: {name: settings}, data: {a: b}}
---
{kind: Pod, metadata: [faulty]}
"""


def test_fields_that_are_null_are_written_like_absent_ones(tmp_path):
    (tmp_path / "jobs.yaml").write_text(EMPTY_FIELDS, encoding="utf-8")
    write_manifests(tmp_path / "jobs.yaml", tmp_path / "planned.yaml", SCHEDULE)
    train, lone, settings = yaml.safe_load_all((tmp_path / "planned.yaml").read_text("utf-8"))
    assert train["metadata"]["labels"] == {"dongxi.io/hub": "GUIAN"}
    (term,) = train["spec"]["template"]["spec"]["affinity"]["nodeAffinity"][REQUIRED]["nodeSelectorTerms"]
    assert [found["key"] for found in term["matchExpressions"]] == ["dongxi.io/hub", "dongxi.io/grade"]
    assert lone["spec"]["schedulingGates"] == [{"name": "dongxi.io/unplaced"}]
    assert settings["data"] == {"a": "b"}, "what is no workload stays as it is"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--out", "plan.txt"], "must end in .json"),
        (["--out", "plan.yaml"], "manifests can only be written"),
        (["--buy"], "--buy and --nominate need --from-exchange"),
        (["--from-exchange", "--sites", "s.csv"], "leave the files out"),
    ],
)
def test_what_cannot_work_is_refused_before_the_search(words, expected):
    result = CliRunner().invoke(app, ["jobs.csv", *words], env={"COLUMNS": "300"})
    assert result.exit_code == 2
    assert expected in " ".join(result.output.split())
