"""`dongxi agent`: the daemon of a provider's site."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Annotated

import typer

from exchange.agent.agent import Agent, agent_key
from exchange.agent.config import AgentConfig, read_config
from exchange.agent.measure import gflops, memory_gb, memory_gb_per_s, serving_cards
from exchange.agent.spool import Spool
from exchange.client import ExchangeClient
from exchange.commands.member.session import (
    EXIT_USAGE,
    AsJson,
    BaseUrl,
    ProfileName,
    print_json,
    run,
)
from exchange.commands.member.shown import show, table

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Run the agent of a provider's site: docs/agent.md."
)
ConfigFile = Annotated[Path, typer.Argument(help="The site's configuration (TOML); docs/agent.md.")]


@app.command("run")
def run_(
    config: ConfigFile,
    once: Annotated[bool, typer.Option("--once", help="Make one round and stop.")] = False,
    profile: ProfileName = None,
    base_url: BaseUrl = None,
) -> None:
    """Register the site, post and attest what it offers, and meter what it delivers, until stopped.

    Exit codes: 0, 1 if --once found the exchange out of reach, 2 for a wrong configuration.
    """
    notify = _notifier()

    async def work(client: ExchangeClient) -> bool:
        with closing(Agent(_reread(config), client, say=typer.echo)) as agent:
            notify("READY=1")
            if once:
                return await agent.round()
            with suppress(asyncio.CancelledError):
                await agent.run(lambda: notify("WATCHDOG=1"))
        return True

    if not run("agent", work, profile, base_url):
        raise typer.Exit(1)


@app.command()
def check(config: ConfigFile, as_json: AsJson = False) -> None:
    """Show what an attestation would say of this site, without sending anything."""
    settings = _read(config)
    found = [
        {
            "grade": cards.grade,
            "cards": serving_cards(cards),
            "gflops": gflops(cards),
            "memory_gb": memory_gb(cards),
        }
        for cards in settings.inventory
    ]
    if as_json:
        print_json(found)
        return
    columns = ("grade", "cards", "gflops", "memory_gb")
    show(
        table(f"{settings.site} at {settings.hub}", columns, [list(one.values()) for one in found]),
        f"This machine copies memory at {memory_gb_per_s():.1f} GB/s.",
    )


@app.command()
def status(config: ConfigFile, as_json: AsJson = False) -> None:
    """Show the agent's public key and how many readings wait, were taken and were refused."""
    state = Path(_read(config).state)
    key = agent_key(state)
    spool = Spool(state / "spool.sqlite")
    counts = spool.counts()
    spool.close()
    if as_json:
        print_json(counts | {"agent_key": key.public_bytes.hex()})
        return
    typer.echo(f"agent key {key.public_bytes.hex()}")
    typer.echo(", ".join(f"{count} readings {name}" for name, count in counts.items()))


def _read(path: Path) -> AgentConfig:
    try:
        return read_config(path)
    except (OSError, ValueError) as error:
        typer.echo(f"dongxi agent: {error}", err=True)
        raise typer.Exit(EXIT_USAGE) from None


def _reread(path: Path) -> Callable[[], AgentConfig]:
    """Read the file anew at each call; while it is wrong what it said before holds."""
    held = _read(path)

    def current() -> AgentConfig:
        nonlocal held
        try:
            held = read_config(path)
        except (OSError, ValueError) as error:
            typer.echo(f"dongxi agent: what was read before holds: {error}", err=True)
        return held

    return current


def _notifier() -> Callable[[str], None]:
    """Tell systemd how things are, where it listens (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return lambda _: None
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.connect("\0" + address[1:] if address.startswith("@") else address)
    return lambda said: listener.sendall(said.encode())
