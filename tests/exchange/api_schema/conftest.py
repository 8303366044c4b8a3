"""Tests made from the schema's operations are told apart by their operation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from schemathesis.pytest.plugin import SchemathesisFunction
from signed_requests import Callers, served_in_thread


@pytest.fixture(scope="module")
def callers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callers]:
    """A server, and who may ask it for what."""
    with served_in_thread(tmp_path_factory.mktemp("exchange")) as found:
        yield found


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the long campaign unless it is wanted: to collect it takes seconds."""
    unwanted = config.getoption("markexpr") == "not soak"
    return True if unwanted and collection_path.name == "test_at_length.py" else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each its own id: all of one function have the same, of which pytest-xdist would run one only."""
    for item in items:
        if isinstance(item, SchemathesisFunction) and item.id.params is None:
            item._id = item.id.with_params(item.operation_label)
