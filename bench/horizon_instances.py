"""Instances over many slots for `bench.horizon`, drawn by seeded rules that its text documents."""

from datetime import UTC, datetime

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nodes.types import HubKind, Region
from scheduler.horizon.types import (
    Alternative,
    GradeSlots,
    Horizon,
    HorizonProblem,
    HorizonSite,
    HorizonWorkload,
    RunMode,
    SlotOffer,
    SlotReservation,
)
from scheduler.types import Need, Network, Origin

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

GRADES = ("A", "B", "C")
ORIGINS = 13
SITES = 20
SLOTS = 24
DURATION_MAX = 8
SLACK_MAX = 12
SIZES = (250, 500, 1000, 2000, 4000, 8000)


def jobs_problem(
    count: int, load: float, seed: int, mode: RunMode = RunMode.CONTIGUOUS, distinct: bool = True
) -> HorizonProblem:
    """``count`` jobs on 20 sites over 24 hours; ``load`` is the share of capacity that a levelled plan needs.

    Capacity is set so that a plan exists: jobs in order of arrival go where and when a site's peak stays
    lowest; a site gets that peak over ``load`` in every slot. Sizes are log-normal milli-cards (``distinct``)
    or one of six; durations 1–8 h; windows up to 12 h longer than that, beginning anywhere; a quarter each
    may travel 20, 40, 60 ms or any distance. Prices differ by site and rise by half in the day's peak; a
    fifth of each cell is reserved, the rest offered in three steps.
    """
    draw = np.random.default_rng(seed)
    cities = tuple(f"C{n}" for n in range(ORIGINS))
    rtt_ms = draw.uniform(3, 60, (ORIGINS, SITES))
    rtt_ms[np.arange(ORIGINS), np.arange(ORIGINS) % SITES] = 2.0
    milli = np.clip(np.exp(draw.normal(np.log(700), 1.1, count)), 10, 16_000).astype(np.int64)
    if not distinct:
        milli = np.array(SIZES)[draw.integers(len(SIZES), size=count)]
    grade, origin = draw.integers(len(GRADES), size=count), draw.integers(ORIGINS, size=count)
    bound = np.array([20.0, 40.0, 60.0, np.inf])[draw.integers(4, size=count)]
    duration = draw.integers(1, DURATION_MAX + 1, size=count)
    length = np.minimum(duration + draw.integers(0, SLACK_MAX + 1, size=count), SLOTS)
    earliest = (draw.random(count) * (SLOTS - length + 1)).astype(np.int64)
    workloads = tuple(
        HorizonWorkload(
            f"job{n}",
            cities[origin[n]],
            float(bound[n]),
            (Alternative((Need(GRADES[grade[n]], int(milli[n])),), int(duration[n])),),
            int(earliest[n]),
            int(earliest[n] + length[n]),
            mode,
            latency_class=f"{bound[n]:g} ms",
        )
        for n in range(count)
    )
    share = draw.dirichlet(np.full(SITES, 4.0), len(GRADES))
    near = rtt_ms[origin] <= bound[:, None]
    peak = _levelled(milli, grade, duration, earliest, earliest + length, near, share)
    sites, reservations, offers = _supply(draw, (peak / load).astype(np.int64))
    network = Network(cities, tuple(site.code for site in sites), rtt_ms)
    horizon = Horizon(datetime(2026, 12, 7, tzinfo=UTC), SLOTS)
    origins = tuple(Origin(city, city, "") for city in cities)
    return HorizonProblem(horizon, workloads, origins, sites, network, reservations, offers)


@njit(cache=True)
def _levelled(
    milli: Ints, grade: Ints, duration: Ints, earliest: Ints, end: Ints, near: Bools, share: Floats
) -> Ints:
    """(grades, sites) the peak over all slots when each job goes where its site's relative peak is lowest."""
    used = np.zeros((len(GRADES), SITES, SLOTS), dtype=np.int64)
    for j in range(len(milli)):
        g, best, best_s, best_t = grade[j], np.inf, -1, -1
        for s in range(SITES):
            for t in range(earliest[j], (end[j] - duration[j] + 1) if near[j, s] else 0):
                level = used[g, s, t : t + duration[j]].max() / share[g, s]
                if level < best:
                    best, best_s, best_t = level, s, t
        used[g, best_s, best_t : best_t + duration[j]] += milli[j]
    peak = np.zeros((len(GRADES), SITES), dtype=np.int64)
    for g in range(len(GRADES)):
        for s in range(SITES):
            peak[g, s] = used[g, s].max()
    return peak


def _supply(
    draw: np.random.Generator, capacity: Ints
) -> tuple[tuple[HorizonSite, ...], tuple[SlotReservation, ...], tuple[SlotOffer, ...]]:
    sites, reservations, offers = [], [], []
    for n in range(SITES):
        held = []
        for g, grade in enumerate(GRADES):
            milli, price = int(capacity[g, n]), int(draw.integers(800, 1200)) * 10_000
            held.append(GradeSlots(grade, milli, price, 700))
            reserved, step = milli // 5, (milli - milli // 5) // 3
            reservations.append(SlotReservation(f"r{n}{grade}", f"S{n}", grade, 0, SLOTS, reserved, price))
            for k in range(3):
                for begin, end, level in (
                    (0, 8, 100),
                    (8, 11, 150),
                    (11, 18, 120),
                    (18, 21, 150),
                    (21, 24, 100),
                ):
                    step_price = price * (95 + 5 * k) * level // 10_000
                    name = f"o{n}{grade}{k}/{begin}"
                    offers.append(SlotOffer(name, f"S{n}", grade, begin, end, step, step_price))
        sites.append(HorizonSite(f"S{n}", f"C{n}", f"P{n}", Region.WEST, HubKind.CLUSTER, tuple(held)))
    return tuple(sites), tuple(reservations), tuple(offers)
