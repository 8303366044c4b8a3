"""A provider's site, posts and signed messages on the small market of the service's tests."""

from __future__ import annotations

from datetime import date
from typing import Any

from exchange.api.attest import AgentKey, attestation_bytes, readings_bytes
from exchange.domain import messages as m
from exchange.domain import primary as p
from exchange.domain.calendar import NS_PER_HOUR, day_start_ns

SATURDAY, NEXT_SUNDAY = date(2026, 12, 5), date(2026, 12, 13)
LADDER = (
    p.GradeMinimum(grade="H100", memory_gb=80, gflops=900_000, standard_milli=1_000, premium_basis_points=0),
)
KEY = AgentKey(bytes(range(32)))
STRANGER = AgentKey(bytes(32))


class Provider:
    """Account 1 with a site of 10 H100 in GUIAN and what it sends."""

    def __init__(self, market, *, automatic=False, installed=10):
        self.market = market
        market.do(p.SetPrimaryRules(ladder=LADDER, automatic=automatic))
        site = p.RegisterSite(
            account=1,
            name="hall 1",
            hub="GUIAN",
            installed=(p.Installed(grade="H100", cards=installed),),
            agent_key=KEY.public_bytes,
        )
        assert market.do(site).data == {"site_id": 1}

    def post(self, cards=10, **changed) -> int:
        usual = {"account": 1, "grade": "H100", "hub": "GUIAN", "site_id": 1}
        days = {"first_day": SATURDAY, "last_day": NEXT_SUNDAY}
        posted = self.market.do(p.PostCapacity(**{**usual, **days, "cards": cards, **changed}))
        return posted.data["capacity_id"]

    def attestation(self, key=KEY, **changed) -> p.AttestCapacity:
        site = self.market.state.primary.sites[0]
        figures = {
            "capacity_id": 1,
            "sequence": site.sequence + 1,
            "measured_at_ns": self.market.now_ns - NS_PER_HOUR,
            "cards": 10,
            "gflops": 950_000,
            "memory_gb": 80,
            **changed,
        }
        signature = key.sign(attestation_bytes(site_id=1, **figures))
        return p.AttestCapacity(account=1, signature=signature, **figures)

    def certified(self, cards=10, **post) -> None:
        """Post, attest and certify."""
        capacity_id = self.post(**{"cards": cards, **post})
        self.market.do(self.attestation(capacity_id=capacity_id))
        self.market.do(p.CertifyCapacity(capacity_id=capacity_id, cards=cards))
        self.market.core.check()

    def certificate(self, number=1):
        return self.market.state.primary.certificates[number - 1]

    def readings(self, day: date, cards: dict[int, int], hours=range(24), key=KEY, **changed) -> Any:
        """A signed batch: `cards` of each reservation in each of the hours of a day."""
        start = day_start_ns(day)
        rows = tuple(
            m.Reading(reservation, start + hour * NS_PER_HOUR, count)
            for reservation, count in cards.items()
            for hour in hours
        )
        sequence = changed.get("sequence", self.market.state.primary.sites[0].sequence + 1)
        signed = readings_bytes(1, sequence, ((r.reservation_id, r.hour_start_ns, r.cards) for r in rows))
        return m.MeterReadings(
            account=1, readings=rows, site_id=1, sequence=sequence, signature=key.sign(signed)
        )
