"""From trace to demand: which grade a task needs, how quick its network must be, which city it comes from,
and so the hubs where it may run.

The rules are data (``sims/data/demand.toml``) and each is an assumption; draws are made by hash of the seed
and the task's number, so a task keeps its city and class on every machine and in every run.
"""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from typing import Any

from nodes.catalogue import Catalogue
from nodes.types import Hub, Residency, WorkloadClass
from sims.trace import Task


@dataclass(frozen=True, slots=True)
class Demand:
    """What one task asks of the exchange for one delivery day.

    ``grades`` lists what would do, the one it buys first; ``cards_milli`` is thousandths of a card;
    ``latency_class`` and ``origin`` (a city code, e.g. ``SHANGHAI``) are names of the catalogue.
    """

    number: int
    origin: str
    latency_class: str
    grades: tuple[str, ...]
    cards_milli: int

    @property
    def grade(self) -> str:
        """The grade that is bought for the task."""
        return self.grades[0]


@dataclass(frozen=True, slots=True)
class AnyGpuRule:
    """Grade of a task that accepts any GPU, if it fits: at least so many GPUs, so large a share, one of these
    QoS.
    """

    grade: str
    gpus_min: int = 0
    share_milli_min: int = 0
    qos: tuple[str, ...] = ()

    def fits(self, task: Task) -> bool:
        """Whether the rule speaks about this task."""
        return (
            task.gpus >= self.gpus_min
            and task.share_milli >= self.share_milli_min
            and (not self.qos or task.qos in self.qos)
        )


@dataclass(frozen=True, slots=True)
class LatencyRule:
    """Shares of the latency classes for tasks of these QoS; ``gpu`` None means with or without one."""

    qos: tuple[str, ...]
    shares: Mapping[str, int]
    gpu: bool | None = None

    def fits(self, task: Task) -> bool:
        """Whether the rule speaks about this task."""
        return task.qos in self.qos and self.gpu in (None, task.gpus > 0)


@dataclass(frozen=True, slots=True)
class DemandRules:
    """The whole rule set of ``demand.toml``."""

    seed: str
    grade_of_gpu: Mapping[str, str]
    any_gpu: tuple[AnyGpuRule, ...]
    cpu_grade: str
    cores_per_card_milli: int
    latency: tuple[LatencyRule, ...]
    origin_shares: Mapping[str, int]


@cache
def load_rules() -> DemandRules:
    """The rules shipped with the package."""
    return parse_rules(tomllib.loads(files("sims").joinpath("data/demand.toml").read_text("utf-8")))


def parse_rules(table: Mapping[str, Any]) -> DemandRules:
    """Rules from the parsed TOML. Raises ``KeyError`` or ``TypeError`` naming the key that is missing or
    unknown.
    """
    return DemandRules(
        seed=table["seed"],
        grade_of_gpu=table["grade_of_gpu"],
        any_gpu=tuple(_any_gpu_rule(row) for row in table["any_gpu"]),
        cpu_grade=table["cpu"]["grade"],
        cores_per_card_milli=table["cpu"]["cores_per_card_milli"],
        latency=tuple(LatencyRule(**{**row, "qos": tuple(row["qos"])}) for row in table["latency_class"]),
        origin_shares=table["origin_shares"],
    )


def _any_gpu_rule(row: Mapping[str, Any]) -> AnyGpuRule:
    known = {key: value for key, value in row.items() if key != "why"}
    return AnyGpuRule(**{**known, "qos": tuple(row.get("qos", ()))})


def demand_of(tasks: Iterable[Task], cities: Sequence[str], rules: DemandRules) -> list[Demand]:
    """The demand of every task, in the order given.

    ``cities`` are the origins that exist; one that the rules do not name has one share. Raises ``ValueError``
    when the rules name a city that does not exist or leave a task without a rule.
    """
    unknown = sorted(set(rules.origin_shares) - set(cities))
    if unknown:
        raise ValueError(f"demand rules: no such city: {', '.join(unknown)}; cities are {', '.join(cities)}")
    origin_shares = {city: rules.origin_shares.get(city, 1) for city in cities}
    return [_demand(task, origin_shares, rules) for task in tasks]


def _demand(task: Task, origin_shares: Mapping[str, int], rules: DemandRules) -> Demand:
    return Demand(
        number=task.number,
        origin=draw(origin_shares, rules.seed, "origin", task.number),
        latency_class=draw(_latency_rule(task, rules).shares, rules.seed, "class", task.number),
        grades=grades_of(task, rules),
        cards_milli=cards_milli_of(task, rules),
    )


def grades_of(task: Task, rules: DemandRules) -> tuple[str, ...]:
    """The grades that would do, in the order in which the task's own GPU types name them, without repeats."""
    if not task.gpus:
        return (rules.cpu_grade,)
    if task.gpu_types:
        return tuple(
            dict.fromkeys(rules.grade_of_gpu[kind] for kind in _humblest_first(task.gpu_types, rules))
        )
    return (next(rule.grade for rule in rules.any_gpu if rule.fits(task)),)


def _humblest_first(kinds: Sequence[str], rules: DemandRules) -> list[str]:
    """Types in the order of the rule table: the humblest grade first, since that one is bought first."""
    order = list(rules.grade_of_gpu)
    return sorted(kinds, key=order.index)


def cards_milli_of(task: Task, rules: DemandRules) -> int:
    """Thousandths of a card; a task without a GPU is counted in units of 64 cores, rounded up to a
    thousandth.
    """
    if task.gpus:
        return task.cards_milli
    return -(-task.cpu_milli * 1000 // rules.cores_per_card_milli)


def _latency_rule(task: Task, rules: DemandRules) -> LatencyRule:
    for rule in rules.latency:
        if rule.fits(task):
            return rule
    raise ValueError(f"demand rules: no latency class for task {task.number} ({task.qos}, {task.gpus} GPUs)")


def draw(shares: Mapping[str, int], *key: object) -> str:
    """One of the names of ``shares``, drawn in proportion, always the same for the same key.

    The draw is a hash, so that it does not depend on the order in which draws are made or on a library's
    generator.
    """
    digest = blake2b("|".join(str(part) for part in key).encode(), digest_size=8).digest()
    point = int.from_bytes(digest, "big") % sum(shares.values())
    for name, share in shares.items():
        point -= share
        if point < 0:
            return name
    raise ValueError("shares must be positive")


def cards_needed(demands: Iterable[Demand]) -> Counter[tuple[str, str, str]]:
    """Thousandths of a card by (origin, latency class, grade bought)."""
    needed: Counter[tuple[str, str, str]] = Counter()
    for demand in demands:
        needed[demand.origin, demand.latency_class, demand.grade] += demand.cards_milli
    return needed


def hubs_for(catalogue: Catalogue, city: str, workload: WorkloadClass) -> tuple[str, ...]:
    """Hubs where a class of work from a city may run: within its round trip, and where its data may go.

    Sorted by code, so that the sets of two classes compare equal when they are.
    """
    home = catalogue.edge_pool_of(city)
    near = [hub for hub, _ in catalogue.hubs_within(city, workload.rtt_budget_ms)]
    allowed = [hub.code for hub in near if _may_hold(hub, home, workload.residency)]
    return tuple(sorted(allowed))


def _may_hold(hub: Hub, home: Hub, residency: Residency) -> bool:
    if residency is Residency.SITE:
        return hub.code == home.code
    if residency is Residency.CITY:
        return hub.city == home.city
    if residency is Residency.PROVINCE:
        return hub.province == home.province
    return True
