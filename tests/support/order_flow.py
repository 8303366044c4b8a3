"""Random order flow with every type and attribute, straight into an exchange."""

from __future__ import annotations

import random

import numpy as np

from exchange.service.exchange import Exchange
from matching.records import (
    EventKind,
    OrderFlag,
    OrderType,
    Records,
    Side,
    StpMode,
    TimeInForce,
    amend,
    cancel,
    mass_cancel,
    new_order,
)

_TIMES = (*(TimeInForce.DAY,) * 6, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.AT_CLOSE)
_TYPES = (*(OrderType.LIMIT,) * 8, OrderType.MARKET, OrderType.MARKET_TO_LIMIT, OrderType.STOP_LIMIT)


class OrderFlow:
    """Orders, cancels and amendments of some accounts in some contracts around one price."""

    def __init__(self, seed: int, accounts: list[int], contracts: list[int], price: int) -> None:
        self._dice = random.Random(seed)
        self._accounts = accounts
        self._contracts = contracts
        self._price = price
        self._accepted: dict[int, list[int]] = {account: [] for account in accounts}

    async def run(self, exchange: Exchange, blocks: int, size: int = 12) -> None:
        """Submit so many blocks of so many commands, each for one account."""
        for _ in range(blocks):
            account = self._dice.choice(self._accounts)
            commands = np.concatenate([self._command(account) for _ in range(size)])
            result = await exchange.submit_hot(commands, account)
            assert result.ok
            accepted = result.events[result.events["kind"] == EventKind.ACCEPTED]
            self._accepted[account] += accepted["order_id"].tolist()

    def _command(self, account: int) -> Records:
        dice, known = self._dice, self._accepted[account]
        action = dice.random()
        if known and action < 0.2:
            return cancel(account=account, order_id=known.pop(dice.randrange(len(known))))
        if known and action < 0.35:
            price = dice.choice((0, self._some_price()))
            return amend(
                account=account, order_id=dice.choice(known), price=price, quantity=dice.randint(1, 9)
            )
        if action < 0.36:
            return mass_cancel(account=account, instrument=dice.choice(self._contracts))
        return self._order(account)

    def _order(self, account: int) -> Records:
        dice = self._dice
        kind, quantity = dice.choice(_TYPES), dice.randint(1, 9)
        priced = kind in (OrderType.LIMIT, OrderType.STOP_LIMIT)
        plain = kind is OrderType.LIMIT
        flags = dice.choice((OrderFlag.POST_ONLY, OrderFlag.POST_ONLY_SLIDE, *(OrderFlag.NONE,) * 6))
        return new_order(
            account=account,
            instrument=dice.choice(self._contracts),
            side=dice.choice((Side.BUY, Side.SELL)),
            quantity=quantity,
            price=self._some_price() if priced else 0,
            trigger=self._some_price() if kind is OrderType.STOP_LIMIT else 0,
            order_type=kind,
            tif=dice.choice(_TIMES),
            display=dice.randint(1, 3) if plain and dice.random() < 0.3 else 0,
            flags=flags if plain else OrderFlag.NONE,
            stp=dice.choice(tuple(StpMode)),
            client_id=0,
        )

    def _some_price(self) -> int:
        return self._price + self._dice.randint(-8, 8)
