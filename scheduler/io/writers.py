"""Plans as tables: one row a run and grade, CSV or Parquet by the file's suffix."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from scheduler.io.planfile import write_text
from scheduler.io.schedule import Schedule
from scheduler.types import MILLI

COLUMNS: Final = (
    "workload", "origin", "class", "site", "grade", "cards", "members", "from", "to", "round_trip_ms",
)  # fmt: skip
TABLES: Final = (".csv", ".parquet")


def write_table(path: Path, schedule: Schedule) -> None:
    """Write the runs of a plan; ``cards`` is what all members hold together."""
    rows = list(_rows(schedule))
    if path.suffix.lower() == ".csv":
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_text(path, text.getvalue())
        return
    beside = path.with_name(f".{path.name}.tmp")
    pq.write_table(pa.table({name: [row[name] for row in rows] for name in COLUMNS}), beside)
    beside.replace(path)


def _rows(schedule: Schedule) -> Iterator[dict[str, Any]]:
    for run in schedule.runs:
        hours = (run.first_hour, run.end_hour)
        first, end = ((schedule.start + timedelta(hours=hour)).isoformat() for hour in hours)
        for grade, milli in run.milli_cards():
            yield {
                "workload": run.workload,
                "origin": run.origin,
                "class": run.latency_class,
                "site": run.site,
                "grade": grade,
                "cards": milli / MILLI,
                "members": run.members,
                "from": first,
                "to": end,
                "round_trip_ms": round(run.rtt_ms, 3),
            }
