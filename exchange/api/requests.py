"""Bodies and query parameters that clients send. Unknown fields are refused everywhere.

Prices are decimal strings in CNY per lot-hour, quantities integer lots, money integer fen, days
"2026-12-04", times RFC 3339 with an offset, ids decimal strings.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

BATCH_ITEMS_MAX = 500
"""Most items of one batch of orders."""

READINGS_MAX = 5_000
"""Most meter readings of one request."""

PAGE_MAX = 1_000
"""Most rows of one page of a listing."""

INT64_MAX = 2**63 - 1

Symbol = Annotated[
    str, Meta(min_length=1, max_length=64, description="GRADE.HUB.PERIOD, such as H100.GUIAN.261205")
]
Price = Annotated[
    str,
    Meta(
        max_length=32,
        description='CNY per lot-hour as a decimal, such as "15.20"',
        # for the document; `exchange.api.formats` says more about what is wrong
        extra_json_schema={"pattern": r"^[0-9]{1,9}(\.[0-9]{1,2}0{0,16})?$"},
    ),
]
Lots = Annotated[int, Meta(ge=1, le=2**31 - 1, description="lots of the contract, at least 1")]
Fen = Annotated[int, Meta(ge=1, le=10**15, description="fen (0.01 CNY)")]
Cards = Annotated[int, Meta(ge=1, le=10**7, description="cards of the grade")]
Id = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=20,
        description="an id as a decimal string",
        extra_json_schema={"pattern": "^(0|[1-9][0-9]{0,19})$"},
    ),
]
Day = Annotated[
    str,
    Meta(
        min_length=10,
        max_length=10,
        description="a day, such as 2026-12-04",
        extra_json_schema={"format": "date"},
    ),
]
Moment = Annotated[
    str,
    Meta(
        max_length=40,
        description="RFC 3339 time with an offset",
        extra_json_schema={"format": "date-time"},
    ),
]
Code = Annotated[str, Meta(min_length=1, max_length=32, description="a code of the catalogue")]
MemberName = Annotated[
    str,
    # "$" alone would let a line end follow
    Meta(
        pattern=r"^[a-z][a-z0-9-]{1,31}$(?!\n)",
        description="2 … 32 of a-z, 0-9 and -, starting with a letter",
    ),
]
ClientName = Annotated[
    str,
    Meta(
        pattern=r"^([a-z][a-z0-9-]{1,31}/)?[a-z][a-z0-9-]{1,31}$(?!\n)",
        description="a member's name, or BROKER/NAME of a broker's client",
    ),
]
Network = Annotated[
    str, Meta(min_length=2, max_length=43, description="IPv4 or IPv6 address or network, 192.0.2.0/24")
]
Password = Annotated[str, Meta(min_length=12, max_length=256, description="12 … 256 characters")]
MemberKind = Literal["provider", "enterprise", "broker", "market-maker", "operator"]
Role = Literal["market", "risk", "treasury", "admin"]
Scope = Literal["read", "trade", "provide", "risk", "operate"]
SCOPES_BY_KIND: dict[str, tuple[Scope, ...]] = {
    "provider": ("read", "trade", "provide"),
    "enterprise": ("read", "trade"),
    "broker": ("read", "trade"),
    "market-maker": ("read", "trade"),
    "operator": ("read", "risk", "operate"),
}
"""What a member's first key and its sessions may do."""

PageSize = Annotated[int, Meta(ge=1, le=PAGE_MAX, description=f"rows a page, 1 … {PAGE_MAX}")]
Cursor = Annotated[str, Meta(max_length=64, description="`next_cursor` of the page before")]

Side = Literal["buy", "sell"]
OrderType = Literal["limit", "market", "market_to_limit", "stop", "stop_limit", "trailing_stop"]
TimeInForce = Literal["day", "gtc", "gtd", "ioc", "fok", "at_open", "at_close"]
PostOnly = Literal["reject", "slide"]
SelfTradePrevention = Literal["none", "cancel_resting", "cancel_taking", "cancel_both", "decrement"]
Group = Annotated[
    int, Meta(ge=0, le=2**16 - 1, description="orders that a mass cancel or a lost connection takes together")
]


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of everything a client sends."""


class NewOrder(Request, frozen=True, kw_only=True, tag_field="action", tag="new", gc=False):
    """A new order; in a batch `"action": "new"`.

    `price` is required for `limit` and `stop_limit` and refused for the other types, `trigger_price` for
    `stop` and `stop_limit`, `trailing_offset` for `trailing_stop`, `expiry_day` for the time in force `gtd`.
    `day` orders live until the session's end, `gtc` until cancelled or the contract's last day, `gtd` to the
    end of `expiry_day`, `ioc` fills at once what it can, `fok` all or nothing, `at_open` and `at_close` in
    that auction only. Which of them go together: clauses 3.12 and 3.13.
    """

    symbol: Symbol
    side: Side
    quantity: Lots
    type: OrderType = "limit"
    price: Price | None = None
    trigger_price: Price | None = None
    trailing_offset: Annotated[
        Price | None, Meta(description="how far the trigger trails the last price, CNY per lot-hour")
    ] = None
    time_in_force: TimeInForce = "day"
    expiry_day: Day | None = None
    display_quantity: Annotated[
        Lots | None, Meta(description="lots that an iceberg shows; absent shows all")
    ] = None
    minimum_quantity: Annotated[
        Lots | None, Meta(description="lots that must trade at once, or the whole is cancelled")
    ] = None
    post_only: Annotated[
        PostOnly | None,
        Meta(description="an order that would trade at once is refused, or slides one tick off the best"),
    ] = None
    reduce_only: Annotated[bool, Meta(description="trades at most the position on the other side")] = False
    self_trade_prevention: SelfTradePrevention = "none"
    group: Group = 0
    client_order_id: Id | None = None


class Cancel(Request, frozen=True, kw_only=True, tag_field="action", tag="cancel", gc=False):
    """Cancels one of the account's own orders; `"action": "cancel"`."""

    order_id: Id


class Amend(Request, frozen=True, kw_only=True, tag_field="action", tag="amend", gc=False):
    """Amends one of the account's own orders; `"action": "amend"`. At least one change is given.

    `quantity` is the new total quantity, what has traded included.
    """

    order_id: Id
    price: Price | None = None
    quantity: Lots | None = None
    trigger_price: Price | None = None


class AmendOrder(Request, frozen=True, kw_only=True):
    """Body of PATCH /v1/orders/{order_id}. At least one change is given.

    `quantity` is the new total quantity, what has traded included. Less of it keeps the order's place in the
    queue; more of it, or another price or trigger, loses it. A trigger price only for a `stop` or
    `stop_limit` that still stands.
    """

    price: Price | None = None
    quantity: Lots | None = None
    trigger_price: Price | None = None


class MassCancel(Request, frozen=True, kw_only=True):
    """Cancels the account's open orders that pass every filter given; with none, all of them."""

    symbol: Symbol | None = None
    hub: Code | None = None
    side: Side | None = None
    group: Annotated[Group, Meta(description="0 for every group")] = 0


class Batch(Request, frozen=True, kw_only=True):
    """Up to 500 orders, cancels and amends, applied in this order; each has its own result."""

    items: Annotated[list[NewOrder | Cancel | Amend], Meta(min_length=1, max_length=BATCH_ITEMS_MAX)]


class MaintenanceWindow(Request, frozen=True, kw_only=True):
    """Cards that are out of use from `first_day` to `last_day`, both included."""

    first_day: Day
    last_day: Day
    cards: Cards


SaleKind = Literal["day", "week", "month"]


class PostCapacity(Request, frozen=True, kw_only=True):
    """Posts capacity that the provider holds ready. `first_day` and `last_day` are both delivery days.

    To be certified it names the site where it stands. `availability_basis_points` is the share of the cards
    that the provider answers for.
    """

    grade: Code
    hub: Code
    cards: Cards
    first_day: Day
    last_day: Day
    reserve_price: Price = "0.00"
    sell_in: Annotated[
        list[SaleKind], Meta(max_length=3, description="contracts in which it is put on sale at that price")
    ] = msgspec.field(default_factory=list)
    site_id: Id | None = None
    availability_basis_points: Annotated[
        int, Meta(ge=1, le=10_000, description="hundredths of a percent")
    ] = 10_000
    maintenance: Annotated[list[MaintenanceWindow], Meta(max_length=64)] = msgspec.field(default_factory=list)
    attributes: Annotated[dict[str, str], Meta(max_length=64, description='such as {"fabric": "NVLink"}')] = (
        msgspec.field(default_factory=dict)
    )


class Reading(Request, frozen=True, kw_only=True):
    """What one hour of one reservation delivered."""

    reservation_id: Id
    hour_start: Moment
    cards_delivered: Annotated[int, Meta(ge=0, le=10**7, description="cards that served the whole hour")]


class SignedBy(Request, frozen=True, kw_only=True):
    """Whose agent signed a batch of readings, as its message of which number (docs/protocol.md)."""

    site_id: Id
    sequence: Annotated[int, Meta(ge=1, le=2**62)]
    signature: Annotated[str, Meta(pattern=r"^[0-9a-f]{128}$(?!\n)", description="64 bytes as hex")]


class Readings(Request, frozen=True, kw_only=True):
    """Meter readings of a provider. The batch is applied wholly or not at all. What a certificate delivers is
    `signed` by the agent of its site.
    """

    readings: Annotated[list[Reading], Meta(min_length=1, max_length=READINGS_MAX)]
    signed: SignedBy | None = None


class AddMember(Request, frozen=True, kw_only=True):
    """Takes in a member: its own account, and a first key whose secret is in the answer only.

    An applicant may read and doesn't trade until it is approved.
    """

    name: MemberName
    kind: MemberKind
    state: Literal["applied", "approved"] = "applied"
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=5)] | None = None
    roles: Annotated[list[Role], Meta(max_length=4)] = []
    """An operator's, at least one."""


class MemberState(Request, frozen=True, kw_only=True):
    """Approves an applicant or suspends a member; a suspension cancels its and its clients' open orders."""

    state: Literal["approved", "suspended"]


class LogIn(Request, frozen=True, kw_only=True):
    """A member's name and password."""

    member: MemberName
    password: Annotated[str, Meta(min_length=1, max_length=256)]


class ChangePassword(Request, frozen=True, kw_only=True):
    """One's own password, and the new one."""

    old_password: Annotated[str, Meta(min_length=1, max_length=256)]
    new_password: Password


class SetPassword(Request, frozen=True, kw_only=True):
    """A member's new password."""

    member: MemberName
    password: Password


class ProposeCash(Request, frozen=True, kw_only=True):
    """Corrects an account's cash, up (positive) or down, once a second operator has approved."""

    member: ClientName
    amount_fen: Annotated[int, Meta(ge=-(10**15), le=10**15, description="fen; not 0")]
    reason: Annotated[str, Meta(min_length=1, max_length=200)]


class ProposeRestore(Request, frozen=True, kw_only=True):
    """Lets a suspended member or broker's client trade again once a second operator has approved."""

    member: ClientName


class DecideProposal(Request, frozen=True, kw_only=True):
    """Approves or rejects what another operator proposed."""

    approve: bool


class AddClient(Request, frozen=True, kw_only=True):
    """Opens a sub-account for one of the broker's clients."""

    name: MemberName


class AddKey(Request, frozen=True, kw_only=True):
    """Makes another key for a member. The secret is in the answer only.

    With `networks` the key is good only for requests from there.
    """

    member: MemberName
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=5)]
    networks: Annotated[list[Network], Meta(max_length=32)] = []


class AuctionBid(Request, frozen=True, kw_only=True):
    """Bids for positions of a restricted account, as `GET /v1/auctions` lists them.

    The price is what the bidder pays for a long position, or is paid for taking a short one.
    """

    account: Id
    symbol: Symbol
    quantity: Lots
    price: Price


class Contribution(Request, frozen=True, kw_only=True):
    """Sets a contribution to the default fund; without a member the house's capital tranche."""

    member: MemberName | None = None
    amount_fen: Annotated[int, Meta(ge=0, le=10**15, description="fen (0.01 CNY); what it is to be")]


class MarginRun(Request, frozen=True, kw_only=True):
    """Runs margin now and calls for what is lacking at the present prices."""

    call_minutes: Annotated[int, Meta(ge=1, le=24 * 60, description="how long the calls may be met")] = 45


class Deposit(Request, frozen=True, kw_only=True):
    """Pays cash into an account of a member or of a broker's client."""

    member: ClientName
    amount_fen: Fen


class Withdrawal(Request, frozen=True, kw_only=True):
    """Pays cash out of an account of a member or of a broker's client."""

    member: ClientName
    amount_fen: Fen


class Halt(Request, frozen=True, kw_only=True):
    """Halts (true) or resumes (false) one contract, all contracts of a hub, or, with neither, all."""

    halted: bool
    symbol: Symbol | None = None
    hub: Code | None = None


class KillMarket(Request, frozen=True, kw_only=True):
    """Halts every contract; with `cancel_orders` every open order of every account is cancelled too."""

    cancel_orders: bool = False


class NoParameters(Request, frozen=True, kw_only=True):
    """This endpoint takes no query parameters."""


class ContractsQuery(Request, frozen=True, kw_only=True):
    """Filters of the contract list; all that are given must hold."""

    grade: Code | None = None
    hub: Code | None = None
    kind: Literal["hour", "day", "week", "month", "quarter"] | None = None
    profile: Literal["base", "peak", "valley"] | None = None
    active: bool | None = None
    limit: PageSize = 200
    cursor: Cursor | None = None


class BookQuery(Request, frozen=True, kw_only=True):
    """How many price levels a side."""

    depth: Annotated[int, Meta(ge=1, le=100)] = 10


class TradesQuery(Request, frozen=True, kw_only=True):
    """How many of the latest trades."""

    limit: Annotated[int, Meta(ge=1, le=PAGE_MAX)] = 100


class SettlementsQuery(Request, frozen=True, kw_only=True):
    """The trading day; the latest settled one if absent."""

    day: Day | None = None


class OrdersQuery(Request, frozen=True, kw_only=True):
    """Filter of the open orders."""

    symbol: Symbol | None = None
    limit: PageSize = 200
    cursor: Cursor | None = None


class FillsQuery(Request, frozen=True, kw_only=True):
    """Filter of the latest fills."""

    symbol: Symbol | None = None
    limit: PageSize = 200


class StatementQuery(Request, frozen=True, kw_only=True):
    """The day of the statement; the current trading day if absent."""

    day: Day | None = None


class ReservationsQuery(Request, frozen=True, kw_only=True):
    """Filters of the reservations."""

    day: Day | None = None
    limit: PageSize = 200
    cursor: Cursor | None = None
