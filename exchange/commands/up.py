"""`dongxi up`: start the exchange; with `--demo` also run a trading day on it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from exchange.commands.serving import Demonstration, Server
from exchange.config import Config, ConfigError, load_config
from exchange.journal import JournalError
from exchange.ops.log import log_to
from exchange.ops.loop import loop_factory
from exchange.ops.tls import TlsError
from exchange.service.bootstrap import BootstrapError
from exchange.service.day import DriverError
from exchange.service.secrets import MasterKeyError

EXIT_FAILED = 1
EXIT_USAGE = 2


def up(
    config: Annotated[Path | None, typer.Option(help="Settings file (TOML).")] = None,
    data: Annotated[str | None, typer.Option(help="Data directory: journal and log.")] = None,
    keys: Annotated[str | None, typer.Option(help="Directory of keys and profiles [DATA-keys].")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on [127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes any free one [8230].")] = None,
    durability: Annotated[
        str | None, typer.Option(help="sync or os; see docs/journal.md (sync if not set).")
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Run a trading day with demonstration members.")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="With --demo: stop after the table.")] = False,
    speed: Annotated[float, typer.Option(min=0.1, max=20.0, help="With --demo: pace, 1 is a minute.")] = 1.0,
    check_config: Annotated[
        bool, typer.Option("--check-config", help="Print the settings that would hold, and stop.")
    ] = False,
) -> None:
    """Start the exchange and serve until Ctrl-C.

    The market's clock is real time in Asia/Shanghai; with --demo it is accelerated, and a whole trading day
    with delivery passes in about a minute. Settings come from --config, then DONGXI_… variables, then flags.

    Exit codes: 0 after Ctrl-C or SIGTERM, 1 if it can't start or failed, 2 for wrong settings.
    """
    if not demo and (once or speed != 1.0):
        raise _fail("--once and --speed are for a demonstration; add --demo, or leave them out", EXIT_USAGE)
    flags = {"data": data, "keys": keys, "host": host, "port": port, "durability": durability}
    try:
        settings = load_config(config, flags=flags)
    except ConfigError as error:
        raise _fail(str(error), EXIT_USAGE) from None
    if check_config:
        typer.echo("\n".join(f"{name} = {getattr(settings, name)}" for name in settings.__struct_fields__))
        return
    try:
        log_to(settings.data_dir / "log", settings.log_level)
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(_run(settings, Demonstration(once, speed) if demo else None))
    except (JournalError, MasterKeyError, BootstrapError, DriverError, TlsError, OSError) as error:
        raise _fail(str(error), EXIT_FAILED) from None


async def _run(settings: Config, demonstration: Demonstration | None) -> None:
    await Server(settings, demonstration).run()


def _fail(sentence: str, code: int) -> typer.Exit:
    typer.echo(f"dongxi up: {sentence}", err=True)
    return typer.Exit(code)
