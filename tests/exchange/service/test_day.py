"""The day driver on a real exchange: the whole calendar in order, and the same after a stop at any step."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import date, time, timedelta
from itertools import count

import pytest

from exchange.domain import messages as m
from exchange.domain.calendar import is_trading_day, local_datetime, moment_ns
from exchange.domain.clock import AcceleratedClock, ManualClock
from exchange.domain.contracts import PeriodKind, parse_symbol
from exchange.domain.defaults import BidForPosition
from exchange.domain.listing import BASE_RULES, SetListingRules, fine_rules
from exchange.domain.phases import MarketPhase
from exchange.domain.profiles import HubProfiles, SetLoadProfiles
from exchange.service.bootstrap import BootstrapError, bootstrap, market_rules
from exchange.service.day import DayDriver, DriverError
from exchange.service.exchange import Exchange
from matching.records import Side, new_order
from nodes.catalogue import load_catalogue
from nodes.types import Profile

FRIDAY, MONDAY = date(2026, 12, 4), date(2026, 12, 7)
DAY = ["open day", "call", "matched", "continuous", "margin run", "margin run", "closed", "settle"]


class Catalogue:
    """The rules of a small market in place of the real catalogue's 138 products."""

    def reference_price_ticks(self, grade, hub):
        return 1_200

    def power_premium_ticks(self, grade, hub, part, whole):
        """The real one's: what power costs more doesn't depend on the size of the market."""
        return load_catalogue().power_premium_ticks(grade, hub, part, whole)


class RisingCatalogue(Catalogue):
    """A reference price that no two contracts share."""

    def __init__(self):
        self._prices = count(1_200)

    def reference_price_ticks(self, grade, hub):
        return next(self._prices)


async def small(config, clock):
    """Open an exchange with one product."""
    exchange = await Exchange.open(config, clock)
    if not exchange.views.products():
        rules = m.SetRules(
            products=(m.Product("H100", "GUIAN", 1),), closed_days=(), calendar_end=date(2029, 1, 1)
        )
        assert (await exchange.submit_rare(rules)).ok
    return exchange


def driver(exchange, config, steps=None, catalogue=None):
    def note(what, at_ns):
        if steps is not None:
            steps.append((what, local_datetime(at_ns)))

    return DayDriver(exchange, exchange.clock, config, catalogue=catalogue or Catalogue(), on_step=note)


async def test_hours_and_profiles_open_at_the_price_of_what_they_are_a_part_of_and_their_power(config):
    """Clauses 2.12, 4.2 and 4.5."""
    exchange = await small(config, ManualClock(moment_ns(FRIDAY, time(8, 0))))
    rules = SetListingRules(rules=(*BASE_RULES, *fine_rules(["H100.GUIAN"])))
    profiles = HubProfiles(hub="GUIAN", peak=(1 << 10,) * 12, valley=(3,) * 12)
    settled = m.ListContracts(listings=(m.Listing("H100.GUIAN.261205", 1_201),))
    for message in (rules, SetLoadProfiles(from_month=date(2026, 12, 1), hubs=(profiles,)), settled):
        assert (await exchange.submit_rare(message)).ok
    exchange.clock.set(moment_ns(FRIDAY, time(8, 30)))
    assert await driver(exchange, config).catch_up() == 1
    views = {view.contract.symbol: view for view in exchange.views.contracts()}
    assert len(views) == 3 * 21 + 72
    wanted = {
        "H00": (1, 1_169),
        "H09": (1, 1_201),
        "H10": (1, 1_233),
        "-PEAK": (1, 1_233),
        "-VALLEY": (2, 1_169),
        "": (24, 1_201),
    }
    found = {end: views[f"H100.GUIAN.261205{end}"] for end in wanted}
    assert {end: (view.contract.hours, view.reference_price) for end, view in found.items()} == wanted
    assert views["H100.GUIAN.261206H05"].reference_price == 1_200 - 32
    assert len(exchange.views.contracts(kind=PeriodKind.HOUR)) == 72
    assert len(exchange.views.contracts(profile=Profile.PEAK)) == 21
    await exchange.close()


async def test_finer_listing_than_there_is_room_for_ends_the_first_start(config):
    """Clause 4.2: 138 × 61 + 362 for each product named, of 16,384."""
    fine = tuple(
        f"{product.grade}.{product.hub}" for product in market_rules(load_catalogue(), FRIDAY).products
    )
    exchange = await Exchange.open(dataclasses.replace(config, fine_listing=fine[:23]), ManualClock(0))
    with pytest.raises(BootstrapError, match=r"16,744 contracts.*name fewer"):
        await bootstrap(exchange)
    await exchange.close()


async def test_a_part_opens_at_the_price_of_its_whole_whatever_comes_first_in_the_rules(config):
    """Clause 4.5."""
    exchange = await small(config, ManualClock(moment_ns(FRIDAY, time(8, 0))))
    rules = SetListingRules(rules=(*fine_rules(["H100.GUIAN"]), *BASE_RULES))
    profiles = HubProfiles(hub="GUIAN", peak=(1 << 10,) * 12, valley=(3,) * 12)
    for message in (rules, SetLoadProfiles(from_month=date(2026, 12, 1), hubs=(profiles,))):
        assert (await exchange.submit_rare(message)).ok
    listings = driver(exchange, config, catalogue=RisingCatalogue()).missing_listings(FRIDAY)
    prices = {parse_symbol(one.symbol): one.reference_price_ticks for one in listings}
    parts = [symbol for symbol in prices if symbol.base is not None]
    assert len(parts) == 72 + 2 * 21
    assert {prices[symbol] - prices[symbol.base] for symbol in parts} == {-32, 0, 32}  # clause 2.12
    await exchange.close()


async def test_a_weekend_in_order_each_step_at_its_time(config):
    exchange = await small(config, ManualClock(moment_ns(FRIDAY, time(8, 0))))
    steps = []
    driving = driver(exchange, config, steps)
    while (due := driving.next_due()).at_ns <= moment_ns(MONDAY, time(9, 0)):
        exchange.clock.set(max(due.at_ns, exchange.clock.now_ns()))
        assert await driving.catch_up() == 1
    done = [(what, at.strftime("%a %H:%M")) for what, at in steps]
    assert done == [
        ("open day", "Fri 08:30"),  # clause 4.4
        ("call", "Fri 08:55"),
        ("matched", "Fri 08:59"),
        ("continuous", "Fri 09:00"),
        ("margin run", "Fri 10:30"),  # clause 5.11
        ("margin run", "Fri 13:30"),
        ("closed", "Fri 15:00"),
        ("settle", "Fri 15:30"),
        ("finish delivery", "Sun 01:00"),  # clause 7.4
        ("finish delivery", "Mon 01:00"),
        ("open day", "Mon 08:30"),
        ("call", "Mon 08:55"),
        ("matched", "Mon 08:59"),
        ("continuous", "Mon 09:00"),
    ]
    symbols = {view.contract.symbol for view in exchange.views.contracts()}
    assert "H100.GUIAN.261214" in symbols
    assert "H100.GUIAN.26W50" not in symbols
    assert len(symbols) == 7 + 4 + 6 + 4  # clause 4.2
    await exchange.close()


async def test_stopped_after_any_step_the_next_start_does_the_rest_once(config):
    hashes = set()
    for stop in range(1, 16):
        folder = dataclasses.replace(config, data_dir=config.data_dir / str(stop))
        steps: list[str] = []
        clock = ManualClock(moment_ns(FRIDAY, time(8, 0)))
        while len(steps) < 15:
            exchange = await small(folder, clock)
            driving = driver(exchange, folder)
            for _ in range(stop):
                if len(steps) == 15:
                    break
                due = driving.next_due()
                clock.set(max(due.at_ns, clock.now_ns()))
                steps.append(due.what)
                await due.do()
            await exchange.close()
        assert steps == [*DAY, "finish delivery", "finish delivery", *DAY[:5]]
        exchange = await small(folder, clock)
        hashes.add(exchange.views.state_hash())
        await exchange.close()
    assert len(hashes) == 1


async def test_a_stop_between_listing_and_opening(config):
    clock = ManualClock(moment_ns(FRIDAY, time(8, 30)))
    exchange = await small(config, clock)
    listings = driver(exchange, config).missing_listings(FRIDAY)
    assert (await exchange.submit_rare(m.ListContracts(listings=tuple(listings[:5])))).ok
    await exchange.close()
    exchange = await small(config, clock)
    assert await driver(exchange, config).catch_up() == 1
    assert len(exchange.views.contracts()) == 21
    await exchange.close()


async def test_what_was_missed_is_made_up_in_order(config):
    clock = ManualClock(moment_ns(FRIDAY, time(8, 40)))
    exchange = await small(config, clock)
    await driver(exchange, config).catch_up()
    clock.set(moment_ns(date(2026, 12, 9), time(12, 0)))  # down from Friday morning to Wednesday noon
    steps: list[tuple[str, object]] = []
    await driver(exchange, config, steps).catch_up()
    status = exchange.views.status()
    assert (status.trading_day, status.phase) == (date(2026, 12, 9), MarketPhase.CONTINUOUS)
    days = ["finish delivery"] * 2 + DAY + ["finish delivery"] + DAY + ["finish delivery"] + DAY[:5]
    assert [what for what, _ in steps] == DAY[1:] + days
    exchange.check()
    await exchange.close()


async def test_new_contracts_begin_at_the_last_settlement_of_their_kind(config):
    clock = ManualClock(moment_ns(FRIDAY, time(9, 30)))
    exchange = await small(config, clock)
    for name in ("acme", "blue"):
        await exchange.submit_rare(m.AddMember(name=name, kind="enterprise"))
        await exchange.submit_rare(m.Deposit(member=name, amount_fen=10**9))
    driving = driver(exchange, config)
    await driving.catch_up()
    index = exchange.views.index("H100.GUIAN.261211")
    for account, side in ((1, Side.SELL), (2, Side.BUY)):
        row = new_order(account=0, instrument=index, side=side, quantity=1, price=1_300)
        await exchange.submit_hot(row, account)
    clock.set(moment_ns(MONDAY, time(9, 30)))
    await driving.catch_up()
    assert exchange.views.contract("H100.GUIAN.261212").reference_price == 1_300  # clause 4.5
    assert exchange.views.contract("H100.GUIAN.27W01").reference_price == 1_200
    await exchange.close()


async def test_it_runs_by_itself_on_an_accelerated_clock_and_ends_with_the_exchange(config):
    clock = AcceleratedClock(moment_ns(FRIDAY, time(8, 0)), 50_000.0, held=True)  # opening takes real time
    exchange = await small(config, clock)
    task = asyncio.create_task(driver(exchange, config).run())
    await clock.run_until(moment_ns(FRIDAY, time(10, 0)))
    while exchange.views.status().phase is not MarketPhase.CONTINUOUS:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert exchange.views.status().phase is MarketPhase.CONTINUOUS  # held: nothing goes on
    await exchange.close()
    clock.release()
    await asyncio.wait_for(task, timeout=20)


async def test_a_late_first_start_begins_with_a_whole_day(config):
    late = date(2027, 3, 10)  # a Wednesday
    exchange = await small(config, ManualClock(moment_ns(late, time(11, 0))))
    assert driver(exchange, config).next_due().at_ns == moment_ns(late + timedelta(days=1), time(8, 30))
    await exchange.close()


async def test_disagreement_stops_the_driver(config):
    clock = ManualClock(moment_ns(FRIDAY, time(8, 30)))
    exchange = await small(config, clock)
    driving = driver(exchange, config)
    due = driving.next_due()
    await due.do()
    with pytest.raises(DriverError, match="OpenDay was refused"):
        await due.do()
    await exchange.close()


async def test_the_real_catalogue_opens_a_market(config):
    clock = ManualClock(moment_ns(FRIDAY, time(9, 0)))
    exchange = await Exchange.open(config, clock)
    first = await bootstrap(exchange)
    assert first is not None
    assert first == await bootstrap(exchange)  # nothing is done twice
    await DayDriver(exchange, clock, config).catch_up()
    views = exchange.views
    assert len(views.contracts()) == 21 * len(views.products())
    catalogue, ahead = load_catalogue(), (FRIDAY + timedelta(days=n) for n in range(400))
    for day in ahead:
        assert is_trading_day(day, views.closed_days) == catalogue.is_trading_day(day)  # clause 4.1
    key = views.key(first.key_id)
    assert exchange.secret_of(key) == first.secret
    assert first.secret not in b"".join(
        p.read_bytes() for p in (config.data_dir / "journal").glob("*.journal")
    )
    await exchange.submit_rare(m.RevokeKey(key_id=first.key_id))
    assert await bootstrap(exchange) is None
    exchange.check()
    await exchange.close()


async def test_an_unmet_margin_call_is_closed_out_and_its_loss_shared(config):
    """Clauses 6.7 to 6.10, each step at its time."""
    exchange = await small(config, ManualClock(moment_ns(FRIDAY, time(9, 30))))
    for name, cash in (("acme", 10**8), ("blue", 500_000), ("coral", 10**8)):
        await exchange.submit_rare(m.AddMember(name=name, kind="enterprise"))
        await exchange.submit_rare(m.Deposit(member=name, amount_fen=cash))
    steps: list[tuple[str, object]] = []
    driving = driver(exchange, config, steps)
    await driving.catch_up()
    index = exchange.views.index("H100.GUIAN.2702")

    async def order(account, side, lots, price):
        row = new_order(account=0, instrument=index, side=side, quantity=lots, price=price)
        await exchange.submit_hot(row, account)

    await order(1, Side.SELL, 10, 1_200)
    await order(2, Side.BUY, 10, 1_200)
    exchange.clock.set(moment_ns(FRIDAY, time(14, 30)))
    await order(1, Side.SELL, 1, 1_080)
    await order(3, Side.BUY, 1, 1_080)
    exchange.clock.set(moment_ns(MONDAY, time(9, 30)))
    await driving.catch_up()
    await order(3, Side.BUY, 7, 1_080)
    exchange.clock.set(moment_ns(MONDAY, time(10, 45)))
    await driving.catch_up()
    bid = BidForPosition(account=3, restricted=2, symbol="H100.GUIAN.2702", lots=3, price_ticks=1_070)
    assert (await exchange.submit_rare(bid)).ok
    steps.clear()
    exchange.clock.set(moment_ns(MONDAY, time(16, 0)))
    await driving.catch_up()
    assert [what for what, _ in steps] == ["margin run", "auction", "closed", "settle", "cover default"]
    (claim,) = exchange.views.claims()
    fees = 1_613 + 1_016  # 2 basis points of 8,064,000, and of 5,080,320 closed out
    assert (claim.layer, claim.amount_fen) == ("uncovered", 306_400 + 3 * 10 * 672 + fees)
    assert exchange.views.margin_calls() == []
    exchange.check()
    await exchange.close()


async def test_a_shortfall_is_bought_in_on_the_next_trading_day(config):
    """Clause 7.13, by the driver."""
    exchange = await small(config, ManualClock(moment_ns(FRIDAY, time(9, 30))))
    for name in ("acme", "blue", "coral"):
        await exchange.submit_rare(m.AddMember(name=name, kind="enterprise"))
        await exchange.submit_rare(m.Deposit(member=name, amount_fen=10**8))
    steps: list[tuple[str, object]] = []
    driving = driver(exchange, config, steps)
    await driving.catch_up()

    async def order(account, symbol, side, lots):
        index = exchange.views.index(symbol)
        row = new_order(account=0, instrument=index, side=side, quantity=lots, price=1_200)
        await exchange.submit_hot(row, account)

    await order(1, "H100.GUIAN.261205", Side.SELL, 2)
    await order(2, "H100.GUIAN.261205", Side.BUY, 2)
    exchange.clock.set(moment_ns(MONDAY, time(9, 10)))
    await driving.catch_up()
    await order(3, "H100.GUIAN.261208", Side.SELL, 5)
    steps.clear()
    exchange.clock.set(moment_ns(MONDAY, time(10, 0)))
    await driving.catch_up()
    assert [what for what, _ in steps] == ["buy-in"]
    (position,) = exchange.views.positions(2)
    assert (position.symbol, position.lots) == ("H100.GUIAN.261208", 2)
    exchange.check()
    await exchange.close()
