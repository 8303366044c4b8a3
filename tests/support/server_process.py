"""An exchange in a process of its own, its market open and its clock under the test's hand, to be killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from datetime import date, time
from pathlib import Path
from typing import Any, Self

from exchange_server import DEPOSIT_FEN, FRIDAY, serving
from msgspec.structs import asdict

from exchange.client import ExchangeClient, Profile
from exchange.domain.calendar import moment_ns
from exchange.service.bootstrap import OPERATOR_ROLES


class ServerProcess:
    """`dongxi`'s server on a free port, trading on the first Friday at 10:00.

    `start` after `kill` recovers what was durable. `member` gives the profile of an admitted member.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self.base_url = ""

    def start(self) -> None:
        """Start, or start again, and return when it serves."""
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": ":".join(sys.path)},
        )
        assert self._process.stdout is not None
        said = json.loads(self._process.stdout.readline())
        self.base_url = said["base_url"]
        self.operator = Profile(**said["operator"])

    def kill(self) -> None:
        """End it with SIGKILL."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.communicate()

    def step(self, command: str) -> None:
        """Let the market move: `at 15:30` of Friday, `at 00:30 2026-12-05`, and wait until it has."""
        assert self._told(command) == "done"

    def add_operator(self, name: str) -> Profile:
        """Make an operator with every role, as `dongxi operator add` does, and return its profile."""
        return Profile(**self._told(f"operator {name}"))

    def _told(self, command: str) -> Any:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    async def admit(self, name: str, kind: str = "enterprise") -> Profile:
        """Admit a member with cash."""
        async with ExchangeClient(self.base_url, self.operator) as client:
            made = await client.add_member(name, kind, state="approved")  # type: ignore[arg-type]
        await self.pay_in(name)
        return Profile(
            member=name,
            account=made.account,
            key_id=made.key_id,
            secret=made.secret,
            base_url=self.base_url,
        )

    async def pay_in(self, name: str) -> None:
        """Pay cash into an account, of a broker's client also."""
        async with ExchangeClient(self.base_url, self.operator) as client:
            await client.deposit(name, DEPOSIT_FEN)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()


def _say(what: object) -> None:
    print(json.dumps(what), flush=True)


async def _serve(folder: Path) -> None:
    async with serving(folder) as served:
        opening = moment_ns(FRIDAY, time(10, 0))
        if served.clock.now_ns() < opening:
            await served.at(10)
        _say({"base_url": served.base_url, "operator": asdict(served.operator)})
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            order, what, *day = line.split()
            if order == "at":
                hour, minute = what.split(":")
                await served.at(int(hour), int(minute), date.fromisoformat(day[0]) if day else FRIDAY)
                _say("done")
            else:
                _say(asdict(await served.add_operator(what, *OPERATOR_ROLES)))


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
