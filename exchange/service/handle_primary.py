"""Handlers of the primary market (chapter 10): sites, capacity, attestations, certificates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from exchange.api.attest import attestation_bytes, is_public_key, verified
from exchange.clearing.certificates import Certificate, issued, pledge, revoke, transfer
from exchange.domain import primary as p
from exchange.domain.calendar import NS_PER_HOUR, day_of, epoch_day
from exchange.domain.money import BASIS_POINT
from exchange.domain.rejects import RejectCode
from exchange.service.backing import back_shorts, collateral_now, holder, revalue
from exchange.service.calls import call_now
from exchange.service.certifying import cards_by_day, certifiable, fits
from exchange.service.handle_sales import PRICE_MAX, provider_fault, sound_sale
from exchange.service.margins import netting_left
from exchange.service.primarystate import Capacity, Site
from exchange.service.standing import renew_standing, set_sale
from exchange.service.state import DONE, HOUSE, Outcome, Stamp, State, refused

CAPACITY_DAYS_MAX = 366
CARDS_MAX = 10**7
TEXT_MAX = 200
LIST_MAX = 64
"""Most maintenance windows or attributes of one post, and grades of one site."""


def set_primary_rules(state: State, message: p.SetPrimaryRules, stamp: Stamp) -> Outcome:
    """Set the grade ladder and the rules of certification."""
    grades = [step.grade for step in message.ladder]
    sound = len(set(grades)) == len(grades) and all(
        step.memory_gb >= 0 and step.gflops >= 0 and step.standard_milli >= 1 for step in message.ladder
    )
    if not sound or message.attestation_hours < 1 or not 0 <= message.haircut_basis_points <= BASIS_POINT:
        return refused(RejectCode.INVALID_RULE)
    state.primary.rules = message
    return Outcome(events=revalue(state, stamp))


def register_site(state: State, message: p.RegisterSite, stamp: Stamp) -> Outcome:
    """Register a site with its agent's key."""
    fault = provider_fault(state, message.account)
    if fault is not None:
        return refused(fault)
    if message.hub not in state.hub_indices:
        return refused(RejectCode.UNKNOWN_HUB, message.hub)
    if any((site.account, site.name) == (message.account, message.name) for site in state.primary.sites):
        return refused(RejectCode.SITE_EXISTS, message.name)
    grades = [item.grade for item in message.installed]
    sound = (
        1 <= len(message.name) <= TEXT_MAX
        and len(set(grades)) == len(grades) <= LIST_MAX
        and all((grade, message.hub) in state.products for grade in grades)
        and all(1 <= item.cards <= CARDS_MAX for item in message.installed)
    )
    if not sound:
        return refused(RejectCode.INVALID_SITE)
    if not _new_key(state, message.agent_key):
        return refused(RejectCode.INVALID_AGENT_KEY)
    site_id = len(state.primary.sites) + 1
    site = Site(site_id, message.account, message.name, message.hub, message.installed, message.agent_key)
    state.primary.sites.append(site)
    return Outcome(data={"site_id": site_id})


def _new_key(state: State, key: bytes) -> bool:
    return is_public_key(key) and all(site.agent_key != key for site in state.primary.sites)


def set_agent_key(state: State, message: p.SetAgentKey, stamp: Stamp) -> Outcome:
    """Give a site's agent another key; its messages go on being numbered."""
    site = state.primary.site(message.site_id, message.account)
    if site is None:
        return refused(RejectCode.UNKNOWN_SITE)
    if not _new_key(state, message.agent_key):
        return refused(RejectCode.INVALID_AGENT_KEY)
    site.agent_key = message.agent_key
    return DONE


def post_capacity(state: State, message: p.PostCapacity, stamp: Stamp) -> Outcome:
    """Register capacity."""
    fault = provider_fault(state, message.account)
    if fault is not None:
        return refused(fault)
    product = state.products.get((message.grade, message.hub))
    if product is None:
        return refused(RejectCode.UNKNOWN_PRODUCT, f"{message.grade} at {message.hub}")
    if not _sound_post(message, product.cards_per_lot, stamp):
        return refused(RejectCode.INVALID_CAPACITY)
    site = state.primary.site(message.site_id, message.account)
    if message.site_id and (site is None or site.hub != message.hub):
        return refused(RejectCode.UNKNOWN_SITE)
    if message.sell_in and not sound_sale(message.sell_in, message.reserve_price_ticks):
        return refused(RejectCode.INVALID_SALE)
    capacity_id = len(state.primary.capacity) + 1
    state.primary.capacity.append(Capacity(capacity_id, message))
    for kind in message.sell_in:
        set_sale(
            state, message.account, (message.grade, message.hub, kind, "base"), message.reserve_price_ticks
        )
    events = renew_standing(state, message.account, stamp) if message.sell_in else []
    return Outcome(data={"capacity_id": capacity_id}, events=events)


def _sound_post(post: p.PostCapacity, cards_per_lot: int, stamp: Stamp) -> bool:
    days = (post.last_day - post.first_day).days + 1
    return (
        cards_per_lot <= post.cards <= CARDS_MAX
        and post.cards % cards_per_lot == 0
        and 1 <= days <= CAPACITY_DAYS_MAX
        and post.first_day > day_of(stamp.time_ns)
        and 0 <= post.reserve_price_ticks < PRICE_MAX
        and 1 <= post.availability_basis_points <= BASIS_POINT
        and max(len(post.maintenance), len(post.attributes)) <= LIST_MAX
        and all(w.first_day <= w.last_day and 1 <= w.cards <= CARDS_MAX for w in post.maintenance)
        and all(max(len(a.name), len(a.value)) <= TEXT_MAX for a in post.attributes)
    )


def withdraw_capacity(state: State, message: p.WithdrawCapacity, stamp: Stamp) -> Outcome:
    """Take posted capacity back, with certificates that nothing uses."""
    posted = state.primary.posted(message.capacity_id, message.account)
    if posted is None:
        return refused(RejectCode.UNKNOWN_CAPACITY)
    certificates = [
        c for c in state.primary.certificates if c.capacity_id == message.capacity_id and not c.revoked
    ]
    for certificate in certificates:
        days = certificate.days_after(stamp.day)
        unused = all(certificate.free(day) == certificate.cards[certificate.at(day)] for day in days)
        if certificate.account != message.account or not unused:
            return refused(RejectCode.CERTIFICATE_IN_USE, f"certificate {certificate.certificate_id}")
    for certificate in certificates:
        revoke(certificate, "capacity withdrawn")
    posted.withdrawn = True
    return _changed(state, certificates, stamp)


def attest_capacity(state: State, message: p.AttestCapacity, stamp: Stamp) -> Outcome:
    """Take in a signed benchmark; by the rule it certifies at once."""
    posted = state.primary.posted(message.capacity_id, message.account)
    if posted is None:
        return refused(RejectCode.UNKNOWN_CAPACITY)
    site = state.primary.site(posted.post.site_id, message.account)
    if site is None:
        return refused(RejectCode.UNKNOWN_SITE)
    fault = agent_fault(site, message.sequence, message.signature, _attested(site, message))
    fault = fault or _attestation_fault(state, posted, message, stamp)
    if fault is not None:
        return refused(fault)
    cards = certifiable(posted.post, message)
    renewed = any(c.capacity_id == message.capacity_id and not c.revoked for c in state.primary.certificates)
    at_once = state.primary.rules.automatic and not renewed and cards > 0
    if at_once and not fits(state.primary, posted, message, cards):
        return refused(RejectCode.OVER_CERTIFIED)
    site.sequence = message.sequence
    posted.attestation = message
    return _certify(state, posted, cards, stamp) if at_once else Outcome(data={"certificate_id": 0})


def agent_fault(site: Site, sequence: int, signature: bytes, signed: bytes) -> RejectCode | None:
    """Return why a message isn't the next one of a site's agent (clauses 7.4, 10.2)."""
    if sequence <= site.sequence:
        return RejectCode.AGENT_MESSAGE_REPEATED
    if sequence != site.sequence + 1:
        return RejectCode.AGENT_MESSAGE_MISSING
    return None if verified(site.agent_key, signature, signed) else RejectCode.FORGED_SIGNATURE


def _attested(site: Site, message: p.AttestCapacity) -> bytes:
    return attestation_bytes(
        site.site_id,
        message.sequence,
        message.capacity_id,
        message.measured_at_ns,
        message.cards,
        message.gflops,
        message.memory_gb,
    )


def _attestation_fault(
    state: State, posted: Capacity, message: p.AttestCapacity, stamp: Stamp
) -> RejectCode | None:
    age = stamp.time_ns - message.measured_at_ns
    if not 0 <= age <= state.primary.rules.attestation_hours * NS_PER_HOUR:
        return RejectCode.ATTESTATION_STALE
    minimum = next((s for s in state.primary.rules.ladder if s.grade == posted.post.grade), None)
    if minimum and (message.gflops < minimum.gflops or message.memory_gb < minimum.memory_gb):
        return RejectCode.BELOW_GRADE
    return None if message.cards >= 1 else RejectCode.BELOW_GRADE


def certify_capacity(state: State, message: p.CertifyCapacity, stamp: Stamp) -> Outcome:
    """Certify capacity by the operator's decision."""
    posted = state.primary.posted(message.capacity_id)
    if posted is None:
        return refused(RejectCode.UNKNOWN_CAPACITY)
    if posted.attestation is None:
        return refused(RejectCode.NOT_ATTESTED)
    if message.cards < 1:
        return refused(RejectCode.INVALID_CAPACITY)
    if not fits(state.primary, posted, posted.attestation, message.cards):
        return refused(RejectCode.OVER_CERTIFIED)
    return _certify(state, posted, message.cards, stamp)


def _certify(state: State, posted: Capacity, cards: int, stamp: Stamp) -> Outcome:
    post = posted.post
    certificate = issued(
        len(state.primary.certificates) + 1,
        post.account,
        posted.capacity_id,
        post.site_id,
        (post.grade, post.hub),
        epoch_day(post.first_day),
        cards_by_day(post, cards),
    )
    state.primary.certificates.append(certificate)
    outcome = _changed(state, [certificate], stamp)
    return Outcome(data={"certificate_id": certificate.certificate_id}, events=outcome.events)


def revoke_certificate(state: State, message: p.RevokeCertificate, stamp: Stamp) -> Outcome:
    """End a certificate; what it backed stands on the owner's others, or on nothing."""
    certificate = state.primary.valid(message.certificate_id)
    if certificate is None:
        return refused(RejectCode.UNKNOWN_CERTIFICATE)
    revoke(certificate, message.reason[:TEXT_MAX] or "revoked")
    outcome = _changed(state, [certificate], stamp)
    if certificate.account != HOUSE:  # it may have taken it over from a defaulter
        call_now(state, certificate.account)
    return outcome


def transfer_certificate(state: State, message: p.TransferCertificate, stamp: Stamp) -> Outcome:
    """Hand free cards to another member."""
    certificate = state.primary.valid(message.certificate_id, message.account)
    if certificate is None:
        return refused(RejectCode.UNKNOWN_CERTIFICATE)
    receiver = state.members.get(message.to_member)
    if receiver is None:
        return refused(RejectCode.UNKNOWN_MEMBER, message.to_member)
    if not state.may_trade(receiver) or receiver.kind == "operator":
        return refused(RejectCode.MEMBER_NOT_APPROVED, message.to_member)
    if message.cards < 1 or receiver.account == message.account:
        return refused(RejectCode.INVALID_CAPACITY)
    if certificate.free_over(certificate.days_after(stamp.day)) < message.cards:
        return refused(RejectCode.CERTIFICATE_IN_USE)
    made = transfer(
        certificate, len(state.primary.certificates) + 1, receiver.account, message.cards, stamp.day
    )
    state.primary.certificates.append(made)
    outcome = _changed(state, [certificate, made], stamp)
    return Outcome(data={"certificate_id": made.certificate_id}, events=outcome.events)


def pledge_certificate(state: State, message: p.PledgeCertificate, stamp: Stamp) -> Outcome:
    """Pledge cards, or release them if the account's margin doesn't need them."""
    certificate = state.primary.valid(message.certificate_id, message.account)
    if certificate is None:
        return refused(RejectCode.UNKNOWN_CERTIFICATE)
    days = certificate.days_after(stamp.day)
    if not 0 <= message.cards <= CARDS_MAX or not days:
        return refused(RejectCode.INVALID_CAPACITY)
    room = min(certificate.free(day) + certificate.pledged[certificate.at(day)] for day in days)
    if message.cards > room:
        return refused(RejectCode.CERTIFICATE_IN_USE)
    account, before = message.account, certificate.pledged.copy()
    pledge(certificate, message.cards, stamp.day)
    given_up = state.primary.collateral_of(account) - collateral_now(state, stamp).get(account, 0)
    if given_up > 0 and _free_equity(state, account) < given_up:
        certificate.pledged = before
        return refused(RejectCode.COLLATERAL_NEEDED)
    return _changed(state, [certificate], stamp)


def _free_equity(state: State, account: int) -> int:
    exposure = state.engine.exposure(account)
    equity = exposure.equity_fen - state.unsettled_charges_of(account) + exposure.offset_fen
    return equity - exposure.requirement_fen


def _changed(state: State, certificates: list[Certificate], stamp: Stamp) -> Outcome:
    """Back the owners' shorts anew, and give them the margin that this leaves (clauses 5.12, 10.4)."""
    back_shorts(state, {holder(certificate) for certificate in certificates})
    events = revalue(state, stamp)
    for account in sorted({certificate.account for certificate in certificates} - {HOUSE}):
        before, state.netting[account] = state.netting[account], netting_left(state, account)
        if state.netting[account] != before:
            events.append(state.engine.set_offset(account, state.offset(account), seq=stamp.seq))
        events += renew_standing(state, account, stamp)
    return Outcome(events=events)


HANDLERS: Final[dict[type, Callable[[State, Any, Stamp], Outcome]]] = {
    p.SetPrimaryRules: set_primary_rules,
    p.RegisterSite: register_site,
    p.SetAgentKey: set_agent_key,
    p.PostCapacity: post_capacity,
    p.WithdrawCapacity: withdraw_capacity,
    p.AttestCapacity: attest_capacity,
    p.CertifyCapacity: certify_capacity,
    p.RevokeCertificate: revoke_certificate,
    p.TransferCertificate: transfer_certificate,
    p.PledgeCertificate: pledge_certificate,
}
"""One handler a rare message of the primary market."""
