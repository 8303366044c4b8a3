"""The scheduler's benchmark problems: two production traces on the catalogue's 23 hubs.

``openb``: the 8,152 tasks of the GPU trace, with the demonstration's rules for grade, origin and latency
class (``sims/data/demand.toml``).

``pai``: the 99,998 jobs of the AI platform's trace; ``copies`` repeats them, every copy drawn anew. The trace
gives CPUs and length. The rest is drawn from the seed, and each rule is an assumption:

- a card serves 8 CPUs (64 of the CPU grade): 1 CPU = 125 milli-cards, fractions as they come;
- grade by `GRADE_SHARES`; half the T4 work accepts L20 and half the A100 work H100, at twice the speed;
- origin: the thirteen edge cities, the four largest double; latency class by `CLASS_SHARES`, which gives the
  bound on the round trip and the residency;
- data to move: lognormal (σ 1.5), median 20 GB where the class can be moved in time, else 1 GB; a GB costs
  2,000 micro-CNY a millisecond of round trip (a stand-in for distance);
- running hours: the job's length rounded up, 24 at most.

Supply, in both: capacity of each grade is the demand divided by the load, over the hubs in the proportion of
the catalogue's default capacities; a fifth is reserved (sunk, worth nothing elsewhere), the rest on offer in
three equal steps at 95, 100 and 105 % of the reference price. A whole day is one slot.
"""

import csv
import gzip
import io
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nodes.catalogue import Catalogue, load_catalogue
from scheduler.types import (
    Network,
    Offer,
    Origin,
    Problem,
    Reservation,
    Site,
    SiteGrade,
    Workload,
    alternatives_of,
    micro_cny,
    micro_cny_from_ticks,
)
from scheduler.workload_table import RESIDENCIES, Shape, WorkloadTable
from sims.demand import demand_of, load_rules
from sims.trace import load_tasks

Ints = NDArray[np.int64]

PAI = Path(__file__).parent / "data" / "pai_100k.csv.gz"
RESERVED_PARTS = 5
STEPS = (95, 100, 105)
MILLI_PER_CPU = 125
MICRO_PER_GB_AND_MS = 2_000
GRADE_SHARES = {"CPU64": 30, "T4": 20, "L20": 20, "A910B": 15, "A100": 10, "H100": 5}
SWAPS = {"T4": "L20", "A100": "H100"}
CLASS_SHARES = {
    "ai_infer_int": 25,
    "web_api": 10,
    "cloud_game": 5,
    "vr_strong": 3,
    "video_sec": 5,
    "finance_std": 2,
    "ai_infer_batch": 22,
    "ai_train": 15,
    "render": 5,
    "bigdata": 8,
}
LARGE_CITIES = frozenset({"BEIJING", "SHANGHAI", "GUANGZHOU", "SHENZHEN"})


def openb_problem(load: float, seed: int) -> Problem:
    """The GPU trace; the seed draws origins and classes."""
    catalogue = load_catalogue()
    rules = load_rules()
    demands = demand_of(load_tasks(), catalogue.edge_cities, replace(rules, seed=f"{rules.seed}/{seed}"))
    workloads = []
    for demand in demands:
        kind = catalogue.workload_class(demand.latency_class)
        instead = {demand.grade: dict.fromkeys(demand.grades[1:], 1)}
        workloads.append(
            Workload(
                f"task-{demand.number}",
                demand.origin,
                kind.rtt_budget_ms,
                alternatives_of({demand.grade: demand.cards_milli / 1000}, instead),
                kind.residency,
                demand.latency_class,
            )
        )
    return _problem(catalogue, WorkloadTable.of(workloads), load)


def pai_problem(load: float, seed: int, copies: int = 1, jobs: int | None = None) -> Problem:
    """The AI platform's trace, its first ``jobs`` (all), ``copies`` times."""
    catalogue = load_catalogue()
    trace = np.tile(pai_trace()[:jobs], (copies, 1))
    return _problem(catalogue, _pai_workloads(catalogue, trace, np.random.default_rng(seed)), load)


@cache
def pai_trace() -> Ints:
    """(99,998, 3): arrival in seconds, length in seconds, CPUs."""
    text = io.StringIO(gzip.decompress(PAI.read_bytes()).decode())
    return np.array([[int(field) for field in row] for row in list(csv.reader(text))[1:]], dtype=np.int64)


def _pai_workloads(catalogue: Catalogue, trace: Ints, draw: np.random.Generator) -> WorkloadTable:
    count = len(trace)
    cities = catalogue.edge_cities
    kinds = [catalogue.workload_class(code) for code in CLASS_SHARES]
    grade = _drawn(draw, list(GRADE_SHARES.values()), count)
    kind = _drawn(draw, list(CLASS_SHARES.values()), count)
    movable = np.array([k.shiftable_hours > 0 for k in kinds])[kind]
    data_gb = np.exp(draw.normal(np.log(np.where(movable, 20.0, 1.0)), 1.5)).astype(np.int64)
    shapes, shape = _shapes(grade, draw.random(count) < 0.5)
    need_start, need_milli = _needs(shapes, shape, trace[:, 2])
    return WorkloadTable(
        ids=[f"job-{n}" for n in range(count)],
        cities=cities,
        origin=_drawn(draw, [2 if city in LARGE_CITIES else 1 for city in cities], count),
        latency_ms_max=np.array([k.rtt_budget_ms for k in kinds], dtype=np.float64)[kind],
        shapes=shapes,
        shape=shape,
        need_start=need_start,
        need_milli=need_milli,
        residency=np.array([RESIDENCIES.index(k.residency) for k in kinds])[kind],
        latency_classes=tuple(CLASS_SHARES),
        latency_class=kind,
        priority=np.zeros(count, dtype=np.int64),
        hours=np.clip(-(-trace[:, 1] // 3600), 1, 24),
        data_gb=data_gb,
    )


def _drawn(draw: np.random.Generator, weights: Sequence[int], count: int) -> Ints:
    share = np.array(weights, dtype=np.float64)
    return draw.choice(len(share), count, p=share / share.sum())


def _shapes(grade: Ints, flexible: NDArray[np.bool_]) -> tuple[tuple[Shape, ...], Ints]:
    names = list(GRADE_SHARES)
    shapes: list[Shape] = [((name,),) for name in names]
    shape = grade.copy()
    for name, other in SWAPS.items():
        shape[flexible & (grade == names.index(name))] = len(shapes)
        shapes.append(((name,), (other,)))
    return tuple(shapes), shape


def _needs(shapes: tuple[Shape, ...], shape: Ints, cpus: Ints) -> tuple[Ints, Ints]:
    """Milli-cards of each alternative: a card is 8 CPUs, or 64 of the CPU grade; a swap needs half."""
    cpu_grade = np.array([alternatives[0][0] == "CPU64" for alternatives in shapes])[shape]
    milli = np.where(cpu_grade, -(-cpus * 1000 // 64), cpus * MILLI_PER_CPU)
    start = np.concatenate([[0], np.cumsum(np.array([len(s) for s in shapes])[shape])]).astype(np.int64)
    needs = np.zeros(int(start[-1]), dtype=np.int64)
    needs[start[:-1]] = milli
    both = np.diff(start) == 2
    needs[start[:-1][both] + 1] = -(-milli[both] // 2)
    return start, needs


def _problem(catalogue: Catalogue, table: WorkloadTable, load: float) -> Problem:
    wanted: dict[str, int] = {}
    for number, shape in enumerate(table.shapes):
        first = table.need_start[:-1][table.shape == number]
        wanted[shape[0][0]] = wanted.get(shape[0][0], 0) + int(table.need_milli[first].sum())
    sites, reservations, offers = [], [], []
    for hub in catalogue.hubs.values():
        held = []
        for grade, milli in wanted.items():
            share = catalogue.default_capacity_cards(hub.code, grade) / sum(
                catalogue.default_capacity_cards(code, grade) for code in catalogue.hubs
            )
            capacity = int(milli / load * share)
            price = micro_cny_from_ticks(
                catalogue.reference_price_ticks(grade, hub.code), catalogue.grade(grade).cards_per_lot
            )
            power = micro_cny(catalogue.mean_power_cny_per_card_hour(hub.code, grade))
            kgco2 = catalogue.kgco2_per_card_hour(hub.code, grade)
            held.append(SiteGrade(grade, capacity, price, power, kgco2))
            name, reserved = f"{hub.code}/{grade}", capacity // RESERVED_PARTS
            reservations.append(Reservation(f"r/{name}", hub.code, grade, reserved, price))
            step = (capacity - reserved) // len(STEPS)
            offers += [
                Offer(f"o/{name}/{k}", hub.code, grade, step, price * percent // 100)
                for k, percent in enumerate(STEPS)
            ]
        sites.append(Site(hub.code, hub.city, hub.province, hub.region, hub.kind, tuple(held)))
    homes = [catalogue.edge_pool_of(city) for city in catalogue.edge_cities]
    origins = tuple(Origin(hub.city, hub.province, hub.code) for hub in homes)
    network = Network.from_function(
        [origin.city for origin in origins], [site.code for site in sites], catalogue.round_trip_ms
    )
    moving = np.rint(network.rtt_ms * MICRO_PER_GB_AND_MS).astype(np.int64)
    return Problem(
        workloads=table,
        origins=origins,
        sites=tuple(sites),
        network=Network(network.origins, network.sites, network.rtt_ms, moving),
        reservations=tuple(reservations),
        offers=tuple(offers),
    )
