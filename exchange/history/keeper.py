"""Starts the history process beside the exchange, and again whenever it ends; the exchange never waits for
it.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import Final

import structlog

from exchange.history.mark import DurableMark, history_folder

BACK_OFF_S: Final = 0.5
BACK_OFF_S_MAX: Final = 30.0
HEALTHY_S: Final = 60.0
"""After running this long the next failure is waited out from the beginning."""

CLOSE_S: Final = 5.0
"""How long it may take to end; then it is killed, which loses nothing."""

CATCH_UP_S: Final = 5.0
"""How long it may take in what was drained before it has to end; the next start goes on with the rest."""

_LOOK_S: Final = 0.02
_ERROR_BYTES: Final = 4_096
_LOG = structlog.get_logger("history")


async def keep_history(data_dir: Path, log_level: str) -> None:
    """Run the history process until cancelled, then let it catch up with the exchange and end it."""
    loop = asyncio.get_running_loop()
    wait = BACK_OFF_S
    while True:
        began = loop.time()
        code: int | None = None
        try:
            code, said = await _run_once(data_dir, log_level)
        except OSError as error:
            said = str(error)
        if loop.time() - began >= HEALTHY_S:
            wait = BACK_OFF_S
        _LOG.error("the history process ended; it is started again", code=code, error=said, wait_s=wait)
        await asyncio.sleep(wait)
        wait = min(2 * wait, BACK_OFF_S_MAX)


async def _run_once(data_dir: Path, log_level: str) -> tuple[int, str]:
    """Run it to its end; return exit code and the end of what it said on stderr."""
    words = ("-m", "exchange", "history", "run", "--data", str(data_dir), "--log-level", log_level)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *words,
        "--lifeline",  # it ends when our end of its stdin closes, however we end
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # a terminal's Ctrl-C reaches only us, and we end it in order
    )
    _LOG.info("history process started", pid=process.pid)
    try:
        said = await _last_words(process)
        return await process.wait(), said
    finally:
        await asyncio.shield(_end(process, DurableMark(history_folder(data_dir))))


async def _last_words(process: asyncio.subprocess.Process) -> str:
    said = b""
    while process.stderr is not None and (more := await process.stderr.read(_ERROR_BYTES)):
        said = (said + more)[-_ERROR_BYTES:]
    return said.decode("utf-8", "replace").strip()


async def _end(process: asyncio.subprocess.Process, mark: DurableMark) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + CATCH_UP_S
    while process.returncode is None and mark.folded < mark.seq and loop.time() < end:  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_S)  # it is another process that moves the mark
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), CLOSE_S)
        except TimeoutError:
            process.kill()
            await process.wait()
