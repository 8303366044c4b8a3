"""Rare commands of the primary market (chapter 10): sites, capacity, attestations, certificates."""

from __future__ import annotations

from datetime import date
from typing import Literal

from exchange.domain.message import Message, Part


class GradeMinimum(Part, frozen=True, kw_only=True):
    """One step of the grade ladder (clauses 2.3, 2.6, 10.2)."""

    grade: str
    memory_gb: int
    """Least memory of a card."""
    gflops: int
    """Least dense FP16 GFLOPS of a card; 0 asks for none."""
    standard_milli: int
    """H100-equivalent hours of a card-hour, thousandths."""
    premium_basis_points: int
    """What a standard unit of this grade costs above (below: negative) one of the H100's."""


class SetPrimaryRules(Message, frozen=True, kw_only=True):
    """Sets the grade ladder and how capacity is certified; clauses 10.2 to 10.7. Refused: INVALID_RULE."""

    ladder: tuple[GradeMinimum, ...] = ()
    automatic: bool = False
    """Whether a good attestation certifies at once, without the operator."""
    attestation_hours: int = 168
    """How old a measurement may be."""
    haircut_basis_points: int = 5_000
    """Taken off the value of pledged card-hours."""


class Installed(Part, frozen=True, kw_only=True):
    """Cards of a grade that stand at a site."""

    grade: str
    cards: int


class RegisterSite(Message, frozen=True, kw_only=True):
    """Registers a provider's site at a hub with the public key of its agent; clause 10.1. Gives the site id.

    Refused: NOT_A_PROVIDER, UNKNOWN_HUB, SITE_EXISTS, INVALID_SITE, INVALID_AGENT_KEY.
    """

    account: int
    name: str
    hub: str
    installed: tuple[Installed, ...]
    agent_key: bytes
    """Ed25519 public key, 32 bytes; nobody else's."""


class SetAgentKey(Message, frozen=True, kw_only=True):
    """Gives a site's agent another key; the old one ends; clause 10.1. Refused: UNKNOWN_SITE,
    INVALID_AGENT_KEY.
    """

    account: int
    site_id: int
    agent_key: bytes


class Maintenance(Part, frozen=True, kw_only=True):
    """Cards that are out of use on the days `first_day` … `last_day`, both included."""

    first_day: date
    last_day: date
    cards: int


class Attribute(Part, frozen=True, kw_only=True):
    """A property of posted capacity, such as "fabric" = "NVLink"."""

    name: str
    value: str


class PostCapacity(Message, frozen=True, kw_only=True):
    """Registers capacity that a provider holds ready; clauses 7.1, 10.1. Gives the capacity id.

    Refused: NOT_A_PROVIDER, UNKNOWN_PRODUCT, INVALID_CAPACITY, UNKNOWN_SITE.
    """

    account: int
    grade: str
    hub: str
    cards: int
    first_day: date
    last_day: date
    """Last delivery day, included."""
    reserve_price_ticks: int = 0
    """Lowest price at which the provider means to sell, ticks per lot-hour."""
    site_id: int = 0
    """Where it stands; 0: not said yet, and it can't be certified."""
    availability_basis_points: int = 10_000
    """Share of the cards that the provider answers for."""
    maintenance: tuple[Maintenance, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    sell_in: tuple[SaleKind, ...] = ()
    """Contracts in which what is certified of it is put on sale at the reserve price (clause 10.8)."""


SaleKind = Literal["day", "week", "month"]
"""Which contracts a standing sale is for."""


class SetStandingSale(Message, frozen=True, kw_only=True):
    """Keeps up sell orders for what the account's certificates have free; price 0 ends that; clause 10.8.
    Gives the orders that were entered.

    Refused: NOT_A_PROVIDER, MEMBER_NOT_APPROVED, UNKNOWN_PRODUCT, INVALID_SALE.
    """

    account: int
    grade: str
    hub: str
    kind: SaleKind
    price_ticks: int
    """Lowest price, ticks per lot-hour."""
    profile: Literal["base", "peak", "valley"] = "base"


class PlaceStandingSales(Message, frozen=True, kw_only=True):
    """Enters the day's sell orders of all standing sales; clause 10.8. Gives their number.

    Refused: WRONG_PHASE.
    """


class WithdrawCapacity(Message, frozen=True, kw_only=True):
    """Takes posted capacity and its certificates back; shorts sold against it stay; clause 7.1. Refused:
    UNKNOWN_CAPACITY, CERTIFICATE_IN_USE.
    """

    account: int
    capacity_id: int


class AttestCapacity(Message, frozen=True, kw_only=True):
    """A benchmark of posted capacity, signed by the site's agent; clause 10.2. Gives the certificate id if
    it certified at once, else 0.

    Refused: UNKNOWN_CAPACITY, UNKNOWN_SITE, AGENT_MESSAGE_REPEATED, AGENT_MESSAGE_MISSING, FORGED_SIGNATURE,
    ATTESTATION_STALE, BELOW_GRADE, OVER_CERTIFIED.
    """

    account: int
    capacity_id: int
    sequence: int
    """Number of the agent's message, one more than the one before; attestations and readings alike."""
    measured_at_ns: int
    cards: int
    """Cards that ran the benchmark."""
    gflops: int
    """Dense FP16 GFLOPS of the slowest card."""
    memory_gb: int
    """Memory of the smallest card."""
    signature: bytes


class CertifyCapacity(Message, frozen=True, kw_only=True):
    """Certifies attested capacity (the operator's decision); clause 10.3. Gives the certificate id.

    Refused: UNKNOWN_CAPACITY, NOT_ATTESTED, OVER_CERTIFIED, INVALID_CAPACITY.
    """

    capacity_id: int
    cards: int


class RevokeCertificate(Message, frozen=True, kw_only=True):
    """Ends a certificate, whatever it backs; clause 10.6. Refused: UNKNOWN_CERTIFICATE."""

    certificate_id: int
    reason: str


class TransferCertificate(Message, frozen=True, kw_only=True):
    """Hands cards of a certificate that nothing uses to another member; clause 10.5. Gives the new
    certificate's id.

    Refused: UNKNOWN_CERTIFICATE, UNKNOWN_MEMBER, MEMBER_NOT_APPROVED, INVALID_CAPACITY, CERTIFICATE_IN_USE.
    """

    account: int
    certificate_id: int
    to_member: str
    cards: int


class PledgeCertificate(Message, frozen=True, kw_only=True):
    """Pledges cards of a certificate as collateral: `cards` is the new total, 0 releases; clause 10.7.

    Refused: UNKNOWN_CERTIFICATE, INVALID_CAPACITY, CERTIFICATE_IN_USE, COLLATERAL_NEEDED.
    """

    account: int
    certificate_id: int
    cards: int


PrimaryMessage = (
    SetPrimaryRules
    | RegisterSite
    | SetAgentKey
    | PostCapacity
    | SetStandingSale
    | PlaceStandingSales
    | WithdrawCapacity
    | AttestCapacity
    | CertifyCapacity
    | RevokeCertificate
    | TransferCertificate
    | PledgeCertificate
)
"""Every rare command of the primary market."""
