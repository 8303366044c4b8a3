"""The files that `dongxi plan` writes: a plan, its report; refused before the search where they cannot be."""

import os
from pathlib import Path

import typer

from scheduler.commands.judging import comparison_of
from scheduler.io.kubernetes import SUFFIXES as MANIFESTS
from scheduler.io.manifest_writer import write_manifests
from scheduler.io.places import default_places
from scheduler.io.planfile import PlanFile, write_plan, write_text
from scheduler.io.schedule import Schedule
from scheduler.io.writers import TABLES, write_table
from scheduler.report.page import report_html

PLAN_SUFFIX = ".json"


class NotWritten(OSError):
    """A file could not be written; the sentence says which and why."""


def expect_writable(out: Path | None, report: Path | None, workloads: Path) -> None:
    """Refuse what cannot be written before searching for half a minute; raises ``typer.BadParameter``."""
    for path in (out, report):
        if path is not None:
            expect_folder(path)
    if report is not None and out is not None and out.absolute() == report.absolute():
        raise typer.BadParameter(f"{report} cannot be plan and report at once")
    suffix = PLAN_SUFFIX if out is None else out.suffix.lower()
    if suffix not in (PLAN_SUFFIX, *TABLES, *MANIFESTS):
        raise typer.BadParameter(f"{out} must end in .json, .csv, .parquet or .yaml")
    if suffix in MANIFESTS and workloads.suffix.lower() not in MANIFESTS:
        raise typer.BadParameter("manifests can only be written for workloads that came as manifests")


def expect_folder(path: Path) -> None:
    """Refuse a file in a folder that is not there or cannot be written to, and a folder for a file."""
    if path.is_dir():
        raise typer.BadParameter(f"{path} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise typer.BadParameter(f"{path}: there is no folder {path.parent}; make it first")
    if not os.access(path.parent, os.W_OK):
        raise typer.BadParameter(f"{path}: the folder {path.parent} cannot be written to")


def write_files(
    out: Path | None, report: Path | None, workloads: Path, file: PlanFile, schedule: Schedule
) -> None:
    """Write a plan in the format that its name asks for, and its report. Raises `NotWritten`."""
    try:
        if out is not None:
            _write_out(out, workloads, file, schedule)
        if report is not None:
            _write_report(report, file)
    except OSError as error:
        raise NotWritten(
            f"{error.filename or out or report} could not be written: {error.strerror}"
        ) from error


def _write_out(out: Path, workloads: Path, file: PlanFile, schedule: Schedule) -> None:
    suffix = out.suffix.lower()
    if suffix == PLAN_SUFFIX:
        write_plan(out, file)
    elif suffix in TABLES:
        write_table(out, schedule)
    else:
        write_manifests(workloads, out, schedule)


def _write_report(path: Path, file: PlanFile) -> None:
    points = default_places(file.start).points
    write_text(path, report_html(file, comparison_of(file.problem, file.plan), points))
