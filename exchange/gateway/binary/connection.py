"""One connection of the binary gateway: logon, commands in, answers out, and an end with a reason.

Bounded on both sides. What was read and the exchange can't take now stays in one buffer, and nothing more is
read until there is room. What the client doesn't read collects up to a limit; while much waits nothing is
read from it either, and beyond the limit it is cut.
"""

from __future__ import annotations

import asyncio
import contextlib
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from exchange.api.binary import (
    LOGON_SIZE,
    REQUEST_SIZE,
    SIGNED_SIZE,
    Answer,
    AnswerKind,
    CloseCode,
    Logon,
    LogonFlag,
    RequestKind,
    pack_answer,
    unpack_logon,
)
from exchange.domain.rejects import RejectCode
from exchange.gateway.binary.select import leading_commands
from exchange.gateway.binary.sessions import Session
from exchange.service.slab import as_bytes
from matching.records import COMMAND, CommandKind, Records

if TYPE_CHECKING:
    from exchange.gateway.binary.gateway import BinaryGateway

BUFFER_RECORDS: Final = 8_192
"""Records that one turn can bring: the receive buffer."""
LOGON_S: Final = 5.0
LINGER_S: Final = 1.0
"""How long the client has to read why it was closed."""
HEARTBEATS_MISSED: Final = 3
HIGH_WATER_BYTES: Final = 1 << 20
"""While more than this waits for a client, nothing is read from it."""

_OPERATORS: Final = frozenset({int(CommandKind.INDICATIVE)})


class _Stage(Enum):
    LOGON = 1
    OPEN = 2
    ENDING = 3
    """Nothing more is taken; what was taken is being answered."""
    CLOSED = 4
    """The reason is sent; what still arrives is thrown away."""


class Connection(asyncio.BufferedProtocol):
    """See the module. `account` and `session` are set once the logon was accepted."""

    def __init__(self, gateway: BinaryGateway) -> None:
        self.session: Session | None = None
        self.key_id = ""
        self.peer = ""
        self._gateway = gateway
        self._loop = asyncio.get_running_loop()
        self._bytes = bytearray(BUFFER_RECORDS * REQUEST_SIZE)
        self._records: Records = np.frombuffer(self._bytes, COMMAND)
        self._filled = 0  # bytes that were read
        self._done = 0  # records of them that are dealt with
        self._stage = _Stage.LOGON
        self._stalled = False
        self._unread_by_client = False
        self._reading = True
        self._client_ended = False
        self._reason = CloseCode.LOGGED_OUT
        self._logon: Logon | None = None
        self._account = 0
        self._out: list[Any] = []
        self._heard_at = self._told_at = self._loop.time()
        self._timer = self._loop.call_later(LOGON_S, self.end, CloseCode.LOGON_TIMEOUT)
        self._transport: asyncio.Transport

    # -- asyncio's calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the logon."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(HIGH_WATER_BYTES)
        name = transport.get_extra_info("peername")
        self.peer = str(name[0]) if name else ""
        if not self._gateway.admit(self):
            self.end(CloseCode.TOO_MANY_CONNECTIONS)

    def get_buffer(self, _: int) -> memoryview:
        """Return where to read to."""
        return memoryview(self._bytes)[self._filled :]

    def buffer_updated(self, count: int) -> None:
        """Take what was read in this turn."""
        self._heard_at = self._loop.time()
        if self._stage is _Stage.CLOSED:
            return
        self._filled += count
        if self._stage is _Stage.LOGON and self._filled >= LOGON_SIZE:
            self._done = LOGON_SIZE // REQUEST_SIZE
            self._log_on(bytes(self._bytes[:LOGON_SIZE]))
        if self._stage is _Stage.OPEN:
            self.proceed()
        self.flush()

    def eof_received(self) -> bool:
        """Answer what came, then close; the client may still be reading."""
        self._client_ended = True
        if self._stage is _Stage.CLOSED:
            self._transport.close()
        elif self._stalled:
            self._reason = CloseCode.LOGGED_OUT
            self._gateway.at_end_of_stream.add(self)
        else:
            self.at_end_of_stream()
        return True

    def connection_lost(self, _: Exception | None) -> None:
        """Forget the connection; its session stays."""
        self._timer.cancel()
        self._stage = _Stage.CLOSED
        self._gateway.forget(self)
        self._leave()

    def pause_writing(self) -> None:
        """Read nothing from a client that doesn't read."""
        self._unread_by_client = True
        self._pace()

    def resume_writing(self) -> None:
        """Go on."""
        self._unread_by_client = False
        self._pace()

    # -- in

    def proceed(self) -> None:
        """Hand what was read to the exchange, as much as it takes."""
        self._stalled = False
        whole = self._filled // REQUEST_SIZE
        while self._stage is _Stage.OPEN and self._done < whole:
            unread = self._records[self._done : whole]
            commands = leading_commands(unread)
            if commands and not self._submit(unread[:commands]):
                break
            if not commands:
                self._on_request(int(unread[0]["kind"]))
                self._done += 1
        if self._stage is _Stage.OPEN and not self._stalled:
            self._make_room()
        self._pace()

    def _submit(self, commands: Records) -> bool:
        """Submit from the front what there is room for; False if that isn't all."""
        exchange, session = self._gateway.exchange, self._joined()
        part = commands[: min(exchange.room, exchange.config.frame_commands_max)]
        code = RejectCode.BUSY
        if len(part):
            exchange.note_sender(session.account, self.key_id)
            refused = exchange.submit_block(part, session.account, session)
            if refused is None:
                session.take(len(part))
                self._done += len(part)
                return True
            code = refused
        if code is RejectCode.BUSY:
            self._stalled = True
            self._gateway.stalled.append(self)
        else:
            self.end(CloseCode.STOPPING if code is RejectCode.STOPPING else CloseCode.NOT_ACKNOWLEDGING)
        return False

    def _on_request(self, kind: int) -> None:
        if kind == RequestKind.LOGOUT:
            self.end(CloseCode.LOGGED_OUT)
        elif kind in _OPERATORS:
            self.end(CloseCode.OPERATOR_ONLY)
        elif kind != RequestKind.HEARTBEAT:
            self.end(CloseCode.UNKNOWN_KIND)

    def _make_room(self) -> None:
        """Move the beginning of a record that isn't whole yet to the front."""
        begin = self._done * REQUEST_SIZE
        if begin < self._filled:
            rest = self._bytes[begin : self._filled]
            self._bytes[: len(rest)] = rest
        self._filled, self._done = self._filled - begin, 0

    def _pace(self) -> None:
        """Read exactly while somebody takes what comes; a closed connection throws it away."""
        wanted = self._stage in (_Stage.LOGON, _Stage.CLOSED) or (
            self._stage is _Stage.OPEN and not self._stalled and not self._unread_by_client
        )
        if wanted == self._reading or self._transport.is_closing():
            return
        self._reading = wanted
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def at_end_of_stream(self) -> None:
        """The client sends no more: close when all is answered."""
        whole = self._filled % REQUEST_SIZE == 0
        self.end(CloseCode.LOGGED_OUT if whole else CloseCode.INCOMPLETE_RECORD)

    # -- logon

    def _log_on(self, raw: bytes) -> None:
        logon = unpack_logon(raw[:SIGNED_SIZE])
        if logon is None:
            self.end(CloseCode.MALFORMED_LOGON)
            return
        account = self._gateway.authenticate(self, logon, raw)
        if isinstance(account, CloseCode):
            self.end(account)
            return
        self._timer.cancel()
        self._logon, self._account, self.key_id = logon, account, logon.key_id
        self._stage = _Stage.OPEN
        known = self._gateway.join(self, account, logon.session)
        exchange, session = self._gateway.exchange, self._joined()
        self._tell(
            Answer(
                kind=AnswerKind.WELCOME,
                seq=exchange.views.seq,
                number=session.taken + 1,
                account=account,
                heartbeat_ms=logon.heartbeat_ms,
                code=int(known),
            )
        )
        if logon.after_seq >= 0:
            self._resend(session, logon.after_seq)

    def _joined(self) -> Session:
        if self.session is None:
            raise AssertionError("an open connection has a session")
        return self.session

    def _resend(self, session: Session, after_seq: int) -> None:
        events = self._gateway.held(session.account, after_seq)
        seq = self._gateway.exchange.views.seq
        if events is None or sum(part.nbytes for part in events) > self._gateway.limits.unread_bytes_max // 2:
            self._tell(Answer(kind=AnswerKind.RESENT, seq=seq, code=1))
            return
        blocks = [pack_answer(block) for block in session.blocks_after(after_seq)]
        self._out += [*blocks, *(as_bytes(part) for part in events if len(part))]
        count = len(blocks) + sum(len(part) for part in events)
        self._tell(Answer(kind=AnswerKind.RESENT, seq=seq, count=count))

    # -- out

    def tell_block(self, block: Answer) -> None:
        """Say that a block is durable; its events follow."""
        self._tell(block)
        if self._stage is _Stage.ENDING:
            self._gateway.ending.add(self)

    def tell_lost(self) -> None:
        """Say that the outcome of what was taken is unknown."""
        self.end(CloseCode.NOT_ACKNOWLEDGING)
        self._reason = CloseCode.NOT_ACKNOWLEDGING
        self._finish()

    def tell_events(self, events: Records) -> None:
        """Send events (dtype EVENT) of the account."""
        if self._stage in (_Stage.OPEN, _Stage.ENDING):
            self._out.append(as_bytes(events))

    def _tell(self, answer: Answer) -> None:
        self._out.append(pack_answer(answer))

    def flush(self) -> None:
        """Write what was told in this turn; cut a client that has too much unread."""
        if not self._out or self._transport.is_closing():
            return
        out, self._out = self._out, []
        self._transport.writelines(out)
        self._told_at = self._loop.time()
        if self._transport.get_write_buffer_size() > self._gateway.limits.unread_bytes_max:
            self._reason = CloseCode.TOO_SLOW
            self._transport.abort()

    def beat(self, now: float) -> None:
        """Say that all is well if nothing was said for a while; close a client that says nothing."""
        if self._stage is not _Stage.OPEN or self._logon is None or self.session is None:
            return
        interval = self._logon.heartbeat_ms / 1_000
        reading = not self._stalled and not self._unread_by_client
        if reading and now - self._heard_at > HEARTBEATS_MISSED * interval:
            self.end(CloseCode.HEARTBEAT_MISSED)
        elif now - self._told_at >= interval:
            seq = self._gateway.exchange.views.seq
            self._tell(Answer(kind=AnswerKind.HEARTBEAT, seq=seq, number=self.session.taken + 1))
        self.flush()

    # -- the end

    @property
    def reason(self) -> CloseCode:
        """Why it was or will be closed."""
        return self._reason

    def end(self, reason: CloseCode) -> None:
        """Take nothing more; close with the reason once everything that was taken is answered."""
        if self._stage in (_Stage.ENDING, _Stage.CLOSED):
            return
        self._timer.cancel()
        self._reason = reason
        self._stage = _Stage.ENDING
        self._leave()
        self.finish_if_answered()

    def finish_if_answered(self) -> None:
        """Close if it is ending and nothing taken is unanswered."""
        if self._stage is _Stage.ENDING and (self.session is None or not self.session.in_flight):
            self._finish()
        else:
            self._pace()

    def _finish(self) -> None:
        if self._stage is _Stage.CLOSED:
            return
        self._tell(Answer(kind=AnswerKind.CLOSE, code=self._reason))
        self._stage = _Stage.CLOSED
        self.flush()
        self._filled = self._done = 0
        self._timer = self._loop.call_later(LINGER_S, self._transport.abort)
        if self._client_ended or not self._transport.can_write_eof():
            self._transport.close()
        elif not self._transport.is_closing():
            # closing at once would reset the connection, and with it the reason, if more is on its way
            with contextlib.suppress(OSError):  # the client is gone already
                self._transport.write_eof()
            self._pace()

    def _leave(self) -> None:
        """Do once what was asked for the end of the connection."""
        logon, self._logon = self._logon, None
        if logon is not None and logon.flags & LogonFlag.CANCEL_ON_DISCONNECT:
            self._gateway.cancel_orders(self._account, self.key_id, logon.group)
