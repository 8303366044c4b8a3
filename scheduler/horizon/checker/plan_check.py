"""Placements and whole plans against the rules; every violation as a sentence."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from scheduler.horizon.checker.bound import certified_bound
from scheduler.horizon.checker.facts import Facts, used_by
from scheduler.horizon.checker.preemption import kept_out
from scheduler.horizon.checker.reason_check import Reasons
from scheduler.horizon.plan import HorizonPlacement, HorizonPlan, HorizonTotals, MoveReason
from scheduler.horizon.types import GangScope, HorizonProblem, HorizonWorkload, RunMode
from scheduler.plan import PlanStatus

UG_PER_G = 1_000_000


def check_plan(problem: HorizonProblem, plan: HorizonPlan) -> tuple[str, ...]:
    """Every rule a plan breaks and every figure in it that is not what the rules make it; empty if right."""
    return tuple(_PlanCheck(problem, plan).violations())


def check_placements(
    problem: HorizonProblem, placements: Sequence[HorizonPlacement], capacity: bool = True
) -> tuple[str, ...]:
    """Every rule that placements alone break; without ``capacity`` cards may exceed what there is."""
    check = _Check(problem, placements)
    rows = [*check.names(), *check.rules()]
    return tuple([*rows, *check.capacity()] if capacity else rows)


def value_of(problem: HorizonProblem, placements: Sequence[HorizonPlacement]) -> int:
    """What sound placements come to, with the penalties of everyone else, in nano-CNY."""
    return _Check(problem, placements).value()


class _Check:
    """Placements against one problem: names, rules, capacity, figures."""

    def __init__(self, problem: HorizonProblem, placements: Sequence[HorizonPlacement]) -> None:
        self.facts = Facts(problem)
        self.problem = problem
        self.stated = placements
        self.placements = [placement for placement in placements if self._known(placement)]
        self.used = used_by(self.facts, self.placements)

    def _known(self, placement: HorizonPlacement) -> bool:
        w = self.facts.workloads.get(placement.workload)
        if w is None or not 0 <= placement.alternative < len(w.alternatives) or not placement.parts:
            return False
        grades = [need.grade for need in w.alternatives[placement.alternative].needs]
        held = all((p.site, g, 0) in self.facts.steps for p in placement.parts for g in grades)
        inside = all(0 <= slot < self.facts.slots for slot in placement.slots)
        return held and inside and len(placement.slots) > 0

    def names(self, others: Iterable[str] = ()) -> Iterator[str]:
        """Each workload at most once, and nothing unknown."""
        named = Counter(p.workload for p in self.stated)
        named.update(others)
        for name, times in named.items():
            if name not in self.facts.workloads:
                yield f"{name} is no workload of the problem"
            elif times > 1:
                yield f"{name} is placed or left out {times} times"
        for placement in self.stated:
            if not self._known(placement):
                yield f"{placement.workload}: {placement} names what the problem does not have"

    def rules(self) -> Iterator[str]:
        """What each placement must obey, and what several must together, but for capacity."""
        for placement in self.placements:
            w = self.facts.workloads[placement.workload]
            yield from self._time(w, placement)
            yield from self._where(w, placement)
            if not self.facts.within_budget(
                w, placement.alternative, placement.parts, self.facts.stays(placement)
            ):
                yield f"{w.id}: costs more than its budget of {w.budget_micro_cny} micro-CNY"
        yield from self._together()
        yield from self._apart()
        yield from self._lines()
        yield from self._moves()

    @staticmethod
    def _time(w: HorizonWorkload, placement: HorizonPlacement) -> Iterator[str]:
        slots = placement.slots
        if any(b <= a for a, b in pairwise(slots)):
            yield f"{w.id}: its slots {slots} do not ascend"
        if len(slots) != w.alternatives[placement.alternative].slots:
            yield f"{w.id}: {len(slots)} slots are not what its alternative {placement.alternative} takes"
        if min(slots) < w.earliest or max(slots) >= w.latest_end:
            yield f"{w.id}: slots {slots} are outside its window {w.earliest} … {w.latest_end}"
        if w.mode is RunMode.CONTIGUOUS and max(slots) - min(slots) + 1 != len(slots):
            yield f"{w.id}: it may not pause, but its slots are {slots}"

    def _where(self, w: HorizonWorkload, placement: HorizonPlacement) -> Iterator[str]:
        codes = [part.site for part in placement.parts]
        if len(set(codes)) != len(codes) or any(part.members < 1 for part in placement.parts):
            yield f"{w.id}: {placement.parts} are no parts"
        if sum(part.members for part in placement.parts) != w.gang_size:
            yield f"{w.id}: {placement.parts} are not its {w.gang_size} members"
        if len(codes) > 1 and w.gang_scope is GangScope.SITE:
            yield f"{w.id}: its members must be at one site, not {codes}"
        if len({self.facts.sites[code].city for code in codes}) > 1:
            yield f"{w.id}: its members are in several cities"
        for code in codes:
            if not self.facts.near(w, code):
                yield f"{w.id}: {code} is {self.facts.rtt_ms(w, code)} ms away, beyond {w.latency_ms_max} ms"
            if not self.facts.may_go(w, self.facts.sites[code]):
                yield f"{w.id}: its data may not leave its {w.residency}, but it is at {code}"

    def _together(self) -> Iterator[str]:
        sites: dict[str, set[str]] = defaultdict(set)
        for placement in self.placements:
            if label := self.facts.workloads[placement.workload].together:
                sites[label].update(part.site for part in placement.parts)
        for label, codes in sites.items():
            if len(codes) > 1:
                yield f"those together as {label} are at {sorted(codes)}"

    def _apart(self) -> Iterator[str]:
        here: Counter[tuple[str, str, int]] = Counter()
        for placement in self.placements:
            if label := self.facts.workloads[placement.workload].apart:
                for part in placement.parts:
                    here.update((label, part.site, slot) for slot in placement.slots)
        for (label, code, slot), times in here.items():
            if times > 1:
                yield f"{times} of those apart as {label} are at {code} in slot {slot}"

    def _lines(self) -> Iterator[str]:
        sent: Counter[tuple[str, str, int]] = Counter()
        for placement in self.placements:
            w = self.facts.workloads[placement.workload]
            if not self.facts.stays(placement):
                for part in placement.parts:
                    sent[w.origin, part.site, placement.slots[0]] += w.data_gb
        for (origin, code, slot), gb in sent.items():
            link = self.facts.links.get((origin, code))
            if link is not None:
                room = link.gb_per_slot[slot] if isinstance(link.gb_per_slot, tuple) else link.gb_per_slot
                if gb > room:
                    yield f"{origin}→{code} carries {gb} GB in slot {slot}, more than {room}"

    def moved(self) -> list[str]:
        """Running workloads that do not go on as they were."""
        running = self.facts.running
        return [p.workload for p in self.placements if p.workload in running and not self.facts.stays(p)]

    def _moves(self) -> Iterator[str]:
        most = self.problem.moves_max
        free = [name for name in self.moved() if self.facts.could_stay(self.facts.running[name])]
        if most is not None and len(free) > most:
            yield f"{len(free)} running workloads are moved that could have stayed, more than {most}"

    def capacity(self) -> Iterator[str]:
        """Cards in each slot, and the carbon cap."""
        for place, used in self.used.items():
            if used > self.facts.usable[place]:
                yield f"{place}: {used} milli-cards used, {self.facts.usable[place]} there"
        cap = self.problem.carbon.cap_g
        if cap is not None and self.figures()["carbon_ug"] > cap * UG_PER_G:
            yield f"{self.figures()['carbon_ug']} µg of carbon, more than {cap} g"

    def figures(self) -> dict[str, int]:
        """Every total from the rules."""
        facts, hours = self.facts, self.facts.hours
        sums: dict[str, int] = dict.fromkeys(HorizonTotals.__slots__, 0)
        for placement in self.placements:
            w = facts.workloads[placement.workload]
            sums["placed"] += 1
            if not facts.stays(placement):
                sums["transfer_nano_cny"] += sum(facts.transfer(w, part.site) for part in placement.parts)
                if w.id in facts.running:
                    sums["moved"] += 1
                    sums["migration_nano_cny"] += facts.running[w.id].migration_micro_cny * 1000
            if w.due is not None:
                late = max(0, max(placement.slots) + 1 - w.due)
                sums["lateness_nano_cny"] += late * w.lateness_micro_cny * 1000
        for place, used in self.used.items():
            figures = facts.figures[place]
            sums["milli_card_hours"] += used * hours
            sums["power_nano_cny"] += used * hours * figures.power_micro_cny
            sums["metered_power_nano_cny"] += used * hours * figures.metered_micro_cny
            sums["carbon_ug"] += used * hours * figures.carbon_mg
            sums["carbon_price_nano_cny"] += used * hours * figures.carbon_micro_cny
            left = used
            for step in facts.steps[place]:
                milli = min(left, step.milli_cards)
                left -= milli
                kind = "purchase_nano_cny" if step.offered else "forgone_nano_cny"
                sums[kind] += milli * hours * step.price_micro_cny
                sums["reserved_value_nano_cny"] += milli * hours * step.paid_micro_cny
        return sums

    def value(self) -> int:
        """What the placements come to, penalties included."""
        sums = self.figures()
        parts = ("purchase", "transfer", "migration", "lateness", "metered_power", "carbon_price", "forgone")
        money = sum(sums[f"{name}_nano_cny"] for name in parts)
        placed = {p.workload for p in self.placements}
        return money + sum(self.facts.penalty(w) for w in self.problem.workloads if w.id not in placed)


class _PlanCheck(_Check):
    """A whole plan: its figures, reasons and proof as well."""

    def __init__(self, problem: HorizonProblem, plan: HorizonPlan) -> None:
        super().__init__(problem, plan.placements)
        self.plan = plan

    def violations(self) -> Iterator[str]:
        yield from self.names(u.workload for u in self.plan.unplaced)
        named = {p.workload for p in self.stated} | {u.workload for u in self.plan.unplaced}
        yield from (f"{name} is neither placed nor left out" for name in self.facts.workloads.keys() - named)
        yield from self.rules()
        yield from self.capacity()
        yield from self._purchases()
        for name, right in self.figures().items():
            if getattr(self.plan.totals, name) != right:
                yield f"totals.{name} is {getattr(self.plan.totals, name)}, recomputed {right}"
        if sorted(self.plan.moved) != sorted(self.moved()):
            yield f"the plan says {self.plan.moved} are moved, but {self.moved()} are"
        else:
            yield from self._moves_told()
        yield from self._reasons()
        yield from kept_out(self.facts, self.placements, [u.workload for u in self.plan.unplaced])
        yield from self._proof()

    def _moves_told(self) -> Iterator[str]:
        """From where to where each move goes, whether it could have stayed, and what moving costs."""
        placed = {p.workload: p for p in self.placements}
        for move in self.plan.moves:
            item, after = self.facts.running[move.workload], placed[move.workload].parts
            w = self.facts.workloads[move.workload]
            transfer = sum(self.facts.transfer(w, part.site) for part in after)
            costs = (item.migration_micro_cny * 1000, transfer)
            if (move.before, move.after) != (item.parts, after):
                yield f"{w.id} moves from {item.parts} to {after}, not as {move} says"
            if (move.migration_nano_cny, move.transfer_nano_cny) != costs:
                yield f"{w.id}: its move costs {costs}, not as {move} says"
            if (move.reason is MoveReason.BARRED) == self.facts.could_stay(item):
                yield f"{w.id} moves for another reason than {move.reason}"

    def _purchases(self) -> Iterator[str]:
        expected: dict[tuple[str, int], tuple[int, int, str, str]] = {}
        for (code, grade, slot), used in self.used.items():
            left = used
            for step in self.facts.steps[code, grade, slot]:
                milli = min(left, step.milli_cards)
                left -= milli
                if step.offered and milli:
                    expected[step.name, slot] = (milli, step.price_micro_cny, code, grade)
        for item in self.plan.purchases:
            right = expected.pop((item.offer, item.slot), None)
            if right != (item.milli_cards, item.price_micro_cny, item.site, item.grade):
                yield f"{item} should be {right}"
            elif item.cost_nano_cny != item.milli_cards * item.price_micro_cny * self.facts.hours:
                yield f"{item} states a wrong cost"
        yield from (f"{key} is needed but not bought" for key in expected)

    def _reasons(self) -> Iterator[str]:
        reasons = Reasons(self.facts)
        for item in self.plan.unplaced:
            w = self.facts.workloads.get(item.workload)
            if w is not None and item.reason != (right := reasons.of(w)):
                yield f"{w.id} is left out for {item.reason}, but the reason is {right}"

    def _certificate(self) -> Iterator[str]:
        stated = self.plan.certificate.bound_nano_cny
        try:
            proved = max(certified_bound(self.problem, self.plan.certificate), 0)
        except ValueError as error:
            yield f"the certificate proves nothing: {error}"
            return
        if stated > proved:
            yield f"the certificate proves {proved}, not {stated}"

    def _proof(self) -> Iterator[str]:
        plan, worth = self.plan, self.value()
        if plan.value_nano_cny != worth:
            yield f"the plan states a value of {plan.value_nano_cny}, recomputed {worth}"
        yield from self._certificate()
        if not plan.certificate.bound_nano_cny <= plan.lower_bound_nano_cny <= worth:
            yield f"the lower bound {plan.lower_bound_nano_cny} contradicts certificate or value"
        if not 0 <= plan.rule_nano_cny <= worth - plan.certificate.bound_nano_cny:
            yield f"the rule of pre-emption cannot cost {plan.rule_nano_cny}: the certificate contradicts it"
        if plan.bound_from == "certificate" and plan.lower_bound_nano_cny != plan.certificate.bound_nano_cny:
            yield "the bound is not the certificate's"
        if (plan.status is PlanStatus.OPTIMAL) != (plan.gap_nano_cny == 0):
            yield f"status {plan.status} with a gap of {plan.gap_nano_cny}"
