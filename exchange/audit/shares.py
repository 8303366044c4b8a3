"""What single fills earned by settlement. Variation margin is linear in what was traded (clause 6.2), so the
lots of each fill have their own part of it, cascades included, and the parts of all fills sum to the whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from exchange.domain.contracts import Contract


@dataclass(slots=True)
class _Lot:
    """Signed lots at the price to which they were last settled, ticks."""

    lots: int
    price: int


class Shares:
    """The traced fills' lots, by account and contract."""

    def __init__(self) -> None:
        self._held: dict[tuple[int, int], list[_Lot]] = {}

    def add(self, account: int, contract: int, signed_lots: int, price: int) -> None:
        """Take in a fill; bought lots are positive, the price is in ticks."""
        self._held.setdefault((account, contract), []).append(_Lot(signed_lots, price))

    def settle(
        self,
        contracts: list[Contract],
        price_of: Callable[[int], int],
        ended: Callable[[int], bool],
        parts_of: Callable[[Contract], list[Contract]],
    ) -> Counter[tuple[int, int]]:
        """Mark everything to the day's settlement prices; return fen by account and contract.

        What cascades goes on in its parts at its own settlement price, and is marked there at once, as in
        clause 6.3.
        """
        paid: Counter[tuple[int, int]] = Counter()
        waiting = list(self._held)
        for account, index in waiting:  # grows while it runs: a quarter's months, then the first one's days
            contract, price = contracts[index], price_of(index)
            for lot in self._held.get((account, index), ()):
                paid[account, index] += contract.hours * lot.lots * (price - lot.price)
                lot.price = price
            if ended(index):
                lots = self._held.pop((account, index), [])
                for part in parts_of(contract):
                    for lot in lots:
                        self.add(account, part.index, lot.lots, lot.price)
                    waiting.append((account, part.index))
        return paid
