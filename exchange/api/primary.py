"""The primary market over HTTP: sites, attestations, certificates, posted capacity (rulebook chapter 10)."""

from typing import Annotated, Literal

from msgspec import Meta

from exchange.api.answers import Answer
from exchange.api.requests import Cards, Code, Id, MemberName, Moment, Price, Request, SaleKind

Hex32 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", description="32 bytes as lower-case hex")]
Hex64 = Annotated[str, Meta(pattern=r"^[0-9a-f]{128}$(?!\n)", description="64 bytes as lower-case hex")]
Text = Annotated[str, Meta(min_length=1, max_length=200, description="a short text")]
Sequence = Annotated[int, Meta(ge=1, le=2**62, description="number of the agent's message, from 1")]


class InstalledCards(Request, frozen=True, kw_only=True):
    """Cards of a grade that stand at a site."""

    grade: Code
    cards: Cards


class NewSite(Request, frozen=True, kw_only=True):
    """Registers a site; `agent_key` is the Ed25519 public key of its agent."""

    name: Text
    hub: Code
    installed: Annotated[list[InstalledCards], Meta(max_length=64)]
    agent_key: Hex32


class NewAgentKey(Request, frozen=True, kw_only=True):
    """Gives a site's agent another key."""

    agent_key: Hex32


class Attestation(Request, frozen=True, kw_only=True):
    """A benchmark of posted capacity, signed by the site's agent (docs/protocol.md)."""

    sequence: Sequence
    measured_at: Moment
    cards: Cards
    gflops: Annotated[int, Meta(ge=0, le=10**9, description="dense FP16 GFLOPS of the slowest card")]
    memory_gb: Annotated[int, Meta(ge=0, le=10**6, description="memory of the smallest card")]
    signature: Hex64


class Certify(Request, frozen=True, kw_only=True):
    """Certifies attested capacity."""

    capacity_id: Id
    cards: Cards


class Revoke(Request, frozen=True, kw_only=True):
    """Why a certificate is revoked."""

    reason: Text


class Transfer(Request, frozen=True, kw_only=True):
    """Hands cards of a certificate to another member."""

    to_member: MemberName
    cards: Cards


class SetSale(Request, frozen=True, kw_only=True):
    """Keeps up sell orders for what the account's certificates have free; price "0.00" ends that."""

    grade: Code
    hub: Code
    kind: SaleKind
    price: Price
    profile: Literal["base", "peak", "valley"] = "base"


class StandingSale(Answer, frozen=True, kw_only=True):
    """The lowest price at which free capacity is kept on sale in contracts of one kind and
    profile.
    """

    grade: str
    hub: str
    kind: str
    profile: str
    price: str


class StandingSales(Answer, frozen=True, kw_only=True):
    """The account's standing sales."""

    sales: list[StandingSale]
    as_of_seq: int


class Pledge(Request, frozen=True, kw_only=True):
    """How many cards of a certificate are pledged in all; 0 releases them."""

    cards: Annotated[int, Meta(ge=0, le=10**7, description="cards of the grade")]


class Heartbeat(Request, frozen=True, kw_only=True):
    """A site's agent is there, and means to say so again in `every_s` seconds."""

    every_s: Annotated[float, Meta(gt=0, le=3_600)]


class Site(Answer, frozen=True, kw_only=True):
    """A site; `next_sequence` is the number that its agent's next message must have. `heard_at`: the agent's
    latest heartbeat since the server's start; it is `silent` when three of its rounds passed without one.
    """

    site_id: str
    account: str
    name: str
    hub: str
    installed: list[InstalledCards]
    agent_key: str
    next_sequence: int
    heard_at: str | None
    silent: bool


class Sites(Answer, frozen=True, kw_only=True):
    """The account's sites, or everybody's."""

    sites: list[Site]
    as_of_seq: int


class SiteAnswer(Answer, frozen=True, kw_only=True):
    """One site."""

    site: Site
    as_of_seq: int


class CertificateDay(Answer, frozen=True, kw_only=True):
    """Cards of a certificate on one day: of each use the most in an hour, and what is `free` in every one."""

    day: str
    cards: int
    delivering: int
    backed: int
    pledged: int
    free: int


class Certificate(Answer, frozen=True, kw_only=True):
    """A certificate with what each day's cards are used for. `revoked` says why it is no longer valid."""

    certificate_id: str
    account: str
    capacity_id: str
    site_id: str
    grade: str
    hub: str
    days: list[CertificateDay]
    revoked: str | None
    source_certificate_id: str | None


class Certificates(Answer, frozen=True, kw_only=True):
    """Certificates; `collateral_fen` is what the pledged ones count for."""

    certificates: list[Certificate]
    collateral_fen: int
    as_of_seq: int


class CertificateMade(Answer, frozen=True, kw_only=True):
    """The certificate that was issued; null if none was."""

    certificate_id: str | None
    as_of_seq: int


class CapacityPost(Answer, frozen=True, kw_only=True):
    """Capacity that a provider posted; `attested`: its site's agent has benchmarked it."""

    capacity_id: str
    grade: str
    hub: str
    cards: int
    first_day: str
    last_day: str
    reserve_price: str
    site_id: str | None
    attested: bool


class Capacity(Answer, frozen=True, kw_only=True):
    """The account's posted capacity."""

    capacity: list[CapacityPost]
    as_of_seq: int


class CapacityAnswer(Answer, frozen=True, kw_only=True):
    """One capacity post."""

    capacity: CapacityPost
    as_of_seq: int


class Attested(Answer, frozen=True, kw_only=True):
    """What the agent's latest good benchmark found."""

    measured_at: str
    cards: int
    gflops: int
    memory_gb: int


class CapacityToCertify(Answer, frozen=True, kw_only=True):
    """Posted capacity as the operator sees it; `may_be_certified` is the most cards that may be now (clause
    10.3), 0 before an attestation.
    """

    capacity_id: str
    account: str
    site_id: str | None
    site: str | None
    grade: str
    hub: str
    cards: int
    first_day: str
    last_day: str
    attested: Attested | None
    may_be_certified: int


class Certification(Answer, frozen=True, kw_only=True):
    """Posted capacity of everybody, and whether a good attestation certifies `at_once`."""

    at_once: bool
    capacity: list[CapacityToCertify]
    as_of_seq: int


class SetCertification(Request, frozen=True, kw_only=True):
    """Whether a good attestation certifies at once, or the operator decides on each."""

    at_once: bool
