"""Reads what no stream tells: the listing, the account as it is, trades and candles of before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from exchange.api import requests
from exchange.api.history import CandlesQuery
from exchange.api.money import Positions
from exchange.api.trading import Fills, Order, Orders
from exchange.client import ExchangeClient, ExchangeError, Market
from exchange.terminal.state.model import EVERYTHING, Part, TradingModel
from exchange.terminal.state.tape import CANDLES_KEPT

LOAD_AGAIN_S: Final = 2.0
"""After a snapshot that couldn't be read."""


class Snapshots:
    """See the module. `market` is what the stream of all tops amounts to so far."""

    def __init__(
        self, client: ExchangeClient, model: TradingModel, market: Market, clock: Callable[[], float]
    ) -> None:
        self._client, self._model, self._market, self._clock = client, model, market, clock
        self._loading = asyncio.Lock()

    async def load(self) -> None:
        """Read the listing and the account, until that succeeds; what is told meanwhile comes on top."""
        async with self._loading:
            while not self._model.connection.ended:
                try:
                    await self._load_once()
                except ExchangeError as error:
                    self._model.log(self._clock(), "note", str(error), grave=True)
                    await asyncio.sleep(LOAD_AGAIN_S)
                else:
                    return

    async def load_past(self, symbol: str) -> None:
        """Read a contract's trades and candles of before; what can't be read is said in the log."""
        model = self._model
        chart, tape = model.chart, model.tape
        query = CandlesQuery(interval=chart.interval, limit=CANDLES_KEPT)
        try:
            tape.load((await self._client.trades(symbol)).trades)
            model.changed.add(Part.TAPE)
            chart.load((await self._client.history.candles(symbol, query)).candles)
        except ExchangeError as error:
            model.log(self._clock(), "note", model.say("no_history", error.message))
        model.changed.add(Part.CHART)

    async def _load_once(self) -> None:
        client, model = self._client, self._model
        status = await client.status()
        model.phase, model.trading_day = status.phase, status.trading_day
        model.set_clock(status.market_time, self._clock(), status.clock_speed)
        if client.profile is not None:
            await self._load_account()
        model.quotes.name_hubs([(hub.code, f"{hub.name_en} {hub.name_zh}") for hub in await client.hubs()])
        model.quotes.load(await client.contracts())
        for top in self._market.tops.values():  # newer than the listing
            model.quotes.follow(top)
        model.changed |= EVERYTHING

    async def _load_account(self) -> None:
        client, account = self._client, self._model.account
        account.expect_snapshot()
        settled = (await client.settlements()).day
        orders = await self._open_orders()
        latest = requests.FillsQuery(limit=requests.PAGE_MAX)
        fills = await client.get("/v1/fills", Fills, latest, signed=True)
        whole = len(fills.fills) < requests.PAGE_MAX
        reaches_back = whole or (settled is not None and fills.fills[-1].time[:10] <= settled)
        account.load(orders, fills, settled, all_fills=reaches_back)
        positions = await client.get("/v1/positions", Positions, signed=True)
        account.load_money(await client.balances(), positions.positions, positions.as_of_seq)

    async def _open_orders(self) -> Orders:
        """All open orders, as of the first page: what changed while the others were read is told as news."""
        found: list[Order] = []
        cursor, seq = None, None
        while True:
            query = requests.OrdersQuery(limit=requests.PAGE_MAX, cursor=cursor)
            page = await self._client.get("/v1/orders", Orders, query, signed=True)
            found += page.orders
            cursor, seq = page.next_cursor, page.as_of_seq if seq is None else seq
            if cursor is None:
                return Orders(orders=found, as_of_seq=seq)
