"""The binary session from the client's side: a logon, bytes of command records out, records in.

It moves bytes and numbers commands; what is in a record is the caller's affair (docs/records.md), so that
this module needs nothing but the standard library. `numpy.frombuffer` reads what `receive` returns.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
import time
from typing import Self

from exchange.api.binary import (
    ANSWER_KIND_AT,
    ANSWER_SIZE,
    NO_RESEND,
    REQUEST_SIZE,
    SIGNED_METHOD,
    SIGNED_PATH,
    Answer,
    AnswerKind,
    CloseCode,
    Logon,
    LogonFlag,
    RequestKind,
    pack_logon,
    pack_request,
    unpack_answer,
)
from exchange.api.signing import SIGNATURE_HEADER, signed_headers
from exchange.client.profiles import Profile

NONCE_BYTES = 16
RECEIVE_BYTES = 1 << 20


class SessionClosed(Exception):
    """The server ended the connection: `code` says why; None if it ended without a reason."""

    def __init__(self, code: CloseCode | None) -> None:
        super().__init__("the connection ended without a reason" if code is None else code.sentence)
        self.code = code


def logon_bytes(profile: Profile, logon: Logon) -> bytes:
    """Return the 144 bytes of a signed logon."""
    body = pack_logon(logon)
    headers = signed_headers(
        profile.key_id,
        profile.secret_bytes,
        SIGNED_METHOD,
        SIGNED_PATH,
        body,
        timestamp_ms=logon.timestamp_ms,
        nonce=logon.nonce.hex(),
    )
    return body + bytes.fromhex(headers[SIGNATURE_HEADER])


def new_logon(
    profile: Profile,
    *,
    session: int | None = None,
    after_seq: int = NO_RESEND,
    heartbeat_ms: int = 5_000,
    cancel_group: int | None = None,
) -> Logon:
    """Return a logon for now. `cancel_group` asks for cancel-on-disconnect of that group (0: all orders)."""
    return Logon(
        key_id=profile.key_id,
        timestamp_ms=time.time_ns() // 1_000_000,
        nonce=secrets.token_bytes(NONCE_BYTES),
        session=secrets.randbits(64) if session is None else session,
        after_seq=after_seq,
        heartbeat_ms=heartbeat_ms,
        group=cancel_group or 0,
        flags=LogonFlag.NONE if cancel_group is None else LogonFlag.CANCEL_ON_DISCONNECT,
    )


class BinaryClient:
    """One connection, logged on. Made by `connect`; use as `async with`.

    `welcome` is the server's answer to the logon: `welcome.number` is the number that it gives the next
    command; after a reconnect with the same session, earlier ones were taken and later ones were not.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        logon: Logon,
        welcome: Answer,
    ) -> None:
        self.logon = logon
        self.welcome = welcome
        self._reader = reader
        self._writer = writer
        self._partial = b""
        self._ended: CloseCode | None = None
        self._beating = asyncio.create_task(self._beat())

    @classmethod
    async def connect(
        cls,
        host: str,
        port: int,
        profile: Profile,
        logon: Logon | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> Self:
        """Connect and log on. Raises SessionClosed with the reason of a refusal; OSError."""
        logon = logon or new_logon(profile)
        reader, writer = await asyncio.open_connection(host, port, ssl=tls, limit=RECEIVE_BYTES)
        writer.write(logon_bytes(profile, logon))
        try:
            answer = unpack_answer(await reader.readexactly(ANSWER_SIZE))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            raise SessionClosed(None) from None
        if answer.kind != AnswerKind.WELCOME:
            writer.close()
            raise SessionClosed(CloseCode(answer.code))
        return cls(reader, writer, logon, answer)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def send(self, commands: bytes | memoryview) -> None:
        """Send command records (72 bytes each); waits while the server doesn't read."""
        if len(commands) % REQUEST_SIZE:
            raise ValueError(f"{len(commands)} bytes aren't whole records of {REQUEST_SIZE}")
        self._writer.write(commands)
        await self._writer.drain()

    async def receive(self) -> bytes:
        """Return the next whole records, 64 bytes each: events and session records.

        Raises SessionClosed once the server has said why it closes, or is gone.
        """
        while True:
            if self._ended is not None:
                raise SessionClosed(self._ended)
            try:
                read = await self._reader.read(RECEIVE_BYTES)
            except ConnectionError:
                raise SessionClosed(None) from None
            if not read:
                raise SessionClosed(None)
            if records := self._whole(self._partial + read):
                return records

    def _whole(self, data: bytes) -> bytes:
        """Keep the beginning of a record and the reason of a close; return the records before them."""
        whole = len(data) - len(data) % ANSWER_SIZE
        self._partial = data[whole:]
        last = data[max(0, whole - ANSWER_SIZE) : whole]
        if last and last[ANSWER_KIND_AT] == AnswerKind.CLOSE:
            self._ended = CloseCode(unpack_answer(last).code)
            whole -= ANSWER_SIZE
        return data[:whole]

    async def log_out(self) -> None:
        """Ask for the end of the session; what was sent before is answered first."""
        self._writer.write(pack_request(RequestKind.LOGOUT))
        await self._writer.drain()

    async def close(self) -> None:
        """End the connection from this side at once."""
        self._beating.cancel()
        self._writer.close()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self.logon.heartbeat_ms / 1_000)
            self._writer.write(pack_request(RequestKind.HEARTBEAT))
