"""Draws docs/images/terminal.svg and terminal-small.svg: a terminal while the demonstration day trades.

Start it while `dongxi up --demo` trades, with the directory of its keys. A member of its own comes in, trades
in the contract with the closest prices, and stays.

Usage: python -m docs.terminal_picture [var/demo-keys]
"""

from __future__ import annotations

import asyncio
import re
import secrets
import sys
from pathlib import Path
from typing import Final

import msgspec
from textual.pilot import Pilot

from exchange.client import ExchangeClient, Profile, load_profile
from exchange.terminal.app import TradingApp, Wishes

FOLDER: Final = Path(__file__).parent / "images"
WIDE, SMALL = (200, 50), (80, 24)
SETTLE_S: Final = 12.0
"""Until the market has moved a little."""
DEPOSIT_FEN: Final = 300_000
SPREAD_TICKS: Final = 12
"""Above this the ladder shows only the prices at which something stands."""

_FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def picture(app: TradingApp) -> str:
    """Return the screen as SVG, in the monospaced font that the reader has: nothing is fetched for it."""
    svg = _FONT_FACE.sub("", app.export_screenshot(title="dongxi trade"))
    return svg.replace("Fira Code", "ui-monospace")


def liveliest(app: TradingApp) -> str | None:
    """Return the contract that trades with the closest prices on both sides."""
    quotes = [
        (one.ask - one.bid, symbol)
        for symbol, one in app.model.quotes.by_symbol.items()
        if one.last is not None and one.bid is not None and one.ask is not None
    ]
    return min(quotes)[1] if quotes else None


async def trade(app: TradingApp, pilot: Pilot[None]) -> None:
    """Choose a contract, put an order on either side, and let it live for a moment."""
    while (symbol := liveliest(app)) is None:
        await pilot.pause(0.5)
    app.actions.open(symbol)
    while app.model.book is None:
        await pilot.pause(0.1)
    quote = app.model.quotes.by_symbol[symbol]
    if (quote.ask or 0) - (quote.bid or 0) > SPREAD_TICKS:
        await pilot.press("z")
    await pilot.press(*"3B2B", "left", *"2b1b", "up", *"3b", "right", "up", *"2s", "c")
    await pilot.pause(SETTLE_S)


async def newcomer(operator: Profile) -> Profile:
    """Admit a member with some money."""
    name = f"desk-{secrets.token_hex(2)}"
    async with ExchangeClient(operator.base_url, operator) as client:
        made = await client.add_member(name, "enterprise", state="approved")
        await client.deposit(name, DEPOSIT_FEN)
    return msgspec.structs.replace(
        operator, member=name, account=made.account, key_id=made.key_id, secret=made.secret
    )


async def draw(operator: Profile) -> None:
    """Run the terminal in both sizes and keep what it shows."""
    profile = await newcomer(operator)
    async with ExchangeClient(profile.base_url, profile) as client:
        app = TradingApp(client, Wishes(bell=False))
        async with app.run_test(size=WIDE) as pilot:
            await trade(app, pilot)
            (FOLDER / "terminal.svg").write_text(picture(app), encoding="utf-8")
            await pilot.resize_terminal(*SMALL)
            await pilot.pause(1)
            (FOLDER / "terminal-small.svg").write_text(picture(app), encoding="utf-8")


def main() -> None:
    """Draw them."""
    keys = Path(sys.argv[1] if len(sys.argv) > 1 else "var/demo-keys")
    asyncio.run(draw(load_profile(keys, "operator")))


if __name__ == "__main__":
    main()
