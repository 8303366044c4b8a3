"""What an agent is told: its site, the cards that stand there, and what to offer of them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from exchange.api.requests import Day, MaintenanceWindow, Price


class Cards(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Cards of one grade. What isn't declared is measured: by `nvidia-smi`, and by the benchmark.

    `down` says how many are out of use; the file is read again before every sample.
    """

    grade: str
    cards: Annotated[int, Meta(ge=1, le=10**7)]
    down: Annotated[int, Meta(ge=0, le=10**7)] = 0
    product: str | None = None
    """Part of the name that nvidia-smi gives the cards, such as "H100"; with it they are counted there."""
    memory_gb: Annotated[int, Meta(ge=0, le=10**6)] | None = None
    gflops: Annotated[int, Meta(ge=0, le=10**9)] | None = None
    """Dense FP16 of one card as its own benchmark found it."""


class Offer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Capacity to post, once, and its price."""

    grade: str
    cards: Annotated[int, Meta(ge=1, le=10**7)]
    first_day: Day
    last_day: Day
    price: Price = "0.00"
    availability_basis_points: Annotated[int, Meta(ge=1, le=10_000)] = 10_000
    maintenance: list[MaintenanceWindow] = []


class AgentConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One site. `state` is the directory of the agent's key and spool."""

    site: Annotated[str, Meta(min_length=1, max_length=200)]
    hub: str
    state: str
    inventory: Annotated[list[Cards], Meta(min_length=1, max_length=64)]
    offers: Annotated[list[Offer], Meta(max_length=64)] = []
    sample_s: Annotated[float, Meta(gt=0, le=600)] = 30.0
    """How often cards are counted and the exchange is asked."""


def read_config(path: Path) -> AgentConfig:
    """Read a file. Raises ValueError that says what is wrong; OSError."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), AgentConfig)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise ValueError(f"{path} is not an agent's configuration: {error}; see docs/agent.md") from None
