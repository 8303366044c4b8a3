"""The table at the end of a demonstration day: plain data in, text out.

Nothing here asks an exchange; `sims.demo.findings` collects the data. What is shown adds up: the money
section prints the sum that must be zero.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

LOT_PRICE_LIMIT_CNY = 5.0
"""Grades below this price trade in lots of eight cards."""


@dataclass(frozen=True, slots=True)
class Traded:
    """Trading in contracts of one kind: trades are matched lots, card-hours what they deliver."""

    kind: str
    contracts_traded: int
    contracts_listed: int
    lots: int
    card_hours: int
    value_fen: int


@dataclass(frozen=True, slots=True)
class Conversion:
    """Of the cards posted for the delivery days that expired today: what became reservations."""

    days: tuple[date, ...]
    posted_card_hours: int
    reserved_card_hours: int


@dataclass(frozen=True, slots=True)
class HubPrices:
    """Settlement prices of one hub for one delivery day, CNY per card-hour by grade; None where there is
    none.
    """

    hub: str
    region: str
    prices: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Money:
    """Cash of every account, fen; ``accounts`` counts members and the operator.

    ``moved`` is by kind what was paid to (+) and by (-) members.
    """

    deposits_fen: int
    members_fen: int
    house_fen: int
    accounts: int
    moved: Mapping[str, tuple[int, int]]

    @property
    def sum_fen(self) -> int:
        """All cash less what was ever paid in: zero, or money was made or lost."""
        return self.members_fen + self.house_fen - self.deposits_fen


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery day."""

    day: date
    finished: bool
    reservations: int
    reserved_card_hours: int
    delivered_card_hours: int
    shortfall_card_hours: int
    invoiced_fen: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One latency class in the placement."""

    latency_class: str
    name: str
    budget_ms: float
    tasks: int
    placed: int
    mean_rtt_ms: float
    max_rtt_ms: float


@dataclass(frozen=True, slots=True)
class Against:
    """The plan beside one baseline, over the tasks that both serve; fen and kg of one delivery day."""

    name: str
    description: str
    unserved: int
    common: int
    plan_cost_fen: int
    baseline_cost_fen: int
    plan_power_fen: int
    baseline_power_fen: int
    plan_kgco2: float
    baseline_kgco2: float


@dataclass(frozen=True, slots=True)
class Placement:
    """The scheduler's result for one delivery day."""

    day: date
    classes: Sequence[ClassRow]
    unplaced: Mapping[str, int]
    west_percent: float
    new_money_fen: int
    gap_fen: int
    seconds: float
    against: Sequence[Against]


@dataclass(frozen=True, slots=True)
class DayReport:
    """Everything that the table shows."""

    trading_day: date
    next_trading_day: date
    wall_s: float
    commands: int
    refused: Mapping[str, int]
    processes: int
    traded: Sequence[Traded]
    conversion: Conversion
    prices_day: date
    grades: Sequence[str]
    prices: Sequence[HubPrices]
    money: Money
    deliveries: Sequence[Delivery]
    placement: Placement | None
    base_url: str
    command: str
    enterprise: str
    keys_dir: str
    data_dir: str
    serving: bool
    state_hash: str
    seq: int


def yuan(amount_fen: int) -> str:
    """Fen as CNY with thousands and both decimals, exact: -123456 → "-1,234.56"."""
    sign, amount = ("-", -amount_fen) if amount_fen < 0 else ("", amount_fen)
    return f"{sign}{amount // 100:,}.{amount % 100:02d}"


def price_text(price: float | None) -> str:
    """A price per card-hour: three decimals below 5 CNY, where a tick of an 8-card lot is that fine."""
    if price is None:
        return "–"
    return f"{price:.3f}" if price < LOT_PRICE_LIMIT_CNY else f"{price:.2f}"


def percent(part: float, whole: float) -> str:
    """A share with one decimal; an en dash where there is no whole."""
    return f"{100 * part / whole:.1f} %" if whole else "–"


def saving(plan: float, baseline: float) -> str:
    """How much less the plan takes, signed: "−12.3 %" is less, "+4.0 %" more."""
    if not baseline:
        return "–"
    change = 100 * (plan / baseline - 1)
    return f"{change:+.1f} %".replace("-", "−")


def day_text(day: date) -> str:
    """ "Fri 4 Dec"."""
    return f"{day:%a} {day.day} {day:%b}"


def render(report: DayReport) -> RenderableType:
    """The whole table. Readable from 80 columns on."""
    parts: list[RenderableType] = [
        Rule(f"[bold]Trading day {report.trading_day:%A} {report.trading_day.isoformat()}", style="cyan"),
        _summary(report),
        *_section("Traded", _traded(report.traded), _conversion(report.conversion)),
        *_section(f"Settlement prices for {day_text(report.prices_day)}, CNY per card-hour", _prices(report)),
        *_section("Money, CNY", _money(report.money)),
        *_section("Delivered", _deliveries(report.deliveries)),
    ]
    if report.placement is not None:
        parts += _placement(report.placement)
    parts += _section("Where to look next", _next_steps(report))
    return Group(*parts)


def _section(title: str, *body: RenderableType) -> list[RenderableType]:
    return [Text(), Text(title, style="bold cyan"), *body]


def _table(*columns: str, left: int = 1) -> Table:
    """A table without lines: the first ``left`` columns are text, the others figures."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for number, name in enumerate(columns):
        table.add_column(
            name, justify="left" if number < left else "right", no_wrap=number >= left, overflow="fold"
        )
    return table


def _rows(table: Table, rows: Iterable[Sequence[str]]) -> Table:
    for row in rows:
        table.add_row(*row)
    return table


def _summary(report: DayReport) -> Text:
    refused = sum(report.refused.values())
    text = Text(
        f"{report.processes} members, each a process of its own, "
        f"sent {report.commands:,} commands and meter readings over HTTP; "
    )
    if refused:
        kinds = ", ".join(f"{code} {count:,}" for code, count in sorted(report.refused.items()))
        text.append(f"{refused:,} were refused ({kinds})")
    else:
        text.append("none was refused")
    text.append(f". The day took {report.wall_s:.0f} s of wall time.")
    return text


def _traded(traded: Sequence[Traded]) -> Table:
    table = _table("contracts", "traded", "of listed", "lots", "card-hours", "at settlement")
    return _rows(
        table,
        (
            (
                row.kind,
                f"{row.contracts_traded:,}",
                f"{row.contracts_listed:,}",
                f"{row.lots:,}",
                f"{row.card_hours:,}",
                yuan(row.value_fen),
            )
            for row in traded
        ),
    )


def _conversion(conversion: Conversion) -> Text:
    days = ", ".join(day_text(day) for day in conversion.days) or "no day"
    share = percent(conversion.reserved_card_hours, conversion.posted_card_hours)
    return Text(
        f"Conversion: {share} of the {conversion.posted_card_hours:,} card-hours posted for {days} "
        f"became reservations ({conversion.reserved_card_hours:,})."
    )


def _prices(report: DayReport) -> Table:
    table = _table("hub", *report.grades)
    for region in ("west", "central", "east"):
        hubs = [row for row in report.prices if row.region == region]
        if hubs:
            table.add_row(Text(region, style="dim italic"))
        for row in hubs:
            table.add_row(
                "  " + row.hub,
                *(price_text(row.prices.get(grade)) for grade in report.grades),
            )
    return table


def _money(money: Money) -> Group:
    moved = _table("kind", "paid by members", "paid to members")
    _rows(moved, ((kind, yuan(-out), yuan(into)) for kind, (into, out) in money.moved.items()))
    cash = _table("", "CNY")
    cash.add_row(f"cash of {money.accounts} accounts", yuan(money.members_fen))
    cash.add_row("cash of the house (fees)", yuan(money.house_fen))
    cash.add_row("deposits less withdrawals", yuan(-money.deposits_fen))
    verdict = "bold green" if money.sum_fen == 0 else "bold white on red"
    cash.add_row(Text("sum", style="bold"), Text(yuan(money.sum_fen), style=verdict))
    return Group(moved, Text(), cash)


def _deliveries(deliveries: Sequence[Delivery]) -> Group:
    table = _table("day", "reservations", "card-hours", "delivered", "short", "invoiced CNY")
    notes = []
    for row in deliveries:
        table.add_row(
            day_text(row.day),
            f"{row.reservations:,}",
            f"{row.reserved_card_hours:,}",
            f"{row.delivered_card_hours:,}",
            f"{row.shortfall_card_hours:,}" if row.finished else "under way",
            yuan(row.invoiced_fen) if row.finished else "–",
        )
        if row.note:
            notes.append(Text(f"{day_text(row.day)}: {row.note}", style="dim"))
    return Group(table, *notes)


def _placement(placement: Placement) -> list[RenderableType]:
    placed = sum(row.placed for row in placement.classes)
    tasks = sum(row.tasks for row in placement.classes)
    title = f"Placed for {day_text(placement.day)}: {placed:,} of {tasks:,} tasks of a real GPU cluster"
    lines = [
        f"{placement.west_percent:.0f} % of the cards stand in the west. Beside what was reserved the plan "
        f"buys for {yuan(placement.new_money_fen)} CNY, proven to be at most {yuan(placement.gap_fen)} "
        f"above the best plan there is. Found in {placement.seconds:.1f} s."
    ]
    if placement.unplaced:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(placement.unplaced.items()))
        lines.append(f"Not placed: {reasons}.")
    return [
        *_section(title, _classes(placement.classes), Text(" ".join(lines))),
        *_section("Against the baselines, each over the tasks that both serve", *_against(placement)),
    ]


def _classes(classes: Sequence[ClassRow]) -> Table:
    table = _table("latency class", "budget ms", "tasks", "placed", "mean ms", "max ms")
    return _rows(
        table,
        (
            (
                row.name,
                f"{row.budget_ms:g}",
                f"{row.tasks:,}",
                f"{row.placed:,}",
                f"{row.mean_rtt_ms:.1f}",
                f"{row.max_rtt_ms:.1f}",
            )
            for row in classes
        ),
    )


def _against(placement: Placement) -> list[RenderableType]:
    table = _table("", "tasks", "rent CNY", "plan", "power CNY", "plan", "t CO₂", "plan")
    notes = []
    for row in placement.against:
        table.add_row(
            row.name.replace("_", " "),
            f"{row.common:,}",
            yuan(row.baseline_cost_fen),
            saving(row.plan_cost_fen, row.baseline_cost_fen),
            yuan(row.baseline_power_fen),
            saving(row.plan_power_fen, row.baseline_power_fen),
            f"{row.baseline_kgco2 / 1000:.1f}",
            saving(row.plan_kgco2, row.baseline_kgco2),
        )
        left_out = f"; leaves out {row.unserved:,}" if row.unserved else ""
        notes.append(Text(f"{row.name.replace('_', ' ')}: {row.description}{left_out}", style="dim"))
    honesty = Text(
        "Rent counts reserved cards at their price; power is a part of it. "
        "CO₂ is by the provinces' grid averages.",
        style="dim",
    )
    return [table, *notes, honesty]


def _served(report: DayReport) -> dict[str, str]:
    """Where to look while the server serves; commands break where a shell goes on reading."""
    url = report.base_url
    return {
        "the market": f"{url}/",
        "the API": f"{url}/docs",
        "prices": f"curl -s '{url}/v1/contracts?grade=H100&kind=month'",
        "an account": f"{report.command} sign --as {report.enterprise} \\\n"
        f"  --keys {report.keys_dir} GET /v1/balances \\\n"
        f"  | curl -s -H @- {url}/v1/balances",
    }


def _next_steps(report: DayReport) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    rows = _served(report) if report.serving else {}
    rows |= {
        "the hubs": f"{report.command} hubs",
        "the record": f"{report.data_dir} (journal up to {report.seq:,}, state {report.state_hash[:16]})",
        "next": f"{report.next_trading_day:%A} {report.next_trading_day}, with the next run",
    }
    if report.serving:
        rows["now"] = f"{report.next_trading_day:%A}'s opening auction takes orders; Ctrl-C ends the server"
    for name, value in rows.items():
        table.add_row(name, Text(value))
    return table
