"""An exchange in a process of its own, its market open and its clock under the test's hand, to be killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from datetime import time
from pathlib import Path
from typing import Self

from exchange_server import DEPOSIT_FEN, FRIDAY, serving

from exchange.client import ExchangeClient, Profile
from exchange.domain.calendar import moment_ns


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
        """Let the market move: `at 15:30`, and wait until it has."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"

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


async def _serve(folder: Path) -> None:
    async with serving(folder) as served:
        opening = moment_ns(FRIDAY, time(10, 0))
        if served.clock.now_ns() < opening:
            await served.at(10)
        owner = served.operator
        print(
            json.dumps(
                {
                    "base_url": served.base_url,
                    "operator": {
                        "member": owner.member,
                        "account": owner.account,
                        "key_id": owner.key_id,
                        "secret": owner.secret,
                        "base_url": owner.base_url,
                    },
                }
            ),
            flush=True,
        )
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            hour, minute = line.split()[1].split(":")
            await served.at(int(hour), int(minute))
            print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
