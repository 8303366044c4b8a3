"""Tests made from the schema's operations are told apart by their operation.

A long campaign can be interrupted and finished later: with `--campaign FILE` each operation that passed is
written to that file, and those that are there are left out; `-k` chooses among the rest.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from schemathesis.pytest.plugin import SchemathesisFunction
from signed_requests import Callers, served_in_thread


@pytest.fixture(scope="module")
def callers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callers]:
    """A server, and who may ask it for what."""
    with served_in_thread(tmp_path_factory.mktemp("exchange")) as found:
        yield found


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the campaign's record."""
    parser.addoption(
        "--campaign", type=Path, help="JSON lines, one an operation that passed; those are left out"
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the long campaign unless it is wanted: to collect it takes seconds."""
    unwanted = config.getoption("markexpr") == "not soak"
    return True if unwanted and collection_path.name == "test_at_length.py" else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give each its own id: all of one function have the same, of which pytest-xdist would run one only."""
    for item in items:
        if isinstance(item, SchemathesisFunction) and item.id.params is None:
            item._id = item.id.with_params(item.operation_label)
    record: Path | None = config.getoption("--campaign", None)
    if record is not None and record.exists():
        passed = {json.loads(line)["operation"] for line in record.read_text().splitlines()}
        items[:] = [item for item in items if operation_of(item.nodeid) not in passed]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write an operation that passed to the campaign's record."""
    report = yield
    record: Path | None = item.config.getoption("--campaign", None)
    if record is not None and report.when == "call" and report.passed:
        line = {
            "operation": operation_of(item.nodeid),
            "seconds": round(report.duration, 1),
            "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        with record.open("a") as out:
            out.write(json.dumps(line) + "\n")
    return report


def operation_of(test: str) -> str:
    """Return the part of a test's id that tells its operation apart: `GET /livez`."""
    return test.rpartition("[")[2].removesuffix("]")
