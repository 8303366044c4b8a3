"""Small problems, drawn or written by hand, and the slow obvious answer to compare with."""

import itertools
import random
from collections import defaultdict
from dataclasses import replace
from fractions import Fraction

import numpy as np

from nodes.types import HubKind, Region, Residency
from scheduler.types import (
    Need,
    Network,
    Offer,
    Origin,
    Problem,
    Reservation,
    Site,
    SiteGrade,
    Workload,
)

CNY = 1_000_000
"""Micro-CNY."""


def site(
    code, capacity, *, city="", province="", region=Region.WEST, kind=HubKind.CLUSTER, list_price=10 * CNY
):
    """A site with ``capacity`` {grade: milli-cards}, everything else plain."""
    grades = tuple(SiteGrade(g, milli, list_price, CNY // 2, 0.25) for g, milli in capacity.items())
    return Site(code, city or code, province or code, region, kind, grades)


def work(name, needs, *, origin="EAST", latency_ms=float("inf"), **others):
    """A workload with one demand vector ``needs`` {grade: milli-cards}."""
    vector = tuple(Need(grade, milli) for grade, milli in needs.items())
    return Workload(name, origin, latency_ms, (vector,), **others)


def two_sites():
    """Eastern pool: 4 A at 12 CNY, 5 ms away; western hub: 8 A at 8 CNY, 30 ms away; three workloads."""
    sites = (
        site(
            "POOL", {"A": 4000}, city="EAST", region=Region.EAST, kind=HubKind.EDGE_POOL, list_price=12 * CNY
        ),
        site("HUB", {"A": 8000}, list_price=8 * CNY),
    )
    offers = (Offer("p", "POOL", "A", 4000, 12 * CNY), Offer("h", "HUB", "A", 8000, 8 * CNY))
    workloads = (
        work("near", {"A": 2000}, latency_ms=10.0, latency_class="fast"),
        work("far", {"A": 3000}, latency_class="slow"),
        work("shared", {"A": 460}, latency_class="slow", hours=6),
    )
    network = Network(("EAST",), ("POOL", "HUB"), np.array([[5.0, 30.0]]))
    return Problem(workloads, (Origin("EAST", "EAST", "POOL"),), sites, network, (), offers)


def crowded(seed, unit=CNY):
    """Eight workloads of one grade, of different sizes and data, at two sites too small for them all.

    Prices are whole ``unit`` micro-CNY.
    """
    draw = np.random.default_rng(seed)
    sites = tuple(site(code, {"A": int(draw.integers(8, 13)) * 100}) for code in ("ONE", "TWO"))
    network = Network(("EAST",), ("ONE", "TWO"), np.array([[1.0, 2.0]]), np.array([[0, 9 * unit]]))
    offers = [
        Offer(f"{site.code}/{n}", site.code, "A", 400, int(draw.integers(5, 15)) * unit)
        for site, n in itertools.product(sites, range(2))
    ]
    jobs = [
        work(f"w{n}", {"A": int(draw.integers(1, 7)) * 50}, data_gb=int(draw.integers(0, 3)))
        for n in range(8)
    ]
    return Problem(tuple(jobs), (Origin("EAST", "EAST", ""),), sites, network, (), tuple(offers))


def tiny(seed):
    """A random problem of at most 4 workloads and 3 sites with every kind of constraint mixed in."""
    draw = random.Random(seed)
    grades = ["A", "B"][: draw.randint(1, 2)]
    sites = tuple(_random_site(draw, number, grades) for number in range(draw.randint(1, 3)))
    reservations, offers = _random_supply(draw, sites)
    origins = tuple(Origin(city, f"P{draw.randint(0, 1)}", draw.choice(sites).code) for city in ("C0", "C1"))
    rtt_ms = np.array([[float(draw.randint(1, 40)) for _ in sites] for _ in origins])
    transfer = (
        np.array([[draw.randint(0, 3) * CNY for _ in sites] for _ in origins])
        if draw.random() < 0.4
        else None
    )
    network = Network(("C0", "C1"), tuple(s.code for s in sites), rtt_ms, transfer)
    workloads = tuple(_random_work(draw, n, grades) for n in range(draw.randint(1, 4)))
    slot_hours, carbon = draw.choice([1, 24]), draw.choice([0, 0, 700_001])
    workloads = tuple(replace(w, hours=draw.randint(1, slot_hours)) for w in workloads)
    return Problem(workloads, origins, sites, network, reservations, offers, slot_hours, carbon)


def _random_site(draw, number, grades):
    held = tuple(
        SiteGrade(g, 20_000, draw.randint(5, 12) * CNY, draw.randint(0, 9) * 100_000, draw.randint(0, 9) / 10)
        for g in grades
        if draw.random() < 0.85
    )
    kind = draw.choice(list(HubKind))
    return Site(f"S{number}", f"C{number}", f"P{draw.randint(0, 1)}", draw.choice(list(Region)), kind, held)


def _random_supply(draw, sites):
    reservations, offers = [], []
    for s in sites:
        for g in s.grades:
            if draw.random() < 0.6:
                milli = draw.randint(0, 6) * 500
                reservations.append(
                    Reservation(f"r{len(reservations)}", s.code, g.grade, milli, *_paid_and_worth(draw))
                )
            for _ in range(draw.randint(0, 2)):
                milli, price = draw.randint(0, 6) * 500, draw.randint(1, 12) * CNY
                offers.append(Offer(f"o{len(offers)}", s.code, g.grade, milli, price))
    return tuple(reservations), tuple(offers)


def _paid_and_worth(draw):
    return draw.randint(1, 9) * CNY, draw.choice([0, 0, draw.randint(1, 12) * CNY])


def _random_work(draw, number, grades):
    def vector():
        chosen = draw.sample(grades, draw.randint(1, len(grades)))
        return tuple(Need(g, draw.choice([300, 500, 1000, 1500, 2000, 3000])) for g in chosen)

    return Workload(
        f"w{number}",
        draw.choice(["C0", "C1"]),
        draw.choice([float("inf"), float(draw.randint(1, 40))]),
        tuple(vector() for _ in range(draw.randint(1, 2))),
        draw.choice(list(Residency)) if draw.random() < 0.4 else Residency.ANY,
        draw.choice(["fast", "slow"]),
        draw.choice([0, 0, 1]),
        1,
        draw.choice([0, 2]),
    )


def brute_force(problem):
    """The least value (nano-CNY) of any placement: every workload at every site in every way, or left out."""
    choices = [[None, *ways(problem, w)] for w in problem.workloads]
    values = (value_of(problem, choice) for choice in itertools.product(*choices))
    return min(value for value in values if value is not None)


def ways(problem, w):
    """Every (site, demand vector) that latency and residency allow."""
    network, origin = problem.network, next(o for o in problem.origins if o.city == w.origin)
    row = network.origins.index(w.origin)
    for s in problem.sites:
        allowed = {
            "site": s.code == origin.home_site,
            "city": s.city == origin.city,
            "province": s.province == origin.province,
            "any": True,
        }
        if allowed[w.residency] and network.rtt_ms[row, network.sites.index(s.code)] <= w.latency_ms_max:
            yield from ((s, vector) for vector in w.alternatives)


def value_of(problem, choice):
    """Nano-CNY of one choice of a way (None: out) for each workload; None beyond the capacity."""
    used = defaultdict(int)
    value = 0
    for w, way in zip(problem.workloads, choice, strict=True):
        if way is None:
            value += _penalty(problem, w)
            continue
        s, vector = way
        value += _transfer(problem, w, s.code)
        for grade, milli in vector:
            used[s.code, grade] += milli
            value += _carbon(problem, s, grade) * milli * w.hours
    costs = [_cost(problem, resource, milli) for resource, milli in used.items()]
    return None if None in costs else value + sum(costs)


def _cost(problem, resource, milli):
    steps = [
        (r.worth_micro_cny, r.milli_cards) for r in problem.reservations if (r.site, r.grade) == resource
    ]
    steps += [(o.price_micro_cny, o.milli_cards) for o in problem.offers if (o.site, o.grade) == resource]
    cost = 0
    for price, size in sorted(steps):
        cost += price * min(size, milli) * problem.slot_hours
        milli -= min(size, milli)
    return None if milli else cost


def _transfer(problem, w, code):
    network = problem.network
    if network.transfer_micro_cny_per_gb is None:
        return 0
    price = network.transfer_micro_cny_per_gb[network.origins.index(w.origin), network.sites.index(code)]
    return int(price) * w.data_gb * 1000


def kgco2(problem, choice):
    """What a choice emits."""
    return sum(
        next(g.kgco2 for g in way[0].grades if g.grade == grade) * milli * w.hours / 1000
        for w, way in zip(problem.workloads, choice, strict=True)
        if way is not None
        for grade, milli in way[1]
    )


def _carbon(problem, s, grade):
    """Nano-CNY a milli-card-hour, half up."""
    kgco2 = next((Fraction(g.kgco2) for g in s.grades if g.grade == grade), 0)
    return int(kgco2 * problem.carbon_price_micro_cny_per_kg + Fraction(1, 2))


def _penalty(problem, w):
    prices = [(g.grade, g.list_price_micro_cny) for s in problem.sites for g in s.grades]
    dearest = {grade: max((p for g, p in prices if g == grade), default=0) for grade, _ in w.alternatives[0]}
    demand = sum(max(dearest[grade] * problem.slot_hours, 1) * milli for grade, milli in w.alternatives[0])
    transfer = max(_transfer(problem, w, s.code) for s in problem.sites)
    return 10 * (1 + w.priority) * (demand + transfer)


def known_grades_only(problem):
    """The same problem without workloads that ask for a grade no site has, which is a fault of the input."""
    grades = {g.grade for s in problem.sites for g in s.grades}
    sound = [w for w in problem.workloads if all(n.grade in grades for v in w.alternatives for n in v)]
    return replace(problem, workloads=tuple(sound))


def crowd(seed, workloads=300):
    """A few hundred workloads of few sizes on five sites with two grades and scarce capacity."""
    draw = random.Random(seed)
    sites = tuple(
        Site(
            f"S{n}",
            f"C{n}",
            f"P{n // 2}",
            Region.EAST if n < 2 else Region.WEST,
            HubKind.EDGE_POOL if n < 2 else HubKind.CLUSTER,
            tuple(SiteGrade(g, 10**6, (12 - n) * CNY, CNY - n * 100_000, 0.1 * n) for g in ("A", "B")),
        )
        for n in range(5)
    )
    offers = tuple(
        Offer(f"o{s.code}{g}{k}", s.code, g, draw.randint(20, 60) * 500, (11 - n + k) * CNY)
        for n, s in enumerate(sites)
        for g in ("A", "B")
        for k in range(2)
    )
    reserved = tuple(
        Reservation(f"r{s.code}", s.code, "A", draw.randint(1, 9) * 1000, 7 * CNY, draw.choice([0, 7 * CNY]))
        for s in sites
    )
    network = Network(
        ("C0", "C1"), tuple(s.code for s in sites), np.array([[2.0, 9, 20, 30, 40], [9.0, 2, 25, 20, 30]])
    )
    sizes = [300, 500, 1000, 2000, 8000]
    crowd_of = tuple(
        Workload(
            f"w{n}",
            draw.choice(["C0", "C1"]),
            draw.choice([10.0, 25.0, float("inf")]),
            ((Need("A", size := draw.choice(sizes)),), (Need("B", 2 * size),)),
            latency_class="some",
            priority=draw.choice([0, 0, 0, 2]),
        )
        for n in range(workloads)
    )
    origins = (Origin("C0", "P0", "S0"), Origin("C1", "P0", "S1"))
    return Problem(crowd_of, origins, sites, network, reserved, offers)
