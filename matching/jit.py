"""Compiling the kernel: a typed decorator, a cache keyed by the kernel's sources, and access to rows by
address.

Every kernel function takes the one-row ``CORE`` record first. Tables live in numpy arrays that the engine
owns; ``CORE`` holds their addresses, and a *row accessor* turns (core, number) into a record that can be read
and written in place. So a call passes one pointer, however many tables there are, and no reference counts
move. With ``NUMBA_DISABLE_JIT=1`` the same functions run as plain Python on the same arrays.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast
from weakref import WeakValueDictionary

import numba
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import config
from numba.core.caching import UserProvidedCacheLocator
from numba.extending import intrinsic
from numba.np import numpy_support
from numpy.typing import NDArray

P = ParamSpec("P")
R = TypeVar("R")
Row = Any
"""One record of a table, read and written by column name: ``row["remaining"]``."""

wide: Callable[[Any], int] = cast("Any", np.int64)
"""Widen a column's value to 64 bits before arithmetic; also keeps one compiled version of each function."""

_settings: Any = config

COMPILED = not _settings.DISABLE_JIT
"""False when the kernel runs as plain Python."""

UNUSED_DAYS = 30
"""How long a compiled kernel is kept after its last use."""


def source_key(package: Path = Path(__file__).parent) -> str:
    """Return a hash of everything that the compiled kernel depends on.

    numba keeps a stale caller when a callee in another file changes, so the whole package is one key; and it
    distrusts a source whose time stamp moved, so the stamps are part of it.
    """
    digest = hashlib.sha256(f"{sys.version}|{numba.__version__}|{np.__version__}".encode())
    for path in sorted(package.glob("*.py")):
        digest.update(f"{path}|{path.stat().st_mtime_ns}|".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _cache_root() -> Path:
    """Return where compiled code may be kept: DONGXI_CACHE_DIR, else the user's cache directory."""
    named = os.environ.get("DONGXI_CACHE_DIR")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path("~/.cache").expanduser()) / "dongxi"


def writable(directory: Path) -> bool:
    """Tell whether compiled code can be kept in a directory; makes it if it can."""
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=directory, buffering=0) as file:
            file.write(b"room")
    except OSError:
        return False
    return True


def complete(directory: Path) -> Path:
    """Return the file that says that a directory holds the whole compiled kernel."""
    return directory / "complete"


CACHE_DIR: Path | None = None
"""Where compiled code is; None if it can neither be found nor kept: such a process compiles at its start."""
CACHE_WRITABLE = False
"""Whether it can be added to; a complete one that can't be written (a read-only installation) is read."""
if COMPILED:
    _directory = _cache_root() / f"kernel-{source_key()}"
    CACHE_WRITABLE = writable(_directory)
    CACHE_DIR = _directory if CACHE_WRITABLE or complete(_directory).exists() else None


class KernelCacheLocator(UserProvidedCacheLocator):
    """Where numba finds the kernel's code: in ``CACHE_DIR``, which needn't be writable to be read."""

    def ensure_cache_path(self) -> None:
        """Make the directory, if anything will be written."""
        if CACHE_WRITABLE:
            super().ensure_cache_path()  # type: ignore[no-untyped-call]


def _keep_nothing(_signature: Any, _compiled: Any) -> None:
    """Stand in for numba's saving where nothing can be written."""


def _compile(function: Callable[P, R], forceinline: bool) -> Callable[P, R]:
    previous = _settings.CACHE_DIR, _settings.CACHE_LOCATOR_CLASSES
    _settings.CACHE_DIR = str(CACHE_DIR or "")
    _settings.CACHE_LOCATOR_CLASSES = f"{__name__}.{KernelCacheLocator.__name__}"
    try:
        compiled: Any = njit(
            cache=CACHE_DIR is not None,
            error_model="numpy",
            boundscheck=False,
            nogil=True,
            forceinline=forceinline,
        )(function)
    finally:
        _settings.CACHE_DIR, _settings.CACHE_LOCATOR_CLASSES = previous
    if CACHE_DIR is not None and not CACHE_WRITABLE:
        compiled._cache.save_overload = _keep_nothing
    return cast("Callable[P, R]", compiled)


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel function: no bounds checks, no exceptions, cached in ``CACHE_DIR``."""
    return _compile(function, forceinline=False)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel function into each of its callers: for the small ones on every order's way."""
    return _compile(function, forceinline=True)


@contextmanager
def compiling() -> Iterator[None]:
    """Around the first use of the whole kernel: says on stderr that it compiles, if it isn't in the cache."""
    mark = complete(CACHE_DIR) if CACHE_DIR else None
    if mark is None or not mark.exists():
        print("Compiling the matching kernel, which takes about half a minute …", file=sys.stderr, flush=True)
    yield
    if mark is not None and CACHE_WRITABLE:
        mark.touch()
        forget_unused(mark.parent.parent)


def forget_unused(root: Path) -> None:
    """Remove compiled kernels of other sources that nobody has used for `UNUSED_DAYS`; failing is no harm."""
    oldest = time.time() - UNUSED_DAYS * 86_400
    for directory in root.glob("kernel-*"):
        with suppress(OSError):  # another process may be removing it
            mark = complete(directory)
            if (mark if mark.exists() else directory).stat().st_mtime < oldest:
                shutil.rmtree(directory, ignore_errors=True)


_tables: WeakValueDictionary[int, NDArray[Any]] = WeakValueDictionary()


def address(table: NDArray[Any]) -> int:
    """Return the address of a table and remember the table for plain-Python row access. Keep the table
    alive."""
    where: int = table.ctypes.data
    _tables[where] = table
    return where


def _compiled_row(record: Any, offset: int, itemsize: int) -> Any:
    """Return an intrinsic that yields row `index` of the table whose address stands at `offset` in the
    core."""

    @intrinsic
    def row(_typing_context: Any, core: Any, _index: Any) -> Any:
        def code(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            core_pointer, index = arguments
            word = ir.IntType(64)
            slot = builder.add(builder.ptrtoint(core_pointer, word), ir.Constant(word, offset))
            base = builder.load(builder.inttoptr(slot, word.as_pointer()), align=8)
            # a table never moves during a call, so the compiler may keep its address in a register
            base.set_metadata("invariant.load", builder.module.add_metadata([]))
            place = builder.add(base, builder.mul(index, ir.Constant(word, itemsize)))
            return builder.inttoptr(place, context.get_value_type(record))

        return record(core, types.int64), code

    return row


def _compiled_prefetch() -> Any:
    @intrinsic
    def prefetch(_typing_context: Any, _row: Any) -> Any:
        def code(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            byte = ir.IntType(8).as_pointer()
            number = ir.IntType(32)
            kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
            function = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
            for_writing, keep, data = ir.Constant(number, 1), ir.Constant(number, 3), ir.Constant(number, 1)
            builder.call(function, [builder.bitcast(arguments[0], byte), for_writing, keep, data])
            return context.get_dummy_value()

        return types.none(_row), code

    return prefetch


def _plain_prefetch(_row: Row) -> None:
    """Plain Python has no use for it."""


prefetch: Callable[[Row], None] = _compiled_prefetch() if COMPILED else _plain_prefetch
"""Ask for a row's cache line, which may be any address: nothing is read."""


def row_accessor(core: np.dtype[np.void], table: str, row: np.dtype[np.void]) -> Callable[[Row, int], Row]:
    """Return the accessor ``(core, index) -> row`` of the table whose address is column `table` of the
    core."""
    if COMPILED:
        fields = core.fields
        assert fields is not None  # noqa: S101  (for the type checker: the core is a structured dtype)
        compiled: Callable[[Row, int], Row] = _compiled_row(
            numpy_support.from_dtype(row), fields[table][1], row.itemsize
        )
        return compiled

    def plain(core: Row, index: int) -> Row:
        return _tables[int(core[table])][int(index)]

    return plain
