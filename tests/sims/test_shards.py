"""The report's figures and pictures, computed again from the Parquet shards, slowly and obviously."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import msgspec
import plotly.graph_objects as go
import pyarrow.parquet as pq
import pytest
from test_branches import invoke

from sims.experiments.drawings import EPOCH, drawings
from sims.experiments.findings import lines
from sims.experiments.inference import readable
from sims.experiments.store import Store

SEEDS = 3
T_OF_TWO = 4.303
"""Student's 97.5 % quantile for 2 degrees of freedom, from a table."""
GOODS = 'goods=[{grades=["H100"], hubs=["GUIAN", "HORINGER", "SHANGHAI-EDGE", "BEIJING-EDGE"]}]'
SHOCK = 'shock=[{kind="hub-outage", name="dark", hub="GUIAN", lost=5000, until="10:30:00"}]'
Row = dict[str, Any]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep of three seeds in which a hub fails."""
    out = tmp_path_factory.mktemp("shards") / "sweep"
    sets = [part for setting in (GOODS, SHOCK, "wake_seconds=3600") for part in ("--set", setting)]
    invoke("sweep", "calm", *sets, "--seeds", str(SEEDS), "--executor", "serial", "--out", str(out))
    return out


def rows(kept: Path, table: str) -> Iterator[Row]:
    for shard in sorted(kept.glob(f"{table}-*.parquet")):
        yield from pq.read_table(shard).to_pylist()


def by_seed(kept: Path, table: str) -> list[list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows(kept, table):
        found[row["seed"]].append(row)
    return [found[seed] for seed in sorted(found)]


def picture(kept: Path, title: str) -> dict[str, dict[Any, tuple[float, float]]]:
    """What a picture of the report shows: mean and half interval by line and place."""
    store = Store(kept)
    figures = drawings(lines(store.finished()), store.finished())
    (figure,) = (of for of in figures if of.layout.title.text.startswith(title))
    assert figure.layout.title.text.split(",")[0] in kept.joinpath("report.html").read_text("utf-8")
    return {
        trace.name: dict(zip(trace.x, zip(trace.y, trace.error_y.array, strict=True), strict=True))
        for trace in figure.data
    }


def test_the_forward_curve_is_that_of_the_shards_with_its_intervals(kept: Path) -> None:
    prices = list(rows(kept, "prices"))
    last = max(row["day"] for row in prices)
    seen: dict[tuple[str, int], list[float]] = defaultdict(list)
    for row in prices:
        if row["day"] == last:
            seen[f"{row['good']} {row['kind']}", row["first_day"]].append(row["price"] / 100)
    drawn = picture(kept, "Forward curve")
    points = [((name, (day - EPOCH).days), at) for name, of in drawn.items() for day, at in of.items()]
    assert {key for key, _ in points} == seen.keys() and len(points) >= 4 * 3
    for key, (middle, half) in points:
        assert middle == pytest.approx(mean(seen[key]))
        assert half == pytest.approx(T_OF_TWO * stdev(seen[key]) / SEEDS**0.5, rel=1e-3)


def test_delivery_quality_health_and_flows_are_those_of_the_shards(kept: Path) -> None:
    for run, deliveries, hubs, flows in zip(
        rows(kept, "runs"),
        by_seed(kept, "deliveries"),
        by_seed(kept, "hubs"),
        by_seed(kept, "flows"),
        strict=True,
    ):
        due, delivered = (sum(row[name] for row in deliveries) for name in ("due", "delivered"))
        assert run["delivered"] == pytest.approx(delivered / due) and 0 < run["delivered"] < 1
        health = [row["health"] for row in hubs if row["hub"] == "all"]
        assert run["health_index"] == pytest.approx(mean(health)) and len(health) == 2
        bought = [row for row in flows if row["population"] == "enterprises"]
        away = sum(row["bought"] for row in bought if (row["home"], row["region"]) == ("east", "west"))
        east = sum(row["bought"] for row in bought if row["home"] == "east")
        assert run["east_to_west"] == pytest.approx(away / east)


def test_a_hub_that_fails_is_seen_in_the_picture_of_deliveries(kept: Path) -> None:
    shares = defaultdict(list)
    for run in by_seed(kept, "deliveries"):
        for row in run:
            if row["due"]:
                shares[row["hub"], row["day"]].append(100 * row["delivered"] / row["due"])
    drawn = picture(kept, "Delivered of what was due")
    assert drawn.keys() == {hub for hub, _ in shares}
    for (hub, day), values in shares.items():
        (at,) = (of for when, of in drawn[hub].items() if (when - EPOCH).days == day)
        assert at[0] == pytest.approx(mean(values))
    assert max(at for at, _ in drawn["GUIAN"].values()) <= 50


def test_the_markdown_has_the_numbers_of_every_picture(kept: Path) -> None:
    store = Store(kept)
    text = kept.joinpath("report.md").read_text("utf-8")
    figures = list(drawings(lines(store.finished()), store.finished()))
    assert len(figures) >= 8
    for figure in figures:
        (part,) = (of for of in text.split("\n## ") if of.startswith(f"{figure.layout.title.text}\n"))
        rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in part.splitlines()[2:] if line]
        places, _, *body = rows
        cells = ((row[0], place, cell) for row in body for place, cell in zip(places, row, strict=True))
        found = {frozenset((name, place)): cell for name, place, cell in cells}
        for trace in figure.data:
            for at, middle, half in zip(trace.x, trace.y, trace.error_y.array, strict=True):
                told = readable(middle) + (f" ± {readable(half)}" if half else "")
                assert found[frozenset((trace.name, str(at)))] == told


def test_up_to_four_variants_of_a_sweep_are_drawn_beside_each_other(kept: Path) -> None:
    def drawn(variants: str) -> go.Figure:
        runs = [msgspec.structs.replace(one, variant=of) for of in variants for one in Store(kept).finished()]
        return next(of for of in drawings(lines(runs), runs) if "Settlement price" in of.layout.title.text)

    four, five = drawn("abcd"), drawn("abcde")
    dashes = {trace.name.rpartition(", ")[2]: trace.line.dash for trace in four.data}
    assert dashes == {"a": "solid", "b": "dash", "c": "dot", "d": "dashdot"}
    assert five.layout.title.text.endswith(": a") and len(four.data) == 4 * len(five.data)
