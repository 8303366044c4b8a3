"""The exchange's client: signed requests, the market-data feed with local books, and credential files.

Imports nothing of the core (no numpy, no compiled kernel), so that a small process starts quickly.
"""

from exchange.client.client import ExchangeClient
from exchange.client.errors import ExchangeError, FeedClosed
from exchange.client.feed import Feed, LocalBook
from exchange.client.profiles import Profile, load_profile, save_profile

__all__ = [
    "ExchangeClient",
    "ExchangeError",
    "Feed",
    "FeedClosed",
    "LocalBook",
    "Profile",
    "load_profile",
    "save_profile",
]
