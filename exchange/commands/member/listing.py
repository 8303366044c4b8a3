"""`dongxi listing`: which contracts are listed when a day opens, and which hours are peak and valley."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Annotated, Any, Literal

import typer

from exchange.api.listing import HoursSince, HubHours, Listing, ListingRule
from exchange.client import ExchangeClient
from exchange.commands.member.session import AsJson, BaseUrl, ProfileName, Wrong, print_json, run
from exchange.commands.member.shown import ZONE, show, table
from exchange.domain.listing import ANY

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Show and set which contracts are listed, and which hours are peak and valley.",
)

Kind = Annotated[
    Literal["hour", "day", "week", "month", "quarter"], typer.Argument(help="The contracts' period.")
]
OfProfile = Annotated[
    Literal["base", "peak", "valley"], typer.Option("--load", help="Hours of it that they deliver.")
]
OfGrade = Annotated[str, typer.Option("--grade", help="Grade, such as H100; * is any.")]
OfHub = Annotated[str, typer.Option("--hub", help="Hub, such as GUIAN; * is any.")]

HOURS_PER_DAY = 24
MONTHS = range(1, 13)


@app.command("show")
def show_(base_url: BaseUrl = None, as_json: AsJson = False) -> None:
    """Show the listing rules, and every hub's peak and valley hours."""
    found = run("listing show", ExchangeClient.listing, None, base_url, public=True)
    if as_json:
        print_json(found)
        return
    show(_rules(found.rules))
    columns = ("hub", "deliveries from", "months", "peak", "valley")
    rows = [row for since in found.profiles for row in _profile_rows(since)]
    show(table(f"Peak and valley hours, {ZONE}", columns, rows))


@app.command()
def add(
    kind: Kind,
    ahead: Annotated[
        int, typer.Option(min=1, help="How many periods ahead; of hours and days, how many days.")
    ],
    load: OfProfile = "base",
    grade: OfGrade = ANY,
    hub: OfHub = ANY,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List more, or change how far ahead a rule lists: an operator's with the role market (clause 4.2).

    It holds from the next day that is opened; what is listed stays.

    dongxi listing add month --load peak --grade H100 --hub GUIAN --ahead 6
    """
    rule = ListingRule(kind=kind, ahead=ahead, profile=load, grade=grade.upper(), hub=hub.upper())

    async def change(client: ExchangeClient) -> list[ListingRule]:
        rules = (await client.listing()).rules
        if any(_about(one) == _about(rule) for one in rules):
            rules = [rule if _about(one) == _about(rule) else one for one in rules]
        else:
            rules = [*rules, rule]
        await client.set_listing_rules(rules)
        return rules

    _tell(run("listing add", change, profile, base_url), as_json=as_json)


@app.command()
def remove(
    kind: Kind,
    load: OfProfile = "base",
    grade: OfGrade = ANY,
    hub: OfHub = ANY,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """End a rule: an operator's with the role market. What it listed stays listed until its last day.

    dongxi listing remove month --load peak --grade H100 --hub GUIAN
    """
    what = (kind, load, grade.upper(), hub.upper())

    async def change(client: ExchangeClient) -> list[ListingRule]:
        rules = (await client.listing()).rules
        kept = [one for one in rules if _about(one) != what]
        if len(kept) == len(rules):
            named = f"{load} {kind}s of {what[2]} at {what[3]}"
            raise Wrong(f"no rule lists {named}; `dongxi listing show` shows the rules")
        await client.set_listing_rules(kept)
        return kept

    _tell(run("listing remove", change, profile, base_url), as_json=as_json)


@app.command()
def hours(
    hub: Annotated[str, typer.Argument(help="The hub, such as GUIAN.")],
    since: Annotated[str, typer.Option("--from", help="First month of delivery, such as 2027-04.")],
    peak: Annotated[str | None, typer.Option(help="Peak hours: 10-13,17-22 is 10:00 to 13:00 and …")] = None,
    valley: Annotated[str | None, typer.Option(help="Valley hours, such as 0-8.")] = None,
    months: Annotated[str, typer.Option(help="Only of these months of the year, such as 6-8.")] = "1-12",
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Set a hub's peak and valley hours: an operator's with the role market (clause 2.9).

    What isn't named stays as it is; hours set before for later months end. Hours that a listed contract
    delivers can't be changed.

    dongxi listing hours GUIAN --from 2027-04 --peak 10-13,17-22 --valley 0-8
    """
    month = re.fullmatch(r"(\d{4}-\d{2})(-01)?", since)
    if month is None:
        raise typer.BadParameter(f"--from {since!r} is no month such as 2027-04")
    told = {"peak": peak, "valley": valley}
    wanted = {name: _hours_of(text) for name, text in told.items() if text is not None}
    if not wanted:
        raise typer.BadParameter("name --peak, --valley or both")
    chosen = _months_of(months)
    first = f"{month[1]}-01"

    async def change(client: ExchangeClient) -> HoursSince:
        now = _in_force(await client.listing(), hub.upper(), first)
        new = HubHours(hub=hub.upper(), peak=list(now.peak), valley=list(now.valley))
        for name, of_day in wanted.items():
            for each in chosen:
                getattr(new, name)[each - 1] = of_day
        _expect_sound(new)
        await client.set_load_profiles(first, [new])
        return HoursSince(from_month=first, hours=new)

    done = run("listing hours", change, profile, base_url)
    if as_json:
        print_json(done)
        return
    columns = ("hub", "deliveries from", "months", "peak", "valley")
    show(table(f"Peak and valley hours, {ZONE}", columns, _profile_rows(done)))


def _about(rule: ListingRule) -> tuple[str, str, str, str]:
    """What a rule lists, but for how far ahead."""
    return rule.kind, rule.profile, rule.grade, rule.hub


def _tell(rules: list[ListingRule], *, as_json: bool) -> None:
    if as_json:
        print_json(rules)
        return
    show(_rules(rules))
    show("These hold from the next day that is opened on.")


def _rules(rules: list[ListingRule]) -> Any:
    rows = [(one.kind, one.profile, one.grade, one.hub, one.ahead) for one in rules]
    columns = ("period", "load", "grade", "hub", "ahead")
    return table("Listed when a trading day opens; * is any", columns, rows, right=("ahead",))


def _in_force(of: Listing, hub: str, first: str) -> HubHours:
    """The hours that hold at a hub in the month that begins on `first`; none where none are known."""
    known = [one for one in of.profiles if one.hours.hub == hub and one.from_month <= first]
    return known[-1].hours if known else HubHours(hub=hub, peak=[[]] * 12, valley=[[]] * 12)


def _expect_sound(of: HubHours) -> None:
    """Raise Wrong where a month has no peak or no valley hours, or an hour that is both."""
    for month, peak, valley in zip(MONTHS, of.peak, of.valley, strict=True):
        if not peak or not valley:
            missing = "peak" if not peak else "valley"
            raise Wrong(f"{of.hub} would have no {missing} hours in month {month}; name --{missing}")
        both = sorted(set(peak) & set(valley))
        if both:
            raise Wrong(f"{_clock_times(both)} would be peak and valley in month {month}; name both anew")


def _profile_rows(of: HoursSince) -> Iterator[tuple[str, str, str, str, str]]:
    """A row for each stretch of months with the same hours."""
    pairs = zip(of.hours.peak, of.hours.valley, strict=True)
    for (peak, valley), same in groupby(zip(MONTHS, pairs, strict=True), key=lambda month: month[1]):
        stretch = [month for month, _ in same]
        named = f"{stretch[0]}-{stretch[-1]}" if len(stretch) > 1 else str(stretch[0])
        yield of.hours.hub, of.from_month, named, _clock_times(peak), _clock_times(valley)


def _clock_times(of_day: list[int]) -> str:
    """Hours as stretches from clock time to clock time: "10-13,17-22"."""
    starts = [hour for hour in of_day if hour - 1 not in of_day]
    ends = [hour + 1 for hour in of_day if hour + 1 not in of_day]
    return ",".join(f"{start}-{end}" for start, end in zip(starts, ends, strict=True))


def _hours_of(text: str) -> list[int]:
    """The hours of stretches such as "10-13,17-22"; 13 isn't one of them. Raises typer.BadParameter."""
    stretches = _stretches(text, "hours such as 10-13,17-22, from clock time to clock time")
    found = [hour for start, end in stretches for hour in range(start, end)]
    if not found or max(found) >= HOURS_PER_DAY or not all(start < end for start, end in stretches):
        raise typer.BadParameter(f"{text!r} has a stretch that doesn't lie in order within 0 to 24")
    return sorted(set(found))


def _months_of(text: str) -> list[int]:
    """The months of the year that are named, such as "6-8" or "1,12". Raises typer.BadParameter."""
    found = [
        month for start, end in _stretches(text, "months such as 6-8") for month in range(start, end + 1)
    ]
    if not found or not set(found) <= set(MONTHS):
        raise typer.BadParameter(f"{text!r} has months that aren't in order within 1 to 12")
    return found


def _stretches(text: str, wanted: str) -> list[tuple[int, int]]:
    parts = [re.fullmatch(r"(\d{1,2})(?:-(\d{1,2}))?", part.strip()) for part in text.split(",")]
    if not all(parts):
        raise typer.BadParameter(f"{text!r} is not {wanted}")
    return [(int(part[1]), int(part[2] or part[1])) for part in parts if part]
