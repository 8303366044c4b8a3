"""The exchange's client: signed requests, streams with local books, orders without doubt, credential files.

Imports nothing of the core (no numpy, no compiled kernel), so that a small process starts quickly.
"""

from exchange.client.books import LocalBook, LocalOrders
from exchange.client.client import ExchangeClient
from exchange.client.desk import OrderDesk, OrderState, Ticket
from exchange.client.errors import BookMismatch, ExchangeError, FeedClosed
from exchange.client.feed import Feed, Market
from exchange.client.profiles import Profile, load_profile, profile_from_environment, save_profile
from exchange.client.stream import AccountMissed, Interrupted, OwnAccount, Stream
from exchange.client.sync import SyncExchange

__all__ = [
    "AccountMissed",
    "BookMismatch",
    "ExchangeClient",
    "ExchangeError",
    "Feed",
    "FeedClosed",
    "Interrupted",
    "LocalBook",
    "LocalOrders",
    "Market",
    "OrderDesk",
    "OrderState",
    "OwnAccount",
    "Profile",
    "Stream",
    "SyncExchange",
    "Ticket",
    "load_profile",
    "profile_from_environment",
    "save_profile",
]
