"""What a scenario says that it shows, so that it can be tested."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A figure that lies higher or lower than in the same market without what the scenario adds to it."""

    figure: str
    """As `dongxi sim compare` prints it: delivered, price_east, surplus of providers, price of H100.GUIAN."""
    moves: Literal["up", "down"]
    """Which way."""
    without: Annotated[tuple[str, ...], Meta(min_length=1)] = ("shock=[]",)
    """What makes the market to compare with, as --set takes it."""
