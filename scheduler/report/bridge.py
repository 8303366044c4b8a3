"""From all-east to the plan in steps that add up exactly, for the work that the plan serves.

The first step is what the work would cost at its own city's pool or the nearest eastern hub that latency and
residency allow, at list prices and as if there were room for everyone. Then each class's move at list prices;
what reservations and cheaper or dearer offers make of the list price; moving data and running work; and
electricity where it is paid on top of the rent.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from nodes.types import Region
from scheduler.anyplan import AnyProblem
from scheduler.eligibility import may_go
from scheduler.horizon.types import HorizonProblem, HorizonSite, HorizonWorkload
from scheduler.io.schedule import Schedule
from scheduler.report.wording import FEN_PER_CNY
from scheduler.sums import fen
from scheduler.types import Need, Site, Workload

CLASSES_SHOWN: Final = 6


class Step(NamedTuple):
    """One step of the bridge; ``kind`` is "total" for the two ends and "change" in between."""

    label: str
    kind: str
    fen: int


class Bridge(NamedTuple):
    """The steps; ``without_east`` workloads could not be east: both ends have them where they are."""

    steps: tuple[Step, ...]
    without_east: int

    def as_json(self) -> dict[str, Any]:
        """JSON values, money in CNY."""
        steps = [{"label": s.label, "kind": s.kind, "cny": s.fen / FEN_PER_CNY} for s in self.steps]
        return {"steps": steps, "without_east": self.without_east}


def bridge_of(problem: AnyProblem, schedule: Schedule) -> Bridge:
    """The bridge of a plan of either model."""
    prices = {(site.code, g.grade): g.list_price_micro_cny for site in problem.sites for g in site.grades}
    here: Counter[str] = Counter()
    for run in schedule.runs:
        hours = run.end_hour - run.first_hour
        here[run.workload] += sum(n * prices[run.site, grade] * hours for grade, n in run.milli_cards())
    east = _East(problem, prices)
    moved: Counter[str] = Counter()
    start = without = 0
    for w in problem.workloads:
        if w.id in here:
            cost = east.cost(w)
            without += cost is None
            start += here[w.id] if cost is None else cost
            moved[w.latency_class or "work"] += 0 if cost is None else here[w.id] - cost
    return Bridge(tuple(_steps(start, moved, schedule)), without)


def _steps(start_nano_cny: int, moved: Counter[str], schedule: Schedule) -> Iterator[Step]:
    """Steps with something in them; what rounding to fen leaves goes to the reservations and offers."""
    totals = schedule.totals
    level = fen(start_nano_cny)
    yield Step("all east, list prices", "total", level)
    for name, change in _largest(moved):
        level += fen(change)
        if fen(change):
            yield Step(name, "change", fen(change))
    besides = (
        ("moving data", totals.transfer_fen),
        ("moving running work", totals.migration_fen),
        ("electricity on top of the rent", totals.metered_fen),
    )
    supply = totals.total_fen - sum(change for _, change in besides) - level
    for name, change in (("reservations and offers against list prices", supply), *besides):
        if change:
            yield Step(name, "change", change)
    yield Step("the plan", "total", totals.total_fen)


def _largest(moved: Counter[str]) -> list[tuple[str, int]]:
    """The classes whose move changes most, the others added up."""
    ranked = sorted(moved.items(), key=lambda item: (-abs(item[1]), item[0]))
    shown = [(f"{name} moved", change) for name, change in ranked[:CLASSES_SHOWN]]
    rest = sum(change for _, change in ranked[CLASSES_SHOWN:])
    return [*shown, ("other classes moved", rest)] if rest else shown


class _East:
    """What each workload would cost if the west did not exist for it."""

    def __init__(self, problem: AnyProblem, prices: dict[tuple[str, str], int]) -> None:
        self.problem = problem
        self.prices = prices
        self.origins = {origin.city: origin for origin in problem.origins}
        self.row = {city: at for at, city in enumerate(problem.network.origins)}
        self.column = {code: at for at, code in enumerate(problem.network.sites)}
        self.known: dict[tuple[str, float, str], list[str]] = {}

    def cost(self, w: Workload | HorizonWorkload) -> int | None:
        """Nano-CNY at the first eastern site with every grade of one of its ways; None without one."""
        for site in self._sites(w):
            for needs, hours in self._ways(w):
                if all((site, grade) in self.prices for grade, _ in needs):
                    return sum(n * self.prices[site, grade] * hours for grade, n in needs)
        return None

    def _ways(self, w: Workload | HorizonWorkload) -> Iterator[tuple[list[Need], int]]:
        if isinstance(w, HorizonWorkload) and isinstance(self.problem, HorizonProblem):
            for way in w.alternatives:
                needs = [Need(grade, n * w.gang_size) for grade, n in way.needs]
                yield needs, way.slots * self.problem.horizon.slot_hours
        elif isinstance(w, Workload) and not isinstance(self.problem, HorizonProblem):
            for vector in w.alternatives:
                yield list(vector), self.problem.slot_hours

    def _sites(self, w: Workload | HorizonWorkload) -> list[str]:
        """Its own city's pool first, then eastern sites from the nearest."""
        alike = (w.origin, w.latency_ms_max, w.residency)
        if alike not in self.known:
            home = self.origins[w.origin].home_site
            ranked = [
                (site.code != home, self._rtt_ms(w, site.code), site.code)
                for site in self.problem.sites
                if self._allowed(w, site) and (site.region == Region.EAST or site.code == home)
            ]
            self.known[alike] = [code for *_, code in sorted(ranked)]
        return self.known[alike]

    def _allowed(self, w: Workload | HorizonWorkload, site: Site | HorizonSite) -> bool:
        near = self._rtt_ms(w, site.code) <= w.latency_ms_max
        return near and may_go(self.origins[w.origin], site, w.residency)

    def _rtt_ms(self, w: Workload | HorizonWorkload, site: str) -> float:
        return float(self.problem.network.rtt_ms[self.row[w.origin], self.column[site]])
