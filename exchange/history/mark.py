"""The durable mark: up to which seq the journal's commands are durable, told from process to process.

Two words of eight bytes in a mapped file. In the first the exchange stores the seq of each frame that it has
applied, which it does only once the frame is durable; a reader of the journal takes no frame beyond it
(docs/decisions/0005). What was durable stays so: a mark of an earlier run is still true, if perhaps old. In
the second the history process stores how far it is, for whoever watches it.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.service.exchange import Exchange
from exchange.service.results import Applied

_NAME: Final = "durable"
_SIZE: Final = 16


class DurableMark:
    """The marks of a data directory; made if they aren't there. A word is stored and read whole."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / _NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, _SIZE)
            self._words: NDArray[Any] = np.frombuffer(mmap.mmap(descriptor, _SIZE), "<i8")
        finally:
            os.close(descriptor)

    @property
    def seq(self) -> int:
        """The last command known to be durable; 0 before the first start of the exchange."""
        return int(self._words[0])

    @seq.setter
    def seq(self, seq: int) -> None:
        self._words[0] = seq

    @property
    def folded(self) -> int:
        """The last command in the history; 0 before there is one."""
        return int(self._words[1])

    @folded.setter
    def folded(self, seq: int) -> None:
        self._words[1] = seq


def publish_durable(exchange: Exchange) -> None:
    """Keep the mark of an open exchange's data directory from now on."""
    mark = DurableMark(history_folder(exchange.config.data_dir))
    mark.seq = exchange.views.seq

    def on_applied(applied: Applied) -> None:
        mark.seq = applied.last_seq

    exchange.subscribe(on_applied)


def history_folder(data_dir: Path) -> Path:
    """Return where a data directory keeps its read models."""
    return data_dir / "history"
