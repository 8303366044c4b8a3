"""Who is told of every frame once it is applied."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from exchange.service.results import Applied

Listener: TypeAlias = Callable[[Applied], None]


class Listeners:
    """Called in the order in which they came."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._listeners: list[Listener] = []

    def add(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` from now on; returns what ends that."""
        self._listeners.append(listener)

        def remove() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return remove

    def tell(self, applied: Applied) -> None:
        """Call every listener; one that raises is dropped and reported to the loop's exception handler."""
        for listener in tuple(self._listeners):
            try:
                listener(applied)
            except Exception as broken:
                self._listeners.remove(listener)
                context = {"message": "a listener raised and was dropped", "exception": broken}
                self._loop.call_exception_handler(context)
