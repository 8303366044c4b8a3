"""The table: every figure of the data is on it, at 80 columns and wide."""

import io
from dataclasses import replace
from datetime import date

import pytest
from rich.console import Console

from sims.demo.report import (
    Against,
    ClassRow,
    Conversion,
    DayReport,
    Delivery,
    HubPrices,
    Money,
    Placement,
    Traded,
    render,
    saving,
    yuan,
)

SATURDAY = date(2026, 12, 5)
REPORT = DayReport(
    trading_day=date(2026, 12, 4),
    next_trading_day=date(2026, 12, 7),
    wall_s=61.2,
    commands=12_345,
    refused={"MARGIN": 3},
    processes=23,
    traded=[Traded("day", 400, 966, 2_500, 480_000, 123_456_789)],
    conversion=Conversion((SATURDAY, date(2026, 12, 6)), 1_000_000, 254_000),
    prices_day=SATURDAY,
    grades=["H100", "T4"],
    prices=[
        HubPrices("GUIAN", "west", {"H100": 12.34, "T4": 0.8025}),
        HubPrices("WUHAN-EDGE", "central", {"H100": 12.5, "T4": None}),
    ],
    money=Money(900_000_00, 899_000_00, 1_000_00, 23, {"variation margin": (5_000_00, -5_000_00)}),
    deliveries=[
        Delivery(SATURDAY, True, 321, 152_000, 151_500, 500, 44_000_000_00, "planned outage"),
        Delivery(date(2026, 12, 7), False, 300, 140_000, 40_000, 0, 0),
    ],
    placement=Placement(
        day=SATURDAY,
        classes=[ClassRow("ai_infer_int", "AI inference, interactive", 50, 2_809, 2_800, 30.53, 49.81)],
        unplaced={"capacity": 9},
        west_percent=71.4,
        new_money_fen=80_000_00,
        gap_fen=7,
        seconds=8.0,
        against=[
            Against("all_east", "all in the east", 8, 8_144, 95_000_00, 100_000_00, 700, 1_000, 1_050, 1_000)
        ],
    ),
    base_url="http://127.0.0.1:8230",
    command=".venv/bin/dongxi",
    enterprise="shanghai-enterprise",
    keys_dir="var/demo-keys",
    data_dir="var/demo",
    serving=True,
    state_hash="ab" * 32,
    seq=98_765,
)


def shown(report: DayReport, width: int = 80) -> str:
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(render(report))
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 140])
def test_the_figures_are_there_and_nothing_is_cut(width: int) -> None:
    text = shown(REPORT, width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert "…" not in text
    words = " ".join(text.split())
    for figure in (
        "23 members", "12,345 commands", "MARGIN 3", "480,000", "1,234,567.89", "25.4 %", "12.34",
        "0.802", "80,000.00", "0.07",
        "899,000.00", "-900,000.00", "sum 0.00", "151,500", "500", "under way", "planned outage", "2,800",
        "capacity 9", "−5.0 %", "−30.0 %", "+5.0 %", "leaves out 8", "http://127.0.0.1:8230/docs",
        "shanghai-enterprise", "Monday 2026-12-07", "abababababababab",
    ):  # fmt: skip
        assert figure in words, figure


def test_lost_money_is_shown_as_it_is() -> None:
    broken = replace(REPORT, money=replace(REPORT.money, members_fen=898_999_99))
    assert "sum -0.01" in " ".join(shown(broken).split())


def test_amounts_are_exact() -> None:
    assert [yuan(n) for n in (0, 5, -5, 123_456, -100)] == ["0.00", "0.05", "-0.05", "1,234.56", "-1.00"]
    assert saving(95, 100) == "−5.0 %"
    assert saving(1, 0) == "–"


def test_a_report_without_a_placement_stands() -> None:
    assert "baselines" not in shown(replace(REPORT, placement=None))
