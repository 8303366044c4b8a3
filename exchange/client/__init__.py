"""The exchange's client: signed requests, the market-data feed with local books, and credential files.

Imports nothing of the core (no numpy, no compiled kernel), so that a small process starts quickly.
"""

from exchange.client.books import LocalBook, LocalOrders
from exchange.client.client import ExchangeClient
from exchange.client.errors import BookMismatch, ExchangeError, FeedClosed
from exchange.client.feed import Feed, Market
from exchange.client.profiles import Profile, load_profile, save_profile

__all__ = [
    "BookMismatch",
    "ExchangeClient",
    "ExchangeError",
    "Feed",
    "FeedClosed",
    "LocalBook",
    "LocalOrders",
    "Market",
    "Profile",
    "load_profile",
    "save_profile",
]
