"""Small problems over several slots, drawn with every kind of constraint mixed in, or written by hand."""

import random
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from nodes.types import HubKind, Region, Residency
from scheduler.horizon.types import (
    Alternative,
    CarbonRule,
    GangScope,
    GradeSlots,
    Horizon,
    HorizonProblem,
    HorizonSite,
    HorizonWorkload,
    Link,
    Maintenance,
    Part,
    RunMode,
    Running,
    SlotOffer,
    SlotReservation,
)
from scheduler.types import Need, Network, Origin

CNY = 1_000_000
"""Micro-CNY."""
START = datetime(2026, 12, 5, tzinfo=UTC)


def site(code, capacity, *, city="", province="", region=Region.WEST, list_price=10 * CNY, **others):
    """A site with ``capacity`` {grade: milli-cards, in every slot or one a slot}."""
    grades = tuple(GradeSlots(g, milli, list_price, 1000) for g, milli in capacity.items())
    kind = others.pop("kind", HubKind.CLUSTER)
    return HorizonSite(code, city or code, province or code, region, kind, grades, **others)


def work(name, needs, slots, window, *, origin="EAST", latency_ms=float("inf"), **others):
    """A workload with one demand vector ``needs`` {grade: milli-cards} for ``slots`` within ``window``."""
    vector = tuple(Need(grade, milli) for grade, milli in needs.items())
    return HorizonWorkload(name, origin, latency_ms, (Alternative(vector, slots),), *window, **others)


def two_sites(slots=4):
    """A dear pool 5 ms away (4 A at 12 CNY) and a hub 30 ms away (8 A at 8 CNY, at 6 CNY from slot 2 on)."""
    sites = (
        site("POOL", {"A": 4000}, city="EAST", region=Region.EAST, kind=HubKind.EDGE_POOL),
        site("HUB", {"A": 8000}),
    )
    offers = (
        SlotOffer("p", "POOL", "A", 0, slots, 4000, 12 * CNY),
        SlotOffer("h", "HUB", "A", 0, 2, 8000, 8 * CNY),
        SlotOffer("night", "HUB", "A", 2, slots, 8000, 6 * CNY),
    )
    workloads = (
        work("near", {"A": 2000}, 2, (0, 2), latency_ms=10.0, latency_class="fast"),
        work("far", {"A": 3000}, 2, (0, slots), latency_class="slow"),
        work("pausing", {"A": 1000}, 2, (0, slots), mode=RunMode.PREEMPTIBLE, latency_class="slow"),
    )
    network = Network(("EAST",), ("POOL", "HUB"), np.array([[5.0, 30.0]]))
    origins = (Origin("EAST", "EAST", "POOL"),)
    return HorizonProblem(Horizon(START, slots), workloads, origins, sites, network, (), offers)


def tiny(seed, workloads_max=3, slots_max=3):
    """A random problem with every kind of constraint mixed in, small enough to enumerate."""
    draw = random.Random(seed)
    slots = draw.randint(2, slots_max)
    grades = ["A", "B"][: draw.randint(1, 2)]
    sites = tuple(_site(draw, n, grades, slots) for n in range(draw.randint(1, 3)))
    held = sorted({g.grade for s in sites for g in s.grades})
    reservations, offers = _supply(draw, sites, slots)
    origins = tuple(Origin(city, f"P{draw.randint(0, 1)}", draw.choice(sites).code) for city in ("C0", "C1"))
    rtt_ms = np.array([[float(draw.randint(1, 40)) for _ in sites] for _ in origins])
    transfer = (
        np.array([[draw.randint(0, 2) * CNY for _ in sites] for _ in origins])
        if draw.random() < 0.3
        else None
    )
    network = Network(("C0", "C1"), tuple(s.code for s in sites), rtt_ms, transfer)
    workloads = tuple(_work(draw, n, held, slots) for n in range(draw.randint(1, workloads_max)))
    running = tuple(r for w in workloads if (r := _running(draw, w, sites)) is not None)
    return HorizonProblem(
        Horizon(START, slots, draw.choice([1, 4])),
        workloads,
        origins,
        sites,
        network,
        reservations,
        offers,
        tuple(_maintenance(draw, s, slots) for s in sites if draw.random() < 0.15),
        _links(draw, sites, slots),
        running,
        _carbon(draw),
        draw.choice([None, 0, 1]) if running else None,
    )


def _site(draw, number, grades, slots):
    held = [g for g in grades if draw.random() < 0.85] or grades[:1]
    site = HorizonSite(
        f"S{number}",
        f"C{draw.choice([number, number, 0, 2])}",
        f"P{draw.randint(0, 1)}",
        draw.choice(list(Region)),
        draw.choice(list(HubKind)),
        tuple(GradeSlots(g, 20_000, draw.randint(5, 12) * CNY, draw.choice([0, 700])) for g in held),
        tuple(draw.randint(0, 3) * 100_000 for _ in range(slots)),
        draw.choice([1000, 1250]),
        tuple(draw.randint(0, 800) for _ in range(slots)),
        draw.random() < 0.3,
    )
    # a worse PUE in some slots
    pue = tuple(site.pue_milli + 100 * (carbon % 2) for carbon in site.carbon_g_per_kwh)
    return replace(site, pue_milli=pue)


def _supply(draw, sites, slots):
    reservations, offers = [], []
    for s in sites:
        for g in s.grades:
            if draw.random() < 0.5:
                worth = draw.choice([0, 0, draw.randint(1, 12) * CNY])
                reservations.append(
                    SlotReservation(
                        f"r{len(reservations)}",
                        s.code,
                        g.grade,
                        *_range(draw, slots),
                        draw.randint(0, 6) * 500,
                        draw.randint(1, 9) * CNY,
                        worth,
                    )
                )
            for _ in range(draw.randint(0, 2)):
                milli, price = draw.randint(0, 6) * 500, draw.randint(1, 12) * CNY
                offers.append(
                    SlotOffer(f"o{len(offers)}", s.code, g.grade, *_range(draw, slots), milli, price)
                )
    return tuple(reservations), tuple(offers)


def _range(draw, slots):
    if draw.random() < 0.6:
        return 0, slots
    first = draw.randrange(slots)
    return first, draw.randint(first + 1, slots)


def _work(draw, number, grades, slots):
    def vector():
        chosen = draw.sample(grades, draw.randint(1, len(grades)))
        return tuple(Need(g, draw.choice([300, 500, 1000, 1500])) for g in chosen)

    earliest = draw.choice([0, 0, draw.randrange(slots)])
    end = draw.choice([slots, draw.randint(earliest + 1, slots)])
    first = draw.randint(1, end - earliest)
    others = [Alternative(vector(), draw.randint(1, 3)) for _ in range(draw.randint(0, 1))]
    gang = draw.choice([1, 1, 1, 2, 3])
    return HorizonWorkload(
        f"w{number}",
        draw.choice(["C0", "C1"]),
        draw.choice([float("inf"), float("inf"), float(draw.randint(1, 40))]),
        (Alternative(vector(), first), *others),
        earliest,
        end,
        draw.choice(list(RunMode)),
        draw.choice([None, draw.randint(0, end)]),
        draw.choice([0, draw.randint(1, 20) * CNY]),
        draw.choice([0, 0, 1]),
        draw.random() < 0.2,
        gang,
        draw.choice(list(GangScope)),
        draw.choice(["", "", "", "t"]),
        draw.choice(["", "", "", "a"]),
        draw.choice(list(Residency)) if draw.random() < 0.3 else Residency.ANY,
        draw.choice([0, 2, 3]),
        draw.choice([None, None, None, draw.randint(1, 80) * CNY]),
        draw.choice(["fast", "slow"]),
    )


def _running(draw, w, sites):
    if w.earliest or draw.random() < 0.6:
        return None
    parts = (Part(draw.choice(sites).code, w.gang_size),)
    return Running(w.id, draw.randrange(len(w.alternatives)), parts, draw.randint(0, 10) * CNY)


def _maintenance(draw, s, slots):
    span, grade = _range(draw, slots), draw.choice(["", s.grades[0].grade])
    return Maintenance(s.code, *span, grade, 500 if s.carbon_g_per_kwh[0] % 3 == 1 else None)


def _links(draw, sites, slots):
    return tuple(
        Link(city, s.code, tuple(draw.randint(0, 5) for _ in range(slots)), draw.randint(0, 3) * CNY)
        for city in ("C0", "C1")
        for s in sites
        if draw.random() < 0.3
    )


def _carbon(draw):
    price = draw.choice([0, 0, 500_000])
    return CarbonRule(price, draw.choice([None, None, None, draw.randint(0, 6000)]))
