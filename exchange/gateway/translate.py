"""From the core's integers to the protocol's JSON structs: prices as text, times in Asia/Shanghai."""

from __future__ import annotations

from exchange.api import requests
from exchange.api.access import Key, Member
from exchange.api.delivering import Reservation
from exchange.api.formats import day_text, price_text, time_text
from exchange.api.market import Book, Contract, Indicative, Level, Settlement, Trade
from exchange.api.money import MarginLine, Position, Statement, StatementLine
from exchange.api.primary import CapacityPost
from exchange.api.trading import Fill, Order
from exchange.clearing.portfolio.explain import Line
from exchange.domain.hours import hours_of
from exchange.service import viewtypes as views
from matching.records import OrderFlag


def price_or_none(price_ticks: int) -> str | None:
    """Return a price, or None for 0, which stands for none."""
    return price_text(price_ticks) if price_ticks else None


def contract(view: views.ContractView) -> Contract:
    """Return a contract with the top of its book."""
    listed = view.contract
    return Contract(
        symbol=listed.symbol,
        grade=listed.grade,
        hub=listed.hub,
        kind=listed.kind.value,
        profile=listed.profile.value,
        delivery_start=time_text(listed.delivery.start_ns),
        delivery_end=time_text(listed.delivery.end_ns),
        hours=listed.hours,
        cards_per_lot=listed.cards_per_lot,
        last_trading_day=day_text(listed.last_trading_day),
        tick=price_text(1),
        price_low=price_text(view.price_low),
        price_high=price_text(view.price_high),
        reference_price=price_text(view.reference_price),
        settlement_price=price_text(view.reference_price) if view.settled else None,
        last_price=price_or_none(view.last_price),
        bid=price_or_none(view.bid_price),
        bid_lots=view.bid_lots,
        ask=price_or_none(view.ask_price),
        ask_lots=view.ask_lots,
        margin_long_fen=view.margin_long_fen,
        margin_short_fen=view.margin_short_fen,
        active=view.active,
        halted=view.halted,
    )


def margin_line(line: Line) -> MarginLine:
    """Return one line of an explained margin."""
    return MarginLine(clause=line.clause, what=line.what, how=line.how, amount_fen=line.amount_fen)


def book(view: views.BookView, phase: str) -> Book:
    """Return both sides of a book."""
    indicative = None
    if view.indicative_lots:
        price = price_text(view.indicative_price)
        indicative = Indicative(price=price, quantity=view.indicative_lots)
    return Book(
        symbol=view.symbol,
        phase=phase,
        bids=[level(row) for row in view.bids],
        asks=[level(row) for row in view.asks],
        indicative=indicative,
        as_of_seq=view.as_of_seq,
    )


def level(view: views.LevelView) -> Level:
    """Return one price level."""
    return Level(price=price_text(view.price), quantity=view.lots, orders=view.orders)


def trade(view: views.TradeView) -> Trade:
    """Return one trade."""
    return Trade(
        trade_id=str(view.trade_id),
        symbol=view.symbol,
        price=price_text(view.price),
        quantity=view.lots,
        aggressor=view.aggressor,
        time=time_text(view.time_ns),
    )


def settlement(view: views.SettlementView) -> Settlement:
    """Return a contract's settlement."""
    return Settlement(
        symbol=view.symbol,
        settlement_price=price_text(view.price),
        rule=view.rule,
        volume_lots=view.volume_lots,
        open_interest_lots=view.open_interest_lots,
    )


def fill(view: views.FillView) -> Fill:
    """Return one account's side of a trade."""
    return Fill(
        fill_id=f"{view.trade_id}-{view.side}",
        order_id=str(view.order_id),
        symbol=view.symbol,
        side=view.side,
        price=price_text(view.price),
        quantity=view.lots,
        liquidity=view.liquidity,
        fee_fen=view.fee_fen,
        time=time_text(view.time_ns),
    )


def order(view: views.OrderView) -> Order:
    """Return an open order."""
    return Order(
        order_id=str(view.order_id),
        client_order_id=str(view.client_id) if view.client_id else None,
        symbol=view.symbol,
        side=view.side,
        type=view.order_type.name.lower(),  # type: ignore[arg-type]
        price=price_or_none(view.price),
        trigger_price=price_or_none(view.trigger),
        trailing_offset=price_or_none(view.offset),
        quantity=view.lots,
        open_quantity=view.open_lots,
        shown_quantity=view.shown_lots,
        display_quantity=view.display_lots or None,
        time_in_force=view.time_in_force,
        expiry_day=None if view.expiry_day is None else day_text(view.expiry_day),
        post_only=_post_only(view.flags),
        reduce_only=OrderFlag.REDUCE_ONLY in view.flags,
        self_trade_prevention=view.stp.name.lower(),  # type: ignore[arg-type]
        group=view.group,
    )


def _post_only(flags: OrderFlag) -> requests.PostOnly | None:
    if OrderFlag.POST_ONLY in flags:
        return "reject"
    return "slide" if OrderFlag.POST_ONLY_SLIDE in flags else None


def position(view: views.PositionView) -> Position:
    """Return net lots in one contract."""
    return Position(
        symbol=view.symbol, quantity=view.lots, settlement_price=price_text(view.settlement_price)
    )


def statement(view: views.StatementView, as_of_seq: int) -> Statement:
    """Return one account's money of a day."""
    lines = [
        StatementLine(kind=line.kind, symbol=line.symbol, amount_fen=line.amount_fen) for line in view.lines
    ]
    return Statement(
        account=str(view.account),
        day=day_text(view.day),
        opening_cash_fen=view.opening_cash_fen,
        lines=lines,
        closing_cash_fen=view.closing_cash_fen,
        as_of_seq=as_of_seq,
    )


def reservation(view: views.ReservationView, account: int) -> Reservation:
    """Return a reservation as `account` sees it."""
    return Reservation(
        reservation_id=str(view.reservation_id),
        role="buyer" if view.buyer == account else "provider",
        symbol=view.symbol,
        grade=view.grade,
        hub=view.hub,
        cards=view.cards,
        lots=view.lots,
        start=time_text(view.start_ns),
        end=time_text(view.end_ns),
        hours=list(hours_of(view.hours)),
        price=price_text(view.price),
        delivered_card_hours=view.delivered_card_hours,
        invoiced_fen=view.invoiced_fen,
        shortfall_card_hours=view.shortfall_card_hours,
        metered_hours=list(hours_of(view.metered_hours)),
        finished=view.finished,
    )


def capacity(view: views.CapacityView) -> CapacityPost:
    """Return a capacity post."""
    return CapacityPost(
        capacity_id=str(view.capacity_id),
        grade=view.grade,
        hub=view.hub,
        cards=view.cards,
        first_day=day_text(view.first_day),
        last_day=day_text(view.last_day),
        reserve_price=price_text(view.reserve_price),
        site_id=str(view.site_id) if view.site_id else None,
        attested=view.attested,
    )


def member(view: views.MemberView) -> Member:
    """Return a member as the operator sees it."""
    return Member(
        member=view.name,
        account=str(view.account),
        kind=view.kind,
        state=view.state,
        roles=list(view.roles),
        cash_fen=view.cash_fen,
    )


def key(view: views.KeyView) -> Key:
    """Return a key without its secret."""
    return Key(
        key_id=view.key_id,
        member=view.member,
        scopes=list(view.scopes),
        networks=list(view.networks),
        enabled=view.enabled,
    )
