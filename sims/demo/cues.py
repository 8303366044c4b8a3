"""What the demonstration tells a member's process, and what it answers: one JSON object a line.

Cues only say *when*; everything a member does with the exchange goes through its HTTP API with its own key.
Every cue may be given twice: a member looks at its account first and does what is still missing.
"""

import msgspec

from sims.demo.settings import DemoSettings


class Setup(msgspec.Struct, frozen=True, tag="setup"):
    """The first line: who the process is. ``hubs`` are a provider's, ``city`` is an enterprise's."""

    member: str
    base_url: str
    keys_dir: str
    settings: DemoSettings
    hubs: tuple[str, ...] = ()
    city: str = ""


class Post(msgspec.Struct, frozen=True, tag="post"):
    """Post the capacity that the contracts on offer need (providers)."""


class Quote(msgspec.Struct, frozen=True, tag="quote"):
    """Offer, or move offers; ``progress_percent`` says how much of the session is over (providers)."""

    progress_percent: int


class Bid(msgspec.Struct, frozen=True, tag="bid"):
    """Bid in the opening call auction (enterprises)."""

    trading_day: str


class Round(msgspec.Struct, frozen=True, tag="round"):
    """One round of the session; ``rounds_left`` counts this one (enterprises)."""

    trading_day: str
    rounds_left: int
    rounds: int


class Meter(msgspec.Struct, frozen=True, tag="meter"):
    """Send the meter readings of every hour of these delivery days that is over by ``market_time``
    (providers).
    """

    market_time: str
    days: tuple[str, ...]


Cue = Post | Quote | Bid | Round | Meter


class Answer(msgspec.Struct, frozen=True):
    """What became of a cue: commands sent and refused (by code), lots traded by them, or why it failed."""

    member: str
    sent: int = 0
    traded_lots: int = 0
    refused: dict[str, int] = {}
    failure: str | None = None
