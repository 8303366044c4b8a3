"""What margin reads of a contract: derived from its settlement price and the rules, never kept."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

TERMS: Final = np.dtype(
    [
        ("scan", "<i8"),  # scan range of one lot, fen (clause 5.5)
        ("roll", "<i8"),  # what a long lot loses when a generation rolls, fen (clause 5.8); 0 if too near
        ("failure", "<i8"),  # what a short lot loses when its hub fails, fen (clause 5.9)
        ("group", "<i4"),  # grade × hub, 0 …
        ("grade", "<i4"),  # 0 …
        ("hub", "<i4"),  # 0 …
        ("pad", "<i4"),  # 0
    ]
)
"""One contract, by index."""

MARGIN_ROW: Final = np.dtype(
    [
        ("single", "<i8"),  # Σ of the contracts' own margins, nothing netted (clause 5.1)
        ("scan", "<i8"),  # worst scenario of each grade × hub, periods netted (clause 5.6)
        ("calendar", "<i8"),  # charge for the netting of periods (clause 5.7)
        ("credit", "<i8"),  # credit between hubs of a grade (clause 5.7); to be subtracted
        ("roll", "<i8"),  # what a generation roll costs beyond these (clause 5.8)
        ("delivery", "<i8"),  # worst failure of a whole hub: the delivery add-on (clause 5.9)
        ("concentration", "<i8"),  # clause 5.10
        ("requirement", "<i8"),  # scan + calendar − credit + roll + delivery + concentration
    ]
)
"""The margin of one account, fen."""


def terms_of(contracts: NDArray[Any]) -> NDArray[Any]:
    """Return the TERMS of rows that have its columns (CONTRACT_ROW), shape (n,)."""
    terms = np.zeros(len(contracts), TERMS)
    for column in ("scan", "roll", "failure", "group", "grade", "hub"):
        terms[column] = contracts[column]
    return terms


def margin_long(terms: Any) -> int:
    """Return the margin of one long lot on its own, fen (clause 5.1); `terms` is one row."""
    return max(int(terms["scan"]), int(terms["roll"]))


def margin_short(terms: Any) -> int:
    """Return the margin of one short lot on its own, fen (clause 5.1); `terms` is one row."""
    return int(terms["scan"]) + int(terms["failure"])
