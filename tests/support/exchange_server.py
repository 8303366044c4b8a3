"""A real exchange behind a real server on a loopback port, its market moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from time import monotonic

import aiohttp
from aiohttp import web, web_app
from yarl import URL

from exchange.api.requests import MemberKind, Role
from exchange.api.signing import signed_headers
from exchange.client import ExchangeClient, Profile
from exchange.domain.calendar import moment_ns
from exchange.domain.clock import ManualClock
from exchange.gateway.app import make_app
from exchange.gateway.protocol import ExchangeRunner
from exchange.gateway.rates import UNLIMITED, RateLimit
from exchange.history.mark import publish_durable
from exchange.service.bootstrap import bootstrap, new_operator
from exchange.service.config import ExchangeConfig
from exchange.service.day import DayDriver
from exchange.service.exchange import Exchange

FRIDAY = date(2026, 12, 4)
SATURDAY = date(2026, 12, 5)
DEPOSIT_FEN = 10**10


@dataclass
class Served:
    """The exchange, its driver and clock, where it listens, and the operator's profile."""

    exchange: Exchange
    driver: DayDriver
    clock: ManualClock
    base_url: str
    operator: Profile
    protocol: Callable[[], asyncio.Protocol]
    """Makes the HTTP server's end of a connection."""

    async def at(self, hour: int, minute: int = 0, day: date = FRIDAY) -> None:
        """Move market time and let the driver do what is due."""
        self.clock.set(moment_ns(day, time(hour, minute)))
        await self.driver.catch_up()

    def client(self, profile: Profile | None = None) -> ExchangeClient:
        """A client of this server that doesn't try again."""
        return ExchangeClient(self.base_url, profile, retries=0)

    async def admit(self, name: str, kind: MemberKind) -> Profile:
        """Admit a member with cash and return its profile."""
        async with self.client(self.operator) as operator:
            made = await operator.add_member(name, kind, state="approved")
            await operator.deposit(name, DEPOSIT_FEN)
        return Profile(
            member=name,
            account=made.account,
            key_id=made.key_id,
            secret=made.secret,
            base_url=self.base_url,
        )

    async def add_operator(self, name: str, *roles: Role) -> Profile:
        """Make another operator as `dongxi operator add` does, and return its profile."""
        message, secret = new_operator(self.exchange, name, roles)
        data = (await self.exchange.submit_rare(message)).data
        assert data is not None and message.key is not None
        return Profile(
            member=name,
            account=str(data["account"]),
            key_id=message.key.key_id,
            secret=secret.hex(),
            base_url=self.base_url,
        )

    async def raw(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        *,
        profile: Profile | None = None,
        headers: dict[str, str] | None = None,
        **signing: object,
    ) -> tuple[int, dict[str, object]]:
        """Send bytes as they are; return status and decoded body. `signing`: timestamp_ms, nonce."""
        sent = {"Content-Type": "application/json"} if body else {}
        if profile is not None:
            sent |= signed_headers(
                profile.key_id,
                profile.secret_bytes,
                method,
                target,
                body,
                **signing,  # type: ignore[arg-type]
            )
        sent |= headers or {}
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                method, URL(self.base_url + target, encoded=True), data=body or None, headers=sent
            ) as answer,
        ):
            return answer.status, await answer.json()

    def state(self) -> tuple[int, str]:
        """Sequence number and hash of the whole state."""
        return self.exchange.views.seq, self.exchange.views.state_hash()


@asynccontextmanager
async def serving(
    folder: Path,
    *,
    rate_limit: RateLimit = UNLIMITED,
    monotonic: Callable[[], float] = monotonic,
    fine_listing: tuple[str, ...] = (),
) -> AsyncIterator[Served]:
    """Serve the exchange of `folder`, fresh or found there; by `monotonic` agents fall silent."""
    clock = ManualClock(moment_ns(FRIDAY, time(8, 0)))
    config = ExchangeConfig(
        data_dir=folder / "data",
        master_key_file=folder / "keys/master.key",
        durability="os",
        fine_listing=fine_listing,
    )
    exchange = await Exchange.open(config, clock)
    try:
        publish_durable(exchange)
        credentials = await bootstrap(exchange)
        assert credentials is not None
        runner = ExchangeRunner(
            make_app(exchange, rate_limit=rate_limit, monotonic=monotonic), shutdown_timeout=1.0
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            operator = Profile(
                member=credentials.member,
                account=str(credentials.account),
                key_id=credentials.key_id,
                secret=credentials.secret.hex(),
                base_url=base_url,
            )
            assert runner.server is not None
            driver = DayDriver(exchange, clock, config)
            yield Served(exchange, driver, clock, base_url, operator, runner.server)
        finally:
            await runner.cleanup()
            # aiohttp remembers the handlers of every application of the process, and with them its exchange
            web_app._cached_build_middleware.cache_clear()
    finally:
        exchange.check()
        await exchange.close()
