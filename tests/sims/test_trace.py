"""The trace in the package, and what its parser refuses."""

from collections import Counter

import pytest

from sims.trace import load_tasks, parse_task

ROW = {
    "cpu_milli": "6000",
    "memory_mib": "12288",
    "num_gpu": "1",
    "gpu_milli": "460",
    "gpu_spec": "A10|G2|A10",
    "qos": "LS",
    "creation_time": "427061",
    "deletion_time": "12902960",
}


def test_the_whole_trace_is_there() -> None:
    tasks = load_tasks()
    assert len(tasks) == 8_152
    assert [task.number for task in tasks] == list(range(8_152))
    assert Counter(task.qos for task in tasks) == {
        "LS": 4_647,
        "BE": 3_398,
        "Burstable": 100,
        "Guaranteed": 7,
    }
    assert Counter(task.gpus for task in tasks) == {1: 6_989, 0: 1_088, 8: 44, 2: 16, 4: 15}
    assert sum(task.cards_milli for task in tasks) == 6_086_800


def test_a_row_becomes_a_task() -> None:
    task = parse_task(7, ROW)
    assert (task.number, task.cards_milli, task.gpu_types, task.created_s) == (7, 460, ("A10", "G2"), 427061)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"qos": "Gold"}, "qos is 'Gold', expected one of LS, BE"),
        ({"gpu_milli": "0"}, "gpu_milli is 0"),
        ({"gpu_milli": "1001"}, "gpu_milli is 1001"),
        ({"num_gpu": "2"}, "several GPUs"),
        ({"cpu_milli": "-1"}, "negative"),
        ({"cpu_milli": "many"}, "many"),
    ],
)
def test_damage_is_named_by_row(change: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=f"trace, row 41: .*{said}"):
        parse_task(41, ROW | change)
