"""What every group of views stands on: the core's state, and the tape of its trades."""

from __future__ import annotations

from exchange.service.core import Core
from exchange.service.tape import Tape
from exchange.service.viewtypes import Liquidity


class CoreViews:
    """The core's state and the tape; don't write to what is returned."""

    def __init__(self, core: Core, tape: Tape) -> None:
        self._core = core
        self._state = core.state
        self._tape = tape

    @property
    def seq(self) -> int:
        """The last applied command: what `as_of_seq` of every answer is."""
        return self._core.seq

    def symbol(self, index: int) -> str:
        """Return the symbol of an instrument index. Raises IndexError for an unknown one."""
        return self._state.contracts[index].symbol

    def fee_fen(self, seq: int, index: int, tick_lots: int, liquidity: Liquidity) -> int:
        """Return what one side of a trade paid: of the command `seq`, price × quantity `tick_lots`, in the
        contract of an instrument index.
        """
        rates = self._state.fee_rates_at(seq)
        value = tick_lots * self._state.contracts[index].hours
        return rates.taker_fen(value) if liquidity == "taker" else rates.maker_fen(value)
