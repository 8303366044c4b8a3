"""Every fen of margin has its line, whatever the positions (chapter 5)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exchange.clearing.portfolio import reference
from exchange.clearing.portfolio.explain import Names, portfolio_lines, single_lines
from exchange.domain.messages import SetMarginRules

TERMS = [
    reference.Terms(
        scan=1_000 + 7 * n, roll=n % 3 * 900, failure=501, group=n % 4, grade=n % 4 // 2, hub=n % 2
    )
    for n in range(8)
]
RULES = SetMarginRules(
    calendar_basis_points=3_000,
    inter_hub_basis_points=4_000,
    concentration_share_basis_points=2_500,
    concentration_floor_fen=9_000,
    concentration_basis_points=5_000,
)
NAMES = Names(*({n: f"{kind}{n}" for n in range(8)} for kind in ("contract", "group", "grade", "hub")))
BOOKS = st.dictionaries(st.integers(0, 7), st.integers(-50, 50).filter(bool))


@given(BOOKS, BOOKS, st.dictionaries(st.integers(0, 7), st.integers(0, 60)))
def test_lines_sum_to_the_margin(book, other, covered):
    free = dict.fromkeys(range(4), 9000) | reference.free_of_concentration([book, other], TERMS, RULES)
    margin = reference.margin(book, TERMS, RULES, free, covered)
    lines = portfolio_lines(book, TERMS, RULES, free, NAMES, covered)
    by_clause = dict.fromkeys(("5.6", "5.7", "5.8", "5.9", "5.10"), 0)
    for line in (line for line in lines if line.clause != "5.12"):
        by_clause[line.clause] += line.amount_fen
    assert list(by_clause.values()) == [
        margin.scan,
        margin.calendar - margin.credit,
        margin.roll,
        margin.delivery,
        margin.concentration,
    ]
    assert sum(line.amount_fen for line in lines) == margin.requirement
    assert sum(line.amount_fen for line in single_lines(book, TERMS, NAMES)) == margin.single


def test_a_line_says_how():
    scan, charge, delivery = portfolio_lines({0: 3, 4: -2}, TERMS, RULES, {0: 9_000}, NAMES)
    assert scan.what == "group0"
    assert (
        scan.how
        == "3 × 1,000 - 2 × 1,028 = 944; worst is scenario 13: price -3/3 of the range, volatility up"
    )
    assert charge.how == "2,056 of scan range netted × 30 %"
    assert charge.amount_fen == 617
    exempt, scan, _ = portfolio_lines({4: -2, 0: -1}, TERMS, RULES, {0: 9_000}, NAMES, {4: 2})
    assert (exempt.what, exempt.amount_fen) == ("covered contract4", 0)
    assert exempt.how == "2 of 2 short are backed by certificates: delivery only"
    assert scan.amount_fen == 1_000
    assert (delivery.what, delivery.amount_fen) == ("hub0 fails whole", 2 * 501)
