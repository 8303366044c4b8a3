"""Members, brokers' clients, keys and sessions."""

from exchange.api.answers import Answer


class MemberAnswer(Answer, frozen=True, kw_only=True):
    """A new member with its first key. The secret is shown here and never again."""

    member: str
    account: str
    kind: str
    key_id: str
    secret: str
    scopes: list[str]
    as_of_seq: int


class KeyAnswer(Answer, frozen=True, kw_only=True):
    """A new key. The secret is shown here and never again."""

    member: str
    account: str
    key_id: str
    secret: str
    scopes: list[str]
    networks: list[str]
    as_of_seq: int


class Key(Answer, frozen=True, kw_only=True):
    """A key without its secret."""

    key_id: str
    member: str
    scopes: list[str]
    networks: list[str]
    """Where it may be used from; empty: anywhere."""
    enabled: bool


class Keys(Answer, frozen=True, kw_only=True):
    """Keys in the order in which they were made, revoked ones included."""

    keys: list[Key]
    as_of_seq: int


class SessionAnswer(Answer, frozen=True, kw_only=True):
    """Who is logged in at the screens, and what the session may do."""

    member: str
    account: str
    kind: str
    roles: list[str]
    scopes: list[str]
    csrf_token: str
    """What changes something must bring it in the header Dongxi-Csrf."""
    as_of_seq: int


class Client(Answer, frozen=True, kw_only=True):
    """A sub-account of a broker's client."""

    name: str
    account: str
    cash_fen: int


class ClientAnswer(Answer, frozen=True, kw_only=True):
    """A new sub-account."""

    client: Client
    as_of_seq: int


class Clients(Answer, frozen=True, kw_only=True):
    """The broker's clients in the order of their accounts."""

    clients: list[Client]
    as_of_seq: int


class Member(Answer, frozen=True, kw_only=True):
    """A member or a broker's client as the operator sees it."""

    member: str
    account: str
    kind: str
    state: str
    """applied, approved or suspended; a client's is its broker's."""
    roles: list[str]
    """An operator's."""
    cash_fen: int


class Members(Answer, frozen=True, kw_only=True):
    """All members, in the order of their accounts."""

    members: list[Member]
    as_of_seq: int
