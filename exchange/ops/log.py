"""The log: one JSON object a line, of the program and of its libraries alike, in files of bounded size."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
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


def log_to(folder: Path, level: LogLevel, name: str = "dongxi") -> Path:
    """Write what is logged from now on to `folder`/`name`.log and return that file. Raises OSError.

    Each process needs a file of its own, since it also rotates it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.log"
    handler = RotatingFileHandler(file, maxBytes=FILE_BYTES_MAX, backupCount=FILES_KEPT, encoding="utf-8")
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
