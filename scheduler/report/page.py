"""The report's page: figures and texts in one HTML file with plotly's script inside."""

import re
from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any, Final

import orjson

from nodes.types import Point
from scheduler.anyplan import AnyPlan
from scheduler.io.changes import changes_of
from scheduler.io.planfile import PlanFile
from scheduler.io.running import Left as Remaining
from scheduler.io.schedule import Left, Schedule, schedule_of
from scheduler.report import chart_facts
from scheduler.report.bridge import bridge_of
from scheduler.report.wording import (
    change_lines,
    comparison_json,
    constraint_rows,
    difference,
    front_rows,
    percent,
    recomputed,
    rule_line,
    shadow_rows,
    yuan,
)
from scheduler.savings import Comparison

LEFT_SHOWN_MAX: Final = 500
_PLACE: Final = re.compile(r"{{([A-Z]+)}}")


def report_html(file: PlanFile, comparison: Comparison, points: Mapping[str, Point]) -> str:
    """The report of a plan as one HTML document, about 5 MB, most of it plotly's script."""
    schedule = schedule_of(file.start, file.problem, file.plan)
    facts: dict[str, Any] = {
        "map": chart_facts.map_of(file.problem, schedule, points),
        "gantt": chart_facts.gantt_of(schedule),
        "curves": chart_facts.curves_of(file.problem, schedule),
        "bridge": bridge_of(file.problem, schedule).as_json(),
    }
    parts = {
        "TITLE": escape(f"Plan {schedule.start:%Y-%m-%d %H:%M}, {schedule.hours} h"),
        "TILES": _tiles(file, schedule),
        "PROOF": _proof(file.plan, schedule),
        "AGAINST": _against(comparison),
        "CHANGES": _changes(file),
        "LEFT": _left(schedule),
        "PRICES": _prices(file, schedule),
        "STYLE": _static("report.css"),
        # a text that ends a script element inside the data would end it for the browser too
        "FACTS": orjson.dumps(facts).decode().replace("</", "<\\/"),
        "SCRIPT": _static("report.js"),
        "PLOTLY": _plotly(),
    }
    # one pass, so that nothing inside a part is taken for a place of its own
    return _PLACE.sub(lambda found: parts[found[1]], _static("report.html"))


@cache
def _static(name: str) -> str:
    return files("scheduler.report").joinpath("static", name).read_text(encoding="utf-8")


@cache
def _plotly() -> str:
    # imported here: plotly takes a while, and only reports need it
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def _tiles(file: PlanFile, schedule: Schedule) -> str:
    totals = schedule.totals
    regions = chart_facts.load_by_region(file.problem, schedule)
    shares = " · ".join(f"{name} {100 * share:.0f} %" for name, share in regions.items()) or "–"
    tiles = [
        ("Placed", f"{totals.placed:,} of {totals.workloads:,}"),
        ("New money", yuan(totals.new_money_fen)),
        ("With reserved cards at what was paid", yuan(totals.total_fen)),
        ("Certified gap", "0: optimal" if schedule.gap_fen == 0 else percent(schedule.gap)),
        ("Card-hours", f"{totals.card_hours:,.0f}"),
        ("By region", shares),
        ("Electricity, part of the rent", yuan(totals.power_fen)),
        ("Carbon", f"{totals.kgco2 / 1000:,.2f} t"),
    ]
    if (kept := schedule.kept) is not None:
        tiles.append(("Room kept, not promised", f"{kept.placed:,} of {kept.expected:,} expected"))
    html = (f"<div><span>{escape(name)}</span><b>{escape(value)}</b></div>" for name, value in tiles)
    return "".join(html)


def _changes(file: PlanFile) -> str:
    """What the plan makes of work that had begun, where any had."""
    if not file.begun:
        return ""
    changes = changes_of(file.problem, file.plan, Remaining((), file.begun))
    lines = change_lines(changes, file.start)
    items = "".join(f"<li>{escape(line)}</li>" for line in lines[:LEFT_SHOWN_MAX])
    more = len(lines) - LEFT_SHOWN_MAX
    rest = f"<p class='quiet'>and {more:,} more: see the plan file</p>" if more > 0 else ""
    going = f"<p>{changes.goes_on:,} go on as they were.</p><ul>{items}</ul>{rest}"
    return f"<section class='panel'><h2>What changes for work that had begun</h2>{going}</section>"


def _proof(plan: AnyPlan, schedule: Schedule) -> str:
    if schedule.gap_fen == 0:
        claim = "No plan is better: the lower bound equals this plan's value to the fen."
    else:
        claim = (
            f"No plan is better by more than {yuan(schedule.gap_fen)}, {percent(schedule.gap)} of the money "
            "that a plan can influence."
        )
    source = f"The bound comes from the {schedule.bound_from}."
    rule = rule_line(schedule)
    how = f"Model {schedule.model}: {schedule.why} ({schedule.seconds:.1f} s)."
    anyone = f"dongxi plan check recomputes from the plan file alone: {recomputed(plan)}."
    return "".join(f"<p>{escape(text)}</p>" for text in (f"{claim} {source}", rule, how, anyone) if text)


def _prices(file: PlanFile, schedule: Schedule) -> str:
    """Shadow prices; what constraints cost and the front where they were asked for."""
    tables = (
        ("What one more card would be worth", shadow_rows(schedule)),
        ("What each constraint costs: certified interval", constraint_rows(file.constraint_prices)),
        ("What less carbon costs, and what it must cost at least", front_rows(file.front)),
    )
    found = "".join(f"<h3>{escape(title)}</h3>{_table(rows)}" for title, rows in tables if rows)
    return found or "<p>No more of any card would make this plan cheaper.</p>"


def _table(rows: list[dict[str, str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in rows[0])
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row.values())}</tr>" for row in rows)
    return f"<div class='scroll'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _against(comparison: Comparison) -> str:
    names = ("Rule", "Left out", "Total cost", "New money", "Electricity", "Carbon")
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    rows = []
    for row in comparison_json(comparison):
        what = f"{escape(row['name'])}<small>{escape(row['description'])}</small>"
        cells = "".join(
            _change(row[f"{name}_saving"]) for name in ("cost", "new_money", "power_cost", "carbon")
        )
        rows.append(f"<tr><td>{what}</td><td>{row['unserved']:,}</td>{cells}</tr>")
    note = (
        f"The plan leaves {comparison.plan_unserved:,} out. Each rule is compared on the work that both "
        "serve; negative means that the plan needs less."
    )
    body = f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return f"<div class='scroll'><table>{body}</table></div><p class='quiet'>{escape(note)}</p>"


def _change(saving: float) -> str:
    kind = "fell" if saving > 0.0005 else "rose" if saving < -0.0005 else ""
    return f"<td class='{kind}'>{difference(saving)}</td>"


def _left(schedule: Schedule) -> str:
    if not schedule.left:
        return "<p>Everything is placed.</p>"
    counted = ", ".join(f"{reason} {count:,}" for reason, count in chart_facts.reasons(schedule))
    names = ("Workload", "Class", "Reason", "What stands in the way", "Smallest change")
    head = "".join(f"<th>{name}</th>" for name in names)
    rows = "".join(_left_row(left) for left in schedule.left[:LEFT_SHOWN_MAX])
    more = len(schedule.left) - LEFT_SHOWN_MAX
    rest = f"<p class='quiet'>and {more:,} more: see the plan file</p>" if more > 0 else ""
    return (
        f"<p>{len(schedule.left):,} left out: {escape(counted)}.</p>"
        f"<div class='scroll tall'><table class='texts'>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{rest}"
    )


def _left_row(left: Left) -> str:
    cells = (left.workload, left.latency_class, left.reason, left.detail, left.change or "–")
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
