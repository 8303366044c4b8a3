"""`dongxi contract`: the full terms of one contract."""

from __future__ import annotations

from exchange.api.specification import Specification
from exchange.client import ExchangeClient
from exchange.commands.member.looking import Symbol
from exchange.commands.member.session import AsJson, BaseUrl, ProfileName, print_json, run
from exchange.commands.member.shown import PRICE, ZONE, cny, moment, show, table


def contract(
    symbol: Symbol,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show what a contract delivers, where and when, what it costs, and what it becomes. Needs no key.

    dongxi contract H100.GUIAN.2701
    """

    async def ask(client: ExchangeClient) -> Specification:
        return await client.specification(symbol.upper())

    told = run("contract", ask, profile, base_url, public=True)
    if as_json:
        print_json(told)
        return
    listed = told.contract
    rows = (
        ("grade", f"{told.grade.name_en}: {told.grade.minimum}", "2.3"),
        ("hub", f"{told.hub.name_en}, {told.hub.city}, {told.hub.province}", "2.1"),
        ("delivery", f"{moment(listed.delivery_start)} to {moment(listed.delivery_end)} {ZONE}", "2.7"),
        ("hours of a day", f"{listed.profile}: {_hours(told.hours_of_day)}", "2.9"),
        ("lot", f"{listed.cards_per_lot} × {listed.hours:,} h: {told.card_hours:,} card-hours", "2.5"),
        ("peak hours there", _hours(told.peak_hours), "2.9"),
        ("valley hours there", _hours(told.valley_hours), "2.9"),
        ("tick", f"{listed.tick} {PRICE}, {cny(told.tick_value_fen)} CNY a lot", "1.2"),
        ("reference price", f"{listed.reference_price} {PRICE}", "4.5"),
        ("day's limits", f"{listed.price_low} to {listed.price_high} {PRICE}", "4.5"),
        ("pricing regime", _regime(told), "4.11"),
        ("margin, long lot", f"{cny(listed.margin_long_fen)} CNY", "5.1"),
        ("margin, short lot", f"{cny(listed.margin_short_fen)} CNY", "5.1"),
        (
            "position limit",
            "none" if told.position_limit is None else f"{told.position_limit:,} lots",
            "5.13",
        ),
        ("fees", f"maker {told.maker_basis_points}, taker {told.taker_basis_points} basis points", "8.1"),
        ("last trading day", listed.last_trading_day, "4.3"),
        ("becomes", ", ".join(told.becomes) or "reservations, at the final settlement price", "6.4"),
    )
    show(table(listed.symbol, ("", "terms", "clause"), rows))


def _hours(hours: list[int]) -> str:
    """Hours of a day as clock stretches: "08:00–11:00, 16:00–21:00"."""
    starts = [hour for hour in hours if hour - 1 not in hours]
    ends = [hour + 1 for hour in hours if hour + 1 not in hours]
    return ", ".join(f"{a:02d}:00–{b:02d}:00" for a, b in zip(starts, ends, strict=True)) or "none"


def _regime(told: Specification) -> str:
    bounds = " to ".join(price for price in (told.floor, told.ceiling) if price is not None)
    return f"{told.regime} {bounds}".rstrip()
