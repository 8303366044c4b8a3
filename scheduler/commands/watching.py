"""Watching a search from a terminal: bound, incumbent, gap and time, and Ctrl-C for the best plan so far."""

import time
from dataclasses import replace

from rich.console import Console
from rich.live import Live
from rich.text import Text

from scheduler.anyplan import AnyProblem
from scheduler.commands.search import NO_WISHES, Stage, Watched, Wishes, searching
from scheduler.plan import Progress
from scheduler.report.wording import cny, percent


def watch(problem: AnyProblem, time_limit_s: float, console: Console, wishes: Wishes = NO_WISHES) -> Watched:
    """Search and show how it goes on ``console``; Ctrl-C ends it with the best plan so far.

    Raises `scheduler.commands.search.SearchFailed` and `scheduler.types.InvalidProblem`.
    """
    found = Watched()
    view = _View(time_limit_s)
    # without a terminal, only what is new is printed
    live = Live(view, console=console, refresh_per_second=8, transient=True) if console.is_terminal else None
    try:
        with searching(problem, time_limit_s, wishes) as news:
            if live:
                live.start()
            for item in news:
                if isinstance(item, Progress):
                    view.progress = item
                elif isinstance(item, Stage):
                    view.enter(item)
                else:
                    found = found.heard(item)
                    continue
                if live is None:
                    elapsed_s = item.elapsed_s if isinstance(item, Progress) else 0.0
                    console.print(view.line(elapsed_s), highlight=False, soft_wrap=True)
    except KeyboardInterrupt:
        return replace(found, stopped=True)
    finally:
        if live:
            live.stop()
    return found


class _View:
    """One line that rich draws anew several times a second."""

    def __init__(self, time_limit_s: float) -> None:
        self.time_limit_s = time_limit_s
        self.started = time.monotonic()
        self.stage: Stage | None = None
        self.progress: Progress | None = None

    def enter(self, stage: Stage) -> None:
        """The clock of the time limit begins with the search."""
        self.started, self.stage = time.monotonic(), stage

    def __rich__(self) -> Text:
        return Text(self.line(time.monotonic() - self.started), style="cyan")

    def line(self, elapsed_s: float) -> str:
        clock = f"{elapsed_s:5.1f} of {self.time_limit_s:g} s"
        if self.stage is not Stage.SEARCHING:
            return f"{self.stage or 'starting'} …  Ctrl-C ends it"
        if self.progress is None:
            return f"{clock}  {self.stage} …  Ctrl-C ends it"
        at = self.progress
        return (
            f"{clock}  bound {cny(at.bound_nano_cny)}  incumbent {cny(at.incumbent_nano_cny)}  "
            f"gap {percent(at.gap)}  {at.stage}"
        )
