"""The primary market for operators: what is posted and attested, and everybody's certificates."""

from __future__ import annotations

from msgspec.structs import replace

from exchange.api import primary as api
from exchange.api.answers import Done
from exchange.api.formats import day_text, parse_id, time_text
from exchange.domain import primary
from exchange.domain.calendar import day_of
from exchange.gateway.call import ANY_OPERATOR, Call, Route
from exchange.gateway.primary import CERTIFICATE, ID_MAX, certificate_id, hand_over, made, owned, sites_of
from exchange.service.certifying import may_be_certified
from exchange.service.primarystate import Capacity, Primary
from exchange.service.state import HOUSE


async def all_certificates(call: Call) -> api.Certificates:
    """Answer everybody's certificates."""
    return owned(call, None)


async def all_sites(call: Call) -> api.Sites:
    """Answer everybody's sites, and which agents are silent."""
    return sites_of(call, None)


async def certification(call: Call) -> api.Certification:
    """Answer what is posted for days to come, and what of it may be certified (clause 10.3)."""
    return _certification(call)


async def set_certification(call: Call) -> api.Certification:
    """Let good attestations certify at once, or each wait for the operator (clause 10.3)."""
    wanted: api.SetCertification = call.body
    await call.submit(replace(call.exchange.views.primary.rules, automatic=wanted.at_once))
    return _certification(call)


async def certify(call: Call) -> api.CertificateMade:
    """Certify attested capacity (clause 10.3)."""
    capacity_id = parse_id(call.body.capacity_id, "capacity_id", ID_MAX)
    return await made(call, primary.CertifyCapacity(capacity_id=capacity_id, cards=call.body.cards))


async def revoke(call: Call) -> Done:
    """End a certificate, whatever it backs (clause 10.6)."""
    message = primary.RevokeCertificate(certificate_id=certificate_id(call), reason=call.body.reason)
    return await call.done(message)


async def transfer_seized(call: Call) -> api.CertificateMade:
    """Hand cards that the house took over from a defaulter to an approved member (clause 6.10)."""
    return await hand_over(call, HOUSE)


def _certification(call: Call) -> api.Certification:
    views = call.exchange.views
    known, today = views.primary, day_of(call.exchange.status().market_time_ns)
    most = may_be_certified(known)
    return api.Certification(
        at_once=known.rules.automatic,
        capacity=[
            _to_certify(known, one, most.get(one.capacity_id, 0))
            for one in known.capacity
            if not one.withdrawn and one.post.last_day > today
        ],
        as_of_seq=views.seq,
    )


def _to_certify(known: Primary, posted: Capacity, most: int) -> api.CapacityToCertify:
    post, found = posted.post, posted.attestation
    return api.CapacityToCertify(
        capacity_id=str(posted.capacity_id),
        account=str(post.account),
        site_id=str(post.site_id) if post.site_id else None,
        site=known.sites[post.site_id - 1].name if post.site_id else None,
        grade=post.grade,
        hub=post.hub,
        cards=post.cards,
        first_day=day_text(post.first_day),
        last_day=day_text(post.last_day),
        attested=None if found is None else _attested(found),
        may_be_certified=most,
    )


def _attested(found: primary.AttestCapacity) -> api.Attested:
    return api.Attested(
        measured_at=time_text(found.measured_at_ns),
        cards=found.cards,
        gflops=found.gflops,
        memory_gb=found.memory_gb,
    )


ROUTES = (
    Route(
        method="GET",
        path="/v1/operator/sites",
        handler=all_sites,
        answer=api.Sites,
        summary="All sites, and which agents are silent",
        tag="operator",
        scope="operate",
        roles=ANY_OPERATOR,
    ),
    Route(
        method="GET",
        path="/v1/operator/capacity",
        handler=certification,
        answer=api.Certification,
        summary="Posted capacity, and what of it may be certified",
        tag="operator",
        scope="operate",
        roles=ANY_OPERATOR,
    ),
    Route(
        method="POST",
        path="/v1/operator/certification",
        handler=set_certification,
        answer=api.Certification,
        summary="Certify by good attestations at once, or by the operator",
        tag="operator",
        scope="operate",
        roles=("market", "risk"),
        body=api.SetCertification,
    ),
    Route(
        method="GET",
        path="/v1/operator/certificates",
        handler=all_certificates,
        answer=api.Certificates,
        summary="All certificates",
        tag="operator",
        scope="operate",
        roles=ANY_OPERATOR,
    ),
    Route(
        method="POST",
        path="/v1/operator/certificates",
        handler=certify,
        answer=api.CertificateMade,
        summary="Certify attested capacity",
        tag="operator",
        scope="operate",
        roles=("market", "risk"),
        body=api.Certify,
    ),
    Route(
        method="POST",
        path="/v1/operator/certificates/{certificate_id}/transfers",
        handler=transfer_seized,
        answer=api.CertificateMade,
        summary="Hand cards that the house took over from a defaulter to a member",
        tag="operator",
        scope="operate",
        roles=("treasury",),
        body=api.Transfer,
        path_help=CERTIFICATE,
    ),
    Route(
        method="POST",
        path="/v1/operator/certificates/{certificate_id}/revoke",
        handler=revoke,
        answer=Done,
        summary="Revoke a certificate",
        tag="operator",
        scope="operate",
        roles=("market", "risk"),
        body=api.Revoke,
        path_help=CERTIFICATE,
    ),
)
