"""A plan in the terminal: what it costs, how good it is, what stays out and why."""

from collections import Counter, defaultdict
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from scheduler.io.schedule import Schedule
from scheduler.report.wording import NANO_PER_CNY, difference, percent, rule_line, shadow_rows, yuan
from scheduler.savings import Comparison
from scheduler.types import MILLI

LEFT_SHOWN_MAX = 10


def show(schedule: Schedule, console: Console) -> None:
    """Print a plan's summary."""
    totals = schedule.totals
    exact = schedule.gap_fen == 0
    proof = "proved optimal" if exact else f"at most {percent(schedule.gap)} from the best"
    console.print(
        f"[bold]{totals.placed:,} of {totals.workloads:,} workloads placed[/bold] · new money "
        f"{yuan(totals.new_money_fen)} · {proof} ({schedule.bound_from})",
        highlight=False,
    )
    console.print(f"{schedule.model}: {schedule.why}", style="dim", highlight=False)
    if line := rule_line(schedule):
        console.print(line, highlight=False)
    if (kept := schedule.kept) is not None:
        console.print(
            f"Room kept, not promised: {kept.placed:,} of {kept.expected:,} expected, {kept.card_hours:,.0f} "
            f"card-hours, {yuan(kept.new_money_fen)} if all come",
            highlight=False,
        )
    console.print(_sites(schedule))
    if dear := shadow_rows(schedule):
        console.print(table_of("What one more card would be worth", dear))
    if schedule.left:
        _show_left(schedule, console)


def table_of(title: str, rows: list[dict[str, str]]) -> Table:
    """A table of texts, the first column to the left."""
    table = Table(box=SIMPLE, pad_edge=False, title=title, title_justify="left")
    for at, name in enumerate(rows[0]):
        # where the screen is narrow headings wrap and figures stay whole
        width = max(len(row[name]) for row in rows)
        table.add_column(name, justify="right" if at else "left", min_width=width)
    for row in rows:
        table.add_row(*row.values())
    return table


def _sites(schedule: Schedule) -> Table:
    hours: dict[str, Counter[str]] = defaultdict(Counter)
    placed: Counter[str] = Counter()
    bought: Counter[str] = Counter()
    for site, _ in {(run.site, run.workload) for run in schedule.runs}:
        placed[site] += 1
    for run in schedule.runs:
        for grade, milli in run.milli_cards():
            hours[run.site][grade] += milli * (run.end_hour - run.first_hour)
    for buy in schedule.buys:
        bought[buy.site] += buy.cost_nano_cny
    grades = sorted({grade for used in hours.values() for grade in used})
    table = Table(box=SIMPLE, pad_edge=False, title="Card-hours by site", title_justify="left")
    table.add_column("Site", no_wrap=True)
    for name in ("Work", *grades, "To buy"):
        table.add_column(name, justify="right", no_wrap=True)
    for site, count in placed.most_common():
        cells = (f"{hours[site][grade] / MILLI:,.0f}" if hours[site][grade] else "·" for grade in grades)
        table.add_row(site, f"{count:,}", *cells, f"¥{bought[site] / NANO_PER_CNY:,.0f}")
    return table


def _show_left(schedule: Schedule, console: Console) -> None:
    reasons = Counter(left.reason for left in schedule.left)
    counted = ", ".join(f"{reason} {n:,}" for reason, n in reasons.most_common())
    console.print(f"[bold]{len(schedule.left):,} left out[/bold]: {counted}", highlight=False)
    for left in schedule.left[:LEFT_SHOWN_MAX]:
        change = f" (what would place it: {left.change})" if left.change else ""
        console.print(f"  {left.workload}: {left.detail}{change}", highlight=False, markup=False)
    more = len(schedule.left) - LEFT_SHOWN_MAX
    if more > 0:
        console.print(f"  and {more:,} more: see the report or the plan file", highlight=False)


def show_comparison(comparison: Comparison, console: Console) -> None:
    """Print a plan beside every baseline, on the work that both serve."""
    table = Table(box=SIMPLE, pad_edge=False, title="Against, on the same work", title_justify="left")
    for name in ("Rule", "Left out", "Total cost", "New money", "Electricity", "Carbon"):
        table.add_column(name, justify="left" if name == "Rule" else "right", no_wrap=True)
    for row in comparison.rows:
        savings = (row.cost_saving, row.new_money_saving, row.power_cost_saving, row.carbon_saving)
        table.add_row(row.name, f"{row.unserved:,}", *map(difference, savings))
    console.print(table)
    console.print(
        f"The plan leaves {comparison.plan_unserved:,} out. Negative: the plan needs less than the rule.",
        highlight=False,
    )


def as_json(schedule: Schedule) -> dict[str, Any]:
    """The summary as JSON values."""
    return {
        "start": schedule.start.isoformat(),
        "hours": schedule.hours,
        "status": schedule.status.value,
        "gap": schedule.gap if schedule.gap < float("inf") else None,
        "gap_fen": schedule.gap_fen,
        "certificate_gap": schedule.certificate_gap if schedule.certificate_gap < float("inf") else None,
        "rule_fen": schedule.rule_fen,
        "bound_from": schedule.bound_from,
        "model": schedule.model,
        "why": schedule.why,
        "seconds": round(schedule.seconds, 3),
        "totals": schedule.totals._asdict(),
        "kept": schedule.kept._asdict() if schedule.kept else None,
        "shadow_prices": [
            shadow._asdict() for shadow in sorted(schedule.shadows, key=lambda shadow: -shadow.micro_cny)
        ],
        "unplaced": [left._asdict() for left in schedule.left],
    }
