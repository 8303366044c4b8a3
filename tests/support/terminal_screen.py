"""What stands on the terminal's screen, and waiting for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from exchange.terminal.app import TradingApp
from exchange.terminal.panes import Pane


def shown(app: TradingApp) -> str:
    """What stands on the screen, pane by pane, from the top."""
    panes = sorted((pane for pane in app.query(Pane) if pane.display), key=lambda pane: pane.region.y)
    lines = [pane.render_line(row).text for pane in panes for row in range(pane.size.height)]
    return "\n".join(lines)


async def until(pilot: Pilot[None], reached: Callable[[], object]) -> None:
    """Let the terminal work until something holds."""
    async with asyncio.timeout(30):
        while not reached():
            await pilot.pause(0.01)


async def see(pilot: Pilot[None], *texts: str) -> None:
    """Wait until all of these are on the screen."""
    app = pilot.app
    assert isinstance(app, TradingApp)
    try:
        await until(pilot, lambda: all(text in shown(app) for text in texts))
    except TimeoutError:
        pytest.fail(f"{texts} never came:\n{shown(app)}")


def told(app: TradingApp, text: str) -> bool:
    """Whether something is in the log."""
    return any(text in alert.text for alert in app.model.alerts.log)
