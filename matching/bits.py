"""Bits of 64-bit words, with the machine's own instructions where the kernel is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from matching.jit import COMPILED, inlined


@inlined
def bit(index: int) -> np.uint64:
    """Return a word with only bit ``index mod 64`` set."""
    return np.uint64(1) << np.uint64(index & 63)


@inlined
def up_to(index: int) -> np.uint64:
    """Return a word with the bits 0 … ``index mod 64`` set."""
    return np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(63 - (index & 63))


def _count_zeros(name: str) -> Any:
    @intrinsic
    def count(_typing_context: Any, _word: Any) -> Any:
        def code(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            return getattr(builder, name)(arguments[0], ir.Constant(ir.IntType(1), 1))

        return types.int64(types.uint64), code

    return count


def _plain_trailing(word: int) -> int:
    number = int(word)
    return (number & -number).bit_length() - 1


def _plain_leading(word: int) -> int:
    return 64 - int(word).bit_length()


trailing_zeros: Callable[[Any], int] = _count_zeros("cttz") if COMPILED else _plain_trailing
"""Number of the lowest set bit; the word must not be 0."""
leading_zeros: Callable[[Any], int] = _count_zeros("ctlz") if COMPILED else _plain_leading
"""63 minus the number of the highest set bit; the word must not be 0."""
