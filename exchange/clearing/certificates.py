"""Certificates: cards of a grade at a hub that may back shorts, each day's cards used once (chapter 10).

On each day of its window a certificate has `cards`. They are, in whole cards, *delivering* (reserved for
buyers), *backed* (behind open shorts), *pledged* (collateral), or free; never
two of these.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from exchange.domain.money import BASIS_POINT
from matching.api import InvariantViolation

HOURS_PER_DAY = 24


class Certificate(msgspec.Struct):
    """A certificate; its id is its place in the list + 1. Lists have one number a day of the window."""

    certificate_id: int
    account: int
    capacity_id: int
    site_id: int
    grade: str
    hub: str
    first_day: int
    """Days since 1970-01-01."""
    cards: list[int]
    delivering: list[int]
    backed: list[int]
    pledged: list[int]
    revoked: str = ""
    """Why it was revoked; empty while it is valid."""
    source: int = 0
    """The certificate that it was transferred out of; 0 for one that was certified."""

    @property
    def end_day(self) -> int:
        """First day after the window."""
        return self.first_day + len(self.cards)

    def at(self, day: int) -> int:
        """Return the place of a day of the window in the lists."""
        return day - self.first_day

    def free(self, day: int) -> int:
        """Return the cards that nothing uses on a day; 0 outside the window."""
        if not self.first_day <= day < self.end_day:
            return 0
        at = day - self.first_day
        used = self.delivering[at] + self.backed[at] + self.pledged[at]
        return self.cards[at] - used

    def free_over(self, days: Iterable[int]) -> int:
        """Return the cards that are free on every one of the days; 0 if there are none."""
        return min((self.free(day) for day in days), default=0)

    def pledged_after(self, today: int) -> int:
        """Return the cards that are pledged on every day after `today`; 0 if none is left."""
        return min((self.pledged[self.at(day)] for day in self.days_after(today)), default=0)

    def days_after(self, today: int) -> range:
        """Return the days of the window that begin after `today`."""
        return range(max(self.first_day, today + 1), self.end_day)

    def check(self) -> None:
        """Verify that no card is used twice; raises InvariantViolation."""
        for day in range(self.first_day, self.end_day):
            at = day - self.first_day
            parts = (self.delivering[at], self.backed[at], self.pledged[at])
            if min(parts) < 0 or sum(parts) > self.cards[at]:
                raise InvariantViolation(f"certificate {self.certificate_id} has {parts} of {self.cards[at]}")


def issued(
    certificate_id: int,
    account: int,
    capacity_id: int,
    site_id: int,
    product: tuple[str, str],
    first_day: int,
    cards: Sequence[int],
    source: int = 0,
) -> Certificate:
    """Return a certificate that nothing uses yet; `product` is (grade, hub), `cards` has one number a day."""
    nothing = [0] * len(cards)
    return Certificate(
        certificate_id,
        account,
        capacity_id,
        site_id,
        *product,
        first_day,
        list(cards),
        delivering=nothing.copy(),
        backed=nothing.copy(),
        pledged=nothing.copy(),
        source=source,
    )


def transfer(
    certificate: Certificate, certificate_id: int, account: int, cards: int, today: int
) -> Certificate:
    """Move free cards of the days after `today` into a new certificate, and return it (clause 10.5)."""
    days = certificate.days_after(today)
    for day in days:
        certificate.cards[certificate.at(day)] -= cards
    return issued(
        certificate_id,
        account,
        certificate.capacity_id,
        certificate.site_id,
        (certificate.grade, certificate.hub),
        days.start,
        [cards] * len(days),
        source=certificate.certificate_id,
    )


def revoke(certificate: Certificate, reason: str) -> None:
    """End a certificate: only what it already delivers is left of it (clause 10.6)."""
    certificate.revoked = reason
    certificate.cards = certificate.delivering.copy()
    nothing = [0] * len(certificate.cards)
    certificate.backed, certificate.pledged = nothing, nothing.copy()


def pledge(certificate: Certificate, cards: int, today: int) -> None:
    """Pledge `cards` in all on each of the days after `today` (clause 10.7)."""
    for day in certificate.days_after(today):
        certificate.pledged[certificate.at(day)] = cards


def collateral_value(
    certificate: Certificate, today: int, price_ticks: int, cards_per_lot: int, haircut_basis_points: int
) -> int:
    """Return what the pledged card-hours of the days after `today` count for, fen, rounded down (clause
    10.7). `price_ticks` is a lot-hour's.
    """
    days = certificate.days_after(today)
    card_hours = HOURS_PER_DAY * sum(certificate.pledged[certificate.at(day)] for day in days)
    return _after_haircut(card_hours, price_ticks, cards_per_lot, haircut_basis_points)


def card_value(
    certificate: Certificate, today: int, price_ticks: int, cards_per_lot: int, haircut_basis_points: int
) -> int:
    """Return what one card on all days after `today` counts for, fen, rounded down (clauses 6.10, 10.7)."""
    card_hours = HOURS_PER_DAY * len(certificate.days_after(today))
    return _after_haircut(card_hours, price_ticks, cards_per_lot, haircut_basis_points)


def _after_haircut(card_hours: int, price_ticks: int, cards_per_lot: int, haircut_basis_points: int) -> int:
    share = BASIS_POINT - haircut_basis_points
    return card_hours * price_ticks * share // (cards_per_lot * BASIS_POINT)


class Short(msgspec.Struct, frozen=True):
    """An open short position in one contract of a grade and hub."""

    contract: int
    first_day: int
    """Days since 1970-01-01."""
    end_day: int
    cards_per_lot: int
    lots: int


class Backing(msgspec.Struct, frozen=True):
    """Lots of a short that a certificate stands behind."""

    certificate_id: int
    contract: int
    lots: int


def back(certificates: Sequence[Certificate], shorts: Sequence[Short]) -> list[Backing]:
    """Put certificates of one account, grade and hub behind its shorts anew (clause 10.4).

    Shorts in the order of first delivery day, then the shorter period, then index; each takes whole lots
    from the certificates in ascending id, as many as are free on all its days.
    """
    for certificate in certificates:
        certificate.backed = [0] * len(certificate.cards)
    backings: list[Backing] = []
    for short in sorted(shorts, key=lambda s: (s.first_day, s.end_day, s.contract)):
        left = short.lots
        for certificate in sorted(certificates, key=lambda c: c.certificate_id):
            days = range(short.first_day, short.end_day)
            lots = min(left, certificate.free_over(days) // short.cards_per_lot)
            if lots <= 0:
                continue
            for day in days:
                certificate.backed[certificate.at(day)] += lots * short.cards_per_lot
            backings.append(Backing(certificate.certificate_id, short.contract, lots))
            left -= lots
    return backings


def deliver(certificate: Certificate, backing: Backing, day: int, cards_per_lot: int) -> None:
    """Turn what backs a day contract into what is reserved for buyers (clause 7.3)."""
    at, cards = certificate.at(day), backing.lots * cards_per_lot
    certificate.backed[at] -= cards
    certificate.delivering[at] += cards
