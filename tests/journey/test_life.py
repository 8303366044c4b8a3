"""The life of one exchange through the command a user runs: interrupted, killed, resumed, and its next day.

One story, told in order: Ctrl-C while members come in, Ctrl-C in the session, kill -9 in the session,
Ctrl-C in the delivery, the first day's table, the next day's table. After each end no process of it is left.
"""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from exchange.journal import FrameKind, Journal, JournalConfig
from exchange.service.core import CORE_VERSION, LIMITS, Core, command_block
from exchange.service.frames import unpack_rare
from matching.engine import Engine

DONGXI = str(Path(sys.executable).parent / "dongxi")
START_S = 180.0
END_S = 30.0
DAY_S = 280.0
POLL_S = 0.05
README = Path(__file__).resolve().parents[2] / "README.md"


class Run:
    """One `dongxi up --demo` in a process group of its own, with what it printed so far."""

    def __init__(self, data: Path, *flags: str) -> None:
        self.process = subprocess.Popen(
            [DONGXI, "up", "--demo", "--speed", "20", "--port", "0", "--data", str(data), *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env=os.environ | {"COLUMNS": "100"},
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.append(line.rstrip("\n"))

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def until(self, reached: Callable[[], object], timeout_s: float, what: str) -> None:
        deadline = time.monotonic() + timeout_s
        while not reached():
            if time.monotonic() > deadline or self.process.poll() is not None:
                self.process.kill()
                self.end(END_S)
                pytest.fail(f"no {what}; it printed:\n{self.text}")
            time.sleep(POLL_S)

    def until_printed(self, words: str, timeout_s: float = START_S) -> None:
        self.until(lambda: words in self.text, timeout_s, words)

    def stop(self, number: int) -> int:
        """Send a signal to the server alone, wait, and see that its whole group is gone."""
        self.process.send_signal(number)
        return self.end(END_S)

    def end(self, timeout_s: float) -> int:
        try:
            code = self.process.wait(timeout_s)
            self._group_ends()
        except BaseException:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise
        self._reader.join(END_S)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    def _group_ends(self) -> None:
        """Members end by themselves when the server does; the group is gone when the last has."""
        deadline = time.monotonic() + END_S
        while True:
            try:
                os.killpg(self.process.pid, 0)
            except ProcessLookupError:
                return
            if time.monotonic() > deadline:
                raise AssertionError("processes were left behind")
            time.sleep(POLL_S)


def profile_text(data: Path) -> str:
    return (data.parent / f"{data.name}-keys" / "operator.toml").read_text(encoding="utf-8")


def status(data: Path) -> dict[str, object]:
    """What the running server says of itself; its address is in the operator's profile."""
    found = re.search(r'base_url = "([^"]+)"', profile_text(data))
    assert found is not None
    with urllib.request.urlopen(f"{found[1]}/v1/status", timeout=10) as answer:
        fields: dict[str, object] = json.load(answer)
        return fields


def hashes_by_replay(data: Path, wanted: set[int]) -> dict[int, str]:
    """The state hash at each of these sequence numbers, from the journal alone."""
    journal = Journal.open(data / "journal", JournalConfig(core_version=CORE_VERSION))
    core, found = Core(Engine(LIMITS)), {}
    try:
        for frame in journal.replay():
            if frame.kind is FrameKind.HOT:
                core.apply_hot(command_block(frame.body))
            else:
                core.apply_rare(frame.first_seq, *unpack_rare(frame.body))
            if core.seq in wanted:
                found[core.seq] = core.state_hash().hex()
        core.check()
    finally:
        journal.close()
    return found


def money_adds_up(text: str) -> bool:
    return re.search(r"^sum +0\.00 *$", text, re.MULTILINE) is not None


def readme_commands_work(data: Path) -> None:
    """Run the README's commands as printed, but for where the server listens and where the program lies."""
    served = re.search(r"http://127\.0\.0\.1:(\d+)", profile_text(data))
    assert served is not None
    blocks = re.findall(r"^```sh\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    answers = []
    for block in blocks:
        if block.startswith("make"):
            continue
        script = block.replace(":8230/", f":{served[1]}/").replace(".venv/bin/dongxi", DONGXI)
        done = subprocess.run(
            [
                "bash",
                "-euo",
                "pipefail",
                "-c",
                re.sub(r"^(?=curl|.*\| curl)", "echo; ", script, flags=re.MULTILINE),
            ],
            cwd=data.parents[1],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answers += [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        assert "{" in done.stdout or "GUIAN" in done.stdout
    assert len(answers) == 5, "three public and two signed requests"
    assert [answer for answer in answers if "error" in answer] == []
    (placed,) = (answer["order"] for answer in answers if "order" in answer)
    assert (placed["status"], placed["open_quantity"]) == ("resting", 2)


def test_the_life_of_an_exchange(tmp_path: Path) -> None:
    data = tmp_path / "var" / "demo"  # where the README's commands look for keys

    run = Run(data)
    run.until_printed("members come in")
    assert run.stop(signal.SIGINT) == 0, run.text

    run = Run(data)
    run.until_printed("continuous trading")
    assert run.stop(signal.SIGINT) == 0, run.text
    assert "Traceback" not in run.text

    run = Run(data)
    run.until_printed("continuous trading")
    seen: dict[int, str] = {}

    def watched() -> bool:
        now = status(data)
        seen[int(str(now["state_hash_seq"]))] = str(now["state_hash"])
        return len(seen) >= 5 and now["phase"] == "continuous"

    run.until(watched, START_S, "five states in the session")
    run.stop(signal.SIGKILL)
    assert hashes_by_replay(data, set(seen)) == seen

    run = Run(data)
    run.until_printed("delivery", DAY_S)  # the scheduler's process is at work now, too
    assert run.stop(signal.SIGINT) == 0, run.text

    run = Run(data, "--once")
    assert run.end(DAY_S) == 0, run.text
    assert "Trading day Friday 2026-12-04" in run.text
    assert "8,152 tasks of a real GPU cluster" in run.text
    assert "planned outage at QINGYANG" in run.text
    assert money_adds_up(run.text), run.text

    run = Run(data)
    run.until(lambda: "Ctrl-C ends the server" in run.text, DAY_S, "end of the second day")
    readme_commands_work(data)
    assert run.stop(signal.SIGINT) == 0, run.text
    assert "Trading day Monday 2026-12-07" in run.text
    assert money_adds_up(run.text), run.text
    assert re.search(r"^Mon 7 Dec +\d+ +[\d,]+ +[\d,]+ +0 +[\d,.]+ *$", run.text, re.MULTILINE), run.text
