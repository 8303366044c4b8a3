"""The program `dongxi`: it gathers the sub-commands that the packages contribute and runs one of them."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer
from rich.markup import escape
from typer.core import TyperGroup
from typer.main import get_command

COMMANDS = "dongxi.commands"

PANELS = {
    "Market and orders": "markets book quote contract watch trade buy sell orders cancel fills",
    "Account and delivery": "login balance positions margin statement reservations nominate resell vouchers "
    "broker sign",
    "Providers": "capacity agent",
    "Planning and simulation": "hubs plan sim",
    "Operators": "members listing certificates halt resume proposals position-limits large-positions health",
    "The exchange itself": "up init operator journal history audit backup restore version",
}
"""Commands by the heading under which help lists them; others stand under the usual one, the first."""


class LazyGroup(TyperGroup):
    """Loads a sub-command only when it is run or asked for help, so that `dongxi --help` stays quick."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all contributed sub-commands, as help lists them."""
        known = " ".join(PANELS.values()).split()
        found = {one.name for one in entry_points(group=COMMANDS)}
        return [*sorted(found.difference(known)), *(name for name in known if name in found)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return one sub-command; a contribution that doesn't load is named, and the others still work."""
        found = next(iter(entry_points(group=COMMANDS, name=cmd_name)), None)
        if found is None:
            return None
        try:
            return as_command(found)
        except Exception as error:
            typer.echo(f"dongxi {cmd_name}: {found.value} does not load: {error}", err=True)
            return _broken(cmd_name, str(error))


def as_command(found: EntryPoint) -> Any:
    """Return the command of an entry point: a typer.Typer is a group, a function one command."""
    contributed: Any = found.load()
    if isinstance(contributed, typer.Typer):
        app = contributed
    else:
        app = typer.Typer(add_completion=False)
        app.command(name=found.name)(contributed)
    command: Any = get_command(app)
    command.name = found.name
    command.rich_help_panel = next(
        (panel for panel, names in PANELS.items() if found.name in names.split()), None
    )
    return command


def _broken(name: str, why: str) -> Any:
    app = typer.Typer(add_completion=False)

    @app.command(name=name, help=f"(does not load: {escape(why)})")
    def fail() -> None:
        raise typer.Exit(1)

    command = get_command(app)
    command.name = name
    return command


app = typer.Typer(
    cls=LazyGroup,
    name="dongxi",
    no_args_is_help=True,
    help="Dongxi 东西: trade, place and deliver compute over the East-Data-West-Compute network.",
    epilog="Start with: dongxi up --demo",
)


@app.callback()
def _root() -> None:
    """Hold the options of the program itself; there are none yet."""


def main() -> None:
    """Run the program."""
    sys.exit(app(prog_name="dongxi"))
