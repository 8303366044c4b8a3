"""Order ids: a slot and its generation (clause 3.9)."""

from __future__ import annotations

from matching.api import InvariantViolation

GENERATION = 1 << 32
"""An order id is generation × 2^32 + slot."""


class Slots:
    """Hands out slots, the one freed most recently first, and knows how often each was used."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.generations: list[int] = []
        """Generation of the slots 1, 2 … that were ever used."""
        self.free: list[int] = []
        """Slots that were used and are free; the next one to be used is last."""

    @property
    def full(self) -> bool:
        """Whether every slot is taken (ENGINE_FULL)."""
        return not self.free and len(self.generations) == self.count

    def take(self) -> int:
        """Take a slot and return its order id."""
        if not self.free:
            self.generations.append(0)
            self.free.append(len(self.generations))
        slot = self.free.pop()
        self.generations[slot - 1] += 1
        return self.generations[slot - 1] * GENERATION + slot

    def give_back(self, order_id: int) -> None:
        """Free the slot of an order that has ended."""
        self.free.append(order_id % GENERATION)

    def check(self, open_ids: set[int]) -> None:
        """Verify that exactly the open orders hold slots, each of its current generation."""
        current = {generation * GENERATION + slot + 1 for slot, generation in enumerate(self.generations)}
        held = {order_id for order_id in current if order_id % GENERATION not in set(self.free)}
        if held != open_ids or len(set(self.free)) != len(self.free):
            raise InvariantViolation("clause 3.9: slots in use aren't those of the open orders")
