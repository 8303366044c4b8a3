"""What every test may use, and the rule that CI runs with nothing skipped."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fail-on-skip", action="store_true", help="a skipped test fails the run (CI uses it)")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--fail-on-skip") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(NothingSkipped(), "nothing-skipped")


COMPILED_FIRST = (
    "from exchange.service.warm import warm_up; warm_up()",
    "from scheduler.warming import compile_slot_loops; compile_slot_loops()",
    "from scheduler.horizon.warming import compile_horizon_loops; compile_horizon_loops()",
)
"""What most test files need compiled: half a minute to a minute each."""


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile before the workers begin; else each of them would compile all of it, at the same time."""
    if session.config.getoption("numprocesses", None):
        compilers = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) for code in COMPILED_FIRST]
        ended = [compiler.wait() for compiler in compilers]
        if any(ended):
            pytest.exit("what the tests need doesn't compile; see above", returncode=1)


class NothingSkipped:
    """Collects skips and turns a run that had any into a failed one, naming them."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self.skipped.append(f"{report.nodeid}: {report.longrepr}")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.skipped.append(f"{report.nodeid}: {report.longrepr}")

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        yield
        if self.skipped and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for line in self.skipped:
            terminalreporter.write_line(f"SKIPPED, which is a failure under --fail-on-skip: {line}", red=True)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the system's Chromium; without it the browser tests are skipped, by name."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("needs Chromium (Debian: apt-get install chromium)")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chrome(chromium: str) -> AsyncIterator[Browser]:
    """The system's Chromium, started once; see tests/support/browser.py."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's top folder."""
    return ROOT
