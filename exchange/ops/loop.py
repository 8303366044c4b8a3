"""How the server's process runs: its event loop, and its garbage collector."""

from __future__ import annotations

import asyncio
import gc
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


def keep_what_is_loaded() -> None:
    """Collect garbage and have the collector never look again at what is left: modules, compiled code, the
    state that was loaded. Call it once, when the server is ready.

    They are some 200 000 objects, whose full collection would stop the loop for 100 ms now and then.
    """
    gc.collect()
    gc.freeze()
