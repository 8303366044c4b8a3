"""Telling the exchange which work will run on reservations, and what it said."""

from typing import Any, NamedTuple

from rich.console import Console

from scheduler.io.nominating import nominations_of
from scheduler.io.schedule import Schedule
from scheduler.io.venue import Nomination, Stock, Venue


class Made(NamedTuple):
    """A nomination and why it was refused: "" where it was taken."""

    nomination: Nomination
    refused: str


def nominate_all(venue: Venue, schedule: Schedule, stock: Stock) -> tuple[Made, ...]:
    """Nominate everything that the plan runs on reservations. Raises `scheduler.io.venue.NoVenue`."""
    wanted = nominations_of(schedule, stock)
    return tuple(map(Made, wanted, venue.nominate(wanted)))


def show_made(made: tuple[Made, ...], console: Console) -> None:
    """Print what was nominated and what was refused."""
    taken = sum(not one.refused for one in made)
    console.print(f"{taken:,} of {len(made):,} nominations taken", highlight=False)
    for nomination, refused in made:
        if refused:
            where = f"{nomination.workload} on reservation {nomination.reservation_id}"
            console.print(f"  {where}: {refused}", highlight=False, markup=False)


def made_json(made: tuple[Made, ...] | None) -> dict[str, Any]:
    """The same as JSON values; nothing where nobody asked for it."""
    if made is None:
        return {}
    return {"nominations": [one.nomination._asdict() | {"refused": one.refused} for one in made]}
