"""The slow obvious answer: every way of every workload with every other, judged by the rules."""

import itertools
from collections import Counter, defaultdict

from scheduler.horizon.checker import check_placements
from scheduler.horizon.checker.facts import Facts
from scheduler.horizon.checker.preemption import kept_out
from scheduler.horizon.plan import HorizonPlacement
from scheduler.horizon.types import Part


def least_value(problem):
    """The least value (nano-CNY) of any plan."""
    search = _Search(problem)
    return search.least(0, [], defaultdict(int))


def ways(problem, w):
    """Every placement of a workload that is allowed if it is alone."""
    for alternative, (_, duration) in enumerate(w.alternatives):
        for slots in itertools.combinations(range(problem.horizon.slots), duration):
            for parts in _splits([s.code for s in problem.sites], w.gang_size):
                placement = HorizonPlacement(w.id, alternative, slots, parts)
                if not check_placements(problem, [placement]):
                    yield placement


def _splits(codes, members):
    for counts in itertools.product(range(members + 1), repeat=len(codes)):
        if sum(counts) == members:
            yield tuple(Part(code, n) for code, n in zip(codes, counts, strict=True) if n)


class _Search:
    def __init__(self, problem):
        self.problem = problem
        self.facts = Facts(problem)
        self.ways = [list(ways(problem, w)) for w in problem.workloads]

    def least(self, number, chosen, used):
        if number == len(self.ways):
            return self.value(chosen, used)
        w = self.problem.workloads[number]
        penalty = self.facts.penalty(w)
        best = self.least(number + 1, chosen, used) + penalty
        for placement in self.ways[number]:
            more = used.copy()
            for part in placement.parts:
                for grade, milli in w.alternatives[placement.alternative].needs:
                    for slot in placement.slots:
                        more[part.site, grade, slot] += milli * part.members
            if all(n <= self.facts.usable[place] for place, n in more.items()):
                best = min(best, self.least(number + 1, [*chosen, placement], more))
        return best

    def value(self, chosen, used):
        """Money of these placements, infinite if they break a rule that several must obey together."""
        if not self.allowed(chosen, used) or self.breaks_rule(chosen):
            return float("inf")
        money = 0
        for place, milli in used.items():
            figures = self.facts.figures[place]
            money += milli * self.facts.hours * (figures.metered_micro_cny + figures.carbon_micro_cny)
            for step in self.facts.steps[place]:
                taken = min(milli, step.milli_cards)
                money += taken * step.price_micro_cny * self.facts.hours
                milli -= taken
        for p in chosen:
            w = self.facts.workloads[p.workload]
            if w.due is not None:
                money += max(0, p.slots[-1] + 1 - w.due) * w.lateness_micro_cny * 1000
            if not self.facts.stays(p):
                money += sum(self.facts.transfer(w, part.site) for part in p.parts)
                if w.id in self.facts.running:
                    money += self.facts.running[w.id].migration_micro_cny * 1000
        return money

    def breaks_rule(self, chosen):
        """Whether somebody is left out whom best-effort work keeps out."""
        out = self.facts.workloads.keys() - {p.workload for p in chosen}
        return any(True for _ in kept_out(self.facts, chosen, sorted(out)))

    def allowed(self, chosen, used):
        together, apart, sent, moves = defaultdict(set), Counter(), Counter(), 0
        for p in chosen:
            w = self.facts.workloads[p.workload]
            stays = self.facts.stays(p)
            moves += (
                w.id in self.facts.running and not stays and self.facts.could_stay(self.facts.running[w.id])
            )
            for part in p.parts:
                together[w.together].add(part.site)
                apart.update((w.apart, part.site, slot) for slot in p.slots if w.apart)
                if not stays:
                    sent[w.origin, part.site, p.slots[0]] += w.data_gb
        together.pop("", None)
        carbon = sum(m * self.facts.hours * self.facts.figures[p].carbon_mg for p, m in used.items())
        cap, most = self.problem.carbon.cap_g, self.problem.moves_max
        lines = self.facts.links
        return (
            all(len(codes) == 1 for codes in together.values())
            and all(n == 1 for n in apart.values())
            and all(
                (o, s) not in lines or gb <= per_slot(lines[o, s].gb_per_slot, t)
                for (o, s, t), gb in sent.items()
            )
            and (most is None or moves <= most)
            and (cap is None or carbon <= cap * 1_000_000)
        )


def per_slot(value, slot):
    return value[slot] if isinstance(value, tuple) else value
