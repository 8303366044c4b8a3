"""The server of the wire benchmark: an exchange in continuous trading with every gateway, in a process of its
own.

Prints one JSON object when it is ready and serves until its standard input ends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable
from datetime import date, time
from pathlib import Path
from typing import Any

from aiohttp import web

from exchange.domain.calendar import moment_ns
from exchange.domain.clock import ManualClock
from exchange.domain.messages import AddKey, AddMember, Deposit, RareMessage
from exchange.gateway.app import make_app
from exchange.gateway.binary.gateway import BinaryGateway
from exchange.gateway.protocol import ExchangeRunner
from exchange.history.keeper import keep_history
from exchange.history.mark import publish_durable
from exchange.ops.log import log_to
from exchange.ops.loop import keep_what_is_loaded, loop_factory
from exchange.ops.metrics import Metrics
from exchange.service.bootstrap import bootstrap
from exchange.service.config import ExchangeConfig
from exchange.service.day import DayDriver
from exchange.service.exchange import Exchange
from exchange.service.secrets import new_key_id, new_secret

DAY = date(2026, 12, 4)
DEPOSIT_FEN = 10**13
SERVED: dict[str, Any] = {"access_log": None, "shutdown_timeout": 0.1}


async def admit(exchange: Exchange, name: str) -> dict[str, str]:
    """Admit a member with cash and a key, as the profile of a client."""
    secret, key_id = new_secret(), new_key_id()
    await do(exchange, AddMember(name=name, kind="enterprise"))
    ciphertext = exchange.encrypt_secret(secret, key_id)
    await do(exchange, AddKey(member=name, key_id=key_id, scopes=("read", "trade"), ciphertext=ciphertext))
    await do(exchange, Deposit(member=name, amount_fen=DEPOSIT_FEN))
    member = exchange.views.member(name)
    account = "" if member is None else str(member.account)
    return {"member": name, "account": account, "key_id": key_id, "secret": secret.hex()}


async def do(exchange: Exchange, message: RareMessage) -> None:
    """Submit a rare message that must succeed."""
    result = await exchange.submit_rare(message)
    if not result.ok:
        raise RuntimeError(result.sentence)


async def bare(_: web.Request) -> web.Response:
    """The bare handler beside which HTTP orders are measured."""
    return web.Response(body=b'{"constant":true}', content_type="application/json")


async def listen(runner: web.AppRunner) -> tuple[web.AppRunner, int]:
    """Serve an application on a free port of the loopback."""
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    return runner, int(runner.addresses[0][1])


async def serve(folder: Path, durability: Any, members: int) -> None:
    """Serve until standard input ends."""
    clock = ManualClock(moment_ns(DAY, time(8, 0)))
    metrics = Metrics()
    config = ExchangeConfig(
        data_dir=folder / "data", master_key_file=folder / "keys/master.key", durability=durability
    )
    exchange = await Exchange.open(config, clock, files=metrics.files())
    publish_durable(exchange)
    await bootstrap(exchange)
    profiles = [await admit(exchange, f"member-{number}") for number in range(members)]
    clock.set(moment_ns(DAY, time(9, 5)))
    await DayDriver(exchange, clock, config).catch_up()
    runner, http = await listen(ExchangeRunner(make_app(exchange, metrics), **SERVED))
    plain = web.Application()
    plain.router.add_post("/constant", bare)
    plain_runner, plain_port = await listen(web.AppRunner(plain, **SERVED))
    gateway = BinaryGateway(exchange, metrics)
    _, binary = await gateway.start("127.0.0.1", 0)
    history = asyncio.create_task(keep_history(config.data_dir, "warning"))
    contracts = [
        {
            "symbol": view.contract.symbol,
            "index": exchange.views.index(view.contract.symbol),
            "low": view.price_low,
        }
        for view in exchange.views.contracts()
        if view.contract.grade == "H100"
    ]
    ready = {"http": http, "bare": plain_port, "binary": binary, "profiles": profiles, "contracts": contracts}
    keep_what_is_loaded()
    print(json.dumps(ready), flush=True)
    await until_end(history)
    await gateway.stop()
    await exchange.drain()
    history.cancel()
    await runner.cleanup()
    await plain_runner.cleanup()
    exchange.check()
    await exchange.close()


async def until_end(beside: Awaitable[None]) -> None:
    """Return when standard input ends; raise what fails beside it."""
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    await asyncio.wait({ended, asyncio.ensure_future(beside)}, return_when=asyncio.FIRST_COMPLETED)


def main() -> None:
    """Run the server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--durability", choices=("sync", "os"), default="sync")
    parser.add_argument("--members", type=int, default=16)
    options = parser.parse_args()
    log_to(options.folder / "log", "warning")
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve(options.folder, options.durability, options.members))


if __name__ == "__main__":
    main()
