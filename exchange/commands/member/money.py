"""`dongxi positions` and `dongxi balance`: what is held, and what it holds."""

from __future__ import annotations

from exchange.api.defaults import MarginCall
from exchange.api.money import Balances, Position
from exchange.client import ExchangeClient
from exchange.commands.member.session import AsJson, BaseUrl, ForClient, ProfileName, print_json, run
from exchange.commands.member.shown import PRICE, ZONE, cny, moment, show, table


def positions(
    for_client: ForClient = None,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show the net position in each contract; bought is positive, sold negative."""

    async def ask(client: ExchangeClient) -> list[Position]:
        return await client.positions()

    found = run("positions", ask, profile, base_url, client=for_client)
    if as_json:
        print_json(found)
        return
    rows = [(one.symbol, f"{one.quantity:+,}", one.settlement_price) for one in found]
    columns = ("contract", "lots", "settled")
    show(table(f"Positions; prices in {PRICE}", columns, rows, right=columns[1:]))


def balance(
    for_client: ForClient = None,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show cash, what margin and deliveries hold of it, what is free, and an open margin call."""

    async def ask(client: ExchangeClient) -> tuple[Balances, list[MarginCall]]:
        return await client.balances(), await client.margin_calls()

    money, calls = run("balance", ask, profile, base_url, client=for_client)
    if as_json:
        print_json(money)
        return
    rows = [
        ("cash", cny(money.cash_fen)),
        ("held for deliveries", cny(money.delivery_hold_fen)),
        ("margin", cny(money.margin_fen)),
        ("free for orders", cny(money.available_fen)),
        ("free to be paid out", cny(money.withdrawable_fen)),
    ]
    show(table(f"Account {money.account}", ("", "CNY"), rows, right=("CNY",)))
    for call in calls:
        what = (
            "Trading is restricted until it is paid." if call.restricted else "Pay it in before the deadline."
        )
        show(f"Margin call of {cny(call.amount_fen)} CNY since {moment(call.issued)} {ZONE}. {what}")
