"""The primary market's endpoints for its providers: sites, attestations, certificates."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from exchange.api import primary as api
from exchange.api.codes import RequestRefused
from exchange.api.formats import day_text, parse_id, parse_time_ns, time_text
from exchange.clearing.certificates import Certificate
from exchange.domain import primary
from exchange.domain.messages import RareMessage
from exchange.domain.rejects import RejectCode
from exchange.gateway.call import Call, Route
from exchange.service.primarystate import Site

ID_MAX = 2**62
_EPOCH = date(1970, 1, 1)


async def register_site(call: Call) -> api.SiteAnswer:
    """Register a site with its agent's key (clause 10.1)."""
    wanted: api.NewSite = call.body
    message = primary.RegisterSite(
        account=call.caller.account,
        name=wanted.name,
        hub=wanted.hub,
        installed=tuple(primary.Installed(grade=i.grade, cards=i.cards) for i in wanted.installed),
        agent_key=bytes.fromhex(wanted.agent_key),
    )
    result = await call.submit(message)
    return _site_answer(call, int((result.data or {})["site_id"]))


async def set_agent_key(call: Call) -> api.SiteAnswer:
    """Give a site's agent another key; the old one ends (clause 10.1)."""
    site_id = parse_id(call.path["site_id"], "site_id", ID_MAX)
    key = bytes.fromhex(call.body.agent_key)
    message = primary.SetAgentKey(account=call.caller.account, site_id=site_id, agent_key=key)
    await call.submit(message)
    return _site_answer(call, site_id)


async def heartbeat(call: Call) -> api.SiteAnswer:
    """Hear a site's agent; nothing is journaled, and a restart of the server forgets it."""
    site_id = parse_id(call.path["site_id"], "site_id", ID_MAX)
    if call.exchange.views.primary.site(site_id, call.caller.account) is None:
        code = RejectCode.UNKNOWN_SITE
        raise RequestRefused(code.name, code.status, code.sentence)
    call.heartbeats.hear(site_id, call.body.every_s)
    return _site_answer(call, site_id)


async def sites(call: Call) -> api.Sites:
    """Answer the account's sites."""
    return sites_of(call, call.caller.account)


def sites_of(call: Call, account: int | None) -> api.Sites:
    """Answer an account's sites, or everybody's."""
    views = call.exchange.views
    found = [_site(call, site) for site in views.primary.sites if account in (None, site.account)]
    return api.Sites(sites=found, as_of_seq=views.seq)


async def attest(call: Call) -> api.CertificateMade:
    """Take in a benchmark signed by the site's agent (clause 10.2)."""
    found: api.Attestation = call.body
    message = primary.AttestCapacity(
        account=call.caller.account,
        capacity_id=parse_id(call.path["capacity_id"], "capacity_id", ID_MAX),
        sequence=found.sequence,
        measured_at_ns=parse_time_ns(found.measured_at, "measured_at"),
        cards=found.cards,
        gflops=found.gflops,
        memory_gb=found.memory_gb,
        signature=bytes.fromhex(found.signature),
    )
    return await made(call, message)


async def certificates(call: Call) -> api.Certificates:
    """Answer the account's certificates, day by day."""
    return owned(call, call.caller.account)


async def transfer(call: Call) -> api.CertificateMade:
    """Hand cards that nothing uses to another approved member (clause 10.5)."""
    return await hand_over(call, call.caller.account)


async def hand_over(call: Call, account: int) -> api.CertificateMade:
    """Hand cards of a certificate that an account holds to a member."""
    message = primary.TransferCertificate(
        account=account,
        certificate_id=certificate_id(call),
        to_member=call.body.to_member,
        cards=call.body.cards,
    )
    return await made(call, message)


async def pledge(call: Call) -> api.Certificates:
    """Pledge cards as collateral, or release them (clause 10.7)."""
    message = primary.PledgeCertificate(
        account=call.caller.account, certificate_id=certificate_id(call), cards=call.body.cards
    )
    await call.submit(message)
    return owned(call, call.caller.account)


def certificate_id(call: Call) -> int:
    """Return the certificate that the path names. Raises RequestRefused."""
    return parse_id(call.path["certificate_id"], "certificate_id", ID_MAX)


async def made(call: Call, message: RareMessage) -> api.CertificateMade:
    """Submit what may issue a certificate."""
    result = await call.submit(message)
    number = int((result.data or {})["certificate_id"])
    return api.CertificateMade(
        certificate_id=str(number) if number else None, as_of_seq=call.exchange.views.seq
    )


def _site_answer(call: Call, site_id: int) -> api.SiteAnswer:
    views = call.exchange.views
    return api.SiteAnswer(site=_site(call, views.primary.sites[site_id - 1]), as_of_seq=views.seq)


def _site(call: Call, site: Site) -> api.Site:
    heard_ns = call.heartbeats.heard_ns(site.site_id)
    return api.Site(
        site_id=str(site.site_id),
        account=str(site.account),
        name=site.name,
        hub=site.hub,
        installed=[api.InstalledCards(grade=i.grade, cards=i.cards) for i in site.installed],
        agent_key=site.agent_key.hex(),
        next_sequence=site.sequence + 1,
        heard_at=None if heard_ns is None else time_text(heard_ns),
        silent=call.heartbeats.silent(site),
    )


def owned(call: Call, account: int | None) -> api.Certificates:
    """Answer an account's certificates, or everybody's."""
    views = call.exchange.views
    found = [_certificate(c) for c in views.primary.certificates if account in (None, c.account)]
    amounts = [fen for owner, fen in views.primary.collateral if account in (None, owner)]
    return api.Certificates(certificates=found, collateral_fen=sum(amounts), as_of_seq=views.seq)


def _certificate(certificate: Certificate) -> api.Certificate:
    days = [
        api.CertificateDay(
            day=day_text(_EPOCH + timedelta(days=certificate.first_day + at)),
            cards=cards,
            delivering=int(certificate.delivering[at].max()),
            backed=int(certificate.backed[at].max()),
            pledged=certificate.pledged[at],
            free=certificate.free(certificate.first_day + at),
        )
        for at, cards in enumerate(certificate.cards)
    ]
    return api.Certificate(
        certificate_id=str(certificate.certificate_id),
        account=str(certificate.account),
        capacity_id=str(certificate.capacity_id),
        site_id=str(certificate.site_id),
        grade=certificate.grade,
        hub=certificate.hub,
        days=days,
        revoked=certificate.revoked or None,
        source_certificate_id=str(certificate.source) if certificate.source else None,
    )


CERTIFICATE: Final = {"certificate_id": "id of the certificate"}

ROUTES = (
    Route(
        method="POST",
        path="/v1/sites",
        handler=register_site,
        answer=api.SiteAnswer,
        summary="Register a site",
        tag="provider",
        scope="provide",
        body=api.NewSite,
    ),
    Route(
        method="GET",
        path="/v1/sites",
        handler=sites,
        answer=api.Sites,
        summary="The account's sites",
        tag="provider",
        scope="read",
    ),
    Route(
        method="POST",
        path="/v1/sites/{site_id}/heartbeats",
        handler=heartbeat,
        answer=api.SiteAnswer,
        summary="Say that a site's agent is there",
        tag="provider",
        scope="provide",
        body=api.Heartbeat,
        path_help={"site_id": "id of the site"},
    ),
    Route(
        method="POST",
        path="/v1/sites/{site_id}/agent",
        handler=set_agent_key,
        answer=api.SiteAnswer,
        summary="Give a site's agent another key",
        tag="provider",
        scope="provide",
        body=api.NewAgentKey,
        path_help={"site_id": "id of the site"},
    ),
    Route(
        method="POST",
        path="/v1/capacity/{capacity_id}/attestations",
        handler=attest,
        answer=api.CertificateMade,
        summary="Send a signed benchmark of posted capacity",
        tag="provider",
        scope="provide",
        body=api.Attestation,
        path_help={"capacity_id": "id of the capacity post"},
    ),
    Route(
        method="GET",
        path="/v1/certificates",
        handler=certificates,
        answer=api.Certificates,
        summary="The account's certificates",
        tag="provider",
        scope="read",
    ),
    Route(
        method="POST",
        path="/v1/certificates/{certificate_id}/transfers",
        handler=transfer,
        answer=api.CertificateMade,
        summary="Hand cards of a certificate to another member",
        tag="provider",
        scope="provide",
        body=api.Transfer,
        path_help=CERTIFICATE,
    ),
    Route(
        method="POST",
        path="/v1/certificates/{certificate_id}/pledge",
        handler=pledge,
        answer=api.Certificates,
        summary="Pledge cards of a certificate, or release them",
        tag="provider",
        scope="provide",
        body=api.Pledge,
        path_help=CERTIFICATE,
    ),
)
