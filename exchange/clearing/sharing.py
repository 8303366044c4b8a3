"""How the house's trading fees are shared (clause 8.14). Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def split(amounts: NDArray[np.int64], weights: Sequence[int]) -> NDArray[np.int64]:
    """Share each amount (fen, shape (n,), not negative) by weights; return shape (n, number of weights).

    By largest remainder, ties to the earlier weight (clause 1.4), so that each row sums to its amount.
    """
    parts = np.asarray(weights, np.int64)
    quotas, remainders = np.divmod(amounts[:, None] * parts, parts.sum())
    left = amounts - quotas.sum(axis=1)
    order = np.argsort(-remainders, axis=1, kind="stable")
    rank = np.argsort(order, axis=1, kind="stable")
    shared: NDArray[np.int64] = quotas + (rank < left[:, None])
    return shared
