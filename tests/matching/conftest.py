"""A desk on each of the two engines."""

from __future__ import annotations

import pytest
from desk import LIMITS, Desk

from matching.engine import Engine
from matching.reference import ReferenceEngine


@pytest.fixture(params=[Engine, ReferenceEngine], ids=["kernel", "reference"])
def desk(request: pytest.FixtureRequest) -> Desk:
    """A desk on the kernel, and one on the reference engine."""
    return Desk(request.param(LIMITS))
