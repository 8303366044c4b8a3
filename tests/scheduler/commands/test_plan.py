"""`dongxi plan` as a user runs it."""

import json
import os
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path

import orjson
import pytest
from rich.console import Console
from typer.testing import CliRunner

from scheduler.carbon import FrontRow
from scheduler.commands.plan import app
from scheduler.commands.summary import table_of
from scheduler.report.wording import front_rows

RUN = CliRunner()
SITES = "site,grade,cards,price\nGUIAN,H100,16,10.50\nSHANGHAI-EDGE,H100,8,12.50\n"
JOBS = """\
id,origin,grade,cards,latency_ms
near,Shanghai,H100,4,10
far,Shanghai,H100,16,
spare,Beijing,H100,4,
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "sites.csv").write_text(SITES, encoding="utf-8")
    (tmp_path / "jobs.csv").write_text(JOBS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words, status=0):
    result = RUN.invoke(app, list(words))
    assert result.exit_code == status, result.output
    return result


def test_plan_check_and_compare(folder):
    made = run(
        "jobs.csv", "--sites", "sites.csv", "--start", "2026-12-04", "--out", "plan.json", "--time-limit", "5"
    )
    assert "3 of 3 workloads placed" in made.stdout
    assert "proved optimal" in made.stdout
    assert "bound" in made.stderr and "incumbent" in made.stderr
    document = json.loads((folder / "plan.json").read_text("utf-8"))
    assert document["start"] == "2026-12-04T00:00:00+08:00"
    assert {p["workload"]: p["site"] for p in document["plan"]["placements"]} == {
        "near": "SHANGHAI-EDGE", "far": "GUIAN", "spare": "SHANGHAI-EDGE",
    }  # fmt: skip
    assert "plan.json holds" in run("check", "plan.json").stdout
    rows = orjson.loads(run("compare", "plan.json", "--json").stdout)
    assert {row["name"] for row in rows} >= {"all_east", "cheapest_first", "regret"}
    assert "all_east" in run("compare", "plan.json").stdout


def test_a_plan_by_the_hour_is_compared_with_every_rule(folder):
    jobs = "a,Shanghai,H100,8,6,\nb,Beijing,H100,8,6,12\nc,Beijing,H100,8,20,\n"
    jobs = f"id,origin,grade,cards,hours,latest\n{jobs}"
    (folder / "jobs.csv").write_text(jobs, encoding="utf-8")
    run("jobs.csv", "--sites", "sites.csv", "--out", "plan.json", "--time-limit", "5")
    rows = orjson.loads(run("compare", "plan.json", "--json").stdout)
    assert [row["name"] for row in rows] == [
        "all_east", "all_east_unlimited", "cheapest_first", "regret", "failover", "first_fit",
    ]  # fmt: skip
    assert all(row["cost_saving"] >= 0 for row in rows if row["unserved"] == 0)


def test_work_that_can_no_longer_end_in_time_stays_out(folder):
    jobs = "id,origin,grade,cards,hours,latest\na,Beijing,H100,4,2,2\n"
    (folder / "jobs.csv").write_text(jobs, encoding="utf-8")
    words = ("jobs.csv", "--sites", "sites.csv", "--time-limit", "1")
    run(*words, "--start", "2026-12-04", "--out", "PLAN.JSON")
    (folder / "jobs.csv").write_text(jobs + "b,Beijing,H100,4,3,4\n", encoding="utf-8")
    later = (*words, "--running", "PLAN.JSON", "--json")
    told = orjson.loads(run(*later, "--start", "2026-12-04T02:00:00+08:00", status=3).stdout)
    assert (told["changes"]["ended"], told["changes"]["expired"]) == (["a"], ["b"])


def test_json_summary_and_the_status_of_work_left_out(folder):
    (folder / "jobs.csv").write_text(JOBS + "more,Beijing,H100,4,\n", encoding="utf-8")
    summary = orjson.loads(run("jobs.csv", "--sites", "sites.csv", "--json", status=3).stdout)
    assert summary["totals"]["placed"] == 3
    (left,) = summary["unplaced"]
    assert left["reason"] == "capacity"


def test_faulty_rows_stop_the_plan_unless_skipped(folder):
    (folder / "jobs.csv").write_text(JOBS + "odd,Atlantis,H100,4,\n", encoding="utf-8")
    refused = run("jobs.csv", "--sites", "sites.csv", status=2)
    assert "jobs.csv line 5 (odd), origin: unknown city 'Atlantis'" in refused.stderr
    planned = run("jobs.csv", "--sites", "sites.csv", "--skip-faulty")
    assert "left out: jobs.csv line 5 (odd), origin" in planned.stderr
    assert "3 of 3 workloads placed" in planned.stdout


def test_what_only_the_model_refuses_is_named_by_line_too(folder):
    (folder / "jobs.csv").write_text(JOBS + "other,Beijing,L20,4,\n", encoding="utf-8")
    refused = run("jobs.csv", "--sites", "sites.csv", status=2)
    assert "jobs.csv line 5 (other), demand: unknown grade 'L20'; known: H100" in refused.stderr
    planned = run("jobs.csv", "--sites", "sites.csv", "--skip-faulty")
    assert "left out: jobs.csv line 5 (other)" in planned.stderr
    assert "3 of 3 workloads placed" in planned.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["gone.csv"], "gone.csv: No such file"),
        (["jobs.csv", "--horizon", "soon"], "is not a duration such as 24h or 7d"),
        (["jobs.csv", "--start", "tomorrow"], "is not a time such as"),
        (["jobs.csv", "--start", "9999-12-31"], "is outside the years 1970 to 2199"),
        (["jobs.csv", "--out", "gone/plan.json"], "there is no folder gone; make it first"),
        (["jobs.csv", "--report", "."], "is a folder; name a file in it"),
        (["jobs.csv", "--out", "a.json", "--report", "a.json"], "cannot be plan and report at once"),
        (["fail", "sites.json", "GUIAN", "--out", "gone/plan.json"], "there is no folder gone"),
        (["check", "jobs.csv"], "jobs.csv: not JSON"),
        (["check", "sites.json"], "sites.json: not a plan file"),
        (["compare", "gone.json"], "dongxi plan: gone.json: No such file"),
    ],
)
def test_wrong_usage_is_told(folder, words, expected):
    (folder / "sites.json").write_text("[]", encoding="utf-8")
    assert expected in run(*words, status=2).stderr.replace("\n", " ")


def test_a_template_of_each_table_is_printed(folder):
    assert run("template", "maintenance").stdout.startswith("site,grade,cards,from,to\nGUIAN,H100,8,")
    assert "'prize' is none of workloads, forecast, sites" in run("template", "prize", status=2).stderr


def test_a_changed_plan_does_not_hold(folder):
    run("jobs.csv", "--sites", "sites.csv", "--out", "plan.json")
    document = json.loads((folder / "plan.json").read_text("utf-8"))
    for placement in document["plan"]["placements"]:
        placement["site"] = "GUIAN"
    (folder / "plan.json").write_text(json.dumps(document), encoding="utf-8")
    broken = run("check", "plan.json", status=1).stdout
    assert "near: GUIAN is" in broken
    assert orjson.loads(run("check", "plan.json", "--json", status=1).stdout)["holds"] is False


def test_a_check_says_what_of_the_bound_it_cannot_repeat(folder):
    run("jobs.csv", "--sites", "sites.csv", "--out", "plan.json")
    assert "and the bound (gap 0 %)" in run("check", "plan.json").stdout
    document = json.loads((folder / "plan.json").read_text("utf-8"))
    plan = document["plan"]
    plan["bound_from"], plan["certificate"]["bound_nano_cny"] = "exact search", 0
    (folder / "plan.json").write_text(json.dumps(document), encoding="utf-8")
    told = run("check", "plan.json").stdout
    assert "the bound of its certificate (gap 100.00 %)" in told
    assert "that the gap is 0 % was proved by the exact search, which a check does not repeat" in told


def test_a_document_with_a_wrong_value_is_named(folder):
    run("jobs.csv", "--sites", "sites.csv", "--out", "plan.json")
    document = json.loads((folder / "plan.json").read_text("utf-8"))
    document["problem"]["offers"][1]["milli_cards"] = "many"
    (folder / "plan.json").write_text(json.dumps(document), encoding="utf-8")
    assert "problem" not in run("check", "plan.json", status=2).stdout
    assert "offers[1].milli_cards: expected int, not 'many'" in run("check", "plan.json", status=2).stderr


def wish(folder, *words, status=0):
    """Plan, and answer the JSON summary and the plan file."""
    words = ("jobs.csv", "--sites", "sites.csv", "--time-limit", "4", "--out", "plan.json", "--json", *words)
    summary = orjson.loads(run(*words, status=status).stdout)
    return summary, json.loads((folder / "plan.json").read_text("utf-8"))


HOURLY = "id,origin,grade,cards,hours\na,Shanghai,H100,8,6\nb,Beijing,H100,8,6\nc,Beijing,H100,16,20\n"


@pytest.mark.parametrize("jobs", [JOBS, HOURLY], ids=["one slot", "by the hour"])
def test_what_less_carbon_costs_is_shown_kept_and_reported(folder, jobs):
    (folder / "jobs.csv").write_text(jobs, encoding="utf-8")
    summary, document = wish(folder, "--pareto", "--explain", "--report", "plan.html")
    front = summary["front"]
    assert front[0]["carbon_price_cny_per_kg"] == 0
    for row in front:
        assert row["money_bound_cny"] <= row["money_and_penalties_cny"]
    assert [row["kgco2"] for row in front] == sorted((row["kgco2"] for row in front), reverse=True)
    assert len(document["front"]) == len(front)
    report = (folder / "plan.html").read_text("utf-8")
    assert "What less carbon costs" in report
    assert "plan.json holds" in run("check", "plan.json").stdout


def test_tables_keep_their_figures_on_a_narrow_screen():
    row = FrontRow(10**6, 12, 123_456_789 * 10**9, 123_456_789 * 10**9, 123_456_789 * 10**9, 12345.67)
    console = Console(width=80, record=True, file=StringIO())
    console.print(table_of("What less carbon costs", front_rows([row])))
    text = console.export_text()
    assert "…" not in text
    assert text.count("¥123,456,789.00") == 3


def test_what_constraints_cost_is_a_certified_interval(folder):
    summary, document = wish(folder, "--explain")
    prices = {price["constraint"]: price for price in summary["constraint_prices"]}
    # without its 10 ms the workload near would go to the cheaper hub if that had room: it has none
    assert prices["latency"]["least_cny"] <= prices["latency"]["most_cny"]
    assert [price["constraint"] for price in document["constraint_prices"]] == list(prices)
    assert "What each constraint costs" in run("jobs.csv", "--sites", "sites.csv", "--explain").stdout


def test_a_price_and_a_cap_of_carbon(folder):
    free, _ = wish(folder)
    priced, document = wish(folder, "--carbon-price", "0.5")
    assert document["problem"]["carbon_price_micro_cny_per_kg"] == 500_000
    assert priced["totals"]["kgco2"] <= free["totals"]["kgco2"]
    cap_kg = free["totals"]["kgco2"] * 0.9
    capped, document = wish(folder, "--carbon-cap", f"{cap_kg:.3f}", status=3)
    assert document["problem"]["horizon"] == {
        "start": document["start"], "slots": 1, "slot_hours": 24,
    }  # fmt: skip
    assert capped["totals"]["kgco2"] <= cap_kg
    assert "plan.json holds" in run("check", "plan.json").stdout


def test_each_workload_left_out_has_the_change_that_would_place_it(folder):
    jobs = "id,origin,grade,cards,latency_ms\nnear,Shanghai,H100,4,10\nmore,Shanghai,H100,8,10\n"
    (folder / "jobs.csv").write_text(jobs, encoding="utf-8")
    summary, _ = wish(folder, status=3)
    (left,) = summary["unplaced"]
    assert "latency: " in left["change"] and "instead of 10 ms at GUIAN" in left["change"]


@pytest.mark.parametrize("hours", ["", "6"], ids=["one slot", "by the hour"])
def test_ctrl_c_ends_with_the_best_plan_so_far(folder, hours):
    """Work that is hard to prove: after the first plan the terminal's interrupt ends the search."""
    rows = [f"w{at},Shanghai,H100,{1 + at % 7}.{at % 10}3,{hours}" for at in range(300)]
    text = "id,origin,grade,cards,hours\n" + "\n".join(rows)
    (folder / "jobs.csv").write_text(text, encoding="utf-8")
    words = ["plan", "jobs.csv", "--time-limit", "30", "--out", "plan.json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "exchange", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "incumbent" in line:
            process.send_signal(signal.SIGINT)
            break
    out, _ = process.communicate()
    assert process.returncode in (0, 3)
    assert "workloads placed" in out
    assert "plan.json holds" in run("check", "plan.json").stdout
