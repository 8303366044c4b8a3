"""`dongxi plan`: plan workloads, check a plan, compare it with what people would do without one."""

import sys
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple, NoReturn

import orjson
import typer
from rich.console import Console
from typer.core import TyperGroup

from scheduler.anyplan import AnyProblem
from scheduler.commands.failing import failed_json, failed_plan, show_failed
from scheduler.commands.judging import comparison_of, violations_of
from scheduler.commands.nominations import Made, made_json, nominate_all, show_made
from scheduler.commands.options import CARBON_PRICE_CNY_MAX, carbon_rule, hours_of, start_of
from scheduler.commands.outputs import (
    PLAN_SUFFIX,
    NotWritten,
    expect_folder,
    expect_writable,
    write_files,
)
from scheduler.commands.purchases import Purchases, purchases_json, purchases_of, show_purchases
from scheduler.commands.replanning import changes_json, earlier_of, show_changes
from scheduler.commands.search import SearchFailed, Wishes
from scheduler.commands.summary import as_json, show, show_comparison
from scheduler.commands.watching import watch
from scheduler.commands.wishes import show_wishes, wishes_json
from scheduler.io.changes import Changes, changes_of
from scheduler.io.failures import failed_rows
from scheduler.io.faults import FaultyInput, FileFault
from scheduler.io.front_door import Before, problem_of
from scheduler.io.hedging import Outlook
from scheduler.io.places import NoPlaces, default_places
from scheduler.io.planfile import PlanFile, read_plan, write_plan
from scheduler.io.running import Begun, left_of
from scheduler.io.schedule import Schedule, schedule_of
from scheduler.io.sound import plan_sound
from scheduler.io.supply import read_supply
from scheduler.io.supply_rows import SupplyFiles
from scheduler.io.templates import TEMPLATES
from scheduler.io.venue import NoVenue, Stock, Venue, open_venue, supply_of_stock
from scheduler.io.workloads import Span, WorkloadFile, WorkloadRow, read_forecast, read_workloads
from scheduler.io.world import World, world_of
from scheduler.report.wording import comparison_json, recomputed
from scheduler.types import InvalidProblem, InvariantViolation, micro_cny

EXIT_FAILED: Final = 1
EXIT_FAULTY: Final = 2
EXIT_LEFT_OUT: Final = 3
EXIT_STOPPED: Final = 130
MAKE: Final = "make"
MIGRATION_CNY_MAX: Final = 1e9
DEFAULT_KEYS: Final = Path("var/demo-keys")
VIOLATIONS_SHOWN_MAX: Final = 20


class PlanGroup(TyperGroup):
    """`dongxi plan FILE` is `dongxi plan make FILE`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command in front of anything that is no command."""
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = [MAKE, *args]
        return list(super().parse_args(ctx, args))


app = typer.Typer(
    cls=PlanGroup,
    no_args_is_help=True,
    add_completion=False,
    help="""Place workloads at least cost, with a proof of how good the plan is.

    Examples (all options: dongxi plan make --help; files and fields: docs/planning.md):

    dongxi plan jobs.csv

    dongxi plan jobs.yaml --sites sites.csv --out plan.json

    dongxi plan jobs.parquet --horizon 7d --report plan.html

    dongxi plan check plan.json""",
)


def _table(what: str) -> Any:
    """An option that names a table of supply."""
    return typer.Option(help=f"{what} (JSON, CSV, Parquet).", show_default=False)


Sites = Annotated[Path | None, _table("Sites, their grades, cards and prices")]
Capacity = Annotated[Path | None, _table("Cards in some hours")]
Maintenance = Annotated[Path | None, _table("Cards that are down in some hours")]
Electricity = Annotated[Path | None, _table("Power price, PUE and carbon in some hours")]
Prices = Annotated[Path | None, _table("List prices in some hours")]
Links = Annotated[Path | None, _table("Round trips, transfer prices and bandwidth")]
Reservations = Annotated[Path | None, _table("Capacity bought before")]
Offers = Annotated[Path | None, _table("Steps of the price curve")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output instead of tables.")]
PlanPath = Annotated[Path, typer.Argument(help="A plan file, from --out PLAN.json.", metavar="PLAN")]
Start = Annotated[
    str | None, typer.Option(help="When the plan begins, e.g. 2026-12-04; else the next full hour.")
]
TimeLimit = Annotated[
    float, typer.Option(min=0.1, help="Seconds to search; Ctrl-C ends it with the best plan so far.")
]
CarbonPrice = Annotated[
    float, typer.Option(min=0, max=CARBON_PRICE_CNY_MAX, help="Charge carbon, in CNY per kg of CO2.")
]
CarbonCap = Annotated[
    float | None, typer.Option(min=0, help="Emit at most so many kg of CO2.", show_default=False)
]
Out = Annotated[
    Path | None, typer.Option(help="Write the plan: .json to check and compare, .csv, .parquet or .yaml.")
]
Report = Annotated[
    Path | None, typer.Option(help="Write a report (.html) with map, Gantt chart, curves and proof.")
]
Forecast = Annotated[
    Path | None,
    typer.Option(help="Expected work (JSON, CSV, Parquet): room is kept for it.", show_default=False),
]
Running = Annotated[
    Path | None,
    typer.Option(help="What runs now: the last plan (.json), or a table of it.", show_default=False),
]
MovesMax = Annotated[
    int | None, typer.Option(min=0, help="Move at most so many that could go on.", show_default=False)
]
MigrationCny = Annotated[
    float, typer.Option(min=0, max=MIGRATION_CNY_MAX, help="Cost of a move where its row has none.")
]
Failed = Annotated[
    list[str] | None,
    typer.Option(metavar="HUB[@FROM-UNTIL]", help="A hub that is down, e.g. GUIAN or GUIAN@0-4."),
]
SkipFaulty = Annotated[
    bool, typer.Option("--skip-faulty", help="Leave faulty workloads out, name them, plan the rest.")
]
Pareto = Annotated[bool, typer.Option("--pareto", help="Also show what less carbon costs: as long again.")]
Explain = Annotated[
    bool, typer.Option("--explain", help="Also show what each constraint costs: as long again.")
]

FromExchange = Annotated[
    bool, typer.Option("--from-exchange", help="Plan on what you own and what the books offer.")
]
Buy = Annotated[
    bool, typer.Option("--buy", help="Show the orders that the plan needs; with --from-exchange.")
]
Nominate = Annotated[
    bool, typer.Option("--nominate", help="Nominate the work on your reservations; with --from-exchange.")
]
Member = Annotated[str, typer.Option("--as", help="Whose profile, with --from-exchange.")]
Keys = Annotated[Path, typer.Option(help="Directory of the profiles.", envvar="DONGXI_KEYS")]


@app.command(MAKE)
def make(
    workloads: Annotated[
        Path, typer.Argument(help="Workloads: JSON, JSON lines, CSV, Parquet or Kubernetes YAML.")
    ],
    sites: Sites = None,
    capacity: Capacity = None,
    maintenance: Maintenance = None,
    electricity: Electricity = None,
    prices: Prices = None,
    links: Links = None,
    reservations: Reservations = None,
    offers: Offers = None,
    start: Start = None,
    horizon: Annotated[str, typer.Option(help="How long it spans, e.g. 24h or 7d.")] = "24h",
    time_limit: TimeLimit = 30.0,
    skip_faulty: SkipFaulty = False,
    carbon_price: CarbonPrice = 0.0,
    carbon_cap: CarbonCap = None,
    pareto: Pareto = False,
    explain: Explain = False,
    out: Out = None,
    report: Report = None,
    forecast: Forecast = None,
    running: Running = None,
    moves_max: MovesMax = None,
    migration_cny: MigrationCny = 0.0,
    failed: Failed = None,
    from_exchange: FromExchange = False,
    buy: Buy = False,
    nominate: Nominate = False,
    member: Member = "enterprise",
    keys: Keys = DEFAULT_KEYS,
    as_json_: AsJson = False,
) -> None:
    """Plan workloads: `dongxi plan FILE` for short.

    Fields of each table: `dongxi plan template TABLE`.

    Exit status: 0 everything is placed; 3 some workloads stay out or can no longer end in time; 2 faulty
    input; 1 no plan; 130 stopped before there was one.
    """
    files = SupplyFiles(sites, capacity, maintenance, electricity, prices, links, reservations, offers)
    expect_writable(out, report, workloads)
    _expect_usage(sends=buy or nominate, from_exchange=from_exchange, files=files)
    try:
        earlier = earlier_of(running)
        moment = start_of(start, datetime.now(UTC), earlier.start(), whole_day=from_exchange)
        span = earlier.span(moment, hours_of(horizon))
        market = _market(member, keys, span) if from_exchange else None
        world = _world(files, span, market and market.stock, failed or ())
        file = _workloads(workloads, span, skip_faulty)
        begun = earlier.begun(file.rows, [site.code for site in world.sites], span.start)
        again = left_of(file.rows, begun, file.ids)
        before = Before(again.begun, micro_cny(migration_cny), moves_max)
        carbon, wishes = carbon_rule(carbon_price, carbon_cap), Wishes(explain, pareto)

        def planned(rows: Sequence[WorkloadRow]) -> PlanFile:
            problem = problem_of(world, rows, carbon, before)
            return _planned(problem, span, time_limit, wishes, again.begun)

        rows = (*again.rows, *_forecast(forecast, span, file.ids))
        plan_file = plan_sound(rows, planned, _leave_out if skip_faulty else None)
    except (FaultyInput, InvalidProblem, NoPlaces, NoVenue) as error:
        _fail(str(error), EXIT_FAULTY)
    schedule = schedule_of(plan_file.start, plan_file.problem, plan_file.plan)
    _write(out, report, workloads, plan_file, schedule)
    purchases = purchases_of(schedule, market.stock, Outlook()) if market and buy else None
    made = nominate_all(market.venue, schedule, market.stock) if market and nominate else None
    changes = changes_of(plan_file.problem, plan_file.plan, again)
    _tell(plan_file, schedule, changes, purchases, made, as_json_=as_json_)
    raise typer.Exit(EXIT_LEFT_OUT if schedule.left or changes.expired else 0)


class _Market(NamedTuple):
    """An exchange as a member sees it, and what it has for the plan's days."""

    venue: Venue
    stock: Stock


def _market(member: str, keys: Path, span: Span) -> _Market:
    """The member's exchange. Raises `NoVenue`."""
    venue = open_venue(member, keys)
    return _Market(venue, venue.stock(span))


def _write(
    out: Path | None, report: Path | None, workloads: Path, plan_file: PlanFile, schedule: Schedule
) -> None:
    try:
        write_files(out, report, workloads, plan_file, schedule)
    except NotWritten as error:
        _fail(str(error), EXIT_FAILED)


def _tell(
    plan_file: PlanFile,
    schedule: Schedule,
    changes: Changes,
    purchases: Purchases | None,
    made: tuple[Made, ...] | None,
    *,
    as_json_: bool,
) -> None:
    """Print the plan and what was asked for beside it."""
    if as_json_:
        more = {} if purchases is None else purchases_json(purchases)
        told = as_json(schedule) | changes_json(changes) | wishes_json(plan_file)
        _print_json(told | more | made_json(made))
        return
    console = Console()
    show(schedule, console)
    show_changes(changes, plan_file.start, console)
    show_wishes(plan_file, console)
    if purchases is not None:
        show_purchases(purchases, console)
    if made is not None:
        show_made(made, console)


def _expect_usage(*, sends: bool, from_exchange: bool, files: SupplyFiles) -> None:
    """Refuse what cannot work before searching for half a minute."""
    if sends and not from_exchange:
        raise typer.BadParameter(
            "--buy and --nominate need --from-exchange, whose book and reservations they are for"
        )
    if from_exchange and files != SupplyFiles():
        raise typer.BadParameter("--from-exchange takes capacity from the exchange: leave the files out")


def _world(files: SupplyFiles, span: Span, stock: Stock | None, failed: Sequence[str]) -> World:
    places = default_places(span.start)
    supply = read_supply(files, places, span) if stock is None else supply_of_stock(stock, span)
    sites = dict.fromkeys([row.site for row in supply.sites] or [site.code for site in places.sites])
    down = (*supply.maintenance, *failed_rows(failed, sites, span))
    return world_of(places, replace(supply, maintenance=down), span, at_list_price=stock is None)


def _workloads(workloads: Path, span: Span, skip_faulty: bool) -> WorkloadFile:
    file = read_workloads(workloads, default_places(span.start), span)
    if not skip_faulty:
        file.faults.raise_if_any()
    for fault in file.faults.found:
        _leave_out(fault)
    if not file.rows:
        _fail(f"{workloads.name} holds no workload that can be planned", EXIT_FAULTY)
    return file


def _leave_out(fault: FileFault) -> None:
    typer.echo(f"left out: {fault}", err=True)


def _forecast(path: Path | None, span: Span, known: Collection[str]) -> tuple[WorkloadRow, ...]:
    if path is None:
        return ()
    file = read_forecast(path, default_places(span.start), span)
    for row in file.rows:
        if row.id in known:
            file.faults.add(row.where, row.id, "id", "a workload has this name")
    file.faults.raise_if_any()
    return file.rows


def _planned(
    problem: AnyProblem, span: Span, time_limit_s: float, wishes: Wishes, begun: tuple[Begun, ...]
) -> PlanFile:
    try:
        watched = watch(problem, time_limit_s, Console(stderr=True), wishes)
    except SearchFailed as error:
        _fail(str(error), EXIT_FAILED)
    if watched.plan is None:
        _fail("stopped before there was a plan; give it more time", EXIT_STOPPED)
    if watched.stopped:
        typer.echo("stopped: this is the best plan so far, its gap holds", err=True)
    told = (watched.constraint_prices, watched.front, begun)
    return PlanFile(span.start, problem, watched.plan, *told, span.counted_from)


@app.command()
def template(
    table: Annotated[str, typer.Argument(help=f"One of {', '.join(TEMPLATES)}.", metavar="TABLE")],
) -> None:
    """Print a template of an input table as CSV: every field, with rows to replace."""
    if table not in TEMPLATES:
        raise typer.BadParameter(f"{table!r} is none of {', '.join(TEMPLATES)}")
    typer.echo(TEMPLATES[table], nl=False)


@app.command()
def check(plan: PlanPath, as_json_: AsJson = False) -> None:
    """Recompute a plan's every rule, total and bound, independently of what made it.

    Exit status: 0 it holds, 1 it does not, 2 not a plan file.
    """
    file = _read(plan)
    try:
        violations = violations_of(file.problem, file.plan)
    except InvalidProblem as error:
        _fail(str(error), EXIT_FAULTY)
    if as_json_:
        _print_json({"holds": not violations, "violations": list(violations)})
    elif violations:
        typer.echo(f"{plan.name} does not hold: {len(violations)} violations")
        for violation in violations[:VIOLATIONS_SHOWN_MAX]:
            typer.echo(f"  {violation}")
    else:
        typer.echo(f"{plan.name} holds: {recomputed(file.plan)}")
    raise typer.Exit(EXIT_FAILED if violations else 0)


@app.command()
def fail(
    plan: PlanPath,
    hubs: Annotated[list[str], typer.Argument(help="Hubs that failed.", metavar="HUB...")],
    out: Annotated[Path | None, typer.Option(help="Write the plan without them (.json).")] = None,
    as_json_: AsJson = False,
) -> None:
    """Leave failed hubs at once: what they ran goes elsewhere, the tightest latency first.

    Best-effort work gives way where there is no room; nobody else is touched. Plan again, with --running and
    --failed, when there is time for a better plan.

    Exit status: 0 everything has a place, 3 some work lost its place, 2 no plan by the hour or unknown hub.
    """
    if out is not None:
        if out.suffix.lower() != PLAN_SUFFIX:
            raise typer.BadParameter(f"{out} must end in {PLAN_SUFFIX}")
        expect_folder(out)
    try:
        failed = failed_plan(_read(plan), hubs)
    except ValueError as error:
        _fail(f"{plan.name}: {error}", EXIT_FAULTY)
    if out is not None:
        write_plan(out, failed.file)
    if as_json_:
        _print_json(failed_json(failed))
    else:
        show_failed(failed, Console())
    raise typer.Exit(EXIT_LEFT_OUT if failed.lost else 0)


@app.command("compare")
def compare_(plan: PlanPath, as_json_: AsJson = False) -> None:
    """Set a plan against all-east and every other baseline, on the same work, by the same checker."""
    file = _read(plan)
    try:
        comparison = comparison_of(file.problem, file.plan)
    except InvalidProblem as error:
        _fail(str(error), EXIT_FAULTY)
    except InvariantViolation as error:
        _fail(str(error), EXIT_FAILED)
    if as_json_:
        _print_json(comparison_json(comparison))
    else:
        show_comparison(comparison, Console())


def _read(path: Path) -> PlanFile:
    try:
        return read_plan(path)
    except FaultyInput as error:
        _fail(str(error), EXIT_FAULTY)


def _print_json(value: Any) -> None:
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def _fail(sentence: str, status: int) -> NoReturn:
    typer.echo(f"dongxi plan: {sentence}", err=True)
    sys.stdout.flush()
    raise typer.Exit(status)
