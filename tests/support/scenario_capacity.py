"""What a scenario says about capacity and delivery: certificates, pledges, meter readings, reservations."""

from __future__ import annotations

from datetime import date, time
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from exchange.api.attest import AgentKey, attestation_bytes, readings_bytes
from exchange.domain import delivering as d
from exchange.domain import messages as m
from exchange.domain import primary as p
from exchange.domain.calendar import NS_PER_HOUR, epoch_day, moment_ns
from exchange.domain.hours import hour_number, hour_start_ns
from matching.records import Side

if TYPE_CHECKING:
    from scenario import Scenario

CARDS_INSTALLED = 10_000


def _key(site_id: int) -> AgentKey:
    return AgentKey(bytes([site_id]) * 32)


def _site_of(of: Scenario, account: int, grade: str, hub: str) -> int:
    """Return the account's site at a hub, registered if need be."""
    for site in of.core.state.primary.sites:
        if (site.account, site.hub) == (account, hub):
            return site.site_id
    site_id = len(of.core.state.primary.sites) + 1
    of.must(
        p.RegisterSite(
            account=account,
            name=f"hall {site_id}",
            hub=hub,
            installed=(p.Installed(grade=grade, cards=CARDS_INSTALLED),),
            agent_key=_key(site_id).public_bytes,
        )
    )
    return site_id


def certify(of: Scenario, told: list[Any]) -> str | None:
    """[provider, "GRADE.HUB", cards, first day, last day]: post, attest and certify."""
    name, product, cards, first, last = told
    account, (grade, hub) = of.account(name), product.split(".")
    site_id = _site_of(of, account, grade, hub)
    posted = p.PostCapacity(
        account=account, grade=grade, hub=hub, cards=cards, first_day=first, last_day=last, site_id=site_id
    )
    of.must(posted)
    capacity_id = len(of.core.state.primary.capacity)
    sequence, at = of.core.state.primary.sites[site_id - 1].sequence + 1, of.now_ns - NS_PER_HOUR
    signed = attestation_bytes(site_id, sequence, capacity_id, at, cards, 1_000_000, 80)
    attested = p.AttestCapacity(
        account=account,
        capacity_id=capacity_id,
        sequence=sequence,
        measured_at_ns=at,
        cards=cards,
        gflops=1_000_000,
        memory_gb=80,
        signature=_key(site_id).sign(signed),
    )
    below = of.send(attested)
    return below or of.send(p.CertifyCapacity(capacity_id=capacity_id, cards=cards))


def revoke(of: Scenario, certificate_id: int) -> str | None:
    """Revoke a certificate."""
    return of.send(p.RevokeCertificate(certificate_id=certificate_id, reason="fire"))


def pledge(of: Scenario, told: list[Any]) -> str | None:
    """[owner, certificate, cards]."""
    return of.send(p.PledgeCertificate(account=of.account(told[0]), certificate_id=told[1], cards=told[2]))


def hand_on(of: Scenario, told: list[Any]) -> str | None:
    """[owner, certificate, receiver, cards]: transfer a certificate."""
    owner, certificate_id, receiver, cards = told
    return of.send(
        p.TransferCertificate(
            account=of.account(owner), certificate_id=certificate_id, to_member=receiver, cards=cards
        )
    )


def meter(of: Scenario, told: list[Any]) -> str | None:
    """[provider, delivery day, cards by reservation, hours]: the same cards in the first so many hours that
    are delivered, or in a list of hours of the day.
    """
    name, day, cards, hours = told
    of.now_ns = moment_ns(_after(day), time(0, 30))
    readings = tuple(
        m.Reading(int(reservation), hour_start_ns(hour), count)
        for reservation, count in cards.items()
        for hour in _hours_of(of, int(reservation), day, hours)
    )
    account, rows = of.account(name), of.core.state.reservations.rows
    certificate = int(rows[readings[0].reservation_id - 1]["certificate"])
    if not certificate:
        return of.send(m.MeterReadings(account=account, readings=readings))
    site = of.core.state.primary.sites[of.core.state.primary.certificates[certificate - 1].site_id - 1]
    plain = ((r.reservation_id, r.hour_start_ns, r.cards) for r in readings)
    signed = readings_bytes(site.site_id, site.sequence + 1, plain)
    return of.send(
        m.MeterReadings(
            account=account,
            readings=readings,
            site_id=site.site_id,
            sequence=site.sequence + 1,
            signature=_key(site.site_id).sign(signed),
        )
    )


def _hours_of(of: Scenario, reservation: int, day: date, hours: int | list[int]) -> list[int]:
    if isinstance(hours, list):
        return [hour_number(epoch_day(day), hour) for hour in hours]
    contract = of.core.state.contracts[int(of.core.state.reservations.rows[reservation - 1]["contract"])]
    return list(contract.delivery)[:hours]


def deliver_until(of: Scenario, trading_day: date) -> None:
    """Settle and open day after day up to a trading day; all that is due is delivered."""
    while (today := of.core.state.day.trading_day) is not None and today < trading_day:
        of.do("settle", True)
        following = of.core.state.next_day()
        assert following is not None
        while (due := _after(of.core.state.day.delivered_day)) < following:
            of.now_ns = moment_ns(_after(due), time(0, 30))
            rows = of.core.state.reservations.rows
            for at in (at for at in range(len(rows)) if not rows["finished"][at]):
                contract = of.core.state.contracts[int(rows["contract"][at])]
                if contract.period.first == due:
                    _deliver(of, at)
            of.must(m.FinishDelivery(day=due))
        of.do("open", True)


def _deliver(of: Scenario, at: int) -> None:
    """Meter everything that a reservation without a certificate delivers."""
    row = of.core.state.reservations.rows[at]
    contract = of.core.state.contracts[int(row["contract"])]
    cards = int(row["lots"]) * contract.cards_per_lot
    readings = tuple(m.Reading(at + 1, hour_start_ns(hour), cards) for hour in contract.delivery)
    of.must(m.MeterReadings(account=int(row["provider"]), readings=readings))


def _after(day: date | None) -> date:
    assert day is not None
    return date.fromordinal(day.toordinal() + 1)


def finish(of: Scenario, day: date) -> str | None:
    """Finish a delivery day at 01:00 of the day after."""
    of.now_ns = max(of.now_ns, moment_ns(_after(day), time(1, 0)))
    return of.send(m.FinishDelivery(day=day))


def nominate(of: Scenario, told: list[Any]) -> str | None:
    """[buyer, reservation, cards, use]: all day, for training unless said otherwise."""
    name, reservation_id, cards, *use = told
    return of.send(
        d.NominateWorkload(
            account=of.account(name),
            reservation_id=reservation_id,
            workload="job",
            use=use[0] if use else "training",
            cards=cards,
            first_hour=0,
            hours=24,
        )
    )


def offer(of: Scenario, told: list[Any]) -> str | None:
    """[seller, reservation, lots, price, member]: for resale, to any member if none is named."""
    name, reservation_id, lots, price, *member = told
    return of.send(
        d.OfferReservation(
            account=of.account(name),
            reservation_id=reservation_id,
            lots=lots,
            price_ticks=price,
            to_member=member[0] if member else None,
        )
    )


def take(of: Scenario, told: list[Any]) -> str | None:
    """[buyer, offer, lots]."""
    return of.send(d.TakeOffer(account=of.account(told[0]), offer_id=told[1], lots=told[2]))


def sell(of: Scenario, told: list[Any]) -> str | None:
    """[provider, "GRADE.HUB", kind of contract, price, profile if not base]: a standing sale; 0 ends it."""
    name, product, kind, price, *profile = told
    grade, hub = product.split(".")
    return of.send(
        p.SetStandingSale(
            account=of.account(name),
            grade=grade,
            hub=hub,
            kind=kind,
            price_ticks=price,
            profile=profile[0] if profile else "base",
        )
    )


ACTIONS = {
    "deliver_until": deliver_until,
    "sell": sell,
    "place": lambda of, _: of.send(p.PlaceStandingSales()),
    "nominate": nominate,
    "offer": offer,
    "take": take,
    "unoffer": lambda of, told: of.send(d.WithdrawOffer(account=of.account(told[0]), offer_id=told[1])),
    "ladder": lambda of, told: of.send(
        p.SetPrimaryRules(ladder=tuple(msgspec.convert(told, list[p.GradeMinimum])))
    ),
    "certify": certify,
    "revoke": revoke,
    "pledge": pledge,
    "hand_on": hand_on,
    "meter": meter,
    "finish": finish,
    "buy_in": lambda of, _: of.send(d.BuyInShortfalls()),
}


def _covered(of: Scenario, _: Any) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (account, contract), lots in of.core.state.primary.covered_lots().items():
        found.setdefault(of.core.state.contracts[contract].symbol, {})[of.name(account)] = lots
    return found


def _reservations(of: Scenario, _: Any) -> list[list[Any]]:
    """[buyer, provider, contract, lots] of those that aren't finished."""
    rows = of.core.state.reservations.rows
    return [
        [of.name(int(r["buyer"])), of.name(int(r["provider"])), of.symbol(int(r["contract"])), int(r["lots"])]
        for r in rows[rows["finished"] == 0]
    ]


def _bought_in(of: Scenario, _: Any) -> list[list[Any]]:
    """[provider, buyer, card-hours, contract bought, lots, cost]."""
    return [
        [
            of.name(b.provider),
            of.name(b.buyer),
            b.card_hours,
            of.symbol(b.replacement) if b.lots else "none" if b.done else "waiting",
            b.lots,
            b.cost_fen,
        ]
        for b in of.core.state.delivering.buy_ins
    ]


def _certificates(of: Scenario, _: Any) -> list[list[Any]]:
    """[owner, cards on the last day] of those that aren't revoked."""
    return [[of.name(c.account), c.cards[-1]] for c in of.core.state.primary.certificates if not c.revoked]


def _offered(of: Scenario, wanted: dict[str, Any]) -> dict[str, list[list[int]]]:
    """Price and lots of all open sell orders, by contract."""
    found: dict[str, list[list[int]]] = {symbol: [] for symbol in wanted}
    for account in of.core.state.members_by_account:
        for row in of.core.state.engine.open_orders(account):
            symbol = of.symbol(int(row["instrument"]))
            if symbol in found and int(row["side"]) == Side.SELL:
                found[symbol].append([int(row["price"]), int(row["remaining"])])
    return found


EXPECTATIONS = {
    "delivered": lambda of, _: int(np.maximum(of.core.state.reservations.rows["metered"], 0).sum()),
    "on_sale": _offered,
    "covered": _covered,
    "reservations": _reservations,
    "certificates": _certificates,
    "bought_in": _bought_in,
    "insurance": lambda of, _: of.core.state.delivering.fund_fen,
    "shortfall_claims": lambda of, _: [
        [of.name(c.debtor), of.name(c.creditor), c.open_fen]
        for c in of.core.state.delivering.claims
        if c.open_fen
    ],
    "collateral": lambda of, wanted: {
        name: of.core.state.primary.collateral_of(of.account(name)) for name in wanted
    },
}
