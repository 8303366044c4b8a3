"""A member and a maker of a served exchange in continuous trading, and orders in one contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exchange_server import Served, serving

from exchange.api.requests import NewOrder
from exchange.client import ExchangeClient, Profile

SYMBOL = "H100.GUIAN.261205"


@dataclass
class Stage:
    """The exchange, and whose orders meet."""

    served: Served
    member: Profile
    maker: Profile


@asynccontextmanager
async def staged(folder: Path) -> AsyncIterator[Stage]:
    """Serve an exchange with both of them."""
    async with serving(folder) as served:
        member = await served.admit("blue", "enterprise")
        maker = await served.admit("guian-provider", "provider")
        await served.at(9, 30)
        yield Stage(served, member, maker)


def order(**fields: Any) -> NewOrder:
    """An order, by default for one lot to buy."""
    given: dict[str, Any] = {"symbol": SYMBOL, "side": "buy", "quantity": 1} | fields
    return NewOrder(**given)


@asynccontextmanager
async def facing(stage: Stage, *quotes: NewOrder) -> AsyncIterator[ExchangeClient]:
    """The member's client; the maker's quotes are open and nothing else."""
    async with stage.served.client(stage.maker) as maker, stage.served.client(stage.member) as member:
        for one in (maker, member):
            await one.cancel_all()
        for quote in quotes:
            await maker.place(quote)
        yield member
