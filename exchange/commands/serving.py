"""A server from start to end: open the exchange, listen, run what runs beside it, drain, close."""

from __future__ import annotations

import asyncio
import signal
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any

import structlog
import typer
from aiohttp import web
from rich.console import Console

from exchange.client.profiles import Profile, save_profile
from exchange.config import Config
from exchange.domain.calendar import day_of, moment_ns
from exchange.domain.clock import AcceleratedClock, WallClock
from exchange.gateway.app import make_app
from exchange.gateway.binary.gateway import BinaryGateway, BinaryLimits
from exchange.gateway.protocol import ExchangeRunner
from exchange.gateway.rates import RateLimit
from exchange.history.keeper import keep_history
from exchange.history.mark import publish_durable
from exchange.ops.loop import keep_what_is_loaded
from exchange.ops.metrics import Metrics
from exchange.ops.tls import TlsError, load_certificate, server_context
from exchange.service.bootstrap import OPERATOR, SESSIONS, BootstrapError, Credentials, bootstrap
from exchange.service.config import ExchangeConfig
from exchange.service.day import DayDriver
from exchange.service.exchange import Exchange

DEMOS = "dongxi.demo"
CLOSE_S = 5.0
DEMO_FIRST_DAY = date(2026, 12, 4)
"""A Friday, so that the first run already delivers two whole days before the next trading day."""

_LOG = structlog.get_logger("server")

Job = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Demonstration:
    """How a demonstration is to run: whether the server ends with it, and its pace (1 is a minute)."""

    once: bool
    speed: float


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


class Server:
    """One run of `dongxi up`. With a demonstration the market's clock is accelerated."""

    def __init__(self, settings: Config, demonstration: Demonstration | None) -> None:
        self._settings = settings
        self._demonstration = demonstration
        self._stop = asyncio.Event()
        self._metrics = Metrics()
        self._tls: ssl.SSLContext | None = None

    async def run(self) -> None:
        """Serve until a signal or the demonstration's end; whatever ends it, close in order.

        Raises what a start or a job raises: JournalError, MasterKeyError, BootstrapError, DriverError,
        TlsError, OSError.
        """
        if self._settings.tls:
            self._tls = server_context(Path(self._settings.tls_certificate), Path(self._settings.tls_key))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._load_certificate)
        first_day = DEMO_FIRST_DAY if self._demonstration else day_of(WallClock().now_ns())
        configured = self._settings.exchange(first_day)
        clock = self._clock(configured)
        exchange = await self._open(configured, clock)
        try:
            await self._serve(exchange, clock)
        finally:
            await exchange.close()
            _LOG.info("closed", seq=exchange.views.seq)

    def _clock(self, configured: ExchangeConfig) -> AcceleratedClock | WallClock:
        if self._demonstration is None:
            return WallClock()
        opening = moment_ns(configured.first_day, SESSIONS.open_day)
        return AcceleratedClock(opening, 1.0, held=True)

    async def _open(self, configured: ExchangeConfig, clock: AcceleratedClock | WallClock) -> Exchange:
        console = Console(stderr=True)
        with console.status("Replaying the journal …") as status:
            exchange = await Exchange.open(
                configured,
                clock,
                progress=lambda seq: status.update(f"Replaying the journal … seq {seq:,}"),
                files=self._metrics.files(),
            )
        if exchange.set_aside is not None:
            _LOG.warning("incomplete tail moved aside", path=str(exchange.set_aside.path))
            console.print(f"An incomplete tail of the journal was moved to {exchange.set_aside.path}.")
        _LOG.info("opened", version=version("dongxi"), seq=exchange.views.seq)
        return exchange

    async def _serve(self, exchange: Exchange, clock: AcceleratedClock | WallClock) -> None:
        publish_durable(exchange)
        credentials = await bootstrap(exchange)
        if credentials is None and self._demonstration is not None:
            raise BootstrapError(
                f"the demonstration needs the operator {OPERATOR!r} that `dongxi up` makes itself, with its "
                f"first key, and the exchange in {self._settings.data_dir} has none; name another directory "
                "with --data"
            )
        rate_limit = RateLimit(self._settings.key_rate, self._settings.key_burst)
        app = make_app(
            exchange,
            self._metrics,
            metrics_to_anyone=self._settings.metrics_to_anyone,
            rate_limit=rate_limit,
        )
        runner = ExchangeRunner(app, access_log=None, shutdown_timeout=CLOSE_S)
        await runner.setup()
        binary = BinaryGateway(
            exchange,
            self._metrics,
            BinaryLimits(connections_max=self._settings.binary_connections, logons=rate_limit),
        )
        history: asyncio.Task[None] | None = None
        try:
            base_url = await self._listen(runner)
            await self._listen_binary(binary)
            if credentials is not None:
                self._keep(credentials, base_url)
            jobs: list[Job] = [
                DayDriver(exchange, clock, exchange.config).run,
                partial(_report_failure, exchange),
            ]
            if self._settings.history:
                history = asyncio.create_task(keep_history(self._settings.data_dir, self._settings.log_level))
            if self._demonstration is not None and isinstance(clock, AcceleratedClock):
                jobs.append(self._demonstrating(self._demonstration, base_url, exchange, clock))
            else:
                typer.echo(
                    f"Dongxi serves {base_url}/ (Ctrl-C stops it); "
                    f"the operator's key is in {self._settings.keys_dir}/"
                )
            keep_what_is_loaded()
            await _until_stopped(jobs, self._stop)
            await binary.stop()
            _LOG.info("draining", waiting=exchange.waiting_commands)
            await exchange.drain()
        finally:
            await binary.stop()
            await runner.cleanup()
            if history is not None:  # only now has it everything that there was to follow
                history.cancel()
                await asyncio.gather(history, return_exceptions=True)

    async def _listen(self, runner: web.AppRunner) -> str:
        """Listen where the settings say and return the address to call."""
        settings = self._settings
        site = web.TCPSite(runner, settings.host, settings.port, ssl_context=self._tls)
        try:
            await site.start()
        except OSError as error:
            raise _cant_listen(settings.host, settings.port, error, "--port") from None
        host, port = runner.addresses[0][:2]
        named = f"[{host}]" if ":" in host else host
        return f"{'https' if self._tls else 'http'}://{named}:{port}"

    async def _listen_binary(self, gateway: BinaryGateway) -> None:
        settings = self._settings
        if settings.binary_port < 0:
            return
        try:
            host, port = await gateway.start(settings.host, settings.binary_port, self._tls)
        except OSError as error:
            raise _cant_listen(
                settings.host, settings.binary_port, error, "the setting binary_port"
            ) from None
        _LOG.info("listening", gateway="binary", host=host, port=port)
        typer.echo(f"The binary gateway listens on {host}:{port}")

    def _load_certificate(self) -> None:
        """On SIGHUP: serve new connections with what the certificate's files hold now."""
        if self._tls is None:
            return
        try:
            load_certificate(self._tls, Path(self._settings.tls_certificate), Path(self._settings.tls_key))
        except TlsError as error:
            _LOG.error("certificate not loaded; the old one stays", error=str(error))
        else:
            _LOG.info("certificate loaded")

    def _keep(self, credentials: Credentials, base_url: str) -> None:
        """Write the first operator's profile; its secret is shown nowhere else."""
        profile = Profile(
            member=credentials.member,
            account=str(credentials.account),
            key_id=credentials.key_id,
            secret=credentials.secret.hex(),
            base_url=base_url,
        )
        save_profile(self._settings.keys_dir, profile)

    def _demonstrating(
        self, how: Demonstration, base_url: str, exchange: Exchange, clock: AcceleratedClock
    ) -> Job:
        """Return the job that runs the contributed demonstration, and stops the server if it is to."""
        session = DemoSession(
            base_url, self._settings.keys_dir, self._settings.data_dir, exchange, clock, how.once, how.speed
        )
        run: Any = next(iter(entry_points(group=DEMOS, name="demo"))).load()

        async def demonstrate() -> None:
            await run(session)
            if how.once:
                self._stop.set()

        return demonstrate


def _cant_listen(host: str, port: int, error: OSError, where: str) -> OSError:
    return OSError(
        f"can't listen on {host}:{port} ({error.strerror or error}); stop what does, or choose another "
        f"with {where}"
    )


async def _report_failure(exchange: Exchange) -> None:
    """Say on the terminal when nothing is acknowledged any more; reads go on until the operator ends it."""
    await exchange.failed.wait()
    typer.echo(
        f"dongxi up: the journal can't be written ({exchange.failure}). Nothing is acknowledged any more; "
        "reads go on. Mend the cause, end this with Ctrl-C and start it again.",
        err=True,
    )


async def _until_stopped(jobs: list[Job], stop: asyncio.Event) -> None:
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
