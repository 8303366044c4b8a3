"""Certificates: cards of a grade at a hub that may back shorts, each hour's cards used once (chapter 10).

On each day of its window a certificate has `cards`. In each hour they are, in whole cards, *delivering*
(reserved for buyers), *backed* (behind open shorts), *pledged* (collateral, on whole days), or free; never
two of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from exchange.domain.hours import HOURS_PER_DAY, HourSet
from exchange.domain.money import BASIS_POINT
from matching.api import InvariantViolation

_CARDS = np.dtype("<i4")


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
    pledged: list[int]
    delivering_bytes: bytearray
    """Cards by day and hour, int32; see `delivering`."""
    backed_bytes: bytearray
    revoked: str = ""
    """Why it was revoked; empty while it is valid."""
    source: int = 0
    """The certificate that it was transferred out of; 0 for one that was certified."""

    @property
    def delivering(self) -> NDArray[np.int32]:
        """Cards that are reserved for buyers, shape (days of the window, 24), writable."""
        return _by_hour(self.delivering_bytes)

    @property
    def backed(self) -> NDArray[np.int32]:
        """Cards that stand behind open shorts, shape (days of the window, 24), writable."""
        return _by_hour(self.backed_bytes)

    @property
    def end_day(self) -> int:
        """First day after the window."""
        return self.first_day + len(self.cards)

    def at(self, day: int) -> int:
        """Return the place of a day of the window in the lists."""
        return day - self.first_day

    def free_cards(self, first: int = 0, end: int | None = None) -> NDArray[np.int64]:
        """Return the cards that nothing uses in each hour of some days (places in the lists), shape (days,
        24).
        """
        here = slice(first, end)
        whole_days = np.array(self.cards[here], np.int64) - np.array(self.pledged[here], np.int64)
        if self.revoked:
            whole_days[:] = 0
            return np.repeat(whole_days[:, None], HOURS_PER_DAY, axis=1)
        return whole_days[:, None] - self.delivering[here] - self.backed[here]

    def free(self, day: int) -> int:
        """Return the cards that nothing uses in any hour of a day; 0 outside the window."""
        if not self.first_day <= day < self.end_day:
            return 0
        at = self.at(day)
        return int(self.free_cards(at, at + 1).min())

    def free_over(self, days: range) -> int:
        """Return the cards that are free in every hour of some days in a row; 0 if there are none."""
        if not days or days.start < self.first_day or days.stop > self.end_day:
            return 0
        return int(self.free_cards(self.at(days.start), self.at(days.stop)).min())

    def free_in(self, hours: HourSet) -> int:
        """Return the cards that are free in every one of the hours; 0 if some lie outside the window."""
        where = self._where(hours)
        return 0 if where is None else int(self.free_cards(where[0].start, where[0].stop)[where[1]].min())

    def use(self, used: NDArray[np.int32], hours: HourSet, cards: int) -> None:
        """Add cards to `delivering` or `backed` in every one of the hours.

        Raises InvariantViolation if some lie outside the window.
        """
        where = self._where(hours)
        if where is None:
            raise InvariantViolation(f"certificate {self.certificate_id} has no such hours")
        used[where[0]] += where[1] * np.int32(cards)

    def _where(self, hours: HourSet) -> tuple[slice, NDArray[np.bool_]] | None:
        """Return the days of the hours as a slice of the lists, and which hours of them these are."""
        day, grid = hours.grid()
        first = self.at(day)
        inside = len(grid) and first >= 0 and first + len(grid) <= len(self.cards)
        return (slice(first, first + len(grid)), grid) if inside else None

    def pledged_after(self, today: int) -> int:
        """Return the cards that are pledged on every day after `today`; 0 if none is left."""
        return min((self.pledged[self.at(day)] for day in self.days_after(today)), default=0)

    def days_after(self, today: int) -> range:
        """Return the days of the window that begin after `today`."""
        return range(max(self.first_day, today + 1), self.end_day)

    def check(self) -> None:
        """Verify that no card is used twice; raises InvariantViolation."""
        used = self.delivering + self.backed + np.array(self.pledged, np.int64)[:, None]
        least = min(int(self.delivering.min()), int(self.backed.min()), *self.pledged)
        if least < 0 or (used > np.array(self.cards)[:, None]).any():
            raise InvariantViolation(f"certificate {self.certificate_id} uses {used} of {self.cards}")


def _by_hour(cards: bytearray) -> NDArray[Any]:
    return np.frombuffer(cards, _CARDS).reshape(-1, HOURS_PER_DAY)


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
    nothing = len(cards) * HOURS_PER_DAY * _CARDS.itemsize
    return Certificate(
        certificate_id,
        account,
        capacity_id,
        site_id,
        *product,
        first_day,
        list(cards),
        pledged=[0] * len(cards),
        delivering_bytes=bytearray(nothing),
        backed_bytes=bytearray(nothing),
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
    certificate.cards = certificate.delivering.max(axis=1).tolist()
    certificate.pledged = [0] * len(certificate.cards)
    certificate.backed[:] = 0


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
    delivery: HourSet
    hours: int
    """Their number."""
    cards_per_lot: int
    lots: int


class Backing(msgspec.Struct, frozen=True):
    """Lots of a short that a certificate stands behind."""

    certificate_id: int
    contract: int
    lots: int


def back(certificates: Sequence[Certificate], shorts: Sequence[Short]) -> list[Backing]:
    """Put certificates of one account, grade and hub behind its shorts anew (clause 10.4).

    Shorts in the order of their first delivery hour, then fewer hours, then index; each takes whole lots
    from the certificates in ascending id, as many as are free in all its hours.
    """
    for certificate in certificates:
        certificate.backed[:] = 0
    backings: list[Backing] = []
    for short in sorted(shorts, key=lambda s: (s.delivery.first, s.hours, s.contract)):
        left = short.lots
        for certificate in sorted(certificates, key=lambda c: c.certificate_id):
            lots = min(left, certificate.free_in(short.delivery) // short.cards_per_lot)
            if lots <= 0:
                continue
            certificate.use(certificate.backed, short.delivery, lots * short.cards_per_lot)
            backings.append(Backing(certificate.certificate_id, short.contract, lots))
            left -= lots
    return backings


def deliver(certificate: Certificate, backing: Backing, hours: HourSet, cards_per_lot: int) -> None:
    """Turn what backs a contract that expires into what is reserved for buyers (clause 7.3)."""
    cards = backing.lots * cards_per_lot
    certificate.use(certificate.backed, hours, -cards)
    certificate.use(certificate.delivering, hours, cards)
