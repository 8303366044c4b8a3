"""Which event loop the server runs on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's factory where it is installed, which halves the cost of a turn; None for asyncio's
    own.
    """
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
