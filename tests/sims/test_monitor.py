"""What is watched during a run, on rows that a hand can check."""

import numpy as np
import pytest

from sims.engine.board import ROW
from sims.engine.monitor import Monitor


def test_dispersion_compares_traded_contracts_of_a_grade_that_trade_on() -> None:
    monitor = Monitor(np.array([0, 0, 1], np.int32), np.array([100.0, 200.0, 50.0]))
    rows = np.zeros(5, ROW)
    rows["good"], rows["last"], rows["lots"] = [0, 1, 2, 0, 0], [110, 180, 50, 150, 500], [1, 1, 1, 0, 1]
    rows["worth"] = rows["last"]
    monitor.note(rows, np.array([False, False, False, False, True]), np.zeros(5, np.bool_))
    assert monitor.dispersion == pytest.approx(0.1), (
        "1.1 and 0.9; one of the other grade, one untraded, one over"
    )
    rows["last"][1] = 220
    monitor.note(rows, rows["last"] == 500, np.zeros(5, np.bool_))
    assert monitor.dispersion == pytest.approx(0.05)


def test_a_price_is_no_mistake_where_unsold_cards_perish() -> None:
    monitor = Monitor(np.array([0], np.int32), np.array([100.0]))
    rows = np.zeros(3, ROW)
    rows["last"], rows["worth"], rows["lots"] = [110, 100, 50], 100, 1
    monitor.note(rows, np.array([False, True, True]), np.array([False, False, True]))
    assert (monitor.mispricing, monitor.worst) == pytest.approx((0.05, 0.1)), "the last one perishes"
