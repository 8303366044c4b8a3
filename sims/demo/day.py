"""The demonstration day: a whole trading day with real clients, from posted capacity to paid delivery.

`run` is what ``dongxi up --demo`` calls. It steers the market's clock and tells the members' processes when
to act; all that members do goes through the HTTP API.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

import typer
from rich.console import Console
from rich.status import Status

from exchange.client.errors import ExchangeError
from exchange.domain.clock import AcceleratedClock
from exchange.service.exchange import Exchange
from nodes.catalogue import Catalogue, load_catalogue
from sims.demo.admission import admit
from sims.demo.cues import Setup
from sims.demo.director import Director, PhaseNotReached
from sims.demo.findings import Observer
from sims.demo.placing import PlacingFailed
from sims.demo.report import Placement, day_text, render
from sims.demo.reporting import RunFacts, collect, place_tasks
from sims.demo.settings import DemoSettings, load_settings
from sims.demo.timetable import REST, SETTLED, Step, current_trading_day, moment, remaining, timetable
from sims.demo.troupe import MemberFailed, Troupe
from sims.demo.world import Cast, cast_of

REST_S = 0.5
"""Wall seconds from the table to the next trading day's call auction."""


class Session(Protocol):
    """What the server gives: where it listens, its exchange, and its clock, which stands still at first."""

    @property
    def base_url(self) -> str:
        """Such as http://127.0.0.1:8230, without a slash at its end."""

    @property
    def keys_dir(self) -> Path:
        """Where profiles lie."""

    @property
    def data_dir(self) -> Path:
        """Where the journal lies."""

    @property
    def exchange(self) -> Exchange:
        """The running exchange, whose day driver follows the clock."""

    @property
    def clock(self) -> AcceleratedClock:
        """The market's clock."""

    @property
    def once(self) -> bool:
        """Whether the server ends after the table."""

    @property
    def speed(self) -> float:
        """1 is the normal pace, 2 is twice as fast."""


async def run(session: Session) -> None:
    """Run from the market's present time to the next trading day's opening and print the table.

    Afterwards the market stands still in the next trading day's call auction. What stops the demonstration
    is said in a sentence, then typer.Exit with code 1 ends the program; the next run goes on from there.
    Whatever happens, no member's process is left behind.
    """
    settings = load_settings()
    troupe = Troupe(settings.pace.answer_timeout_s)
    try:
        await Demo(session, settings, load_catalogue(), troupe, Console()).run()
    except (ExchangeError, MemberFailed, PhaseNotReached, PlacingFailed) as error:
        typer.echo(f"dongxi up: the demonstration stopped: {error}", err=True)
        raise typer.Exit(1) from None
    finally:
        await troupe.end()


class Demo:
    """One run. The clock is its own until it returns."""

    def __init__(
        self,
        session: Session,
        settings: DemoSettings,
        catalogue: Catalogue,
        troupe: Troupe,
        console: Console,
    ) -> None:
        self._session = session
        self._settings = settings
        self._catalogue = catalogue
        self._troupe = troupe
        self._console = console
        self._cast: Cast = cast_of(catalogue)
        self._director = Director(session.exchange, session.clock, troupe, session.speed)
        self._began_s = time.monotonic()
        self._title = ""

    async def run(self) -> None:
        """The whole run."""
        session = self._session
        opened = session.exchange.views.status().trading_day
        day = current_trading_day(self._director.now, opened, session.exchange.config.first_day)
        next_day = self._catalogue.next_trading_day(day)
        with self._console.status("…") as status:
            await self._gather(status)
            await self._play(day, next_day, status)
        await self._director.run_to(moment(next_day, REST), REST_S)
        await self._director.reach("call")

    async def _gather(self, status: Status) -> None:
        """Admit the members and start their processes."""
        session = self._session
        self._say(status, "members come in")
        await admit(session.base_url, session.keys_dir, self._cast, self._settings.cash)
        await self._troupe.start(self._setups())

    def _setups(self) -> Iterator[Setup]:
        base_url, keys_dir = self._session.base_url, str(self._session.keys_dir)
        for name, hubs in self._cast.providers.items():
            yield Setup(name, base_url, keys_dir, self._settings, hubs=hubs)
        for name, city in self._cast.enterprises.items():
            yield Setup(name, base_url, keys_dir, self._settings, city=city)

    async def _play(self, day: date, next_day: date, status: Status) -> None:
        """The market's day, then delivery until the next one; while it delivers the scheduler works."""
        steps = remaining(timetable(day, next_day, self._settings.pace), self._director.now)
        settled = moment(day, SETTLED)
        await self._director.play([s for s in steps if s.at <= settled], partial(self._show, status))
        async with self._observer() as observer:
            placing = asyncio.create_task(place_tasks(observer, day))
            try:
                await self._director.play([s for s in steps if s.at > settled], partial(self._show, status))
                await self._director.delivered(next_day - timedelta(days=1))
                if not placing.done():
                    self._say(status, "the scheduler finishes its search")
                await self._table(day, next_day, observer, await placing)
            finally:
                placing.cancel()

    def _observer(self) -> Observer:
        cast = self._cast
        members = (list(cast.providers), list(cast.enterprises))
        return Observer(self._session.base_url, self._session.keys_dir, *members)

    async def _table(self, day: date, next_day: date, observer: Observer, placement: Placement) -> None:
        """Collect the figures and print."""
        session, cast = self._session, self._cast
        facts = RunFacts(
            trading_day=day,
            next_trading_day=next_day,
            base_url=session.base_url,
            command=_command(),
            keys_dir=session.keys_dir,
            data_dir=session.data_dir,
            serving=not session.once,
            enterprise=next(iter(cast.enterprises)),
            members=len(cast.members),
            tally=self._troupe.tally,
            wall_s=time.monotonic() - self._began_s,
        )
        money = session.exchange.views.money()
        report = await collect(facts, observer, money, placement, self._catalogue, self._settings)
        self._console.print(render(report))

    # progress

    def _show(self, status: Status, step: Step) -> None:
        """Name a new stage, and what the market has seen so far."""
        if step.title != self._title:
            self._say(status, step.title, step.at)
        tally = self._troupe.tally
        status.update(
            f"{day_text(step.at.date())} {step.at:%H:%M}  {step.title}  "
            f"[dim]{tally.sent:,} commands, {tally.traded_lots:,} lots taken[/dim]"
        )

    def _say(self, status: Status, title: str, at: datetime | None = None) -> None:
        """One line that stays, with the market time that it is about: now if not given."""
        self._title = title
        at = at or self._director.now
        self._console.print(f"[cyan]{day_text(at.date())} {at:%H:%M}[/cyan]  {title}", highlight=False)
        status.update(title)


def _command() -> str:
    """How this program was called, as one can type it again: relative to here if it lies below."""
    program = Path(sys.argv[0])
    return str(program.relative_to(Path.cwd())) if program.is_relative_to(Path.cwd()) else str(program)
