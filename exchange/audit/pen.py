"""Writes records: knows the frame at hand, and who caused it."""

from __future__ import annotations

from typing import Any

from exchange.api.formats import time_text
from exchange.audit.records import FrameOf, Margin, Record, What
from exchange.audit.words import name_of
from exchange.journal import Frame
from exchange.service.state import State


class Pen:
    """`frame`, `seq`, `time_ns`, `who` and `by` are those of the command that is being told."""

    def __init__(self, state: State, chain: bytes) -> None:
        self._state = state
        self._chain = chain
        self._frame: FrameOf | None = None
        self.seq = 0
        self.time_ns = 0
        self.who = ""
        self.by = ""

    def turn_to(self, frame: Frame) -> None:
        """Go on to the next frame of the journal."""
        self._frame = FrameOf(
            segment=frame.segment,
            offset=frame.offset,
            first_seq=frame.first_seq,
            last_seq=frame.first_seq + frame.count - 1,
            previous_chain=self._chain.hex(),
            chain=frame.chain.hex(),
        )
        self._chain = frame.chain

    def record(
        self,
        what: What,
        text: str,
        account: int | None = None,
        contract: int = -1,
        *,
        amount_fen: int | None = None,
        share_fen: int | None = None,
        margin: Margin | None = None,
        message: dict[str, Any] | None = None,
    ) -> Record:
        """Return a record of the command at hand. Raises ValueError before the first frame."""
        if self._frame is None:
            raise ValueError("no frame was turned to")
        return Record(
            seq=self.seq,
            at=time_text(self.time_ns),
            what=what,
            who=self.who,
            by=self.by,
            account="" if account is None else name_of(self._state, account),
            contract=self._state.contracts[contract].symbol if contract >= 0 else "",
            text=text,
            amount_fen=amount_fen,
            share_fen=share_fen,
            margin=margin,
            message=message,
            frame=self._frame,
        )

    def margin(self, account: int) -> Margin:
        """Return the account as the gate sees it now."""
        exposure = self._state.engine.exposure(account)
        return Margin(
            equity_fen=exposure.equity_fen,
            requirement_fen=exposure.requirement_fen,
            offset_fen=exposure.offset_fen,
        )
