"""The primary market over HTTP: sites, attestations and certificates (rulebook chapter 10)."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from exchange.api import primary as api
from exchange.api.answers import Done
from exchange.api.attest import AgentKey, attestation_bytes
from exchange.api.formats import parse_time_ns
from exchange.api.requests import SaleKind

Get = Callable[..., Awaitable[Any]]
Send = Callable[..., Awaitable[Any]]


class PrimaryClient:
    """A provider's sites and certificates, and the operator's decisions about them."""

    def __init__(self, get: Get, send: Send) -> None:
        self._get, self._send = get, send

    async def register_site(
        self, name: str, hub: str, installed: Mapping[str, int], agent_key: bytes
    ) -> api.Site:
        """Registers a site; `installed` is cards by grade, `agent_key` its agent's public key."""
        cards = [api.InstalledCards(grade=grade, cards=count) for grade, count in installed.items()]
        body = api.NewSite(name=name, hub=hub, installed=cards, agent_key=agent_key.hex())
        answer: api.SiteAnswer = await self._send("POST", "/v1/sites", api.SiteAnswer, body)
        return answer.site

    async def set_agent_key(self, site_id: str, agent_key: bytes) -> api.Site:
        """Gives a site's agent another key."""
        body = api.NewAgentKey(agent_key=agent_key.hex())
        answer: api.SiteAnswer = await self._send(
            "POST", f"/v1/sites/{_segment(site_id)}/agent", api.SiteAnswer, body
        )
        return answer.site

    async def heartbeat(self, site_id: str, every_s: float) -> api.Site:
        """Says that the site's agent is there, and will again in `every_s` seconds."""
        path = f"/v1/sites/{_segment(site_id)}/heartbeats"
        body = api.Heartbeat(every_s=every_s)
        answer: api.SiteAnswer = await self._send("POST", path, api.SiteAnswer, body)
        return answer.site

    async def sites(self) -> list[api.Site]:
        """The account's sites."""
        answer: api.Sites = await self._get("/v1/sites", api.Sites, signed=True)
        return answer.sites

    async def attest(
        self,
        site: api.Site,
        key: AgentKey,
        capacity_id: str,
        measured_at: datetime,
        cards: int,
        gflops: int,
        memory_gb: int,
    ) -> str | None:
        """Signs a benchmark with the agent's key and sends it as the site's next message; gives the id of
        the certificate if that was issued at once.
        """
        text = measured_at.isoformat()
        signed = attestation_bytes(
            int(site.site_id),
            site.next_sequence,
            int(capacity_id),
            parse_time_ns(text, "measured_at"),
            cards,
            gflops,
            memory_gb,
        )
        body = api.Attestation(
            sequence=site.next_sequence,
            measured_at=text,
            cards=cards,
            gflops=gflops,
            memory_gb=memory_gb,
            signature=key.sign(signed).hex(),
        )
        return await self._make(f"/v1/capacity/{_segment(capacity_id)}/attestations", body)

    async def certificates(self) -> api.Certificates:
        """The account's certificates, and what the pledged ones count for."""
        answer: api.Certificates = await self._get("/v1/certificates", api.Certificates, signed=True)
        return answer

    async def transfer(self, certificate_id: str, to_member: str, cards: int) -> str | None:
        """Hands cards to another member; gives the new certificate's id."""
        path = f"/v1/certificates/{_segment(certificate_id)}/transfers"
        return await self._make(path, api.Transfer(to_member=to_member, cards=cards))

    async def pledge(self, certificate_id: str, cards: int) -> api.Certificates:
        """Pledges `cards` of a certificate in all."""
        path = f"/v1/certificates/{_segment(certificate_id)}/pledge"
        answer: api.Certificates = await self._send("POST", path, api.Certificates, api.Pledge(cards=cards))
        return answer

    async def set_sale(
        self,
        grade: str,
        hub: str,
        kind: SaleKind,
        price: str,
        profile: Literal["base", "peak", "valley"] = "base",
    ) -> list[api.StandingSale]:
        """Keeps what is free on sale in contracts of one kind and profile; price "0.00" ends that. Gives all
        sales.
        """
        body = api.SetSale(grade=grade, hub=hub, kind=kind, price=price, profile=profile)
        answer: api.StandingSales = await self._send("POST", "/v1/sales", api.StandingSales, body)
        return answer.sales

    async def sales(self) -> list[api.StandingSale]:
        """The account's standing sales."""
        answer: api.StandingSales = await self._get("/v1/sales", api.StandingSales, signed=True)
        return answer.sales

    # the operator's side

    async def all_certificates(self) -> list[api.Certificate]:
        """Everybody's certificates."""
        answer: api.Certificates = await self._get("/v1/operator/certificates", api.Certificates, signed=True)
        return answer.certificates

    async def all_sites(self) -> list[api.Site]:
        """Everybody's sites."""
        answer: api.Sites = await self._get("/v1/operator/sites", api.Sites, signed=True)
        return answer.sites

    async def certification(self) -> api.Certification:
        """What everybody has posted, and what of it may be certified."""
        answer: api.Certification = await self._get("/v1/operator/capacity", api.Certification, signed=True)
        return answer

    async def set_certification(self, *, at_once: bool) -> api.Certification:
        """Lets good attestations certify at once, or each wait for the operator."""
        body = api.SetCertification(at_once=at_once)
        answer: api.Certification = await self._send(
            "POST", "/v1/operator/certification", api.Certification, body
        )
        return answer

    async def certify(self, capacity_id: str, cards: int) -> str | None:
        """Certifies attested capacity; gives the certificate's id."""
        return await self._make(
            "/v1/operator/certificates", api.Certify(capacity_id=capacity_id, cards=cards)
        )

    async def transfer_seized(self, certificate_id: str, to_member: str, cards: int) -> str | None:
        """Hands cards that the house took over from a defaulter to a member; gives the certificate's id."""
        path = f"/v1/operator/certificates/{_segment(certificate_id)}/transfers"
        return await self._make(path, api.Transfer(to_member=to_member, cards=cards))

    async def revoke(self, certificate_id: str, reason: str) -> Done:
        """Ends a certificate."""
        path = f"/v1/operator/certificates/{_segment(certificate_id)}/revoke"
        answer: Done = await self._send("POST", path, Done, api.Revoke(reason=reason))
        return answer

    async def _make(self, path: str, body: Any) -> str | None:
        answer: api.CertificateMade = await self._send("POST", path, api.CertificateMade, body)
        return answer.certificate_id


def _segment(text: str) -> str:
    return quote(text, safe="")
