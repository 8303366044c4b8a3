"""Compiled functions of simulations: the kernel's decorators with a cache that knows these sources too.

numba keeps a stale caller when a callee in another file changes. The kernel's cache is keyed by the kernel's
sources; functions here call one another across files, so their cache is keyed by these files as well.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from matching import jit

P = ParamSpec("P")
R = TypeVar("R")

_PACKAGES = [Path(__file__).parent, Path(__file__).parent.parent / "agents"]
_KEY = "-".join(jit.source_key(package) for package in _PACKAGES)


def _keyed(decorate: Callable[[Callable[P, R]], Callable[P, R]], function: Callable[P, R]) -> Callable[P, R]:
    shared = jit.CACHE_DIR
    jit.CACHE_DIR = shared and shared / f"sims-{_KEY}"
    try:
        return decorate(function)
    finally:
        jit.CACHE_DIR = shared


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function over arrays."""
    return _keyed(jit.kernel, function)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function into each of its callers."""
    return _keyed(jit.inlined, function)
