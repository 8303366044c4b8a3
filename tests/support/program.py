"""The installed program `dongxi`, run as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DONGXI = str(Path(sys.executable).with_name("dongxi"))


def environment(**variables: str) -> dict[str, str]:
    """This process's variables without settings, with these."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("DONGXI_")}
    return others | {"COLUMNS": "200", "PYTHONUTF8": "1", "NO_COLOR": "1"} | variables


def run(*arguments: str | bytes, stdin: bytes = b"", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the program; it never shows a traceback."""
    done = subprocess.run(
        [DONGXI, *arguments],
        input=stdin,
        capture_output=True,
        env=environment(**variables),
        timeout=60,
        check=False,
    )
    out, err = done.stdout.decode(), done.stderr.decode()
    assert "Traceback" not in err, err
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


@contextmanager
def up(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `dongxi up` on a free port; yields the process and its address."""
    process = subprocess.Popen(
        [DONGXI, "up", "--data", str(folder / "data"), "--port", "0", "--durability", "os"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Dongxi serves "), process.communicate()
        yield process, line.split()[2].rstrip("/")
    finally:
        process.kill()
        process.communicate()
