"""How a request is made: signed, sent once, waited out when the exchange says so."""

import asyncio
from collections.abc import Mapping
from typing import Self, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import msgspec
from yarl import URL

from exchange.api import requests
from exchange.api.answers import ProblemAnswer
from exchange.api.codes import NOTHING_DONE
from exchange.api.signing import signed_headers
from exchange.client.errors import ExchangeError
from exchange.client.profiles import Profile

A = TypeVar("A")

RETRY_STATUS = frozenset({429, 503})
"""Statuses after which a read is tried again; a command only with a code that says that nothing was done."""

RETRY_WAIT_S_MAX = 10.0


class Transport:
    """The connections to one exchange, and the requests over them.

    Answers 429 and 503 are waited out (`Retry-After`) and tried again, at most `retries` times, each time
    signed anew; after a 429 the other requests of this client wait too, since they share the rate. A read is
    also tried again after a broken connection; a command only if no connection came about, so that nothing
    was sent, and never after a 503 whose code leaves its outcome open.
    """

    def __init__(
        self,
        base_url: str,
        profile: Profile | None = None,
        *,
        client: str | None = None,
        timeout_s: float = 30.0,
        retries: int = 5,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.profile = profile
        self._client = client
        self._retries = retries
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None
        self._holding = 0
        self._may_send = asyncio.Event()
        self._may_send.set()

    async def __aenter__(self) -> Self:
        self.session()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections; safe to call twice."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def session(self) -> aiohttp.ClientSession:
        """The pool of connections, opened when first asked for."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout, middlewares=(_sent_once,))
        return self._session

    async def get(
        self, path: str, answer: type[A], query: requests.Request | None = None, *, signed: bool = False
    ) -> A:
        """Reads. Raises ExchangeError when refused."""
        return await self._request("GET", path + _query_text(query), b"", answer, signed=signed)

    async def send(self, method: str, path: str, answer: type[A], body: requests.Request | None = None) -> A:
        """Sends a command, signed. Raises ExchangeError when refused, or when its outcome is unknown."""
        return await self._request(method, path, b"" if body is None else msgspec.json.encode(body), answer)

    async def _request(
        self, method: str, target: str, body: bytes, answer: type[A], *, signed: bool = True
    ) -> A:
        if signed and self._client is not None:
            target += ("&" if "?" in target else "?") + urlencode({"client": self._client})
        for attempt in range(self._retries + 1):
            last = attempt == self._retries
            await self._may_send.wait()
            try:
                status, headers, payload = await self._once(method, target, body, signed)
            except (aiohttp.ClientError, TimeoutError) as error:
                if last or not (method == "GET" or isinstance(error, aiohttp.ClientConnectorError)):
                    raise connection_failed(method, target, error) from error
                await asyncio.sleep(backoff_s(attempt))
                continue
            if status < 400:
                return _decoded(method, target, status, payload, answer)
            refused = refused_error(status, payload)
            if last or not _may_repeat(method, refused):
                raise refused
            await self._hold_back(status, _retry_after_s(headers, attempt))
        raise AssertionError("unreachable: the last attempt returns or raises")  # pragma: no cover

    async def _once(
        self, method: str, target: str, body: bytes, signed: bool
    ) -> tuple[int, Mapping[str, str], bytes]:
        headers = {"Content-Type": "application/json"} if body else {}
        if signed and self.profile is not None:
            headers |= signed_headers(self.profile.key_id, self.profile.secret_bytes, method, target, body)
        url = URL(self.base_url + target, encoded=True)
        async with self.session().request(method, url, data=body or None, headers=headers) as response:
            return response.status, response.headers, await response.read()

    async def _hold_back(self, status: int, pause_s: float) -> None:
        """Wait; after a 429 nothing else of this client is sent meanwhile."""
        if status != 429:
            await asyncio.sleep(pause_s)
            return
        self._holding += 1
        self._may_send.clear()
        try:
            await asyncio.sleep(pause_s)
        finally:
            self._holding -= 1
            if not self._holding:
                self._may_send.set()


async def _sent_once(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Hand on a broken connection as an error that aiohttp doesn't answer by sending again, nonce and all.

    It would do so for GET and DELETE on a connection that was used before, and a DELETE is a command.
    """
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:  # nothing was sent, and aiohttp doesn't try again
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientConnectionError(str(error)) from error


def segment(text: str) -> str:
    """A path segment that means this text, whatever is in it."""
    return quote(text, safe="")


def _query_text(query: requests.Request | None) -> str:
    if query is None:
        return ""
    given = {name: value for name, value in msgspec.to_builtins(query).items() if value is not None}
    pairs = [
        (name, str(value).lower() if isinstance(value, bool) else str(value)) for name, value in given.items()
    ]
    return "?" + urlencode(pairs, quote_via=quote) if pairs else ""


def _may_repeat(method: str, refused: ExchangeError) -> bool:
    if refused.status not in RETRY_STATUS:
        return False
    return method == "GET" or refused.status == 429 or refused.code in NOTHING_DONE


def backoff_s(attempt: int) -> float:
    """How long to wait after a broken connection: doubled each time, at most RETRY_WAIT_S_MAX."""
    return min(0.1 * 2.0 ** min(attempt, 10), RETRY_WAIT_S_MAX)


def _retry_after_s(headers: Mapping[str, str], attempt: int) -> float:
    try:
        return min(max(int(headers["Retry-After"]), 0), RETRY_WAIT_S_MAX)
    except (KeyError, ValueError):  # absent, or a date
        return backoff_s(attempt)


def refused_error(status: int, payload: bytes) -> ExchangeError:
    """The refusal in an answer's body."""
    try:
        problem = msgspec.json.decode(payload, type=ProblemAnswer).error
    except msgspec.DecodeError:
        return ExchangeError(f"HTTP_{status}", status, payload[:200].decode("utf-8", "replace"))
    return ExchangeError(problem.code, status, problem.message, problem.field)


def connection_failed(method: str, target: str, error: BaseException) -> ExchangeError:
    """No answer came; for a command that leaves its outcome open."""
    detail = str(error) or type(error).__name__
    if isinstance(error, aiohttp.ClientConnectorError):
        sentence = f"{method} {target} was not sent: there is no connection ({detail})."
        return ExchangeError("CONNECTION_FAILED", 0, sentence, sent=False)
    return ExchangeError(
        "CONNECTION_FAILED", 0, f"{method} {target} got no answer ({detail}){_outcome(method)}."
    )


def _decoded(method: str, target: str, status: int, payload: bytes, answer: type[A]) -> A:
    try:
        return msgspec.json.decode(payload, type=answer)
    except msgspec.DecodeError as error:
        sentence = f"{method} {target} got an answer that can't be read ({error}){_outcome(method)}."
        raise ExchangeError("UNREADABLE_ANSWER", status, sentence) from error


def _outcome(method: str) -> str:
    return "" if method == "GET" else "; the command's outcome is unknown until you look it up"
