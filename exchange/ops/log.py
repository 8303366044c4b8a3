"""The log: one JSON object a line, of the program and of its libraries alike, in files of bounded size."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import MutableMapping
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Final, Literal

import orjson
import structlog

LogLevel = Literal["debug", "info", "warning", "error"]

FILE_BYTES_MAX: Final = 64 << 20
FILES_KEPT: Final = 5
REDACTED: Final = "…"
_SECRET_NAMES: Final = ("secret", "signature", "password", "token", "cookie", "ciphertext", "authorization")


GATHERED_S: Final = 0.1
"""How long a line of a request may wait for others; a kill loses it, and nothing else does."""
GATHERED_MAX: Final = 256


class LineFile(RotatingFileHandler):
    """The file. Lines of requests are gathered and written together: formatting and writing one as a log
    record takes ten times as long as encoding it.
    """

    def __init__(self, file: Path) -> None:
        super().__init__(file, maxBytes=FILE_BYTES_MAX, backupCount=FILES_KEPT, encoding="utf-8")
        self._gathered: list[bytes] = []

    def gather(self, level: LogLevel, logger: str, event: str, fields: dict[str, Any]) -> None:
        """Write a line within `GATHERED_S`, before any other that is logged later; from the event loop."""
        now = datetime.now(UTC)
        line = {**fields, "event": event, "level": level, "logger": logger, "timestamp": now}
        encoded = orjson.dumps(line, default=str, option=orjson.OPT_UTC_Z)
        self.acquire()
        self._gathered.append(encoded)
        waiting = len(self._gathered)
        self.release()
        if waiting >= GATHERED_MAX:
            self.write_gathered()
        elif waiting == 1:
            asyncio.get_running_loop().call_later(GATHERED_S, self.write_gathered)

    def write_gathered(self) -> None:
        """Write what was gathered."""
        self.acquire()
        try:
            lines, self._gathered = self._gathered, []
            if lines:
                super().emit(logging.makeLogRecord({"msg": b"\n".join(lines).decode(), _WRITTEN: True}))
        finally:
            self.release()

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's line, or the lines that it is."""
        return str(record.msg) if hasattr(record, _WRITTEN) else super().format(record)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record after what was gathered before it."""
        self.write_gathered()
        super().emit(record)

    def close(self) -> None:
        """Write what was gathered and close the file."""
        self.write_gathered()
        super().close()


_WRITTEN: Final = "dongxi_written"
_files: list[LineFile] = []


def gathering_file() -> LineFile | None:
    """Return the file that is logged to now; None if it isn't one of ours."""
    return _files[-1] if _files and _files[-1] in logging.root.handlers else None


def log_to(folder: Path, level: LogLevel, name: str = "dongxi") -> Path:
    """Write what is logged from now on to `folder`/`name`.log and return that file. Raises OSError.

    Each process needs a file of its own, since it also rotates it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.log"
    handler = LineFile(file)
    _files[:] = [handler]
    common: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        without_secrets,
    ]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=common,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _as_json],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    structlog.configure(
        processors=[*common, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    return file


def without_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank out fields whose name says that they hold a secret: the last line of defence, not the first."""
    for name in event:
        if any(secret in name.lower() for secret in _SECRET_NAMES):
            event[name] = REDACTED
    return event


def _as_json(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    return orjson.dumps(dict(event), default=str).decode()
