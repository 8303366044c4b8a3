"""Which uses of workloads hubs refuse, over HTTP (rulebook clause 7.11)."""

from typing import Annotated

from msgspec import Meta

from exchange.api.answers import Answer
from exchange.api.requests import Request


class RefusedUse(Answer, frozen=True, kw_only=True):
    """A use that isn't taken at a hub; hub "*" is every hub."""

    hub: Annotated[str, Meta(min_length=1, max_length=40)]
    use: Annotated[str, Meta(min_length=1, max_length=200)]


class RefusedUses(Answer, frozen=True, kw_only=True):
    """What workloads may not be declared for."""

    refused: list[RefusedUse]
    as_of_seq: int


class SetRefusedUses(Request, frozen=True, kw_only=True):
    """What workloads may not be declared for from now on, instead of all that was refused before."""

    refused: Annotated[list[RefusedUse], Meta(max_length=200)]
