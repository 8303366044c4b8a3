"""The history, filled beside a server that a test runs in its own process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exchange.history.follower import Follower


@contextmanager
def filling(data_dir: Path) -> Iterator[None]:
    """Fill the history beside the server, in a thread instead of a process."""
    stop = threading.Event()
    with Follower(data_dir) as follower:
        thread = threading.Thread(target=follower.run, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
