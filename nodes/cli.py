"""``dongxi hubs``: the delivery points as a table, or as JSON."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated

import orjson
import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from nodes.catalogue import Catalogue, load_catalogue
from nodes.energy import SHANGHAI, cny_per_kwh, mean_cny_per_kwh
from nodes.types import Grade, Hub, NetworkTier, UnknownName

# the narrow table fits in 80 columns; from here on names and figures are spelled out
WIDE_COLUMNS = 120

FOOTNOTE = """\
CNY/h and kgCO2/h are for one card-hour; carbon is the provincial grid's average.
Modelled figures: docs/catalogue.md says where each comes from."""


@dataclass(frozen=True, slots=True)
class HubLine:
    """What is shown of a hub. ``round_trip_ms`` is None unless a city was named; prices are CNY."""

    hub: str
    kind: str
    name_en: str
    name_zh: str
    national_node: str
    province: str
    city: str
    region: str
    pue: float
    power_cny_per_kwh: float
    power_cny_per_card_hour: float
    kgco2_per_card_hour: float
    kgco2_per_card_hour_contracted_green: float | None
    reference_price_cny_per_card_hour: float
    round_trip_ms: float | None


def hubs(
    near: Annotated[
        str | None, typer.Option(help="City; shows the round trip from it, nearest first.")
    ] = None,
    within: Annotated[
        float | None, typer.Option(min=0, help="Only hubs within this round trip of --near, in ms.")
    ] = None,
    tier: Annotated[NetworkTier, typer.Option(help="Network the round trip is on.")] = NetworkTier.IP_PRIVATE,
    grade: Annotated[str, typer.Option(help="Grade the card-hour figures are for.")] = "H100",
    hour: Annotated[
        int | None, typer.Option(min=0, max=23, help="Power price of this hour; else the year's mean.")
    ] = None,
    month: Annotated[
        int | None, typer.Option(min=1, max=12, help="Month for --hour; else the current one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show the 23 delivery points: power price, carbon, reference price and, from a city, round trip."""
    if within is not None and near is None:
        raise typer.BadParameter("--within needs --near CITY to measure from")
    if month is not None and hour is None:
        raise typer.BadParameter("--month needs --hour, the hour whose price is meant")
    catalogue = load_catalogue()
    try:
        chosen = catalogue.grade(grade.upper())
        trips = _trips(catalogue, near, within, tier)
    except UnknownName as error:
        raise typer.BadParameter(str(error)) from error
    at = None if hour is None else _moment(hour, month)
    lines = [_line(catalogue, hub, chosen, at, trip) for hub, trip in trips]
    if as_json:
        typer.echo(orjson.dumps([asdict(line) for line in lines], option=orjson.OPT_INDENT_2).decode())
    else:
        _print_table(lines, chosen, near, tier, at)


def _moment(hour: int, month: int | None) -> datetime:
    now = datetime.now(SHANGHAI)
    return datetime(now.year, month or now.month, 1, hour, tzinfo=SHANGHAI)


def _trips(
    catalogue: Catalogue, near: str | None, within: float | None, tier: NetworkTier
) -> list[tuple[Hub, float | None]]:
    if near is None:
        return [(hub, None) for hub in catalogue.hubs.values()]
    limit_ms = float("inf") if within is None else within
    return list(catalogue.hubs_within(near, limit_ms, tier))


def _line(
    catalogue: Catalogue, hub: Hub, grade: Grade, at: datetime | None, trip_ms: float | None
) -> HubLine:
    price = mean_cny_per_kwh(hub) if at is None else cny_per_kwh(hub, catalogue.tariffs[hub.tariff], at)
    green = catalogue.kgco2_per_card_hour_contracted_green(hub.code, grade.code)
    return HubLine(
        hub=hub.code,
        kind=hub.kind,
        name_en=hub.name_en,
        name_zh=hub.name_zh,
        national_node=hub.national_node,
        province=hub.province,
        city=hub.city,
        region=hub.region,
        pue=hub.pue,
        power_cny_per_kwh=round(price, 4),
        power_cny_per_card_hour=round(price * grade.power_kw * hub.pue, 4),
        kgco2_per_card_hour=round(catalogue.kgco2_per_card_hour(hub.code, grade.code), 4),
        kgco2_per_card_hour_contracted_green=None if green is None else round(green, 4),
        reference_price_cny_per_card_hour=round(
            catalogue.reference_price_cny_per_card_hour(grade.code, hub.code), 4
        ),
        round_trip_ms=None if trip_ms is None else round(trip_ms, 2),
    )


def _print_table(
    lines: list[HubLine], grade: Grade, near: str | None, tier: NetworkTier, at: datetime | None
) -> None:
    console = Console()
    if not lines:
        console.print(f"No hub is that near to {near}: allow more ms with --within, or try another --tier.")
        return
    wide = console.width >= WIDE_COLUMNS
    table = Table(box=SIMPLE, title=_title(grade, near, tier, at), title_justify="left", pad_edge=False)
    for heading in _names(wide=wide):
        table.add_column(heading, overflow="fold", no_wrap=heading == "Hub")
    for heading in _figures(wide=wide, near=near):
        table.add_column(heading, justify="right", no_wrap=True)
    for line in lines:
        table.add_row(*_cells(line, wide=wide))
    console.print(table)
    console.print(FOOTNOTE, highlight=False)


def _title(grade: Grade, near: str | None, tier: NetworkTier, at: datetime | None) -> str:
    when = "mean of the year" if at is None else f"month {at.month}, {at.hour:02}:00–{at.hour + 1:02}:00"
    network = f" · round trip from {near} on {tier}" if near else ""
    return f"{grade.code} {grade.name_zh} · power price: {when}{network}"


def _names(*, wide: bool) -> list[str]:
    return ["Hub", "Name", "名称", "Node", "Region"] if wide else ["Hub", "名称", "Region"]


def _figures(*, wide: bool, near: str | None) -> list[str]:
    headings = ["CNY/\nkWh", "power\nCNY/h", "kgCO2\n/h", "price\nCNY/h"]
    headings += ["PUE", "green\nkgCO2/h"] if wide else []
    return headings + (["RTT\nms"] if near else [])


def _cells(line: HubLine, *, wide: bool) -> list[str]:
    names = [line.name_en, line.name_zh, line.national_node or "–"] if wide else [line.name_zh]
    green = line.kgco2_per_card_hour_contracted_green
    cells = [line.hub, *names, line.region]
    cells += [f"{line.power_cny_per_kwh:.3f}", f"{line.power_cny_per_card_hour:.3f}"]
    cells += [f"{line.kgco2_per_card_hour:.3f}", f"{line.reference_price_cny_per_card_hour:.2f}"]
    cells += [f"{line.pue:.2f}", "–" if green is None else f"{green:.3f}"] if wide else []
    return cells + ([f"{line.round_trip_ms:.1f}"] if line.round_trip_ms is not None else [])
