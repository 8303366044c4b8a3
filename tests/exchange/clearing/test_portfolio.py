"""Portfolio margin: worked examples of clauses 5.6 to 5.10, and the compiled pass beside the slow one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.clearing.portfolio import reference
from exchange.clearing.portfolio.margin import Book, portfolio_margins
from exchange.clearing.portfolio.scenarios import SCENARIOS
from exchange.clearing.portfolio.terms import MARGIN_ROW, TERMS
from exchange.domain.messages import SetMarginRules

RULES = SetMarginRules(
    calendar_basis_points=3_000,
    inter_hub_basis_points=4_000,
    roll_basis_points=800,
    buy_in_basis_points=500,
    damages_basis_points=300,
    concentration_share_basis_points=2_500,
    concentration_floor_fen=1_000,
    concentration_basis_points=5_000,
)
FREE = SetMarginRules(calendar_basis_points=3_000, inter_hub_basis_points=4_000)


def terms_of(*rows: tuple[int, int, int, int, int, int]):
    terms = np.zeros(len(rows), TERMS)
    for at, row in enumerate(rows):
        terms[at] = (*row, 0)
    return terms


def margin_of(positions: dict[int, int], terms, rules=FREE):
    """The margin of one account, compiled."""
    held = list(positions.items())
    contracts, lots = np.array([c for c, _ in held]), np.array([n for _, n in held])
    return portfolio_margins(np.zeros(len(held), int), contracts, lots, terms, 1, rules)[0]


def test_span_check_of_one_long_future():
    assert len(SCENARIOS) == 16
    losses = [-(scenario.factor * 10_000 // 300) for scenario in SCENARIOS]  # clause 5.6
    assert max(losses) == 10_000
    assert losses[-1] == 7_000
    assert losses[:2] == [0, 0]
    assert sorted(losses)[-2:] == [10_000, 10_000]
    assert losses[2:4] == [-3_333, -3_333] and losses[4:6] == [3_334, 3_334]
    assert margin_of({0: 1}, terms_of((10_000, 0, 0, 0, 0, 0)))["requirement"] == 10_000


def test_periods_net_for_a_charge():
    """Long 3 lots of 10,000, short 2 of 12,001 in the same grade and hub."""
    terms = terms_of((10_000, 0, 0, 0, 0, 0), (12_001, 0, 0, 0, 0, 0))
    row = margin_of({0: 3, 1: -2}, terms)  # clause 5.7
    assert row["single"] == 54_002
    assert row["scan"] == 5_998
    assert row["calendar"] == 7_201  # 30 % of 24,002, up
    assert row["requirement"] == 13_199


def test_hubs_of_a_grade_earn_a_credit():
    terms = terms_of((10_000, 0, 0, 0, 0, 0), (8_000, 0, 0, 1, 0, 1), (8_000, 0, 0, 2, 1, 1))
    row = margin_of({0: 1, 1: -1}, terms)  # clause 5.7
    assert (row["scan"], row["credit"], row["requirement"]) == (18_000, 6_400, 11_600)
    assert margin_of({0: 1, 2: -1}, terms)["credit"] == 0  # another grade


def test_a_generation_roll_takes_from_longs_what_scenarios_do_not():
    terms = terms_of((5_000, 8_000, 0, 0, 0, 0), (5_000, 0, 0, 0, 0, 0))
    row = margin_of({0: 1}, terms)  # clause 5.8
    assert (row["scan"], row["roll"], row["requirement"], row["single"]) == (5_000, 3_000, 8_000, 8_000)
    assert margin_of({0: -1}, terms)["requirement"] == 5_000
    row = margin_of({0: 1, 1: -1}, terms)  # the near short doesn't lose, the far long does
    assert (row["scan"], row["calendar"], row["roll"]) == (0, 1_500, 6_500)


def test_a_hub_fails_whole_and_one_at_a_time():
    terms = terms_of((5_000, 0, 8_000, 0, 0, 0), (5_000, 0, 9_000, 1, 1, 1), (5_000, 0, 100, 2, 2, 0))
    row = margin_of({0: -1, 1: -1, 2: -1}, terms)  # clause 5.9
    assert row["delivery"] == 9_000  # hub 0 would cost 8,100
    assert row["single"] == 15_000 + 17_100
    assert margin_of({0: -1, 1: -1, 2: -10}, terms)["delivery"] == 9_000
    assert margin_of({0: -1, 1: -1, 2: -11}, terms)["delivery"] == 9_100
    assert margin_of({0: 1}, terms)["delivery"] == 0


def test_concentration_counts_beyond_share_and_floor():
    terms = terms_of((1_000, 0, 0, 0, 0, 0))
    rules = SetMarginRules(
        concentration_share_basis_points=2_000,
        concentration_floor_fen=30_000,
        concentration_basis_points=5_000,
    )
    accounts, lots = np.array([0, 1, 2]), np.array([100, 100, -200])
    rows = portfolio_margins(accounts, np.zeros(3, int), lots, terms, 3, rules)  # clause 5.10
    assert rows["concentration"].tolist() == [30_000, 30_000, 80_000]  # 20 % of 200,000 is free


@st.composite
def markets(draw):
    groups = draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=5, unique=True)
    )
    amount = st.integers(0, 10**6)
    terms = [
        reference.Terms(
            scan=draw(amount), roll=draw(amount), failure=draw(amount), group=g, grade=grade, hub=hub
        )
        for g, (grade, hub) in enumerate(groups)
        for _ in range(draw(st.integers(1, 3)))
    ]
    lots = st.integers(-(10**6), 10**6)
    book = st.dictionaries(st.integers(0, len(terms) - 1), lots, max_size=len(terms))
    rate = st.integers(0, 10_000)
    rules = SetMarginRules(
        calendar_basis_points=draw(rate),
        inter_hub_basis_points=draw(rate),
        concentration_share_basis_points=draw(rate),
        concentration_floor_fen=draw(st.integers(0, 10**9)),
        concentration_basis_points=draw(rate),
    )
    return terms, draw(st.lists(book, min_size=1, max_size=4)), rules


@st.composite
def covers(draw, book):
    """Covered lots of some contracts, of shorts or (stale) of others."""
    near = {c: draw(st.integers(0, max(0, -n) + 5)) for c, n in book.items()}
    return draw(st.sampled_from(({}, near, dict.fromkeys(book, 10**6))))


def slowly(row):
    return {name: getattr(row, name) for name in MARGIN_ROW.names}


@given(markets(), st.data())
def test_compiled_and_slow_agree_to_the_fen(market, data):
    terms, books, rules = market
    table = terms_of(*((t.scan, t.roll, t.failure, t.group, t.grade, t.hub) for t in terms))
    held = [(account, c, n) for account, book in enumerate(books) for c, n in book.items()]
    columns = [np.array([row[at] for row in held], int) for at in range(3)]
    rows = portfolio_margins(*columns, table, len(books), rules)
    free = reference.free_of_concentration(books, terms, rules)
    for row, positions in zip(rows, books, strict=True):
        slow = reference.margin(positions, terms, rules, free)
        assert {name: int(row[name]) for name in MARGIN_ROW.names} == slowly(slow)
    backed = [data.draw(covers(positions)) for positions in books]
    covered = np.array([backed[account].get(c, 0) for account, c, _ in held], int)
    book = Book(*columns, table, len(books))
    rows = book.margins(rules, book.free_of_concentration(rules), covered)
    for row, positions, cover in zip(rows, books, backed, strict=True):
        slow = reference.margin(positions, terms, rules, free, cover)
        assert {name: int(row[name]) for name in MARGIN_ROW.names} == slowly(slow)


def test_covered_shorts_ask_for_the_delivery_add_on_alone():
    """10 lots short, 6 covered; with a long beside them the exemption would cost more than netting."""
    terms = terms_of((1_440, 0, 2_304, 0, 0, 0), (1_440, 0, 2_304, 0, 0, 0))
    table = Book(np.zeros(1), np.zeros(1), np.array([-10]), terms, 1)
    free = table.free_of_concentration(FREE)
    row = table.margins(FREE, free, np.array([6]))[0]
    assert (row["scan"], row["delivery"], row["requirement"]) == (5_760, 23_040, 28_800)  # clause 5.12
    assert row["single"] == 37_440
    spread = Book(np.zeros(2), np.array([0, 1]), np.array([-10, 10]), terms, 1)
    row = spread.margins(FREE, free, np.array([10, 0]))[0]
    assert (row["scan"], row["calendar"]) == (0, 4_320)  # 14,400 of a bare long would be more


@given(markets(), st.data())
def test_the_netted_part_never_exceeds_the_single_margins_and_never_gains_by_splitting(market, data):
    """What the offset of clause 5.11 rests on: no concentration, rates within their bound, up to rounding."""
    terms, books, rules = market
    most = (20_000 - rules.calendar_basis_points) // 2
    rules = SetMarginRules(
        calendar_basis_points=rules.calendar_basis_points,
        inter_hub_basis_points=min(rules.inter_hub_basis_points, most),
    )
    whole = books[0]
    part = {c: data.draw(st.integers(min(0, n), max(0, n))) for c, n in whole.items()}
    rest = {c: n - part[c] for c, n in whole.items()}
    cover = data.draw(covers(whole))
    margins = [reference.margin(book, terms, rules, {}, cover) for book in (whole, part, rest)]
    rounding = 3 * len(terms)
    assert margins[0].requirement <= margins[1].requirement + margins[2].single + rounding
    assert 0 <= margins[0].requirement <= margins[0].single + rounding


def test_a_table_of_another_kind_is_refused():
    with pytest.raises(TypeError, match="TERMS"):
        Book(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0), 1)
