"""One simulated market from its first day to its last: wakes within the exchange's own day."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from exchange.domain.calendar import NS_PER_SECOND, epoch_day, is_trading_day, moment_ns
from exchange.domain.contracts import Contract, PeriodKind
from exchange.domain.messages import RareMessage
from exchange.domain.phases import MarketPhase
from exchange.service.results import RareResult
from exchange.service.state import joined
from matching.records import COMMAND, EVENT, Records
from nodes.catalogue import load_catalogue
from sims.agents.buyers import Buyers
from sims.agents.crowd import Crowd, Moment
from sims.agents.custom import Agent, AgentCrowd
from sims.agents.make import make_crowd, member_kind
from sims.agents.provider import ProviderCrowd
from sims.engine.board import ROW, Board
from sims.engine.delivering import meter, post_capacity
from sims.engine.diary import HubDays, MarginDiary
from sims.engine.driver import SimDriver
from sims.engine.giving_up import GivingUp
from sims.engine.market import SimMarket, finish
from sims.engine.members import admit, admit_population, begin_ns, contribute
from sims.engine.monitor import Monitor
from sims.engine.opening import limits_of, margin_rules_of, open_market, rows_max, rules_of, share_fees
from sims.engine.outages import Outages
from sims.engine.shocks import Timetable
from sims.engine.streams import stream
from sims.engine.world import World, costing
from sims.scenario.populations import RESERVED, Broker, Provider
from sims.scenario.schema import Scenario

KINDS: Final = tuple(PeriodKind)
FIXED: Final = (
    "first_day",
    "wake_seconds",
    "periods",
    "days_ahead",
    "goods",
    "fund",
    "sessions",
    "population",
)
"""Keys of a scenario that hold for a whole run."""
_TAKES_ORDERS = (MarketPhase.CALL, MarketPhase.CONTINUOUS, MarketPhase.CLOSING_CALL)


@dataclass(frozen=True, slots=True)
class Party:
    """Agents of one's own as a population of a simulation."""

    name: str
    agents: Sequence[Agent]
    cash_cny: int = 50_000_000


class Simulation:
    """A scenario under a seed. `run` it once.

    `watch` is called with the simulation after each wake, to look at. `parties` take part besides the
    scenario's populations; each under a name of its own, or ValueError.
    """

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        *,
        watch: Callable[[Simulation], None] | None = None,
        parties: Sequence[Party] = (),
    ) -> None:
        taken = {*RESERVED, *(spec.name for spec in scenario.population)}
        for party in parties:
            if party.name in taken:
                raise ValueError(
                    f"party {party.name!r}: the name is taken; others: {', '.join(sorted(taken))}"
                )
            taken.add(party.name)
        catalogue = load_catalogue()
        self.scenario = scenario
        self.seed = seed
        self.world = World(scenario, catalogue)
        limits = limits_of(scenario, self.world.reference.max(), sum(len(party.agents) for party in parties))
        self.market = SimMarket(limits, begin_ns(scenario))
        self.board = Board(0, 0, 1)
        self._watch = watch
        self.monitor = Monitor(self.world.grade_of, self.world.reference)
        self.hub_days = HubDays(self.world)
        self.margin_diary = MarginDiary()
        self._giving_up = GivingUp(self.board)
        open_market(self.market, scenario, catalogue)
        self.market.witness = self._note_margin
        self.crowds = self._people(parties)
        self._timetable = Timetable()
        self._driver = SimDriver(self.market, scenario, catalogue)
        self._draws = {crowd.name: stream(seed, f"wake {crowd.name}") for crowd in self.crowds}
        self.outages = {of.name: Outages(of, seed) for of in scenario.population if isinstance(of, Provider)}
        """Of each population that delivers."""
        self._order = stream(seed, "order of populations")
        self._wander = stream(seed, "worth")
        self._wakes = 0
        self._next_wake = 0
        """When the next wake of this stretch is, ns; 0: at once."""
        self._hours = (0, 1)
        """When today's first order may come, and when trading ends, ns."""
        self._taking_until = 0
        """When today's continuous trading ends, ns."""
        self.posted_until = date.min
        """Last delivery day for which providers have posted their cards."""
        self._settled_days = 0
        self._moment = Moment(0, 0.0, 0, np.zeros(0, np.bool_), np.zeros(0, np.int32))

    def run(self, until_ns: int | None = None) -> None:
        """Run to the end of the last day, or until market time reaches `until_ns`; call again to go on."""
        while True:
            due = self._driver.next_due()
            if due.what == "open day" and self._settled_days == self.scenario.days:
                return
            phase = self.market.status().phase
            if phase in _TAKES_ORDERS:
                self._moment.call = phase is not MarketPhase.CONTINUOUS
                self._trade(due.at_ns, until_ns)
            if phase is MarketPhase.CONTINUOUS:
                self.hub_days.measure(self.market.core.state)
            if until_ns is not None and due.at_ns > until_ns:
                return
            self._move_to(due.at_ns)
            if due.what == "finish delivery":
                meter(self)
            finish(due.do())
            self._giving_up.pass_on(self.market)
            self._next_wake = 0
            self._after(due.what)

    def change(self, scenario: Scenario) -> None:
        """Go on under another scenario's rules and shocks; what is over stays. Raises ValueError for a
        change of anything that was fixed at the beginning.
        """
        fault = fault_of_change(self.scenario, scenario)
        if fault:
            raise ValueError(f"{fault} can't change within a run")
        self.scenario = self.world.scenario = scenario
        self.market.done(margin_rules_of(scenario))
        self.market.done(rules_of(scenario, self.world.catalogue))
        share_fees(self.market, scenario)
        if self.market.status().phase is not MarketPhase.SETTLED:
            self._timetable.change(self, self._settled_days + 1, self.market.clock.now_ns())

    def _after(self, what: str) -> None:
        if what == "open day":
            self._open_board()
        elif what == "settle":
            self._settled_days += 1
            self.market.core.check()
            self.hub_days.close(self.market.core.state, self.board.rows)
            for crowd in self.crowds:
                crowd.close_day(self._moment)

    def _note_margin(self, message: RareMessage, result: RareResult) -> None:
        self.margin_diary.note(self.market.core.state, message, result, self.market.clock.now_ns())

    def _people(self, parties: Sequence[Party]) -> list[Crowd]:
        """Admit everybody; then make the board for so many, and the populations on it."""
        market, scenario = self.market, self.scenario
        seated = [admit_population(market, spec, member_kind(spec)) for spec in scenario.population]
        own = [admit(market, party.name, "broker", len(party.agents), party.cash_cny) for party in parties]
        self.fat_fingers = admit(market, "fat-finger", "broker", 1, 10**9)
        contribute(market, scenario)
        crowds: list[Crowd] = []
        total = 1 + len(market.core.state.members)
        slots = market.core.state.engine.limits.max_orders + 1
        board = self.board = Board(total, len(self.world.goods), slots)
        giving_up = self._giving_up = GivingUp(board)
        for spec, theirs in zip(scenario.population, seated, strict=True):
            draws = stream(self.seed, f"members {spec.name}")
            crowd = make_crowd(spec, theirs.members, self.world, board, rows_max(scenario), draws)
            crowd.desks, crowd.hosts = theirs.desks, theirs.hosts
            if isinstance(spec, Broker):
                giving_up.direct(theirs.desks.tolist(), theirs.members.tolist(), spec.give_up_fen)
            crowds.append(crowd)
        for party, accounts in zip(parties, own, strict=True):
            draws = stream(self.seed, f"members {party.name}")
            crowds.append(AgentCrowd(party.name, party.agents, accounts, self.world, board, draws))
        board.place(crowds)
        market.listener = giving_up.fold
        return crowds

    def _open_board(self) -> None:
        """Show the board the contracts of the day that was opened."""
        state = self.market.core.state
        day = state.day.trading_day
        if day is None:
            raise RuntimeError("no day is open")
        post_capacity(self)
        contracts = [state.contracts[index] for index in state.active_contracts().tolist()]
        self.board.open_day(self._rows(contracts), len(state.contracts), state.engine.positions())
        ahead = [trading_days_between(day, of.last_trading_day, state.closed_days) for of in contracts]
        left = np.array(ahead, np.int32)
        self._moment = Moment(self._wakes, 0.0, epoch_day(day), left <= 0, left)
        sessions = state.day.sessions
        self._hours = (moment_ns(day, sessions.call), moment_ns(day, sessions.close))
        self._taking_until = moment_ns(day, sessions.continuous_end)
        self._timetable.open_day(self, self._settled_days + 1)
        for crowd in self.crowds:
            crowd.open_day(self._moment)

    def _rows(self, contracts: list[Contract]) -> Records:
        """Return the board's rows (dtype ROW) of contracts."""
        state = self.market.core.state
        rows = np.zeros(len(contracts), ROW)
        rows["contract"] = [contract.index for contract in contracts]
        terms = state.contract_table.rows[rows["contract"]]
        costs = costing(state, self.world, rows["contract"])
        rows["good"], rows["power"] = costs["good"], costs["power"]
        rows["first_day"] = [epoch_day(contract.period.first) for contract in contracts]
        rows["kind"] = [KINDS.index(contract.kind) for contract in contracts]
        rows["hours"], rows["low"], rows["high"] = terms["hours"], terms["price_low"], terms["price_high"]
        rows["reference"] = rows["last"] = terms["reference"]
        rows["halted"] = terms["halted"]
        rows["worth"] = self.world.worth[rows["good"]]
        return rows

    def _trade(self, end_ns: int, until_ns: int | None) -> None:
        """Wake everybody from now to the end of a phase."""
        step = self.scenario.wake_seconds * NS_PER_SECOND
        now = self._next_wake or self.market.clock.now_ns()
        stop = end_ns if until_ns is None else min(end_ns, until_ns)
        while now < stop:
            self._move_to(now)
            self._timetable.run(self, now)
            self._wake()
            now += step
        self._next_wake = now
        self._move_to(stop)
        if stop == end_ns:
            self._timetable.run(self, stop - 1)  # what no wake of this phase came to

    def _move_to(self, time_ns: int) -> None:
        self.market.clock.resume_at(time_ns)

    def _wake(self) -> None:
        """Let everybody act once, in an order drawn anew."""
        board, now = self.board, self._moment
        begin, end = self._hours
        now.wake = self._wakes
        at, step = self.market.clock.now_ns(), self.scenario.wake_seconds * NS_PER_SECOND
        now.progress = (at - begin) / (end - begin)
        now.last_taking = at < self._taking_until <= at + step
        self._wakes += 1
        share = step / (end - begin)
        self.world.wander(self._wander.standard_normal(len(self.world.grades) + len(self.world.goods)), share)
        board.rows["worth"] = self.world.worth[board.rows["good"]]
        crowds = [self.crowds[i] for i in self._order.permutation(len(self.crowds))]
        parts = [crowd.commands(now, self._draws[crowd.name]) for crowd in crowds]
        parts = [part for part in parts if len(part)]
        if parts:
            events = self._send(parts)
            for crowd in crowds:
                crowd.on_events(events)
            self._giving_up.pass_on(self.market)
        self.monitor.note(board.rows, now.last_day, now.perishing)
        self.hub_days.note(board.rows)
        if self._watch is not None:
            self._watch(self)

    def _send(self, parts: list[Records]) -> Records:
        commands = parts[0] if len(parts) == 1 else np.array(joined(parts, COMMAND))
        return self.market.hot(commands) if len(commands) else np.zeros(0, EVENT)

    @property
    def day(self) -> int:
        """Which trading day it is, from 1; that of the last after it was settled."""
        return min(self._settled_days + 1, self.scenario.days)

    @property
    def continuous(self) -> bool:
        """Whether orders trade at once, and aren't collected for a call."""
        return not self._moment.call

    @property
    def share_done(self) -> float:
        """How much of the run's trading time is over, 0 … 1."""
        return min(1.0, (self._settled_days + min(1.0, self._moment.progress)) / self.scenario.days)

    def enterprises(self) -> list[Buyers]:
        """Return the populations that need compute."""
        return [crowd for crowd in self.crowds if isinstance(crowd, Buyers)]

    def providers(self) -> list[ProviderCrowd]:
        """Return the populations that deliver."""
        return [crowd for crowd in self.crowds if isinstance(crowd, ProviderCrowd)]


def fault_of_change(before: Scenario, after: Scenario) -> str:
    """Return the first key that differs and can't within a run, or nothing."""
    return next((key for key in FIXED if getattr(before, key) != getattr(after, key)), "")


def trading_days_between(day: date, last: date, closed_days: Collection[date]) -> int:
    """Return how many trading days follow `day` up to and with `last`."""
    days = (date.fromordinal(number) for number in range(day.toordinal() + 1, last.toordinal() + 1))
    return sum(is_trading_day(following, closed_days) for following in days)
