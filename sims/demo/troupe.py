"""The members' processes: started, given their cues, waited for, ended."""

import asyncio
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

from sims.demo.cues import Answer, Cue, Setup

END_S = 5.0


class MemberFailed(Exception):
    """A member's process ended, did not answer in time, or was refused what it cannot do without."""


@dataclass(slots=True)
class Tally:
    """What all answers so far add up to."""

    sent: int = 0
    traded_lots: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def add(self, answer: Answer) -> None:
        """Count one more answer."""
        self.sent += answer.sent
        self.traded_lots += answer.traded_lots
        self.refused.update(answer.refused)


class Actor:
    """One member's process. Cues and answers are lines; there is at most one cue under way."""

    def __init__(self, setup: Setup, process: asyncio.subprocess.Process) -> None:
        self.setup = setup
        self._process = process

    @classmethod
    async def start(cls, setup: Setup) -> "Actor":
        """Start the process in this environment's Python and tell it who it is."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "sims.demo.member",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 20,
        )
        actor = cls(setup, process)
        actor._write(setup)
        return actor

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def _write(self, line: Setup | Cue) -> None:
        if self._process.stdin is None or self._process.stdin.is_closing():
            raise MemberFailed(f"the process of {self.setup.member} has ended")
        self._process.stdin.write(msgspec.json.encode(line) + b"\n")

    async def answer(self, timeout_s: float) -> Answer:
        """The next answer. Raises MemberFailed."""
        if self._process.stdout is None:
            raise MemberFailed(f"the process of {self.setup.member} has no output")
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), timeout_s)
        except TimeoutError:
            raise MemberFailed(f"{self.setup.member} did not answer within {timeout_s:g} s") from None
        if not line:
            raise MemberFailed(f"the process of {self.setup.member} ended with {await self._process.wait()}")
        answer = msgspec.json.decode(line, type=Answer)
        if answer.failure is not None:
            raise MemberFailed(f"{self.setup.member}: {answer.failure}")
        return answer

    async def play(self, cue: Cue, timeout_s: float) -> Answer:
        """Give a cue and wait for its answer. Raises MemberFailed."""
        self._write(cue)
        return await self.answer(timeout_s)

    async def end(self) -> None:
        """Close its input, which ends it; kill it if that takes too long."""
        with suppress(BrokenPipeError, ConnectionResetError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), END_S)
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


class Troupe:
    """All members' processes. `end` must be called whatever happens; `tally` counts what they did."""

    def __init__(self, timeout_s: float) -> None:
        self.tally = Tally()
        self._timeout_s = timeout_s
        self._actors: list[Actor] = []

    async def start(self, setups: Iterable[Setup]) -> None:
        """Start them all and wait until each has read its profile."""
        for setup in setups:
            self._actors.append(await Actor.start(setup))
        await asyncio.gather(*(actor.answer(self._timeout_s) for actor in self._actors))

    def providers(self) -> list[Actor]:
        """Those that run hubs."""
        return [actor for actor in self._actors if actor.setup.hubs]

    def enterprises(self) -> list[Actor]:
        """Those that stand in a city."""
        return [actor for actor in self._actors if actor.setup.city]

    async def play(self, actors: Sequence[Actor], cue: Cue) -> Tally:
        """Give all of them the cue at once; returns when the last has answered. Raises MemberFailed."""
        tally = Tally()
        for answer in await asyncio.gather(*(actor.play(cue, self._timeout_s) for actor in actors)):
            tally.add(answer)
            self.tally.add(answer)
        return tally

    async def end(self) -> None:
        """End them all."""
        await asyncio.gather(*(actor.end() for actor in self._actors))
        self._actors.clear()
