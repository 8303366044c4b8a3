"""Exact sums of products of int64 columns, and numbering what is alike."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

SAFE = float(2**62)


def dot(a: Ints, b: Ints) -> int:
    """Σ a·b as a Python integer: by numpy where nothing can overflow, in halves where it could."""
    if not len(a):
        return 0
    if float(np.abs(a).max()) * float(np.abs(b).max()) * len(a) < SAFE:
        return int(a @ b)
    if len(a) == 1:
        return int(a[0]) * int(b[0])
    middle = len(a) // 2
    return dot(a[:middle], b[:middle]) + dot(a[middle:], b[middle:])


def numbered(*columns: NDArray[np.generic]) -> Ints:
    """(N,) the same number for rows that are equal in every column, from 0, in no particular order."""
    code = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        values, number = np.unique(column, return_inverse=True)
        # both factors are at most N, so the product stays inside int64
        _, code = np.unique(code * len(values) + number, return_inverse=True)
    return code


def numbered_rows(matrix: NDArray[np.generic]) -> Ints:
    """(N,) the same number for equal rows of a matrix."""
    if not matrix.size:
        return np.zeros(len(matrix), dtype=np.int64)
    whole = np.ascontiguousarray(matrix)
    rows = whole.view(np.dtype((np.void, whole.dtype.itemsize * whole.shape[1]))).ravel()
    return np.unique(rows, return_inverse=True)[1].astype(np.int64)


def first_rows(code: Ints) -> tuple[Ints, Ints]:
    """Renumber ``code`` (N,) by first appearance; returns the row of each number's first, and numbers."""
    _, first, inverse = np.unique(code, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return first[order], rank[inverse]


def starts(lengths: Ints) -> Ints:
    """Where each of several runs of these lengths begins, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
