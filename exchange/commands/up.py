"""`dongxi up`: start the exchange; with `--demo` also run a trading day on it."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
from aiohttp import web
from rich.console import Console

from exchange.client.profiles import Profile, save_profile
from exchange.config import Config, ConfigError, load_config
from exchange.domain.calendar import day_of, moment_ns
from exchange.domain.clock import AcceleratedClock, WallClock
from exchange.gateway.app import make_app
from exchange.journal import JournalError
from exchange.service.bootstrap import BootstrapError, bootstrap
from exchange.service.day import DayDriver, DriverError
from exchange.service.exchange import Exchange
from exchange.service.secrets import MasterKeyError

EXIT_FAILED = 1
EXIT_USAGE = 2
DEMOS = "dongxi.demo"
CLOSE_S = 5.0
DEMO_FIRST_DAY = date(2026, 12, 4)
"""A Friday, so that the first run already delivers two whole days before the next trading day."""


@dataclass(frozen=True, slots=True)
class DemoSession:
    """What a demonstration gets: where the server listens, its exchange, its clock (which stands still)."""

    base_url: str
    keys_dir: Path
    data_dir: Path
    exchange: Exchange
    clock: AcceleratedClock
    once: bool
    speed: float


def up(
    config: Annotated[Path | None, typer.Option(help="Settings file (TOML).")] = None,
    data: Annotated[str | None, typer.Option(help="Data directory: journal and log.")] = None,
    keys: Annotated[str | None, typer.Option(help="Directory of keys and profiles [DATA-keys].")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on [127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes any free one [8230].")] = None,
    durability: Annotated[str | None, typer.Option(help="sync or os; see docs/journal.md [sync].")] = None,
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
    flags = {"data": data, "keys": keys, "host": host, "port": port, "durability": durability}
    try:
        settings = load_config(config, flags=flags)
    except ConfigError as error:
        raise _fail(str(error), EXIT_USAGE) from None
    if check_config:
        typer.echo("\n".join(f"{name} = {getattr(settings, name)}" for name in settings.__struct_fields__))
        return
    _log_to(settings.data_dir / "log")
    try:
        asyncio.run(_serve(settings, demo=demo, once=once, speed=speed))
    except (JournalError, MasterKeyError, BootstrapError, DriverError, OSError) as error:
        raise _fail(str(error), EXIT_FAILED) from None


def _fail(sentence: str, code: int) -> typer.Exit:
    typer.echo(f"dongxi up: {sentence}", err=True)
    return typer.Exit(code)


async def _serve(settings: Config, *, demo: bool, once: bool, speed: float) -> None:
    """Open, serve, and close in order, whatever ends it: a signal, the demonstration, or a failure."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    configured = settings.exchange(DEMO_FIRST_DAY if demo else day_of(WallClock().now_ns()))
    opening = moment_ns(configured.first_day, configured.sessions.open_day)
    clock = AcceleratedClock(opening, 1.0, held=True) if demo else WallClock()
    console = Console(stderr=True)
    with console.status("Replaying the journal …") as status:
        exchange = await Exchange.open(
            configured, clock, progress=lambda seq: status.update(f"Replaying the journal … seq {seq:,}")
        )
    try:
        if exchange.set_aside is not None:
            console.print(f"An incomplete tail of the journal was moved to {exchange.set_aside.path}.")
        await _serve_open(settings, exchange, clock, stop, demo=demo, once=once, speed=speed)
    finally:
        await exchange.close()


async def _serve_open(
    settings: Config,
    exchange: Exchange,
    clock: AcceleratedClock | WallClock,
    stop: asyncio.Event,
    *,
    demo: bool,
    once: bool,
    speed: float,
) -> None:
    credentials = await bootstrap(exchange)
    runner = web.AppRunner(make_app(exchange), access_log=None, shutdown_timeout=CLOSE_S)
    await runner.setup()
    try:
        base_url = await _listen(runner, settings)
        if credentials is not None:
            profile = Profile(
                member=credentials.member,
                account=str(credentials.account),
                key_id=credentials.key_id,
                secret=credentials.secret.hex(),
                base_url=base_url,
            )
            save_profile(settings.keys_dir, profile)
        driver = DayDriver(exchange, clock, exchange.config)
        jobs: list[Callable[[], Awaitable[None]]] = [driver.run]
        if demo and isinstance(clock, AcceleratedClock):
            session = DemoSession(
                base_url, settings.keys_dir, settings.data_dir, exchange, clock, once, speed
            )
            jobs.append(lambda: _demonstrate(session, stop))
        else:
            typer.echo(
                f"Dongxi serves {base_url}/ (Ctrl-C stops it); the operator's key is in {settings.keys_dir}/"
            )
        await _until_stopped(jobs, stop)
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, settings: Config) -> str:
    site = web.TCPSite(runner, settings.host, settings.port)
    try:
        await site.start()
    except OSError as error:
        raise OSError(
            f"can't listen on {settings.host}:{settings.port} ({error.strerror or error}); "
            "stop what does, or choose another with --port"
        ) from None
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"


async def _demonstrate(session: DemoSession, stop: asyncio.Event) -> None:
    """Run the contributed demonstration; afterwards serve on, or stop if it was to run once."""
    run: Any = next(iter(entry_points(group=DEMOS, name="demo"))).load()
    await run(session)
    if session.once:
        stop.set()


async def _until_stopped(jobs: list[Callable[[], Awaitable[None]]], stop: asyncio.Event) -> None:
    """Run the jobs until `stop`; a job that fails ends all of them with its error."""
    tasks = [asyncio.ensure_future(job()) for job in jobs]
    stopping = asyncio.ensure_future(stop.wait())
    waiting = {*tasks, stopping}
    try:
        while not stopping.done() and waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    finally:
        for task in (*tasks, stopping):
            task.cancel()
        await asyncio.gather(*tasks, stopping, return_exceptions=True)


def _log_to(folder: Path) -> None:
    """Write structured logs, one JSON object a line, to `folder`/dongxi.log."""
    folder.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(folder / "dongxi.log", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
