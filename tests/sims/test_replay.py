"""Replays of a real server's journal: sites and certificates, standing sales, hours and peaks, vouchers,
brokers and give-ups, resale, nominations and disputes; as they were, and under another rule.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from exchange_server import DEPOSIT_FEN, SATURDAY, Served, serving

from exchange.api import requests
from exchange.api.attest import AgentKey
from exchange.api.delivering import Nominate, Reservation
from exchange.api.listing import HubHours, ListingRule
from exchange.api.vouchers import OpenProgramme
from exchange.client import ExchangeClient
from exchange.client.metering import sign_readings
from exchange.domain.calendar import local_datetime
from sims.experiments.whatif import Replayed, Side, parse_rules, replay_under

KEY = AgentKey(bytes(range(32)))
HOUR, DAY, MONTH = "H100.GUIAN.261205H20", "H100.GUIAN.261205", "H100.GUIAN.2702"
PROFILES = HubHours(hub="GUIAN", peak=[[10, 11, 12, 17]] * 12, valley=[[0, 1, 2]] * 12)
LISTED = [
    ListingRule(kind="hour", ahead=1, profile="base", grade="H100", hub="GUIAN"),
    ListingRule(kind="day", ahead=2, profile="peak", grade="H100", hub="GUIAN"),
]
POST = requests.PostCapacity(
    grade="H100", hub="GUIAN", cards=8, first_day="2026-12-05", last_day="2026-12-06", site_id="1"
)
PROGRAMME = OpenProgramme(
    issuer="city", name="GUIAN 30 %", budget_fen=500_000, share_basis_points=3_000, last_day="2026-12-05"
)


class Town:
    """A server's members and their clients, and what happens to them on two days."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.of: dict[str, ExchangeClient] = {}

    async def admit(self, stack: AsyncExitStack) -> None:
        served = self.served
        kinds: dict[str, requests.MemberKind] = {
            "acme": "provider",
            "city": "enterprise",
            "blue": "enterprise",
            "north": "broker",
            "south": "broker",
        }
        profiles = {name: await served.admit(name, kind) for name, kind in kinds.items()}
        self.of = {name: served.client(profile) for name, profile in profiles.items()}
        self.of["operator"] = served.client(served.operator)
        for broker, client in (("north", "liu"), ("south", "wang")):
            self.of[client] = ExchangeClient(served.base_url, profiles[broker], client=client, retries=0)
        for client in self.of.values():
            await stack.enter_async_context(client)
        for broker, name in (("north", "liu"), ("south", "wang")):
            await self.of[broker].add_client(name)
            await self.of["operator"].deposit(f"{broker}/{name}", DEPOSIT_FEN)
        await self.of["north"].set_commission("liu", basis_points=2)

    async def begin(self) -> None:
        """Before the first day: what is listed, the provider's cards on sale, vouchers."""
        operator, acme = self.of["operator"], self.of["acme"]
        await operator.set_load_profiles("2026-12-01", [PROFILES])
        await operator.set_listing_rules([*(await acme.listing()).rules, *LISTED])
        site = await acme.primary.register_site("hall 1", "GUIAN", {"H100": 8}, KEY.public_bytes)
        posted = await acme.post_capacity(POST)
        now = local_datetime(self.served.exchange.status().market_time_ns)
        await acme.primary.attest(site, KEY, posted.capacity_id, now, 8, 950_000, 80)
        programme = await operator.vouchers.open_programme(PROGRAMME)
        await self.of["city"].vouchers.issue(programme, "blue", 60_000)

    async def order(
        self, who: str, side: Literal["buy", "sell"], symbol: str, lots: int, percent: int = 0
    ) -> str:
        """A limit order so many percent off the reference price; its id."""
        ticks = int((await self.of[who].contract(symbol)).reference_price.replace(".", ""))
        price = f"{round(ticks * (100 + percent) / 100) / 100:.2f}"
        order = requests.NewOrder(symbol=symbol, side=side, quantity=lots, price=price)
        order_id = (await self.of[who].place(order)).order.order_id
        assert order_id is not None
        return order_id

    async def trade(self) -> None:
        """The first day: a trade far from the reference, hours, days, peaks, a month given up in part."""
        await self.served.at(9, 30)
        for symbol, percent in ((DAY, -4), (HOUR, 0), (f"{DAY}-PEAK", 0)):
            await self.order("acme", "sell", symbol, 1, percent)
            await self.order("city", "buy", symbol, 1, percent)
        await self.of["acme"].primary.set_sale("H100", "GUIAN", "day", "11.90")
        standing = await self.order("blue", "buy", DAY, 3, percent=-1)
        await self.of["blue"].cancel(standing)
        await self.order("blue", "buy", DAY, 3, percent=1)
        await self.order("acme", "sell", MONTH, 10)
        await self.order("liu", "buy", MONTH, 10)
        (fill,) = await self.of["liu"].fills()
        offered = await self.of["liu"].offer_give_up(fill.fill_id, 6, "south/wang", fee_fen=300)
        await self.of["wang"].answer_give_up(offered.give_up_id, accept=True)

    async def deliver(self) -> None:
        """Reservations: nominated, resold in part, metered with two hours missing, disputed."""
        await self.served.at(15, 45)
        blue, city = self.of["blue"], self.of["city"]
        mine = next(of for of in await blue.reservations() if of.symbol == DAY)
        made = await blue.delivery.nominate(
            mine.reservation_id, Nominate(workload="llm", use="training", cards=1)
        )
        await blue.delivery.withdraw_nomination(made)
        await blue.delivery.nominate(
            mine.reservation_id, Nominate(workload="vision", use="training", cards=1)
        )
        offer = await blue.delivery.offer(mine.reservation_id, 1, "12.00")
        await city.delivery.take_offer(offer, 1)
        await self.served.at(23, 30, SATURDAY)
        readings = [row for of in await self.of["acme"].reservations() for row in self._readings(of)]
        await self.of["acme"].send_readings(readings, sign_readings(readings, "1", 2, KEY))
        await self.served.at(1, 30, date(2026, 12, 6))
        dispute = await blue.delivery.dispute(mine.reservation_id, 40, "our own log")
        await self.of["operator"].delivery.decide(dispute, 41, "seen in the hall's log")

    def _readings(self, of: Reservation) -> list[requests.Reading]:
        start = datetime.fromisoformat(of.start).replace(hour=0)
        return [
            requests.Reading(
                reservation_id=of.reservation_id,
                hour_start=(start + timedelta(hours=hour)).isoformat(),
                cards_delivered=of.cards,
            )
            for hour in of.hours
            if hour < 22
        ]


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of an exchange on which all of that happened."""
    folder = tmp_path_factory.mktemp("town")

    async def live() -> None:
        async with serving(folder) as served, AsyncExitStack() as stack:
            town = Town(served)
            await town.admit(stack)
            await town.begin()
            await town.trade()
            await town.deliver()

    asyncio.run(live())
    return folder / "data"


def replayed(journal: Path, *rules: str) -> Replayed:
    """Both markets, sound to the last fen."""
    found = replay_under(journal / "journal", parse_rules(list(rules)), lambda _: None)
    for side in (found.was, found.would):
        side.core.check()
    return found


def told(side: Side) -> dict[str, object]:
    """What became of what members' messages named."""
    state = side.core.state
    symbols = [state.contracts[index].symbol for index in state.reservations.rows["contract"].tolist()]
    delivering = state.delivering
    wang = state.members["south/wang"].account
    return {
        "nominated": [(symbols[of.terms.reservation_id - 1], of.withdrawn) for of in delivering.nominations],
        "offered": [symbols[of.reservation_id - 1] for of in delivering.offers],
        "disputed": [symbols[of.opened.reservation_id - 1] for of in delivering.disputes],
        "decided": [of.decided_card_hours for of in delivering.disputes],
        "vouchers": [(of.issued_fen, of.spent_fen > 0) for of in state.vouchers.vouchers],
        "given up": [(of.state, of.offer.lots) for of in state.brokerage.give_ups],
        "wang": state.positions.lots(wang, state.contracts_by_symbol[MONTH].index),
    }


def test_everything_that_members_send_replays_to_the_same_state(journal: Path) -> None:
    found = replayed(journal)
    assert found.was.core.state_hash() == found.would.core.state_hash()
    assert (found.was.refused, found.was.trades) == (found.would.refused, found.would.trades)
    assert told(found.was)["wang"] == 6 and told(found.was)["disputed"] == [DAY]


def test_under_narrow_limits_messages_find_what_they_name_though_its_number_is_another(journal: Path) -> None:
    found = replayed(journal, "limit.daily=300")
    assert found.would.trades == found.was.trades - 1, "the first, 4 % off"
    assert found.would.rejected["PRICE_OUTSIDE_LIMITS"] == 2
    sides = [side.core.state for side in (found.was, found.would)]
    assert [len(state.reservations.rows) for state in sides] == [5, 4]
    assert [state.delivering.disputes[0].opened.reservation_id for state in sides] == [2, 1]
    assert told(found.would) == told(found.was)
    assert found.would.refused == found.was.refused
