"""Which topics are followed, and what was said on them lately, for readers that come back."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from typing import Final

from exchange.gateway.feed_channels import Told, Topic

EVERYTHING: Final = "*"
"""The symbol that stands for all contracts, present and future."""
KEPT_S: Final = 60.0
"""How long a topic is still followed after its last reader left, so that one that comes back can go on."""
HELD_BYTES_MAX: Final = 32 << 20
"""Messages held for readers that come back, over all topics; the oldest are forgotten."""


class Topics:
    """Counts the readers of each topic; a topic is a channel with a symbol or `EVERYTHING`."""

    def __init__(self) -> None:
        self._readers: Counter[Topic] = Counter()
        self._since: dict[Topic, int] = {}
        self._left: dict[Topic, float] = {}

    def join(self, topic: Topic, seq: int) -> None:
        """A reader begins; what comes after `seq` is said on the topic if it wasn't before."""
        self._readers[topic] += 1
        self._since.setdefault(topic, seq)
        self._left.pop(topic, None)

    def leave(self, topic: Topic, now: float) -> None:
        """A reader ends."""
        self._readers[topic] -= 1
        if self._readers[topic] <= 0:
            del self._readers[topic]
            self._left[topic] = now

    def follows(self, channel: str, symbol: str) -> bool:
        """Return whether something is said on a channel of a contract."""
        return (channel, symbol) in self._since or (channel, EVERYTHING) in self._since

    @property
    def followed(self) -> bool:
        """Whether anything is said on any topic."""
        return bool(self._since)

    def since(self, topic: Topic) -> int | None:
        """Return the seq after which everything was said on a topic; None if nothing is."""
        everything = self._since.get((topic[0], EVERYTHING))
        own = self._since.get(topic)
        if own is None or everything is None:
            return everything if own is None else own
        return min(own, everything)

    def end_unread(self, now: float) -> list[Topic]:
        """End the topics that nobody reads for `KEPT_S`; return them."""
        ended = [topic for topic, left in self._left.items() if now - left >= KEPT_S]
        for topic in ended:
            del self._left[topic], self._since[topic]
        return ended


class Held:
    """The latest messages of all followed topics: whole frames, at most `bytes_max` of them."""

    def __init__(self, after_seq: int, bytes_max: int = HELD_BYTES_MAX) -> None:
        self.after_seq = after_seq
        """Everything said on followed topics after this seq is held."""
        self._bytes_max = bytes_max
        self._bytes = 0
        self._frames: deque[tuple[int, int, list[Told]]] = deque()

    @property
    def size(self) -> int:
        """How many bytes are held."""
        return self._bytes

    def add(self, seq: int, told: list[Told]) -> None:
        """Add what a frame that ends with `seq` said; forget what is too much."""
        size = sum(len(message) for _, message in told)
        self._frames.append((seq, size, told))
        self._bytes += size
        while self._bytes > self._bytes_max:
            self.after_seq, size, _ = self._frames.popleft()
            self._bytes -= size

    def since(self, seq: int, wanted: Iterable[Topic], bytes_max: int) -> list[bytes] | None:
        """Return what was said on the wanted topics after `seq`, oldest first; None if some of it is
        forgotten or it is more than `bytes_max`.
        """
        if seq < self.after_seq:
            return None
        topics = frozenset(wanted)
        found: list[bytes] = []
        size = 0
        for last_seq, _, told in reversed(self._frames):
            if last_seq <= seq:
                break
            for topic, message in reversed(told):
                if topic in topics or (topic[0], EVERYTHING) in topics:
                    found.append(message)
                    size += len(message)
            if size > bytes_max:
                return None
        return found[::-1]
