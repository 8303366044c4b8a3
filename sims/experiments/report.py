"""An experiment's report: one HTML file that needs nothing else, and the same figures as Markdown."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from pathlib import Path

import plotly.graph_objects as go
import plotly.io as pio

from sims.experiments.differences import differences
from sims.experiments.disk import writing
from sims.experiments.drawings import drawings
from sims.experiments.findings import Line, cells, lines, nothing_of
from sims.experiments.inference import chance, interval
from sims.experiments.numbers import tables_of
from sims.experiments.seeds import written
from sims.experiments.store import Manifest, Store

_STYLE = (
    "body{font-family:sans-serif;max-width:70em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse}td,th{padding:.2em .8em;text-align:right;border-bottom:1px solid #ddd}"
    "td:first-child,th:first-child{text-align:left}tr:hover{background:#f4f4f4}"
)


def write_report(store: Store) -> Path:
    """Write report.html and report.md into an experiment's directory; return the page's path. Raises
    StoreError.
    """
    found = lines(store.finished())
    title, rows = _title(store.manifest), _rows(found)
    facts = [*_facts(store.manifest), *nothing_of(found)]
    figures = list(drawings(found, store.finished()))
    return write_pages(store.directory / "report", title, facts, rows, figures)


def write_pages(
    path: Path, title: str, facts: Sequence[str], rows: Sequence[Sequence[str]], figures: Sequence[go.Figure]
) -> Path:
    """Write title, facts, a table (heading first) and pictures to PATH.md, these as tables, and to PATH.html;
    return that.
    """
    text = path.with_suffix(".md")
    with writing(text):
        text.write_text(_markdown(title, facts, rows, figures), "utf-8")
    page = path.with_suffix(".html")
    with writing(page):
        page.write_text(_page(title, facts, rows, figures), "utf-8")
    return page


def _title(manifest: Manifest) -> str:
    names = dict.fromkeys(table["title"] for table in manifest.variants.values())
    return " / ".join(names)


def _rows(found: Sequence[Line]) -> list[list[str]]:
    """Return the table of figures, heading first."""
    variants = list(found[0].by_variant) if found else []
    compared = any(line.change for line in found)
    rows = [["figure", *variants, *(["difference (95 %)", "p", ""] if compared else [])]]
    for line in found:
        if not line.seen:
            continue
        change = line.change
        told = [interval(change.difference), chance(change.p_value)] if change else [""] * 2 * compared
        told += [line.word] * compared
        rows.append([line.name, *cells(line, variants), *told])
    return rows


def _facts(manifest: Manifest) -> list[str]:
    runs = sum(len(seeds) for seeds in manifest.seeds.values())
    seeds = written(next(iter(manifest.seeds.values())))
    made = ", ".join(f"{name} {version}" for name, version in manifest.versions.items())
    means = "means over seeds with 95 % confidence intervals"
    told = [f"{runs} runs, seeds {seeds}; {means}. Made with {made}."]
    about: dict[str, list[str]] = {}
    for variant, table in manifest.variants.items():
        about.setdefault(f"{table['shows']} Why it is plausible: {table['plausible']}", []).append(variant)
    told += [text if len(about) == 1 else f"{', '.join(names)}: {text}" for text, names in about.items()]
    return told + differences(manifest)


def _markdown(
    title: str, facts: Sequence[str], rows: Sequence[Sequence[str]], figures: Sequence[go.Figure]
) -> str:
    parts = [f"# {title}", "", *(f"- {fact}" for fact in facts), "", *_lines(rows), ""]
    for heading, table in tables_of(figures):
        parts += [f"## {heading}", "", *_lines(table), ""]
    return "\n".join(parts)


def _lines(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    head, *body = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    yield from ("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *body))


def _page(
    title: str, facts: Sequence[str], rows: Sequence[Sequence[str]], figures: Sequence[go.Figure]
) -> str:
    head, *body = [[html.escape(cell) for cell in row] for row in rows]
    cells = "".join(f"<th>{cell}</th>" for cell in head)
    lower = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in body)
    plots = [
        pio.to_html(figure, full_html=False, include_plotlyjs=number == 0)
        for number, figure in enumerate(figures)
    ]
    title = html.escape(title)
    told = "".join(f"<p>{html.escape(fact)}</p>" for fact in facts)
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{title}</title>"
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1>{told}"
        f"<table><tr>{cells}</tr>{lower}</table>{''.join(plots)}</body></html>"
    )
