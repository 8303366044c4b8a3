"""Whole workloads on options: what that costs, exactly, and what remains to be decided beside it."""

from dataclasses import dataclass

import numpy as np

from scheduler.instance import Bools, Instance, Ints, Supply
from scheduler.types import InvariantViolation


def left_out(instance: Instance, amount: Ints) -> Ints:
    """(C,) how many workloads of each class ``amount`` (O,) leaves without a site."""
    placed = np.zeros_like(instance.count)
    np.add.at(placed, instance.option_class, amount)
    return instance.count - placed


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
        (amount, instance.option_transfer),
        (missing, instance.penalty),
        (bought, instance.supply.step_price),
    )
    return sum(x * y for a, b in columns for x, y in zip(a.tolist(), b.tolist(), strict=True))


@dataclass(frozen=True, eq=False, slots=True)
class Residual:
    """What remains once some workloads are fixed: a smaller instance, and which options it kept."""

    instance: Instance
    option: Ints
    """Option of the whole instance for each option here."""

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
    keep = free[instance.option_class] > 0
    np.logical_and.at(keep, instance.need_option, fits)
    return Residual(_restricted(instance, rest, free, keep), np.flatnonzero(keep))


def _restricted(instance: Instance, supply: Supply, free: Ints, keep: Bools) -> Instance:
    kept_need = keep[instance.need_option]
    per_class = np.bincount(instance.option_class[keep], minlength=len(instance.count))
    per_option = np.diff(instance.need_start)[keep]
    return Instance(
        supply,
        instance.members,
        free,
        instance.penalty,
        _starts(per_class),
        instance.option_site[keep],
        instance.option_alternative[keep],
        instance.option_transfer[keep],
        _starts(per_option),
        instance.need_resource[kept_need],
        instance.need_milli[kept_need],
    )


def _starts(lengths: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
