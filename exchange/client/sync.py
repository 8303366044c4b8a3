"""The same client without `await`: one thread runs an event loop, and every call is a plain one.

Each method is the coroutine of `ExchangeClient` of the same name, so there is no logic here.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar

from exchange.api.feed import Channel, FeedMessage
from exchange.client.client import ExchangeClient
from exchange.client.delivering import DeliveryClient
from exchange.client.desk import OrderDesk
from exchange.client.history import HistoryClient
from exchange.client.primary import PrimaryClient
from exchange.client.profiles import Profile
from exchange.client.stream import AccountMissed, Interrupted, Stream
from exchange.client.vouchers import VoucherClient

C = TypeVar("C")
P = ParamSpec("P")
R = TypeVar("R")

END_S = 5.0


class LoopThread:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="dongxi-client", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, R]) -> R:
        """Run to the end and return the result; an interrupt (Ctrl-C) cancels the work."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def iterate(self, items: AsyncIterator[R]) -> Iterator[R]:
        """Yield what the other side yields."""

        async def following() -> tuple[bool, R | None]:
            try:
                return True, await anext(items)
            except StopAsyncIteration:
                return False, None

        while True:
            more, item = self.run(following())
            if not more:
                return
            yield item  # type: ignore[misc]

    def stop(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(END_S)
        self._loop.close()


class Face(Generic[C]):
    """What plain calls are made on: the object whose coroutines they run, and where."""

    def __init__(self, own: C, loop: LoopThread) -> None:
        self._own, self._loop = own, loop


def _plain(
    call: Callable[Concatenate[C, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[Face[C], P], R]:
    def run(self: Face[C], /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._loop.run(call(self._own, *args, **kwargs))

    run.__name__, run.__doc__ = call.__name__, call.__doc__
    return run


def _iterating(
    call: Callable[Concatenate[C, P], AsyncIterator[R]],
) -> Callable[Concatenate[Face[C], P], Iterator[R]]:
    def iterate(self: Face[C], /, *args: P.args, **kwargs: P.kwargs) -> Iterator[R]:
        return self._loop.iterate(call(self._own, *args, **kwargs))

    iterate.__name__, iterate.__doc__ = call.__name__, call.__doc__
    return iterate


class SyncDelivery(Face[DeliveryClient]):
    """As `DeliveryClient`."""

    nominate = _plain(DeliveryClient.nominate)
    nominations = _plain(DeliveryClient.nominations)
    withdraw_nomination = _plain(DeliveryClient.withdraw_nomination)
    dispute = _plain(DeliveryClient.dispute)
    disputes = _plain(DeliveryClient.disputes)
    all_disputes = _plain(DeliveryClient.all_disputes)
    decide = _plain(DeliveryClient.decide)
    overview = _plain(DeliveryClient.overview)
    offers = _plain(DeliveryClient.offers)
    offer = _plain(DeliveryClient.offer)
    withdraw_offer = _plain(DeliveryClient.withdraw_offer)
    take_offer = _plain(DeliveryClient.take_offer)
    buy_ins = _plain(DeliveryClient.buy_ins)
    refused_uses = _plain(DeliveryClient.refused_uses)
    set_refused_uses = _plain(DeliveryClient.set_refused_uses)


class SyncPrimary(Face[PrimaryClient]):
    """As `PrimaryClient`."""

    register_site = _plain(PrimaryClient.register_site)
    set_agent_key = _plain(PrimaryClient.set_agent_key)
    sites = _plain(PrimaryClient.sites)
    attest = _plain(PrimaryClient.attest)
    certificates = _plain(PrimaryClient.certificates)
    transfer = _plain(PrimaryClient.transfer)
    pledge = _plain(PrimaryClient.pledge)
    all_certificates = _plain(PrimaryClient.all_certificates)
    certify = _plain(PrimaryClient.certify)
    revoke = _plain(PrimaryClient.revoke)
    sales = _plain(PrimaryClient.sales)
    set_sale = _plain(PrimaryClient.set_sale)
    transfer_seized = _plain(PrimaryClient.transfer_seized)
    heartbeat = _plain(PrimaryClient.heartbeat)
    all_sites = _plain(PrimaryClient.all_sites)
    certification = _plain(PrimaryClient.certification)
    set_certification = _plain(PrimaryClient.set_certification)


class SyncVouchers(Face[VoucherClient]):
    """As `VoucherClient`."""

    mine = _plain(VoucherClient.mine)
    programmes = _plain(VoucherClient.programmes)
    issue = _plain(VoucherClient.issue)
    open_programme = _plain(VoucherClient.open_programme)


class SyncHistory(Face[HistoryClient]):
    """As `HistoryClient`."""

    status = _plain(HistoryClient.status)
    trades = _plain(HistoryClient.trades)
    candles = _plain(HistoryClient.candles)
    orders = _plain(HistoryClient.orders)
    fills = _plain(HistoryClient.fills)
    ledger = _plain(HistoryClient.ledger)
    statements = _plain(HistoryClient.statements)
    each_trade = _iterating(HistoryClient.each_trade)
    each_order = _iterating(HistoryClient.each_order)
    each_fill = _iterating(HistoryClient.each_fill)
    each_entry = _iterating(HistoryClient.each_entry)
    each_day = _iterating(HistoryClient.each_day)


class SyncDesk(Face[OrderDesk]):
    """As `OrderDesk`."""

    submit = _plain(OrderDesk.submit)
    resolve = _plain(OrderDesk.resolve)
    look_up = _plain(OrderDesk.look_up)
    cancel = _plain(OrderDesk.cancel)


class SyncExchange(Face[ExchangeClient]):
    """As `ExchangeClient`, for use as `with SyncExchange(url, profile) as exchange:`, from any one thread."""

    def __init__(self, base_url: str, profile: Profile | None = None, *, client: str | None = None) -> None:
        own = ExchangeClient(base_url, profile, client=client)
        super().__init__(own, LoopThread())
        self.delivery = SyncDelivery(own.delivery, self._loop)
        self.primary = SyncPrimary(own.primary, self._loop)
        self.vouchers = SyncVouchers(own.vouchers, self._loop)
        self.history = SyncHistory(own.history, self._loop)
        self.desk = SyncDesk(OrderDesk(own), self._loop)
        """Orders whose outcome is cleared up by themselves."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections and ends the thread."""
        self._loop.run(self._own.close())
        self._loop.stop()

    def stream(
        self, channels: Sequence[Channel] = (), symbols: Sequence[str] = (), *, own: bool = False
    ) -> Iterator[FeedMessage | Interrupted | AccountMissed]:
        """Messages of a `Stream`, without end."""
        stream = Stream(self._own, channels, symbols, own=own)
        try:
            yield from self._loop.iterate(aiter(stream))
        finally:
            self._loop.run(stream.close())

    alive = _plain(ExchangeClient.alive)
    status = _plain(ExchangeClient.status)
    calendar = _plain(ExchangeClient.calendar)
    specification = _plain(ExchangeClient.specification)
    regimes = _plain(ExchangeClient.regimes)
    hubs = _plain(ExchangeClient.hubs)
    grades = _plain(ExchangeClient.grades)
    contracts_page = _plain(ExchangeClient.contracts_page)
    contracts = _plain(ExchangeClient.contracts)
    contract = _plain(ExchangeClient.contract)
    book = _plain(ExchangeClient.book)
    trades = _plain(ExchangeClient.trades)
    settlements = _plain(ExchangeClient.settlements)
    place = _plain(ExchangeClient.place)
    batch = _plain(ExchangeClient.batch)
    preview = _plain(ExchangeClient.preview)
    amend = _plain(ExchangeClient.amend)
    cancel = _plain(ExchangeClient.cancel)
    cancel_all = _plain(ExchangeClient.cancel_all)
    orders = _plain(ExchangeClient.orders)
    fills = _plain(ExchangeClient.fills)
    positions = _plain(ExchangeClient.positions)
    balances = _plain(ExchangeClient.balances)
    margin_calls = _plain(ExchangeClient.margin_calls)
    auctions = _plain(ExchangeClient.auctions)
    bid = _plain(ExchangeClient.bid)
    explain_margin = _plain(ExchangeClient.explain_margin)
    statement = _plain(ExchangeClient.statement)
    reservations = _plain(ExchangeClient.reservations)
    kill = _plain(ExchangeClient.kill)
    plan = _plain(ExchangeClient.plan)
    plans = _plain(ExchangeClient.plans)
    planned = _plain(ExchangeClient.planned)
    cancel_plan = _plain(ExchangeClient.cancel_plan)
    accept_plan = _plain(ExchangeClient.accept_plan)
    stock = _plain(ExchangeClient.stock)
    plan_events = _iterating(ExchangeClient.plan_events)
    post_capacity = _plain(ExchangeClient.post_capacity)
    capacity = _plain(ExchangeClient.capacity)
    withdraw_capacity = _plain(ExchangeClient.withdraw_capacity)
    send_readings = _plain(ExchangeClient.send_readings)
    add_client = _plain(ExchangeClient.add_client)
    clients = _plain(ExchangeClient.clients)
    add_member = _plain(ExchangeClient.add_member)
    set_member_state = _plain(ExchangeClient.set_member_state)
    members = _plain(ExchangeClient.members)
    set_sessions = _plain(ExchangeClient.set_sessions)
    set_closed_days = _plain(ExchangeClient.set_closed_days)
    set_password = _plain(ExchangeClient.set_password)
    proposals = _plain(ExchangeClient.proposals)
    propose_cash = _plain(ExchangeClient.propose_cash)
    propose_regime = _plain(ExchangeClient.propose_regime)
    propose_restore = _plain(ExchangeClient.propose_restore)
    decide = _plain(ExchangeClient.decide)
    keys = _plain(ExchangeClient.keys)
    add_key = _plain(ExchangeClient.add_key)
    revoke_key = _plain(ExchangeClient.revoke_key)
    all_margin_calls = _plain(ExchangeClient.all_margin_calls)
    claims = _plain(ExchangeClient.claims)
    set_contribution = _plain(ExchangeClient.set_contribution)
    deposit = _plain(ExchangeClient.deposit)
    withdraw = _plain(ExchangeClient.withdraw)
    halt = _plain(ExchangeClient.halt)
    kill_market = _plain(ExchangeClient.kill_market)
    answer_give_up = _plain(ExchangeClient.answer_give_up)
    commissions = _plain(ExchangeClient.commissions)
    fees = _plain(ExchangeClient.fees)
    give_ups = _plain(ExchangeClient.give_ups)
    nominate_plan = _plain(ExchangeClient.nominate_plan)
    offer_give_up = _plain(ExchangeClient.offer_give_up)
    run_margin = _plain(ExchangeClient.run_margin)
    set_commission = _plain(ExchangeClient.set_commission)
    large_positions = _plain(ExchangeClient.large_positions)
    listing = _plain(ExchangeClient.listing)
    set_listing_rules = _plain(ExchangeClient.set_listing_rules)
    set_load_profiles = _plain(ExchangeClient.set_load_profiles)
    margin_rules = _plain(ExchangeClient.margin_rules)
    set_margin_rules = _plain(ExchangeClient.set_margin_rules)
    set_position_rules = _plain(ExchangeClient.set_position_rules)
    set_revenue_split = _plain(ExchangeClient.set_revenue_split)
    health = _plain(ExchangeClient.health)
    health_of = _plain(ExchangeClient.health_of)
