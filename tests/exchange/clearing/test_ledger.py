"""The ledger against a list of movements (clauses 8.5 and 8.6)."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from exchange.clearing.ledger import Ledger, LedgerKind

movements = st.lists(
    st.tuples(
        st.integers(1, 5),
        st.sampled_from(LedgerKind),
        st.integers(0, 3),
        st.integers(-99, 99),
        st.integers(-1, 2),
    ),
    max_size=80,
)


@given(movements, st.booleans())
def test_statements_are_sums_of_movements(entries, at_once) -> None:
    ledger = Ledger()
    for seq, (day, kind, account, amount, contract) in enumerate(entries):
        if at_once:
            columns = (np.array([value]) for value in (account, contract, amount))
            ledger.enter_all(seq, day, kind, *columns)
        else:
            ledger.enter(seq, day, kind, account, amount, contract)
    for account in range(4):
        mine = [entry for entry in entries if entry[2] == account]
        assert ledger.cash_by_account(4)[account] == sum(entry[3] for entry in mine)
        for day in range(1, 6):
            lines = list(ledger.lines(account, day))
            assert ledger.before(account, day) == sum(entry[3] for entry in mine if entry[0] < day)
            for kind, contract, amount in lines:
                same = [e[3] for e in mine if (e[0], e[1], e[4]) == (day, kind, contract)]
                assert amount == sum(same)
            assert sum(line[2] for line in lines) == sum(entry[3] for entry in mine if entry[0] == day)
