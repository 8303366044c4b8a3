"""The clearing benchmark: portfolio margin and a whole daily settlement of 10,000 accounts in 500 contracts,
every account in every contract, beside plain Python that computes the same to the fen; and what the margin
gate costs the matching kernel.

Prices, positions and trades come from one seed. The plain loop runs over the first `CHECKED` accounts and is
scaled up.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.report import ROOT, Result, arguments, show, write
from exchange.clearing.portfolio import reference
from exchange.clearing.portfolio.margin import Book, portfolio_margins
from exchange.clearing.portfolio.terms import MARGIN_ROW, terms_of
from exchange.clearing.positions import POSITION_ROW
from exchange.domain import messages as m
from exchange.domain.calendar import day_start_ns
from exchange.domain.listing import CASCADE_LISTED_MAX
from exchange.domain.phases import MarketPhase
from exchange.service.bootstrap import MARGIN_RULES
from exchange.service.core import Core
from matching.engine import Engine
from matching.spec import EngineLimits

SEED: Final = 20_261_204
DAY: Final = date(2026, 12, 4)
GRADES: Final = ("H100", "A100", "A910B", "L20", "T4")
HUBS: Final = tuple(f"HUB{number}" for number in range(10))
CASH: Final = 10**14
CHECKED: Final = 500
REPEATS: Final = 5


@dataclass(frozen=True, slots=True)
class Size:
    """How large a market is."""

    accounts: int
    contracts: int


WHOLE: Final = Size(10_000, 500)
QUICK: Final = Size(1_000, 500)


def fastest(work: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """Return the least seconds of some runs, and what the last one gave."""
    best, given = float("inf"), None
    for _ in range(repeats):
        begun = time.perf_counter()
        given = work()
        best = min(best, time.perf_counter() - begun)
    return best, given


def market(size: Size) -> Core:
    """Return a core whose day is closed, with every account in every contract, traded on the day."""
    limits = EngineLimits(
        max_instruments=size.contracts + CASCADE_LISTED_MAX * len(GRADES) * len(HUBS),
        max_levels=1 << 10,
        max_accounts=size.accounts + 1,
        max_holdings=(size.accounts + 1) * size.contracts,
    )
    core = Core(Engine(limits))

    def do(message: m.RareMessage) -> None:
        applied = core.apply_rare(core.seq + 1, day_start_ns(DAY), message)
        if applied.result is None or not applied.result.ok:
            raise AssertionError(applied.result)

    products = tuple(m.Product(grade, hub, 1) for grade in GRADES for hub in HUBS)
    do(MARGIN_RULES)
    do(m.SetRules(products=products, closed_days=(), calendar_end=DAY + timedelta(days=800)))
    for number in range(1, size.accounts + 1):
        do(m.AddMember(name=f"member{number}", kind="enterprise"))
        do(m.Deposit(member=f"member{number}", amount_fen=CASH))
    do(m.ListContracts(listings=tuple(_listings(size.contracts))))
    do(m.OpenDay(day=DAY, settlement_window_ns=0))
    for phase in (MarketPhase.CALL, MarketPhase.MATCHED, MarketPhase.CONTINUOUS, MarketPhase.CLOSED):
        do(m.SetPhase(phase=phase))
    _fill(core, size)
    return core


def _listings(count: int) -> list[m.Listing]:
    """Return contracts by day, a week ahead and later, so that none expires."""
    random = np.random.default_rng(SEED)
    days = -(-count // (len(GRADES) * len(HUBS)))
    return [
        m.Listing(f"{grade}.{hub}.{DAY + timedelta(days=7 * ahead):%y%m%d}", int(random.integers(800, 1_600)))
        for ahead in range(2, days + 2)
        for grade in GRADES
        for hub in HUBS
    ][:count]


def _fill(core: Core, size: Size) -> None:
    """Put positions, and today's trades in them, into clearing and kernel as if traded."""
    random = np.random.default_rng(SEED)
    state = core.state
    reference_price = state.contract_table.rows["reference"]
    settled, traded = (_balanced(random, size) for _ in range(2))
    prices = random.integers(-20, 21, size.contracts) + reference_price
    rows = np.zeros(size.accounts * size.contracts, POSITION_ROW)
    rows["account"] = np.repeat(np.arange(1, size.accounts + 1), size.contracts)
    rows["contract"] = np.tile(np.arange(size.contracts), size.accounts)
    rows["settled_lots"], rows["lots"] = settled.ravel(), (settled + traded).ravel()
    rows["traded_lots"], rows["day_value"] = traded.ravel(), (traded * prices).ravel()
    rows["day_fees"] = random.integers(0, 100, len(rows))
    state.positions.restore(rows)
    fees = state.unsettled_fees()
    state.cash -= fees
    state.cash[0] += fees.sum()
    table = state.contract_table.rows
    table["day_lots"] = table["window_lots"] = 1_000
    table["day_value"] = table["window_value"] = 1_000 * prices
    kernel = state.engine.snapshot()
    slots, free = state.engine.slots()
    holdings = np.zeros(len(rows), kernel["holdings"].dtype)
    holdings["account"], holdings["instrument"] = rows["account"], slots[rows["contract"]]
    holdings["position"] = rows["lots"]
    terms = terms_of(table)[rows["contract"]]
    short = rows["lots"] < 0
    single = np.where(short, terms["scan"] + terms["failure"], np.maximum(terms["scan"], terms["roll"]))
    needed = np.zeros(size.accounts + 1, np.int64)
    np.add.at(needed, rows["account"], np.abs(rows["lots"]) * single)
    kernel["accounts"]["requirement_fen"] = needed[kernel["accounts"]["account"]]
    order = np.lexsort((holdings["instrument"], holdings["account"]))
    state.engine.restore({**kernel, "holdings": holdings[order]}, slots, free)


def _balanced(random: np.random.Generator, size: Size) -> NDArray[np.int64]:
    """Return lots (accounts, contracts) that sum to 0 in each contract."""
    lots = random.integers(-50, 51, (size.accounts, size.contracts))
    lots[-1] -= lots.sum(axis=0)
    return lots


def margins(core: Core, size: Size, repeats: int, checked: int) -> list[Result]:
    """Measure portfolio margin of all accounts, and compare `checked` of them with the slow twin."""
    rows, terms = core.state.positions.rows, terms_of(core.state.contract_table.rows)

    def fast() -> NDArray[Any]:
        return portfolio_margins(
            rows["account"], rows["contract"], rows["lots"], terms, size.accounts + 1, MARGIN_RULES
        )

    fast()
    seconds, found = fastest(fast, repeats)
    book = Book(rows["account"], rows["contract"], rows["lots"], terms, size.accounts + 1)
    free = dict(enumerate(book.free_of_concentration(MARGIN_RULES).tolist()))
    plain_terms = [reference.Terms(*row[:6]) for row in terms.tolist()]
    books = [
        dict(zip(mine["contract"].tolist(), mine["lots"].tolist(), strict=True))
        for mine in np.split(rows[: checked * size.contracts], checked)
    ]
    begun = time.perf_counter()
    slow = [reference.margin(held, plain_terms, MARGIN_RULES, free) for held in books]
    slow_seconds = (time.perf_counter() - begun) * size.accounts / checked
    for account, margin in enumerate(slow, start=1):
        for column in MARGIN_ROW.names or ():
            if found[account][column] != getattr(margin, column):
                raise AssertionError(f"account {account}: {column} differs")
    name = f"{size.accounts:,} × {size.contracts}"
    target = 1.0 if size == WHOLE else None
    return [
        Result("portfolio margin", name, seconds, "s", "lower", target),
        Result("portfolio margin, plain Python", name, slow_seconds, "s", "lower", None, f"({checked} run)"),
        Result("portfolio margin", "beside plain Python", slow_seconds / seconds, "×", "higher"),
    ]


def settlement(core: Core, size: Size) -> list[Result]:
    """Measure one daily settlement, and compare every account's cash with a plain loop's."""
    state = core.state
    before = state.cash.copy()
    rows = state.positions.rows.copy()
    old = state.contract_table.rows["reference"].tolist()
    hours = state.contract_table.rows["hours"].tolist()
    begun = time.perf_counter()
    applied = core.apply_rare(core.seq + 1, day_start_ns(DAY), m.SettleDay(day=DAY))
    seconds = time.perf_counter() - begun
    if applied.result is None or not applied.result.ok:
        raise AssertionError(applied.result)
    new = state.contract_table.rows["reference"].tolist()
    plain = rows[["account", "contract", "lots", "settled_lots", "day_value"]].tolist()
    cash = before.tolist()
    begun = time.perf_counter()
    for account, contract, lots, settled, value in plain:
        cash[account] += hours[contract] * (lots * new[contract] - settled * old[contract] - value)
    slow_seconds = time.perf_counter() - begun
    if cash != state.cash.tolist():
        raise AssertionError("the plain loop's cash differs")
    core.check()
    name = f"{size.accounts:,} × {size.contracts}"
    target = 2.0 if size == WHOLE else None
    note = "(variation margin alone)"
    return [
        Result("daily settlement", name, seconds, "s", "lower", target),
        Result("daily settlement, plain Python", name, slow_seconds, "s", "lower", None, note),
    ]


WITHOUT_MARGIN: Final = {
    "exposure.py": (
        ("def margin_of(", "return wide(0)"),
        ("def loss_per_lot(", "return wide(0)"),
    ),
    "entry.py": (("def margin_fault(", "return NO_REJECT"),),
}
"""Functions of the kernel that are cut short, so that it keeps positions and asks nobody for margin."""

_REPLAY: Final = """
import sys, time
from bench.streams import batches, mixed
stream, best = mixed(int(sys.argv[1])), 0.0
for _ in range(int(sys.argv[2])):
    engine = stream.engine()
    for batch in batches(stream.commands[: stream.warm]):
        engine.apply(batch)
    begun = time.thread_time()
    for batch in batches(stream.commands[stream.warm :]):
        engine.apply(batch)
    seconds = time.thread_time() - begun
    best = max(best, (len(stream.commands) - stream.warm) / seconds / 1e6)
print(best)
"""


def margin_gate(commands: int, repeats: int) -> list[Result]:
    """Measure the matching rate with the margin gate and without it, on a copy of the kernel cut for this.

    Processor time, the best of the runs. The copy is compiled anew, which takes a minute or two.
    """
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder) / "matching"
        shutil.copytree(ROOT / "matching", copied, ignore=shutil.ignore_patterns("__pycache__"))
        for name, cuts in WITHOUT_MARGIN.items():
            text = (copied / name).read_text(encoding="utf-8")
            for head, instead in cuts:
                text = _cut_short(text, head, instead)
            (copied / name).write_text(text, encoding="utf-8")
        cache = str(Path(folder) / "cache")
        off = _rate({"PYTHONPATH": folder, "DONGXI_CACHE_DIR": cache}, commands, repeats)
    on = _rate({}, commands, repeats)
    return [
        Result("matching, mixed stream", "margin on", on, "M commands/s", "higher"),
        Result("matching, mixed stream", "margin cut out", off, "M commands/s", "higher"),
        Result("matching, mixed stream", "cost of margin", 100 * (1 - on / off), "%", "lower", 20.0),
    ]


def _cut_short(text: str, head: str, instead: str) -> str:
    """Return a module whose function begins with a return, right after its docstring."""
    start = text.index(head)
    end = text.index('"""\n', text.index('"""', start) + 3) + 4
    return f"{text[:end]}    {instead}\n{text[end:]}"


def _rate(environment: dict[str, str], commands: int, repeats: int) -> float:
    ran = subprocess.run(
        [sys.executable, "-c", _REPLAY, str(commands), str(repeats)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(ran.stdout)


def main() -> None:
    """Run the benchmark."""
    options = arguments("Clearing: portfolio margin, daily settlement, and what the margin gate costs.")
    size, repeats = (QUICK, 2) if options.quick else (WHOLE, REPEATS)
    core = market(size)
    results = margins(core, size, repeats, min(CHECKED, size.accounts))
    results += settlement(core, size)
    if not options.quick:
        results += margin_gate(2_000_000, REPEATS)
    notes = ("Every account is in every contract; the plain loops give the same numbers, to the fen.",)
    show("Clearing", results, notes)
    write(options.json, results, ("numba", "numpy"))


if __name__ == "__main__":
    main()
