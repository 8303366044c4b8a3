"""Who takes part: one table a population. Shares and margins are in basis points."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

BasisPoints = Annotated[int, Meta(ge=0, le=10_000)]
Count = Annotated[int, Meta(ge=1, le=2_000)]
Lots = Annotated[int, Meta(ge=1, le=100_000)]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]

RESERVED = ("exchange", "fat-finger")
"""Names that results and members have already: the house, and whoever mistypes."""


class Crowd(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    """What every population has."""

    name: Name
    """By which overrides, results and other keys know it; not `exchange` or `fat-finger`."""
    count: Count
    """Members."""
    cash_cny: Annotated[int, Meta(ge=0, le=10**10)] = 50_000_000
    """Paid into each account once."""
    activity: BasisPoints = 10_000
    """Chance that a member acts when it may."""


class ZeroIntelligence(Crowd, frozen=True, kw_only=True, tag="zero-intelligence"):
    """Random quotes of one lot (Gode and Sunder 1993): half the members buy, half sell; on a contract's last
    trading day they close what they hold.
    """

    budget: bool = True
    """ZI-C: never beyond the member's own value. Without it ZI-U: anything within the day's limits."""
    spread: BasisPoints = 500
    """Values lie within so much of what the good is worth, uniformly."""
    position_max: Lots = 100_000
    """Most that a member holds of a contract."""


class ZipTraders(Crowd, frozen=True, kw_only=True, tag="zip"):
    """Zero-intelligence-plus traders (Cliff 1997): half buy, half sell, a quote of one lot in every contract,
    and margins that move towards what they see dealt or refused there. Values are as those of
    `zero-intelligence`; on a contract's last trading day they close what they hold.
    """

    spread: BasisPoints = 500
    """Values lie within so much of what the good is worth, uniformly."""
    position_max: Lots = 3
    """Most that a member holds of a contract."""


class PoissonFlow(Crowd, frozen=True, kw_only=True, tag="poisson"):
    """Limit orders, market orders and cancellations at constant rates (Farmer, Patelli and Zovko 2005)."""

    orders: Annotated[int, Meta(ge=1, le=100_000)] = 10
    """Draws of a member each time it may act."""
    market_share: BasisPoints = 1_500
    """Market orders among new orders."""
    open_orders: Annotated[int, Meta(ge=1, le=1_000)] = 20
    """Places for open orders; a draw that hits a taken one cancels, so cancellations rise with what rests."""
    reach: Annotated[int, Meta(ge=1, le=2_000)] = 40
    """Limit orders come up to so many ticks beyond the best opposite price."""


class MarketMaker(Crowd, frozen=True, kw_only=True, tag="market-maker"):
    """Quotes both sides around the middle and leans against its inventory (Ho and Stoll 1981)."""

    half_spread: BasisPoints = 40
    """Distance of each quote from the price that it leans around."""
    lots: Lots = 3
    """A quote's size."""
    position_max: Lots = 20
    """Lots in one contract beyond which it quotes one side only."""
    lean: BasisPoints = 100
    """How far the quotes have moved when the inventory is full."""


class Momentum(Crowd, frozen=True, kw_only=True, tag="momentum"):
    """Buys what has risen and sells what has fallen (Chiarella 1992)."""

    trigger: BasisPoints = 30
    """Distance of the last price from its moving average."""
    memory: Annotated[int, Meta(ge=2, le=1_000)] = 12
    """Wakes that the moving average looks back."""
    lots: Lots = 2
    """An order's size."""
    position_max: Lots = 10
    """Most that a member holds of a contract, either way."""


class Value(Crowd, frozen=True, kw_only=True, tag="value"):
    """Buys below and sells above what it believes a good is worth."""

    noise: BasisPoints = 150
    """Standard deviation of its belief."""
    margin: BasisPoints = 50
    """Gain that it wants."""
    lots: Lots = 3
    """An order's size."""
    position_max: Lots = 12
    """Most that a member holds of a contract, either way."""


class Reactive(Crowd, frozen=True, kw_only=True, tag="reactive"):
    """Trades at the market, to one side or the other by chance, the likelier the more the price has moved
    over its own horizon. Horizons reach from a few wakes to thousands (Müller et al. 1997), so a move calls
    forth orders soon and late, and these move the price (Blanc, Donier and Bouchaud 2017).
    """

    activity: BasisPoints = 400
    """Chance that a member trades while prices move as usual."""
    feedback: BasisPoints = 8_000
    """Share of that chance which goes with the mean squared move over its horizon, in multiples of the usual
    one.
    """
    horizon_min: Annotated[int, Meta(ge=2, le=100_000)] = 3
    """Wakes of the shortest horizon; members' lie log-uniformly between this …"""
    horizon_max: Annotated[int, Meta(ge=2, le=100_000)] = 5_000
    """… and this, over which the usual move is measured, too."""
    slippage: BasisPoints = 60
    """Furthest from the best price that an order takes."""
    lots: Lots = 1
    """An order's size."""
    position_max: Lots = 1_000
    """Most that a member holds of a contract, either way."""


class Provider(Crowd, frozen=True, kw_only=True, tag="provider"):
    """Sells the cards it owns forward, at no less than what running them costs, and delivers them.

    Running costs: power at the hub (price × PUE × draw of the catalogue) on the mean of the hours that a
    contract delivers, and `running`.
    """

    hubs: tuple[str, ...] = ()
    """Empty: every hub of the scenario, in turn."""
    capacity: BasisPoints = 10_000
    """Share of the catalogue's cards at a hub, divided among the providers there."""
    running: BasisPoints = 6_000
    """What a card-hour costs besides power, as a share of the reference price; and half as much up and down,
    by member.
    """
    markup: BasisPoints = 300
    """Asked above the latest price at the beginning of trading; falls to nothing at the end, and on a
    contract's last trading day the ask comes down to cost in the last fifth of the time.
    """
    outages_per_day: Annotated[float, Meta(ge=0, le=24)] = 0.0
    """Mean number of outages of its own that begin at a member on a day; members fail independently."""
    outage_hours: Annotated[int, Meta(ge=1, le=168)] = 4
    """How long each of them lasts."""
    outage_lost: BasisPoints = 5_000
    """Share of the member's cards that it takes; of several at a time the shares add up, to all at most."""


class Buyer(Crowd, frozen=True, kw_only=True):
    """What populations that need cards have. Tasks, classes and cities: the production trace of `sims/data`.
    Values: what cards cost elsewhere.
    """

    cities: tuple[str, ...] = ()
    """Empty: the thirteen edge cities, in turn."""
    demand: BasisPoints = 10_000
    """Share of the city's tasks, divided among its enterprises."""
    premium: BasisPoints = 1_500
    """Most that buying elsewhere costs above the reference price; uniform by member."""
    hedge: BasisPoints = 1_500
    """Share of its need that it has bought the day before it can for the last time; of that a half two days
    before, a third three days before, and so on.
    """


class Enterprise(Buyer, frozen=True, kw_only=True, tag="enterprise"):
    """Buys the cards that the tasks of its city need, where their round trip and data may go."""

    forecast: BasisPoints = 1_000
    """Error of its forecast (standard deviation)."""
    local: bool = False
    """Whether it only ever buys in its own city."""


class Planner(Buyer, frozen=True, kw_only=True, tag="planner"):
    """Lets the scheduler place its tasks one by one on what it holds and on the book's offers for a delivery
    day, and buys what the plan buys. It trades contracts of days.
    """

    plans: Annotated[int, Meta(ge=1, le=100)] = 3
    """Times a trading day that a member plans each delivery day, evenly spread; no two at once, except at the
    last wake before the closing call, when everybody does whose turn would come later.
    """


class Broker(Crowd, frozen=True, kw_only=True, tag="broker"):
    """Brokers, and their clients on accounts of their own (clause 8.9): a client has a belief about worth,
    its broker works the order, and the exchange charges the commission at settlement (clause 8.13). `count`
    brokers have `cash_cny` each, and so has each client's account; `activity` is the clients'.
    """

    clients: Annotated[int, Meta(ge=1, le=200)] = 10
    """Of each broker."""
    commission: Annotated[int, Meta(ge=0, le=500)] = 3
    """Basis points of the value that a client trades; it trades only for a gain beyond that."""
    give_ups: BasisPoints = 0
    """Share of the clients who have their orders executed at the next broker, which gives the fills up to
    their account (clause 8.15); with one broker nobody.
    """
    give_up_fen: Annotated[int, Meta(ge=0, le=1_000_000)] = 5
    """What such a client pays the executing broker for a lot."""
    noise: BasisPoints = 200
    """Standard deviation of a client's belief."""
    patience: Annotated[int, Meta(ge=1, le=1_000)] = 3
    """Wakes for which an order waits a tick better than its side's best price, before it takes."""
    lots: Lots = 2
    """An order's size."""
    position_max: Lots = 10
    """Most that a member holds of a contract, either way."""


class Arbitrageur(Crowd, frozen=True, kw_only=True, tag="arbitrageur"):
    """Buys a grade where, or for when, it is cheap and sells it where it is dear."""

    gain: BasisPoints = 60
    """Least difference beyond that of what the goods are worth."""
    lots: Lots = 3
    """An order's size."""
    position_max: Lots = 12
    """Most that a member holds of a contract, either way."""


Population: TypeAlias = (
    ZeroIntelligence
    | ZipTraders
    | PoissonFlow
    | MarketMaker
    | Momentum
    | Value
    | Reactive
    | Provider
    | Enterprise
    | Planner
    | Broker
    | Arbitrageur
)
