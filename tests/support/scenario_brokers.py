"""What a scenario says about brokers: commissions, give-ups, the revenue split, and statements of the day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from exchange.domain import brokerage as b
from exchange.domain import messages as m
from exchange.domain.calendar import day_of
from exchange.domain.positions import SetPositionRules

if TYPE_CHECKING:
    from scenario import Scenario


def _give_up(of: Scenario, told: list[Any]) -> str | None:
    """[giver, taker, lots, of a trade of so many, symbol, side, price, fee]: offers lots of trade 1."""
    giver, taker, lots, trade_lots, symbol, side, price, fee = told
    return of.send(
        b.OfferGiveUp(
            account=of.account(giver),
            trade_id=1,
            symbol=symbol,
            side=side,
            price_ticks=price,
            trade_lots=trade_lots,
            lots=lots,
            to_member=taker,
            fee_fen=fee,
        )
    )


def _answer(of: Scenario, told: list[Any]) -> str | None:
    """[who, give-up, whether it accepts]."""
    who, number, accept = told
    return of.send(b.AnswerGiveUp(account=of.account(who), give_up_id=number, accept=accept))


def _commission(of: Scenario, told: list[Any]) -> str | None:
    """[broker, client, basis points, fen a lot]."""
    broker, client, points, per_lot = told
    account = of.account(broker)
    return of.send(b.SetCommission(broker=account, client=client, basis_points=points, fen_per_lot=per_lot))


def _split(of: Scenario, told: list[int]) -> str | None:
    """[provider, broker, platform]."""
    provider, broker, platform = told
    return of.send(b.SetRevenueSplit(provider=provider, broker=broker, platform=platform))


def _lines(of: Scenario, wanted: dict[str, Any]) -> dict[str, list[list[Any]]]:
    """What today's statements say, but for deposits and margin: kind, contract, fen."""
    today = day_of(of.now_ns)
    return {
        name: [
            [line.kind, line.symbol or "", line.amount_fen]
            for line in of.views.statement(of.account(name), today).lines
            if line.kind not in ("deposit", "variation margin")
        ]
        for name in wanted
    }


def _large(of: Scenario, _: Any) -> list[list[Any]]:
    """[account, contract, lots, limit, open interest] of the positions that are reported."""
    return [
        [of.name(large.account), of.symbol(large.contract), large.lots, large.limit_lots, large.open_interest]
        for large in of.views.large_positions()
    ]


def _list(of: Scenario, told: dict[str, int]) -> str | None:
    """Symbol and price: lists contracts."""
    listings = tuple(m.Listing(symbol, price) for symbol, price in told.items())
    return of.send(m.ListContracts(listings=listings))


ACTIONS = {
    "position_rules": lambda of, told: of.send(msgspec.convert(told, SetPositionRules)),
    "list": _list,
    "give_up": _give_up,
    "answer": _answer,
    "commission": _commission,
    "split": _split,
}
EXPECTATIONS = {"lines": _lines, "large": _large}
