"""A feed that outlives its connections: it comes back by itself, goes on where it was, and keeps books right.

`Feed` is one connection. `Stream` opens one after the other: it resumes after the last seq, puts a book whose
checksum is wrong right by a new snapshot, and says with `Interrupted` what, if anything, was missed.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, Self

import msgspec

from exchange.api.feed import (
    Channel,
    FeedAccount,
    FeedBook,
    FeedError,
    FeedHeartbeat,
    FeedMessage,
    FeedOrders,
    FeedPong,
    FeedSubscribed,
    FeedWelcome,
)
from exchange.client.books import LocalBook
from exchange.client.errors import BookMismatch, ExchangeError, FeedClosed
from exchange.client.feed import Feed, Market
from exchange.client.transport import backoff_s

if TYPE_CHECKING:
    from exchange.client.client import ExchangeClient

SILENCE_S = 16.0
"""The exchange says something every 5 s; three of these missed, and the connection counts as dead."""

_JITTER = random.SystemRandom()


class Interrupted(msgspec.Struct, frozen=True):
    """The connection ended (`why`) and there is a new one.

    `complete`: every message of the meantime follows. Otherwise books and tops are sent anew as they are,
    trades between `after_seq` and now are in the history (`client.history.each_trade`).
    """

    why: str
    after_seq: int
    complete: bool


class AccountMissed(msgspec.Struct, frozen=True):
    """The exchange no longer holds the account's news after `after_seq`: look orders and fills up."""

    after_seq: int


class OwnAccount:
    """What the account's own channel amounts to so far: positions in lots by symbol, and money in fen."""

    def __init__(self) -> None:
        self.seq = -1
        """Everything that concerns the account is known up to here; -1: nothing is."""
        self.positions: dict[str, int] = {}
        self.cash_fen = self.margin_fen = self.available_fen = 0
        self._anew = True

    def welcome(self) -> None:
        """The next message has all positions."""
        self._anew = True

    def follow(self, message: FeedAccount) -> None:
        """Take in a message of the account's channel."""
        if self._anew:
            self.positions.clear()
            self._anew = False
        for symbol, lots in message.positions.items():
            self.positions[symbol] = lots
            if not lots:
                del self.positions[symbol]
        self.cash_fen, self.margin_fen = message.cash_fen, message.margin_fen
        self.available_fen, self.seq = message.available_fen, message.seq


class Stream:
    """Messages of `channels` for `symbols`, and with `own` of the account, for as long as one iterates.

    Use as `async with Stream(client, ["l2"], ["H100.GUIAN.2701"]) as stream: async for message in stream:`.
    `books` are verified local copies. Raises ExchangeError for what coming back doesn't cure: an unknown
    symbol, a key that isn't good. With `cancel_on_disconnect` the account's orders end with a connection,
    also with one that this stream replaces.
    """

    def __init__(
        self,
        client: ExchangeClient,
        channels: Sequence[Channel] = (),
        symbols: Sequence[str] = (),
        *,
        own: bool = False,
        cancel_on_disconnect: bool = False,
        silence_s: float = SILENCE_S,
    ) -> None:
        self.market = Market()
        self.account = OwnAccount()
        self._client = client
        self._channels, self._symbols = tuple(channels), tuple(symbols)
        self._own = own
        self._cancel_on_disconnect = cancel_on_disconnect
        self._silence_s = silence_s
        self._feed: Feed | None = None
        self._failed = 0
        self._ended_by: str | None = None
        self._from_now = False
        """Whether the next connection begins with snapshots instead of going on."""
        self._closing = False

    @property
    def books(self) -> dict[str, LocalBook]:
        """The books by price, where `l2` is among the channels."""
        return self.market.books

    @property
    def down(self) -> str | None:
        """Why there is no connection; None while there is one, or the first is being made. What is known is
        of before until `Interrupted` comes.
        """
        return self._ended_by

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the stream from this side."""
        self._closing = True
        if self._feed is not None:
            await self._feed.close()

    def __aiter__(self) -> AsyncIterator[FeedMessage | Interrupted | AccountMissed]:
        return self._run()

    async def _run(self) -> AsyncIterator[FeedMessage | Interrupted | AccountMissed]:
        while not self._closing:
            try:
                feed = await self._connect()
                async for message in self._messages(feed):
                    self._failed = 0
                    for said in self._follow(message):
                        yield said
            except FeedClosed as closed:
                self._ended_by = str(closed)
            except ExchangeError as error:
                if error.status < 500 and error.status != 429 and error.code != "CONNECTION_FAILED":
                    raise
                self._ended_by = str(error)
            if not self._closing:
                await asyncio.sleep(backoff_s(self._failed) * _JITTER.uniform(0.5, 1.0))
                self._failed += 1

    async def _connect(self) -> Feed:
        go_on = self._ended_by is not None and not self._from_now
        self._from_now = False
        feed = await self._client.feed(resume=self.market)
        self._feed = feed
        with _as_closed():
            if self._own:
                after = self.account.seq if self.account.seq >= 0 else None
                await feed.log_on(cancel_on_disconnect=self._cancel_on_disconnect, after_seq=after)
            if self._channels:
                await feed.subscribe(self._channels, self._symbols, self.market.seq if go_on else None)
        return feed

    async def _messages(self, feed: Feed) -> AsyncIterator[FeedMessage]:
        """What the connection brings. Raises FeedClosed also when it brings nothing for too long, or a wrong
        book twice in a row.
        """
        renewing: set[str] = set()
        try:
            while True:
                messages = aiter(feed)
                try:
                    while True:
                        async with asyncio.timeout(self._silence_s):
                            message = await anext(messages)
                        if isinstance(message, FeedBook | FeedOrders):
                            renewing.discard(message.symbol)
                        yield message
                except StopAsyncIteration:
                    return
                except TimeoutError:
                    raise FeedClosed(1006, f"nothing came for {self._silence_s:g} s") from None
                except BookMismatch as wrong:
                    if wrong.symbol in renewing:
                        self._from_now = True
                        raise FeedClosed(1006, str(wrong)) from None
                    renewing.add(wrong.symbol)
                    await self._begin_anew(feed, wrong.symbol)
        finally:
            await feed.close()

    async def _begin_anew(self, feed: Feed, symbol: str) -> None:
        """Ask for snapshots; until they are there, changes of these books are passed over."""
        channels = [channel for channel in self._channels if channel in ("l2", "l3")]
        symbols = ["*"] if "*" in self._symbols else [symbol]
        with _as_closed():
            self.market.renew(channels, symbols)
            await feed.unsubscribe(channels, symbols)
            await feed.subscribe(channels, symbols)

    def _follow(self, message: FeedMessage) -> list[FeedMessage | Interrupted | AccountMissed]:
        if isinstance(message, FeedError) and message.id is None:
            raise ExchangeError(message.code, 0, message.message)
        if isinstance(message, FeedAccount):
            self.account.follow(message)
        elif isinstance(message, FeedHeartbeat | FeedPong):
            if self.account.seq >= 0:
                self.account.seq = max(self.account.seq, message.seq)
        elif isinstance(message, FeedWelcome):
            return self._welcomed(message)
        elif isinstance(message, FeedSubscribed) and self._ended_by is not None:
            if not message.resumed:
                self.market.forget(self._channels, ["*"])
            return [self._interrupted(self.market.seq, complete=message.resumed), message]
        return [message]

    def _welcomed(self, message: FeedWelcome) -> list[FeedMessage | Interrupted | AccountMissed]:
        self.account.welcome()
        said: list[FeedMessage | Interrupted | AccountMissed] = [message]
        if message.resync:
            said.append(AccountMissed(self.account.seq))
        if self._ended_by is not None and not self._channels:
            said.append(self._interrupted(self.account.seq, complete=not message.resync))
        return said

    def _interrupted(self, after_seq: int, *, complete: bool) -> Interrupted:
        why, self._ended_by = self._ended_by or "", None
        return Interrupted(why, after_seq, complete)


@contextlib.contextmanager
def _as_closed() -> Iterator[None]:
    """A connection that breaks while something is sent over it has ended like any other."""
    try:
        yield
    except ConnectionError as error:
        raise FeedClosed(1006, str(error) or "the connection broke") from error
