"""Figures as people read them, the same in the terminal and in the report."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from scheduler.anyplan import AnyPlan
from scheduler.carbon import FrontRow
from scheduler.constraints import ConstraintPrice
from scheduler.horizon.plan import MoveReason
from scheduler.io.changes import Changes, Moved
from scheduler.io.schedule import Schedule, Shadow
from scheduler.savings import Comparison
from scheduler.types import MICRO

NANO_PER_CNY: Final = 1_000_000_000
FEN_PER_CNY: Final = 100
SHADOWS_SHOWN_MAX: Final = 8
MICRO_DIGITS_HIDDEN: Final = 4
"""Digits of micro-CNY below a fen."""


def cny(nano_cny: int) -> str:
    """Nano-CNY as ¥ with two decimals, e.g. ¥12,345.60."""
    return f"¥{nano_cny / NANO_PER_CNY:,.2f}"


def yuan(fen: int) -> str:
    """Fen as ¥ with two decimals."""
    return f"¥{fen / FEN_PER_CNY:,.2f}"


def percent(share: float) -> str:
    """A share in percent, with as many digits as it takes to see that it is not zero."""
    if share == 0:
        return "0 %"
    if share == float("inf"):
        return "without limit"
    return f"{100 * share:.2g} %" if share < 0.01 else f"{100 * share:.2f} %"


def difference(saving: float) -> str:
    """What a saving changes, in percent with its sign: -4.1 % for 0.041, and no minus before nothing."""
    return f"{round(-100 * saving, 1) + 0.0:+.1f} %"


def recomputed(plan: AnyPlan) -> str:
    """What a check of the plan file recomputes of its bound."""
    if plan.bound_from == "certificate":
        return f"every rule, every total, and the bound (gap {percent(plan.gap)})"
    proved, alone = percent(plan.gap), percent(plan.certificate_gap)
    return (
        f"every rule, every total, and the bound of its certificate (gap {alone}); "
        f"that the gap is {proved} was proved by the {plan.bound_from}, which a check does not repeat"
    )


def rule_line(schedule: Schedule) -> str:
    """What the rule of pre-emption costs, and whether the gap is wider for it; "" where it costs nothing."""
    if not schedule.rule_fen:
        return ""
    cost = f"The rule of pre-emption costs {yuan(schedule.rule_fen)} beside the best plan found without it"
    if schedule.bound_from == "certificate":
        return f"{cost}; the certificate doesn't know the rule, so that the gap holds this as well"
    return f"{cost}; the gap is against plans that keep the rule"


def comparison_json(comparison: Comparison) -> list[dict[str, Any]]:
    """The comparison as JSON values."""
    return [
        {
            "name": row.name,
            "description": row.description,
            "unserved": row.unserved,
            "same_work": row.baseline_common.placed,
            "cost_saving": row.cost_saving,
            "new_money_saving": row.new_money_saving,
            "power_cost_saving": row.power_cost_saving,
            "carbon_saving": row.carbon_saving,
        }
        for row in comparison.rows
    ]


def constraint_rows(prices: Iterable[ConstraintPrice]) -> list[dict[str, str]]:
    """What each constraint costs, as a table's rows."""
    return [
        {
            "Without": price.constraint,
            "At least": cny(price.least),
            "At most": cny(price.most),
            "Served more": f"{price.served_more:+,}",
        }
        for price in prices
    ]


def front_rows(front: Iterable[FrontRow]) -> list[dict[str, str]]:
    """The front between money and carbon, as a table's rows."""
    return [
        {
            "Carbon price, ¥/kg": f"{row.price_micro_cny_per_kg / MICRO:g}",
            "CO2, kg": f"{row.kgco2:,.2f}",
            "New money": cny(row.cost_nano_cny),
            "Money and penalties": cny(row.money_nano_cny),
            "At least": cny(row.money_bound_nano_cny),
            "Placed": f"{row.placed:,}",
        }
        for row in front
    ]


def shadow_rows(schedule: Schedule) -> list[dict[str, str]]:
    """Where one more card would be worth most, each grade at a site in its dearest hours, as table rows."""
    best: dict[tuple[str, str], Shadow] = {}
    for shadow in dearest(schedule, len(schedule.shadows)):
        best.setdefault((shadow.site, shadow.grade), shadow)
    return [
        {
            "One more": f"{shadow.grade} at {shadow.site}",
            "From": f"{schedule.start + timedelta(hours=shadow.first_hour):%d %b %H:%M}",
            "To": f"{schedule.start + timedelta(hours=shadow.end_hour):%d %b %H:%M}",
            "Worth, ¥ per card-hour": f"{shadow.micro_cny / MICRO:,.2f}",
        }
        for shadow in list(best.values())[:SHADOWS_SHOWN_MAX]
    ]


def dearest(schedule: Schedule, most: int) -> list[Shadow]:
    """Where one more card would be worth most, at most so many places; what is worth nothing is left out."""
    worth = [shadow for shadow in _joined(schedule) if shadow.micro_cny]
    return sorted(worth, key=lambda shadow: -shadow.micro_cny)[:most]


def _joined(schedule: Schedule) -> list[Shadow]:
    """Worths as they are shown, to the fen; hours in a row at one worth as one."""
    joined: list[Shadow] = []
    shown = (s._replace(micro_cny=round(s.micro_cny, -MICRO_DIGITS_HIDDEN)) for s in schedule.shadows)
    for shadow in sorted(shown):
        last = joined[-1] if joined else None
        if last and shadow == last._replace(first_hour=last.end_hour, end_hour=shadow.end_hour):
            joined[-1] = last._replace(end_hour=shadow.end_hour)
        else:
            joined.append(shadow)
    return joined


_WHY: Final = {
    MoveReason.BARRED: "it cannot stay",
    MoveReason.GIVES_WAY: "it gives way to others",
    MoveReason.GAIN: "it gains",
}


def change_lines(changes: Changes, start: datetime) -> list[str]:
    """What a plan changes for work that had begun, a sentence each but for what goes on as it was."""

    def at(hour: int) -> str:
        return f"{start + timedelta(hours=hour):%d %b %H:%M}"

    return [
        *(_move_line(move, at(move.first_hour)) for move in changes.moved),
        *(f"{p.workload} pauses at {p.site} until {at(p.resumes_hour)}" for p in changes.paused),
        *(
            f"{s.workload} stops at {s.site}{', best effort' * s.best_effort}: {s.detail}"
            for s in changes.stopped
        ),
        *(f"{w.workload} goes on again at {w.site}, {at(w.resumes_hour)}" for w in changes.waits),
        *(f"{name} can no longer end in time" for name in changes.expired),
    ]


def _move_line(move: Moved, when: str) -> str:
    gain = "" if move.gain_fen is None else f" {yuan(move.gain_fen)}"
    what = f"moves {move.before} → {move.after} at {when}"
    if move.before == move.after:
        what = f"stops at {move.before} until {when}"
    return f"{move.workload} {what}: {_WHY[move.reason]}{gain}, moving costs {yuan(move.cost_fen)}"
