"""The GPU trace that the demonstration's demand comes from: 8,152 tasks of a production cluster.

Source, terms and columns: ``sims/data/README.md``.
"""

import csv
import gzip
import io
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

QOS = ("LS", "BE", "Burstable", "Guaranteed")


@dataclass(frozen=True, slots=True)
class Task:
    """One task of the trace, as its cluster saw it.

    ``number`` counts the rows of the published file from 0; ``share_milli`` is the share of *each* of its
    ``gpus`` in thousandths of a card; ``gpu_types`` is empty when any type would do.
    """

    number: int
    cpu_milli: int
    memory_mib: int
    gpus: int
    share_milli: int
    gpu_types: tuple[str, ...]
    qos: str
    created_s: int
    deleted_s: int

    @property
    def cards_milli(self) -> int:
        """Cards the task holds, in thousandths of a card."""
        return self.gpus * self.share_milli


@cache
def load_tasks() -> tuple[Task, ...]:
    """All tasks in the order of the published file.

    Raises ``ValueError`` naming the row and what was wrong with it; the file is part of the package, so that
    is damage.
    """
    packed = files("sims").joinpath("data/openb_pods.csv.gz").read_bytes()
    reader = csv.DictReader(io.StringIO(gzip.decompress(packed).decode()))
    return tuple(parse_task(number, row) for number, row in enumerate(reader))


def parse_task(number: int, row: dict[str, str]) -> Task:
    """One row of the file, checked. Raises ``ValueError`` with the row's number."""
    try:
        task = Task(
            number=number,
            cpu_milli=int(row["cpu_milli"]),
            memory_mib=int(row["memory_mib"]),
            gpus=int(row["num_gpu"]),
            share_milli=int(row["gpu_milli"]),
            gpu_types=_types(row["gpu_spec"]),
            qos=row["qos"],
            created_s=int(row["creation_time"]),
            deleted_s=int(row["deletion_time"] or 0),
        )
        _check(task)
    except (KeyError, ValueError) as error:
        raise ValueError(f"trace, row {number}: {error}") from error
    return task


def _types(spec: str) -> tuple[str, ...]:
    """``"A10|G2|A10"`` → ``("A10", "G2")``: the trace names some types twice."""
    return tuple(dict.fromkeys(kind for kind in spec.split("|") if kind))


def _check(task: Task) -> None:
    if task.qos not in QOS:
        raise ValueError(f"qos is {task.qos!r}, expected one of {', '.join(QOS)}")
    if task.cpu_milli < 0 or task.memory_mib < 0 or task.gpus < 0:
        raise ValueError("cpu, memory and GPUs cannot be negative")
    if task.gpus and not 1 <= task.share_milli <= 1000:
        raise ValueError(f"gpu_milli is {task.share_milli}, expected 1 to 1000 thousandths of a card")
    if task.gpus > 1 and task.share_milli != 1000:
        raise ValueError("a task with several GPUs holds whole ones")
