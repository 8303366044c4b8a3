"""One server for all files whose commands speak with one; they run in one group, so it is started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from server_process import ServerProcess


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of an open market. Each file admits its own members and trades its own contracts."""
    with ServerProcess(tmp_path_factory.mktemp("commands") / "exchange") as started:
        yield started
