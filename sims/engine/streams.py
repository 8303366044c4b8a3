"""Random streams: one for each name, whatever else is drawn and whoever runs it."""

from __future__ import annotations

import numpy as np
from blake3 import blake3


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the stream of a name under a seed (≥ 0).

    It depends on the two alone: not on a worker, on the order of runs, or on how often another stream was
    used. So populations, shocks and prices see common random numbers in two scenarios under one seed.
    """
    words = np.frombuffer(blake3(name.encode()).digest(length=16), "<u4").tolist()
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=tuple(words))))
