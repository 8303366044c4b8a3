"""The primary market's part of the state: sites, posted capacity, certificates, what backs what."""

from __future__ import annotations

from collections import Counter

import msgspec

from exchange.clearing.certificates import Backing, Certificate
from exchange.domain.primary import AttestCapacity, Installed, PostCapacity, SetPrimaryRules
from matching.api import InvariantViolation


class Site(msgspec.Struct):
    """A provider's site; its id is its place in the list + 1."""

    site_id: int
    account: int
    name: str
    hub: str
    installed: tuple[Installed, ...]
    agent_key: bytes
    sequence: int = 0
    """Number of the last message that was taken from its agent."""

    def installed_cards(self, grade: str) -> int:
        """Return how many cards of a grade stand there."""
        return sum(item.cards for item in self.installed if item.grade == grade)


class Capacity(msgspec.Struct):
    """Posted capacity; its id is its place in the list + 1."""

    capacity_id: int
    post: PostCapacity
    withdrawn: bool = False
    attestation: AttestCapacity | None = None
    """The latest good one."""


class StandingSale(msgspec.Struct):
    """At which price a provider sells what its certificates have free, in contracts of one kind and
    profile.
    """

    account: int
    grade: str
    hub: str
    kind: str
    profile: str
    price_ticks: int


class Primary(msgspec.Struct):
    """Everything that chapter 10 is about."""

    rules: SetPrimaryRules = SetPrimaryRules()
    sites: list[Site] = []
    capacity: list[Capacity] = []
    certificates: list[Certificate] = []
    backings: list[Backing] = []
    standing: list[StandingSale] = []
    """In the order in which they were set."""
    collateral: list[tuple[int, int]] = []
    """(account, what its pledged certificates count for in fen), ascending account."""

    def collateral_of(self, account: int) -> int:
        """Return what an account's pledged certificates count for, fen."""
        return dict(self.collateral).get(account, 0)

    def site(self, site_id: int, account: int) -> Site | None:
        """Return an account's own site."""
        known = 1 <= site_id <= len(self.sites)
        return self.sites[site_id - 1] if known and self.sites[site_id - 1].account == account else None

    def posted(self, capacity_id: int, account: int | None = None) -> Capacity | None:
        """Return capacity that wasn't withdrawn: an account's own, or anybody's."""
        if not 1 <= capacity_id <= len(self.capacity):
            return None
        found = self.capacity[capacity_id - 1]
        theirs = account is None or found.post.account == account
        return found if theirs and not found.withdrawn else None

    def valid(self, certificate_id: int, account: int | None = None) -> Certificate | None:
        """Return a certificate that wasn't revoked: an account's own, or anybody's."""
        if not 1 <= certificate_id <= len(self.certificates):
            return None
        found = self.certificates[certificate_id - 1]
        return found if account in (None, found.account) and not found.revoked else None

    def covered_lots(self) -> Counter[tuple[int, int]]:
        """Return the lots that certificates back, by (account, contract)."""
        covered: Counter[tuple[int, int]] = Counter()
        for backing in self.backings:
            account = self.certificates[backing.certificate_id - 1].account
            covered[account, backing.contract] += backing.lots
        return covered

    def certified_on(self, site_id: int, grade: str, capacity_id: int | None = None) -> Counter[int]:
        """Return the certified cards of a grade at a site by day (days since 1970-01-01); of one post, or
        all.
        """
        certified: Counter[int] = Counter()
        for certificate in self.certificates:
            here = (certificate.site_id, certificate.grade) == (site_id, grade)
            if here and capacity_id in (None, certificate.capacity_id):
                for at, cards in enumerate(certificate.cards):
                    certified[certificate.first_day + at] += cards
        return certified

    def check(self) -> None:
        """Verify that no card is certified or used twice; raises InvariantViolation."""
        for certificate in self.certificates:
            certificate.check()
        for site_id, grade in {(c.site_id, c.grade) for c in self.certificates}:
            installed = self.sites[site_id - 1].installed_cards(grade)
            if max(self.certified_on(site_id, grade).values(), default=0) > installed:
                raise InvariantViolation(f"site {site_id} has more {grade} certified than installed")
        pledgers = {c.account for c in self.certificates if any(c.pledged)}
        if any(value and account not in pledgers for account, value in self.collateral):
            raise InvariantViolation("an account has collateral and no pledged certificate")
