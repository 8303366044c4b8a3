"""The day driver: issues what the clock and the calendar make due, as ordinary journaled messages (chapter
4).

It keeps nothing itself. What is due next follows from the journaled state alone, so a start after a kill at
any point does what is missing, once. What was missed while the exchange was down is done in order, each at
once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from typing import Protocol

from exchange.domain.calendar import NS_PER_MINUTE, day_of, is_trading_day, moment_ns, next_trading_day
from exchange.domain.clock import Clock
from exchange.domain.contracts import Symbol
from exchange.domain.defaults import CloseAuction, CloseOut, CoverDefault, EnforceCalls
from exchange.domain.delivering import BuyInShortfalls
from exchange.domain.listing import listed_periods
from exchange.domain.messages import (
    FinishDelivery,
    ListContracts,
    Listing,
    OpenDay,
    RareMessage,
    RunMargin,
    SetCalendar,
    SetPhase,
    SettleDay,
)
from exchange.domain.phases import MarketPhase
from exchange.domain.primary import PlaceStandingSales
from exchange.domain.rejects import RejectCode
from exchange.service.bootstrap import market_rules
from exchange.service.results import RareResult
from exchange.service.views import Views
from exchange.service.viewtypes import StatusView
from nodes.catalogue import Catalogue, load_catalogue

POLL_S = 0.02
"""How often the driver looks again whether the clock's speed or the state has changed."""

CALENDAR_RENEWED_DAYS = 400
"""The calendar is journaled anew when less than this of it lies ahead."""


class DriverError(Exception):
    """The exchange refused what was due: state and driver disagree, and a person has to look."""


class _StoppingError(Exception):
    """The exchange is shutting down or no longer acknowledges; the next start goes on."""


class Driven(Protocol):
    """What the driver needs of an exchange; a simulated one has it too."""

    @property
    def failure(self) -> str | None:
        """Why nothing is acknowledged any more; None while all is well."""
        ...

    @property
    def views(self) -> Views:
        """The state, for reading."""
        ...

    def status(self) -> StatusView:
        """Return the market as a whole, at its time."""
        ...

    async def submit_rare(self, message: RareMessage) -> RareResult:
        """Submit one rare message; resolves when it is applied or refused."""
        ...


class DriverConfig(Protocol):
    """Where a fresh exchange begins."""

    @property
    def first_day(self) -> date:
        """First trading day of a fresh exchange."""
        ...


@dataclass(frozen=True, slots=True)
class Due:
    """What comes next, and from when on."""

    at_ns: int
    what: str
    do: Callable[[], Awaitable[None]]


class DayDriver:
    """Drives the market through its days until it is cancelled or the exchange stops acknowledging.

    `on_step(what, market_time_ns)` is called after each step, for a display.
    """

    def __init__(
        self,
        exchange: Driven,
        clock: Clock,
        config: DriverConfig,
        *,
        catalogue: Catalogue | None = None,
        on_step: Callable[[str, int], None] | None = None,
    ) -> None:
        self._exchange = exchange
        self._clock = clock
        self._first_day = config.first_day
        self._catalogue = catalogue or load_catalogue()
        self._on_step = on_step

    async def run(self) -> None:
        """Do what is due until the exchange stops. Raises DriverError if it refuses what is due."""
        while self._exchange.failure is None:
            due = self.next_due()
            delay = self._clock.wall_delay_s(due.at_ns)
            if delay != 0.0:
                await asyncio.sleep(POLL_S if delay is None else min(delay, POLL_S))
            elif not await self._step(due):
                return

    async def catch_up(self) -> int:
        """Do everything that is due by the clock now; return how many steps that took."""
        steps = 0
        while self._exchange.failure is None:
            due = self.next_due()
            if due.at_ns > self._clock.now_ns() or not await self._step(due):
                break
            steps += 1
        return steps

    def next_due(self) -> Due:
        """Return what is due next, of the trading day and of delivery whichever comes first."""
        market, delivery = self._next_of_market(), self._next_of_delivery()
        return market if delivery is None or market.at_ns <= delivery.at_ns else delivery

    async def _step(self, due: Due) -> bool:
        """Do one thing; return False if the exchange is stopping."""
        try:
            await due.do()
        except _StoppingError:
            return False
        if self._on_step is not None:
            self._on_step(due.what, self._exchange.status().market_time_ns)
        return True

    def _next_of_market(self) -> Due:
        status, sessions = self._exchange.views.status(), self._exchange.views.day_sessions
        day = status.trading_day
        if status.phase is MarketPhase.SETTLED and day is not None:
            for account in self._exchange.views.in_default():
                message = CoverDefault(account=account)
                return Due(moment_ns(day, sessions.settle), "cover default", self._sending(message))
        if status.phase is MarketPhase.SETTLED or day is None:
            day = self._next_day(day)
            at = self._exchange.views.sessions.open_day
            return Due(moment_ns(day, at), "open day", self._opening(day))
        if status.phase is MarketPhase.CLOSED:
            return Due(moment_ns(day, sessions.settle), "settle", self._sending(SettleDay(day=day)))
        if status.phase in (MarketPhase.CALL, MarketPhase.CONTINUOUS) and self._exchange.views.standing_due:
            return Due(moment_ns(day, sessions.call), "standing sales", self._sending(PlaceStandingSales()))
        at, phase = sessions.steps()[self._exchange.views.day_steps]
        if status.phase is MarketPhase.CONTINUOUS:
            within = self._due_within(day, at)
            if within is not None:
                return within
        return Due(moment_ns(day, at), phase.label, self._sending(SetPhase(phase=phase)))

    def _due_within(self, day: date, end: time) -> Due | None:
        """Return what comes first of margin runs, calls and close-outs before this stretch's `end`; what is
        due in a break comes after it.
        """
        views, sessions = self._exchange.views, self._exchange.views.day_sessions
        deadline, auction = moment_ns(day, sessions.margin_deadline), moment_ns(day, sessions.margin_auction)
        steps: list[tuple[int, str, RareMessage]] = []
        for call in views.margin_calls():
            if not call.restricted:
                if call.due_ns or call.issued != day:
                    steps.append((max(call.due_ns, deadline), "margin deadline", EnforceCalls()))
            elif views.positions(call.account) and call.closed_out != day:
                steps.append((deadline, "close-out", CloseOut(account=call.account)))
            elif views.positions(call.account) and call.auctioned != day:
                steps.append((auction, "auction", CloseAuction(account=call.account)))
        steps += self._margin_runs(day)
        if any(not of.done for of in views.delivering.buy_ins):
            steps.append((moment_ns(day, sessions.buy_in), "buy-in", BuyInShortfalls()))
        if not steps:
            return None
        at_ns, what, message = min(steps, key=lambda step: step[0])
        return Due(at_ns, what, self._sending(message)) if at_ns < moment_ns(day, end) else None

    def _margin_runs(self, day: date) -> list[tuple[int, str, RareMessage]]:
        """Return the open day's next margin run, if one is left."""
        sessions = self._exchange.views.day_sessions
        message = RunMargin(call_minutes=sessions.call_minutes)
        left = sessions.margin_runs[self._exchange.views.margin_runs :]
        return [(moment_ns(day, at), "margin run", message) for at in left[:1]]

    def _next_of_delivery(self) -> Due | None:
        delivered = self._exchange.views.delivered_day
        if delivered is None:
            return None
        day = delivered + timedelta(days=1)
        at = moment_ns(day + timedelta(days=1), self._exchange.views.sessions.finish_delivery_next_day)
        return Due(at, "finish delivery", self._sending(FinishDelivery(day=day)))

    def _next_day(self, last: date | None) -> date:
        closed = self._exchange.views.closed_days
        if last is not None:
            return next_trading_day(last, closed)
        now = self._clock.now_ns()
        day = max(self._first_day, day_of(now))
        late = day > self._first_day and now > moment_ns(day, self._exchange.views.sessions.call)
        return day if is_trading_day(day, closed) and not late else next_trading_day(day, closed)

    def _sending(self, message: RareMessage) -> Callable[[], Awaitable[None]]:
        async def send() -> None:
            await self._send(message)

        return send

    def _opening(self, day: date) -> Callable[[], Awaitable[None]]:
        async def open_day() -> None:
            if self._exchange.views.rules.calendar_end < day + timedelta(days=CALENDAR_RENEWED_DAYS):
                await self._renew_calendar(day)
            listings = self.missing_listings(day)
            if listings:
                await self._send(ListContracts(listings=tuple(listings)))
            sessions = self._exchange.views.sessions
            end = moment_ns(day, sessions.continuous_end)
            window = end - sessions.settlement_window_minutes * NS_PER_MINUTE
            await self._send(OpenDay(day=day, settlement_window_ns=window))

        return open_day

    async def _renew_calendar(self, day: date) -> None:
        """Go on where the published calendar ends: what the operator set stays (clause 4.10)."""
        fresh = market_rules(self._catalogue, day)
        rules = self._exchange.views.rules
        later = tuple(closed for closed in fresh.closed_days if closed > rules.calendar_end)
        await self._send(
            SetCalendar(closed_days=(*rules.closed_days, *later), calendar_end=fresh.calendar_end)
        )

    def missing_listings(self, day: date) -> list[Listing]:
        """Return the contracts that clause 4.2 lists on `day` that aren't listed yet, by product: whole ones
        first, for a part of their hours opens at their price.
        """
        views = self._exchange.views
        found: dict[str, Listing] = {}
        for product in views.products():
            pair = product.grade, product.hub
            periods = listed_periods(views.listing.rules, pair, day, views.closed_days)
            symbols = (Symbol(*pair, *terms) for terms in periods)
            wanted = (symbol for symbol in symbols if self.lists(symbol, day))
            for symbol in sorted(wanted, key=lambda one: one.base is not None):
                known = views.load_profiles.delivery(product.hub, symbol.period, symbol.profile)
                if known is not None and views.contract(str(symbol)) is None:
                    found[str(symbol)] = Listing(str(symbol), self._reference_price(symbol, found))
        return list(found.values())

    def lists(self, symbol: Symbol, day: date) -> bool:
        """Return whether a contract that clause 4.2 lists on `day` is listed here: each, on a real market."""
        return True

    def _reference_price(self, symbol: Symbol, listing: Mapping[str, Listing]) -> int:
        """Return a new contract's reference price in ticks (clauses 2.12, 4.5).

        That of the base contract of whose hours it has a part, listed or in `listing`, and what power costs
        more in that part; else the latest settlement price of the product's latest contract of the same kind
        and profile; else the catalogue's price, and what power costs more.
        """
        views = self._exchange.views
        if symbol.base is not None:
            whole = str(symbol.base)
            known = views.contract(whole)
            if known is not None:
                return max(1, known.reference_price + self._power_premium(symbol))
            if whole in listing:
                return max(1, listing[whole].reference_price_ticks + self._power_premium(symbol))
        before = symbol.period.before
        for _ in range(_LOOK_BACK):
            known = views.contract(str(replace(symbol, period=before)))
            if known is not None and known.settled:
                return known.reference_price
            before = before.before
        level = self._catalogue.reference_price_ticks(symbol.grade, symbol.hub)
        return max(1, level + self._power_premium(symbol))

    def _power_premium(self, symbol: Symbol) -> int:
        """Return what power costs more in a contract's hours than in all of its base contract's, ticks."""
        profiles, base = self._exchange.views.load_profiles, symbol.base
        if base is None:
            return 0
        part, whole = (profiles.delivery(of.hub, of.period, of.profile) for of in (symbol, base))
        if part is None or whole is None:
            raise DriverError(f"{symbol} delivers no hours")
        return self._catalogue.power_premium_ticks(
            symbol.grade, symbol.hub, part.by_month(), whole.by_month()
        )

    async def _send(self, message: RareMessage) -> None:
        """Submit until it is taken: BUSY passes; an exchange that no longer acknowledges ends the driver."""
        while True:
            result = await self._exchange.submit_rare(message)
            if result.ok:
                return
            if result.code in (RejectCode.NOT_ACKNOWLEDGING, RejectCode.STOPPING):
                raise _StoppingError
            if result.code is not RejectCode.BUSY:
                raise DriverError(f"{type(message).__name__} was refused: {result.sentence}")
            await asyncio.sleep(POLL_S)


_LOOK_BACK = 4
