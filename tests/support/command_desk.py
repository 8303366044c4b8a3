"""Runs `dongxi` commands against a server, inside this process, which saves the program's start each time."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

from server_process import ServerProcess
from typer.testing import CliRunner

from exchange.cli import app
from exchange.client import Profile
from exchange.client.profiles import profile_text


@dataclass
class Desk:
    """A running server, and where the members' files are."""

    server: ServerProcess
    folder: Path

    def run(self, *arguments: str, stdin: bytes = b"", **variables: str) -> CompletedProcess[str]:
        clean: dict[str, str | None] = {name: None for name in os.environ if name.startswith("DONGXI_")}
        home = {"XDG_CONFIG_HOME": str(self.folder / "config"), "COLUMNS": "200", "NO_COLOR": "1"}
        done = CliRunner().invoke(app, arguments, input=stdin, env=clean | home | variables)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)

    def json(self, *arguments: str) -> object:
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def log_in(self, *profiles: Profile) -> None:
        """Keep keys; the last one becomes the default."""
        for profile in profiles:
            done = self.run("login", "--file", self.file(profile))
            assert done.returncode == 0, done.stderr

    def file(self, profile: Profile) -> str:
        path = self.folder / f"{profile.member}.toml"
        path.write_text(profile_text(profile), "utf-8")
        return str(path)
