"""`dongxi version`: what runs here."""

from __future__ import annotations

import platform
from importlib.metadata import version as installed

import typer

LIBRARIES = ("numpy", "numba", "ortools", "aiohttp", "orjson", "sortedcontainers")


def version() -> None:
    """Print the versions of the program, Python and the main libraries."""
    typer.echo(f"dongxi {installed('dongxi')}, Python {platform.python_version()}")
    typer.echo(", ".join(f"{name} {installed(name)}" for name in LIBRARIES))
