"""Workloads as columns are the same problem as workloads as objects."""

from dataclasses import replace

import numpy as np
import pytest
import scheduler_instances as cases

from scheduler.placing import place
from scheduler.types import InvalidProblem, Need
from scheduler.validation import faults, without_faulty_workloads
from scheduler.workload_table import WorkloadTable


@pytest.mark.parametrize("seed", range(40))
def test_objects_and_columns_make_the_same_plan(seed):
    problem = cases.known_grades_only(cases.tiny(seed))
    table = WorkloadTable.of(problem.workloads)
    assert tuple(table) == problem.workloads
    one, other = place(problem), place(replace(problem, workloads=table))
    assert replace(one, timings=other.timings) == other


def test_a_part_of_a_table_is_a_table():
    problem = cases.crowd(3, 40)
    table = WorkloadTable.of(problem.workloads)
    assert tuple(table[5:9]) == problem.workloads[5:9]
    assert table[-1] == problem.workloads[-1]
    with pytest.raises(IndexError):
        table[40]


def test_faults_of_columns_are_named_as_those_of_objects_are():
    problem = cases.crowd(3, 40)
    wrong = list(problem.workloads)
    wrong[2] = replace(wrong[2], latency_ms_max=float("nan"))
    wrong[3] = replace(wrong[3], origin="NOWHERE", priority=10)
    wrong[5] = replace(wrong[5], alternatives=((Need("A", 0),), (Need("A", 1), Need("A", 1))))
    wrong[7] = replace(wrong[7], alternatives=((Need("Z", 1),),), hours=0, data_gb=-1)
    wrong[9] = replace(wrong[9], alternatives=())
    wrong[11] = replace(wrong[11], id="w1")
    objects = replace(problem, workloads=tuple(wrong))
    columns = replace(problem, workloads=WorkloadTable.of(wrong))
    assert faults(columns) == faults(objects)
    rest, found = without_faulty_workloads(columns)
    assert isinstance(rest.workloads, WorkloadTable)
    assert tuple(rest.workloads) == without_faulty_workloads(objects)[0].workloads
    assert {fault.row for fault in found} == {2, 3, 5, 7, 9, 11}
    with pytest.raises(InvalidProblem, match="row 2"):
        place(columns)


def one_grade(**changes):
    columns = {
        "ids": ["a", "b"],
        "cities": ("C0",),
        "origin": np.zeros(2, dtype=np.int64),
        "latency_ms_max": np.array([np.inf, 5.0]),
        "grades": ("A",),
        "grade": np.zeros(2, dtype=np.int64),
        "milli_cards": np.array([1000, 460]),
    }
    return WorkloadTable.of_one_grade(**(columns | changes))


def test_one_grade_each_is_the_short_way():
    table = one_grade(columns={"hours": np.array([3, 24])})
    assert [w.alternatives for w in table] == [((Need("A", 1000),),), ((Need("A", 460),),)]
    assert table[0].hours == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": np.array([0, 1])},
        {"grade": np.array([0, -1])},
        {"milli_cards": np.array([1000])},
        {"latency_ms_max": np.array([1.0])},
        {"columns": {"hours": np.array([1])}},
    ],
)
def test_columns_that_do_not_fit_together_are_refused(changes):
    with pytest.raises(ValueError, match="column"):
        one_grade(**changes)
