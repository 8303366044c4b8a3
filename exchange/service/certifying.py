"""How many cards may be certified of posted capacity (clause 10.3)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import timedelta

from exchange.domain.calendar import epoch_day
from exchange.domain.money import BASIS_POINT
from exchange.domain.primary import AttestCapacity, PostCapacity
from exchange.service.primarystate import Capacity, Primary


def certifiable(post: PostCapacity, attestation: AttestCapacity) -> int:
    """Return the cards that an attestation gives a post."""
    return min(post.cards, attestation.cards) * post.availability_basis_points // BASIS_POINT


def out_by_day(post: PostCapacity) -> list[int]:
    """Return the cards that are under maintenance on each day of a post."""
    days = [post.first_day + timedelta(days=at) for at in range((post.last_day - post.first_day).days + 1)]
    return [sum(w.cards for w in post.maintenance if w.first_day <= day <= w.last_day) for day in days]


def cards_by_day(post: PostCapacity, cards: int) -> list[int]:
    """Return a certificate's cards on each day: what is under maintenance is taken off."""
    return [max(0, cards - out) for out in out_by_day(post)]


def fits(primary: Primary, posted: Capacity, attestation: AttestCapacity, cards: int) -> bool:
    """Return whether post and site have the cards on every day, beside what is certified already."""
    post = posted.post
    at_site = primary.certified_on(post.site_id, post.grade)
    of_post = primary.certified_on(post.site_id, post.grade, posted.capacity_id)
    room = _room(primary, post, attestation, at_site, of_post)
    return all(cards <= left for cards, left in zip(cards_by_day(post, cards), room, strict=True))


def may_be_certified(primary: Primary) -> dict[int, int]:
    """Return the most cards that the operator may certify now, by the id of attested capacity."""
    at_site: defaultdict[tuple[int, str], Counter[int]] = defaultdict(Counter)
    of_post: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for one in primary.certificates:
        days = {one.first_day + at: cards for at, cards in enumerate(one.cards)}
        at_site[one.site_id, one.grade].update(days)
        of_post[one.capacity_id].update(days)
    most = {}
    for posted in primary.capacity:
        if posted.attestation is not None:
            post, found = posted.post, posted.attestation
            place = at_site[post.site_id, post.grade]
            room = _room(primary, post, found, place, of_post[posted.capacity_id])
            most[posted.capacity_id] = _most(post, found, room)
    return most


def _room(
    primary: Primary,
    post: PostCapacity,
    attestation: AttestCapacity,
    at_site: Mapping[int, int],
    of_post: Mapping[int, int],
) -> list[int]:
    """Return the cards that may still be certified on each day of a post; the mappings are by day."""
    first = epoch_day(post.first_day)
    installed = primary.sites[post.site_id - 1].installed_cards(post.grade)
    most = cards_by_day(post, certifiable(post, attestation))
    return [
        min(cards - of_post.get(first + at, 0), installed - at_site.get(first + at, 0))
        for at, cards in enumerate(most)
    ]


def _most(post: PostCapacity, attestation: AttestCapacity, room: list[int]) -> int:
    """Return the most cards of which every day has room for what isn't under maintenance."""
    if min(room) < 0:
        return 0
    by_day = (out + left for out, left in zip(out_by_day(post), room, strict=True))
    return min(certifiable(post, attestation), *by_day)
