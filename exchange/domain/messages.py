"""Rare commands: typed messages in the same journal and sequence as orders.

Each has one handler in `exchange.service.core` and is applied wholly or refused with a code of
`exchange.domain.rejects`. A message carries everything that its handler needs: the core reads no clock and
no file. Encoded as msgpack with the type's name under "type"; fields may be added with a default, never
renamed or removed.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

from exchange.domain.brokerage import BrokerMessage
from exchange.domain.defaults import DefaultMessage
from exchange.domain.delivering import DeliveryMessage
from exchange.domain.listing import SetListingRules
from exchange.domain.message import Message
from exchange.domain.phases import MarketPhase
from exchange.domain.positions import SetPositionRules
from exchange.domain.primary import PrimaryMessage
from exchange.domain.profiles import SetLoadProfiles
from exchange.domain.proposals import ProposalMessage
from exchange.domain.sessions import SetSessions
from exchange.domain.vouchers import VoucherMessage

MemberKind = Literal["provider", "enterprise", "broker", "market-maker", "operator"]
"""Who a member is (clause 8.2); a broker's clients are accounts of its own kind, see `AddClient`."""

Role = Literal["market", "risk", "treasury", "admin"]
"""What an operator may do (clause 8.10)."""


class Product(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A grade delivered at a hub."""

    grade: str
    hub: str
    cards_per_lot: int


class SetRules(Message, frozen=True, kw_only=True):
    """Sets products, closed days, margin, limits and fees; clauses 4.1, 4.5, 5.1, 8.1.

    Products may be added, never dropped or changed. Rates hold for contracts listed or re-based from then on.
    Refused: PRODUCT_CHANGED, INVALID_RULE.
    """

    products: tuple[Product, ...]
    closed_days: tuple[date, ...]
    """Weekdays without trading, ascending."""
    calendar_end: date
    """`closed_days` is complete up to this day; beyond it every weekday trades."""
    limit_basis_points: int = 1_000
    margin_basis_points: int = 500
    maker_basis_points: int = 0
    taker_basis_points: int = 2


class SetCalendar(Message, frozen=True, kw_only=True):
    """Sets the closed days alone, as the operator publishes them; clause 4.10.

    Refused: INVALID_RULE, CALENDAR_FIXED (a day that is over or open, or a listed contract's last trading
    day).
    """

    closed_days: tuple[date, ...]
    """Weekdays without trading, ascending."""
    calendar_end: date


class FirstKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key that comes with its member; the secret is AES-GCM ciphertext made outside the core."""

    key_id: str
    scopes: tuple[str, ...]
    ciphertext: bytes


class MarginStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A margin rate for contracts that come near their delivery."""

    trading_days_left: int
    """Trading days that follow, the last one included; 0 on the last trading day itself."""
    basis_points: int
    """Scan range as a share of value, if greater than the rate before."""


class SetMarginRules(Message, frozen=True, kw_only=True):
    """Sets what margin is computed from; clauses 5.5 to 5.10, 6.1, 6.5. Holds from the next settlement on.

    The defaults are those of an exchange that was told nothing: no netting, no add-on. Refused: INVALID_RULE.
    """

    near_delivery: tuple[MarginStep, ...] = ()
    """Ascending trading days left, falling rates."""
    calendar_basis_points: int = 20_000
    """Charge on netted periods, as a share of the scan range netted; 20,000 takes the netting back."""
    inter_hub_basis_points: int = 0
    """Credit between hubs of one grade, as a share of both legs."""
    roll_basis_points: int = 0
    """How far a grade's prices fall when its successor arrives, as a share of value."""
    roll_after_days: int = 0
    """Contracts whose delivery begins at least so many days ahead lose it."""
    buy_in_basis_points: int = 0
    """Mark-up of a buy-in when a hub fails, as a share of value."""
    damages_basis_points: int = 0
    """Liquidated damages when a hub fails, as a share of value."""
    concentration_share_basis_points: int = 10_000
    """Share of a group's open interest, in scan range, that one account may hold without add-on."""
    concentration_floor_fen: int = 0
    """Scan range that one account may hold in a group without add-on, fen."""
    concentration_basis_points: int = 0
    """Add-on, as a share of the scan range held beyond that."""
    lock_limit_basis_points: int = 0
    """How much a day's price limit widens after each day in a row that ended locked; clause 6.5."""
    lock_margin_basis_points: int = 0
    """By how much the scan range exceeds such a limit."""
    assessment_basis_points: int = 10_000
    """Most that a member is assessed for one default, as a share of its contribution; clause 6.10."""
    model_neighbours: int = 0
    """Least neighbours that a modelled settlement price needs; 0 switches the model off; clause 6.1."""


class AddMember(Message, frozen=True, kw_only=True):
    """Opens a member's account, with its first key; clauses 8.2, 8.7, 8.10. Gives the account. Refused:
    INVALID_ROLES, MEMBER_EXISTS, ACCOUNT_LIMIT, KEY_EXISTS.
    """

    name: str
    kind: MemberKind
    state: Literal["applied", "approved"] = "approved"
    """An applicant has its account and its keys, and may not trade."""
    roles: tuple[Role, ...] = ()
    """An operator's, at least one; nobody else has any."""
    key: FirstKey | None = None
    """In the same step, so that no member is left without one."""


class AddClient(Message, frozen=True, kw_only=True):
    """Opens the sub-account BROKER/NAME of a broker's client; clause 8.9. Gives the account.

    Refused: NOT_A_BROKER, MEMBER_NOT_APPROVED, MEMBER_EXISTS, ACCOUNT_LIMIT.
    """

    broker: int
    """The broker's account."""
    name: str


class SetMemberState(Message, frozen=True, kw_only=True):
    """Approves an applicant or suspends a member and, with a broker, its clients, or one client; clauses
    5.4, 8.7.

    A suspension cancels every open order of theirs. Setting the state that holds changes nothing. Gives the
    number of orders cancelled. Refused: UNKNOWN_MEMBER, WRONG_MEMBER_STATE, SECOND_OPERATOR_NEEDED (for the
    end of a suspension).
    """

    name: str
    state: Literal["approved", "suspended"]


class AddKey(Message, frozen=True, kw_only=True):
    """Adds an API key; the secret is AES-GCM ciphertext made outside the core; clauses 9.5, 9.6, 9.8.

    Refused: UNKNOWN_MEMBER, KEY_EXISTS.
    """

    member: str
    key_id: str
    scopes: tuple[str, ...]
    ciphertext: bytes
    networks: tuple[str, ...] = ()
    """Where the key may be used from, such as "192.0.2.0/24" or "2001:db8::/32"; empty: anywhere."""


class RevokeKey(Message, frozen=True, kw_only=True):
    """Ends a key. Refused: UNKNOWN_KEY."""

    key_id: str


class OrderNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new order that follows under a client order id."""

    account: int
    client_id: int
    digest: bytes
    """16 bytes that stand for the order's record."""


class Sender(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who gives an account's orders from here on: `by` as in every message."""

    account: int
    by: str


class SetPassword(Message, frozen=True, kw_only=True):
    """Sets the password that a person logs in to the screens with; clause 9.10. Refused: UNKNOWN_MEMBER,
    INVALID_PASSWORD_HASH.
    """

    member: str
    hash: str
    """Argon2id, as its own text form; the password itself is never journaled."""


class NoteRequests(Message, frozen=True, kw_only=True):
    """Notes nonces, client order ids and senders of requests whose commands follow it; clauses 9.4, 9.9.

    Refused: INVALID_COMMAND.
    """

    orders: tuple[OrderNote, ...] = ()
    nonces: bytes = b""
    """24 bytes a request: 16 that stand for key and nonce, then its wall-clock timestamp, ms (int64)."""
    senders: tuple[Sender, ...] = ()
    """Accounts whose orders come from another key or session than those before."""


class Deposit(Message, frozen=True, kw_only=True):
    """Pays cash into an account; clause 8.3. Refused: UNKNOWN_MEMBER, INVALID_AMOUNT, DEPOSIT_LIMIT."""

    member: str
    amount_fen: int
    reference: str = ""


class Withdraw(Message, frozen=True, kw_only=True):
    """Pays out cash that neither margin nor a loss of the day holds; clause 8.4.

    Refused: UNKNOWN_MEMBER, INVALID_AMOUNT, INSUFFICIENT_CASH.
    """

    member: str
    amount_fen: int
    reference: str = ""


class Listing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One contract to list."""

    symbol: str
    reference_price_ticks: int


class ListContracts(Message, frozen=True, kw_only=True):
    """Lists contracts; clauses 4.2, 4.5. All or none. Gives the number listed.

    Refused: INVALID_SYMBOL, UNKNOWN_PRODUCT, PROFILE_UNKNOWN, CONTRACT_EXISTS, CONTRACT_OVER, INVALID_PRICE,
    CONTRACT_LIMIT.
    """

    listings: tuple[Listing, ...]


class OpenDay(Message, frozen=True, kw_only=True):
    """Opens a trading day; clause 4.4. Refused: WRONG_PHASE, NOT_A_TRADING_DAY, DAY_NOT_NEXT."""

    day: date
    settlement_window_ns: int
    """When the last hour of continuous trading begins (clause 6.1)."""


class SetPhase(Message, frozen=True, kw_only=True):
    """Moves the day to its next phase; clause 4.4. Refused: WRONG_PHASE."""

    phase: MarketPhase


class Halt(Message, frozen=True, kw_only=True):
    """Halts or resumes a contract, all contracts of a hub, or all; clause 4.7. Gives how many changed.

    Refused: UNKNOWN_CONTRACT (nothing that trades is named), WRONG_PHASE.
    """

    halted: bool
    symbol: str | None = None
    hub: str | None = None


class KillMarket(Message, frozen=True, kw_only=True):
    """Halts every contract, and cancels every order if asked; clause 4.8. Gives how many of each."""

    cancel_orders: bool


class RunMargin(Message, frozen=True, kw_only=True):
    """Computes every account's offset anew, within the day; clause 5.11. Gives how many changed, and how
    many accounts were called for margin.

    Refused: WRONG_PHASE, INVALID_DEADLINE.
    """

    call_minutes: int = 0
    """How long accounts that lack margin at the present prices have to pay (clause 6.11); 0: nobody is
    called.
    """
    extra: bool = False
    """Whether it is a run beside the clock's."""


class SettleDay(Message, frozen=True, kw_only=True):
    """Settles a closed day: prices, variation margin, cascade, expiry into reservations; chapter 6.

    Refused: WRONG_PHASE, DAY_NOT_NEXT.
    """

    day: date


class Reading(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one hour of one reservation delivered."""

    reservation_id: int
    hour_start_ns: int
    cards: int


class MeterReadings(Message, frozen=True, kw_only=True):
    """A provider's meter readings, all or none; clause 7.4. Gives the number accepted.

    Refused, naming the reading: UNKNOWN_RESERVATION, NOT_YOUR_RESERVATION, READING_OUTSIDE_PERIOD,
    READING_TOO_EARLY, READING_TOO_LATE, READING_OUT_OF_RANGE, READING_DUPLICATE, SIGNATURE_REQUIRED; or as a
    whole: UNKNOWN_SITE, AGENT_MESSAGE_REPEATED, AGENT_MESSAGE_MISSING, FORGED_SIGNATURE.
    """

    account: int
    readings: tuple[Reading, ...]
    site_id: int = 0
    """The site whose agent signed; 0 for reservations that no certificate delivers."""
    sequence: int = 0
    """Number of the agent's message."""
    signature: bytes = b""


class FinishDelivery(Message, frozen=True, kw_only=True):
    """Closes a delivery day and invoices what was metered; clause 7.5. Refused: DAY_NOT_NEXT,
    DELIVERY_NOT_OVER.
    """

    day: date


RareMessage = (
    SetRules
    | SetCalendar
    | SetSessions
    | SetMarginRules
    | AddMember
    | AddClient
    | SetMemberState
    | AddKey
    | RevokeKey
    | SetPassword
    | NoteRequests
    | Deposit
    | Withdraw
    | PrimaryMessage
    | DeliveryMessage
    | VoucherMessage
    | BrokerMessage
    | ProposalMessage
    | DefaultMessage
    | SetPositionRules
    | SetLoadProfiles
    | SetListingRules
    | ListContracts
    | OpenDay
    | SetPhase
    | Halt
    | KillMarket
    | RunMargin
    | SettleDay
    | MeterReadings
    | FinishDelivery
)
"""Every rare command."""

_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[RareMessage] = msgspec.msgpack.Decoder(RareMessage)


def encode(message: RareMessage) -> bytes:
    """Return the journal's bytes of a message."""
    return _ENCODER.encode(message)


def decode(body: bytes | memoryview) -> RareMessage:
    """Return the message of the journal's bytes. Raises msgspec.DecodeError or msgspec.ValidationError."""
    return _DECODER.decode(body)
