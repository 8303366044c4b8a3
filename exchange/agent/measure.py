"""What the site can do: cards counted, and a short benchmark of those that declare nothing."""

from __future__ import annotations

import shutil
import subprocess
import time

import numpy as np

from exchange.agent.config import Cards

GEMM_SIZE = 768
GEMM_REPEATS = 3
COPY_BYTES = 64 << 20
TOOL_S = 20.0


def serving_cards(cards: Cards) -> int:
    """Count the cards that serve: those that nvidia-smi sees, where a product is named, else those declared;
    without those that are down.
    """
    there = cards.cards if cards.product is None else min(cards.cards, len(_seen(cards.product)))
    return max(there - cards.down, 0)


def memory_gb(cards: Cards) -> int:
    """Memory of the smallest card in GB, declared or as nvidia-smi says; 0 if nobody knows."""
    if cards.memory_gb is not None or cards.product is None:
        return cards.memory_gb or 0
    return min(_seen(cards.product), default=0)


def gflops(cards: Cards) -> int:
    """Speed of one card in GFLOPS: declared by its own benchmark, else measured on this machine's CPU."""
    return cards.gflops if cards.gflops is not None else round(gemm_gflops())


def gemm_gflops() -> float:
    """Multiply matrices of float32 for a moment: the best of a few GEMMs, 2 n³ operations each."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((GEMM_SIZE, GEMM_SIZE), dtype=np.float32) for _ in range(2))
    best_s = float("inf")
    for _ in range(GEMM_REPEATS):
        began = time.perf_counter()
        a @ b
        best_s = min(best_s, time.perf_counter() - began)
    return 2 * GEMM_SIZE**3 / best_s / 1e9


def memory_gb_per_s() -> float:
    """Copy memory for a moment: bytes read and written in GB/s, the best of a few."""
    source = np.ones(COPY_BYTES // 8)
    target = np.empty_like(source)
    best_s = float("inf")
    for _ in range(GEMM_REPEATS):
        began = time.perf_counter()
        np.copyto(target, source)
        best_s = min(best_s, time.perf_counter() - began)
    return 2 * source.nbytes / best_s / 1e9


def _seen(product: str) -> list[int]:
    """Memory in GB of each card whose name contains the product; none if the tool isn't there or fails."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    query = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        listed = subprocess.run(query, capture_output=True, text=True, timeout=TOOL_S, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    rows = (line.rpartition(",") for line in listed.splitlines() if line.strip())
    return [
        round(int(mib) / 1024)
        for name, _, mib in rows
        if product.lower() in name.lower() and mib.strip().isdigit()
    ]
