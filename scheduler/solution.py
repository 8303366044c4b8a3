"""Whole workloads on options: what that costs, exactly, and what remains to be decided beside it."""

from dataclasses import dataclass

import numpy as np

from scheduler.instance import Bools, Instance, Ints, Supply
from scheduler.integers import dot, starts
from scheduler.types import InvariantViolation
from scheduler.workload_table import spans


def left_out(instance: Instance, amount: Ints) -> Ints:
    """(C,) how many workloads of each class ``amount`` (O,) leaves without a site."""
    placed = np.concatenate([[0], np.cumsum(amount)])[instance.option_start]
    missing: Ints = instance.count - np.diff(placed)
    return missing


def fits(instance: Instance, amount: Ints) -> bool:
    """Whether ``amount`` (O,) is within every class and every capacity."""
    inside = (amount >= 0).all() and (left_out(instance, amount) >= 0).all()
    return bool(inside and (instance.usage(amount) <= instance.supply.capacity).all())


def purchases(supply: Supply, used: Ints) -> Ints:
    """(K,) milli-cards bought of each step for ``used`` (R,) in use: reserved first, then the cheapest."""
    bought = np.zeros_like(supply.step_milli)
    lacking = np.maximum(used - supply.reserved, 0)
    for step, (resource, milli) in enumerate(zip(supply.step_resource, supply.step_milli, strict=True)):
        bought[step] = min(lacking[resource], milli)
        lacking[resource] -= bought[step]
    if lacking.any():
        raise InvariantViolation("a placement uses more capacity than there is")
    return bought


def value(instance: Instance, amount: Ints) -> int:
    """New money plus penalties in nano-CNY, exact; raises `InvariantViolation` beyond the capacity."""
    missing = left_out(instance, amount)
    if (missing < 0).any() or (amount < 0).any():
        raise InvariantViolation("a class has more workloads placed than it has")
    bought = purchases(instance.supply, instance.usage(amount))
    columns = (
        (amount, instance.option_cost),
        (missing, instance.penalty),
        (bought, instance.supply.step_price),
    )
    return sum(dot(a, b) for a, b in columns)


def new_money(instance: Instance, amount: Ints) -> int:
    """The value without penalties, in nano-CNY: the money that a plan can influence."""
    return value(instance, amount) - dot(left_out(instance, amount), instance.penalty)


def options_of_workloads(instance: Instance, amount: Ints) -> Ints:
    """(N,) the option of each workload, −1 for none: of a class those that came first are placed first."""
    group = instance.option_class
    chosen = np.repeat(np.arange(len(amount)), amount)
    placed = np.bincount(group[chosen], minlength=len(instance.count))
    by_class = np.argsort(instance.workload_class, kind="stable")
    first = starts(instance.count)[:-1]
    option = np.full(len(by_class), -1, dtype=np.int64)
    # options are sorted by class, so the chosen ones of each class stand together, as its workloads do
    option[by_class[spans(first, placed)]] = chosen
    return option


@dataclass(frozen=True, eq=False, slots=True)
class Residual:
    """What remains once some workloads are fixed: a smaller instance, and which options it kept."""

    instance: Instance
    option: Ints
    """(options here,) option of the whole instance."""

    def narrowed(self, keep: Bools) -> "Residual":
        """The same with only those options of the whole instance that ``keep`` (O,) names."""
        here = self.instance
        classes = np.arange(len(here.count))
        part = part_of(here, here.supply, classes, here.count, keep[self.option])
        return Residual(part.instance, self.option[part.option])

    def lifted(self, fixed: Ints, amount: Ints) -> Ints:
        """The fixed workloads and an answer of the residual together, on the whole instance's options."""
        together = fixed.copy()
        together[self.option] += amount
        return together


def residual(instance: Instance, fixed: Ints, free: Ints) -> Residual:
    """The instance that is left when ``fixed`` (O,) workloads stay and ``free`` (C,) are still to place."""
    supply = instance.supply
    used = instance.usage(fixed)
    bought = purchases(supply, used)
    rest = Supply(
        supply.index,
        np.maximum(supply.reserved - used, 0),
        supply.step_resource,
        supply.step_price,
        supply.step_milli - bought,
    )
    fits = instance.need_milli <= rest.capacity[instance.need_resource]
    keep = np.ones(len(instance.option_site), dtype=np.bool_)
    keep[instance.need_option[~fits]] = False
    return part_of(instance, rest, np.flatnonzero(free > 0), free[free > 0], keep)


def part_of(instance: Instance, supply: Supply, classes: Ints, count: Ints, keep: Bools) -> Residual:
    """The instance of some ``classes`` (ascending) with ``count`` workloads each and the options kept."""
    lengths = np.diff(instance.option_start)[classes]
    option = spans(instance.option_start[classes], lengths)
    chosen = keep[option]
    option, group = option[chosen], np.repeat(np.arange(len(classes)), lengths)[chosen]
    need_lengths = np.diff(instance.need_start)[option]
    need = spans(instance.need_start[option], need_lengths)
    part = Instance(
        supply=supply,
        workload_class=np.zeros(0, dtype=np.int64),
        count=count,
        penalty=instance.penalty[classes],
        option_start=starts(np.bincount(group, minlength=len(classes))),
        option_site=instance.option_site[option],
        option_alternative=instance.option_alternative[option],
        option_cost=instance.option_cost[option],
        need_start=starts(need_lengths),
        need_resource=instance.need_resource[need],
        need_milli=instance.need_milli[need],
    )
    return Residual(part, option)
