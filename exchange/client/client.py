"""`ExchangeClient`: the HTTP API as typed coroutines, signed where the endpoint asks for it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import msgspec
from yarl import URL

from exchange.api import answers, requests
from exchange.api import plans as planning
from exchange.api.codes import NOTHING_DONE
from exchange.api.feed import Channel
from exchange.api.signing import signed_headers
from exchange.client.delivering import DeliveryClient
from exchange.client.errors import ExchangeError
from exchange.client.feed import Feed, Market
from exchange.client.history import HistoryClient
from exchange.client.primary import PrimaryClient
from exchange.client.profiles import Profile

A = TypeVar("A")

RETRY_STATUS = frozenset({429, 503})
"""Statuses after which a read is tried again; a command only with a code that says that nothing was done."""

RETRY_WAIT_S_MAX = 10.0
FEED_MESSAGE_BYTES_MAX = 16 * 1024 * 1024

_PROPOSALS = "/v1/operator/proposals"


class ExchangeClient:
    """One member's (or, without a profile, the public's) view of an exchange.

    Use as `async with ExchangeClient(url, profile) as client:`. Every call raises ExchangeError when refused.
    Answers 429 and 503 are waited out (`Retry-After`) and tried again, at most `retries` times, each time
    signed anew. A read is also tried again after a broken connection; a command never is, nor after a 503
    whose code leaves its outcome open.

    A broker names one of its clients as `client`: orders, positions, balances and history are then those of
    that client's sub-account.
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
        self.delivery = DeliveryClient(self._get, self._send)
        """Nominations, disputes, insurance."""
        self.primary = PrimaryClient(self._get, self._send)
        """Sites, attestations and certificates."""
        self.history = HistoryClient(self._get)
        """Orders, fills, trades, ledger and candles of any age, page by page."""

    async def __aenter__(self) -> Self:
        self._open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections; safe to call twice."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    # the market, for anyone

    async def alive(self) -> answers.Alive:
        """Whether the process answers."""
        return await self._get("/livez", answers.Alive)

    async def status(self) -> answers.Status:
        """Market time, trading day, phase, state hash."""
        return await self._get("/v1/status", answers.Status)

    async def hubs(self) -> list[answers.Hub]:
        """All delivery points."""
        return (await self._get("/v1/hubs", answers.Hubs)).hubs

    async def grades(self) -> list[answers.Grade]:
        """All grades."""
        return (await self._get("/v1/grades", answers.Grades)).grades

    async def contracts_page(self, query: requests.ContractsQuery) -> answers.Contracts:
        """One page of contracts."""
        return await self._get("/v1/contracts", answers.Contracts, query)

    async def contracts(
        self,
        *,
        grade: str | None = None,
        hub: str | None = None,
        kind: Any = None,
        active: bool | None = True,
    ) -> list[answers.Contract]:
        """All contracts that pass the filters, page by page; each carries the top of its book."""
        found: list[answers.Contract] = []
        cursor: str | None = None
        while True:
            query = requests.ContractsQuery(
                grade=grade, hub=hub, kind=kind, active=active, limit=requests.PAGE_MAX, cursor=cursor
            )
            page = await self.contracts_page(query)
            found += page.contracts
            cursor = page.next_cursor
            if cursor is None:
                return found

    async def contract(self, symbol: str) -> answers.Contract:
        """One contract."""
        return (await self._get(f"/v1/contracts/{_segment(symbol)}", answers.ContractAnswer)).contract

    async def book(self, symbol: str, depth: int = 10) -> answers.Book:
        """Both sides of a book, `depth` levels each."""
        query = requests.BookQuery(depth=depth)
        return await self._get(f"/v1/book/{_segment(symbol)}", answers.Book, query)

    async def trades(self, symbol: str, limit: int = 100) -> answers.Trades:
        """The latest trades, newest first."""
        query = requests.TradesQuery(limit=limit)
        return await self._get(f"/v1/trades/{_segment(symbol)}", answers.Trades, query)

    async def settlements(self, day: str | None = None) -> answers.Settlements:
        """Settlement prices of a trading day; of the latest settled one if `day` is absent."""
        return await self._get("/v1/settlements", answers.Settlements, requests.SettlementsQuery(day=day))

    async def feed(
        self, channels: Sequence[Channel] = (), symbols: Sequence[str] = (), *, resume: Market | None = None
    ) -> Feed:
        """Opens the feed and subscribes, if channels are named; with the `market` of an earlier feed of the
        same channels and symbols it goes on from there.
        """
        url = "ws" + self.base_url.removeprefix("http") + "/v1/feed"
        try:
            socket = await self._open().ws_connect(url, max_msg_size=FEED_MESSAGE_BYTES_MAX)
        except aiohttp.WSServerHandshakeError as error:
            raise _refused(error.status, error.message.encode()) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _connection_failed("GET", "/v1/feed", error) from error
        feed = Feed(socket, self.profile, resume)
        if channels:
            await feed.subscribe(channels, symbols, None if resume is None else resume.seq)
        return feed

    # orders

    async def place(self, order: requests.NewOrder) -> answers.OrderAnswer:
        """Places one order; resolves when it is durable."""
        return await self._send("POST", "/v1/orders", answers.OrderAnswer, order)

    async def batch(
        self, items: Sequence[requests.NewOrder | requests.Cancel | requests.Amend]
    ) -> answers.BatchAnswer:
        """Up to 500 order commands in one request; look at each result."""
        return await self._send(
            "POST", "/v1/orders/batch", answers.BatchAnswer, requests.Batch(items=list(items))
        )

    async def preview(
        self, items: Sequence[requests.NewOrder | requests.Cancel | requests.Amend]
    ) -> answers.PreviewAnswer:
        """What up to 500 order commands would do now, with fees and margin; changes nothing."""
        return await self._send(
            "POST", "/v1/orders/preview", answers.PreviewAnswer, requests.Batch(items=list(items))
        )

    async def amend(
        self,
        order_id: str,
        *,
        price: str | None = None,
        quantity: int | None = None,
        trigger_price: str | None = None,
    ) -> answers.OrderAnswer:
        """Changes price, total quantity or trigger price of an own order."""
        body = requests.AmendOrder(price=price, quantity=quantity, trigger_price=trigger_price)
        return await self._send("PATCH", f"/v1/orders/{_segment(order_id)}", answers.OrderAnswer, body)

    async def cancel(self, order_id: str) -> answers.OrderAnswer:
        """Cancels an own order."""
        return await self._send("DELETE", f"/v1/orders/{_segment(order_id)}", answers.OrderAnswer)

    async def cancel_all(
        self,
        *,
        symbol: str | None = None,
        hub: str | None = None,
        side: requests.Side | None = None,
        group: int = 0,
    ) -> answers.MassCancelAnswer:
        """Cancels the account's orders that pass every filter given."""
        body = requests.MassCancel(symbol=symbol, hub=hub, side=side, group=group)
        return await self._send("POST", "/v1/orders/cancel", answers.MassCancelAnswer, body)

    # the account

    async def orders(self, symbol: str | None = None) -> list[answers.Order]:
        """All open orders of the account."""
        found: list[answers.Order] = []
        cursor: str | None = None
        while True:
            query = requests.OrdersQuery(symbol=symbol, limit=requests.PAGE_MAX, cursor=cursor)
            page = await self._get("/v1/orders", answers.Orders, query, signed=True)
            found += page.orders
            cursor = page.next_cursor
            if cursor is None:
                return found

    async def fills(self, symbol: str | None = None, limit: int = 200) -> list[answers.Fill]:
        """The account's latest fills, newest first."""
        query = requests.FillsQuery(symbol=symbol, limit=limit)
        return (await self._get("/v1/fills", answers.Fills, query, signed=True)).fills

    async def positions(self) -> list[answers.Position]:
        """The account's positions that are not flat."""
        return (await self._get("/v1/positions", answers.Positions, signed=True)).positions

    async def balances(self) -> answers.Balances:
        """The account's cash and margin."""
        return await self._get("/v1/balances", answers.Balances, signed=True)

    async def margin_calls(self) -> list[answers.MarginCall]:
        """The account's margin call, if there is one."""
        return (await self._get("/v1/margin/calls", answers.MarginCalls, signed=True)).calls

    async def auctions(self) -> list[answers.AuctionLot]:
        """What restricted accounts hold and may be bid for."""
        return (await self._get("/v1/auctions", answers.Auctions, signed=True)).lots

    async def bid(self, bid: requests.AuctionBid) -> answers.Done:
        """Bids for positions of a restricted account."""
        return await self._send("POST", "/v1/auctions/bids", answers.Done, bid)

    async def explain_margin(self) -> answers.MarginExplained:
        """Where the account's margin comes from, line by line."""
        return await self._get("/v1/margin/explain", answers.MarginExplained, signed=True)

    async def statement(self, day: str | None = None) -> answers.Statement:
        """The account's money of a day, line by line."""
        query = requests.StatementQuery(day=day)
        return await self._get("/v1/statements", answers.Statement, query, signed=True)

    async def reservations(self, day: str | None = None) -> list[answers.Reservation]:
        """The account's reservations, as buyer and as provider; of one delivery day if `day` is given."""
        found: list[answers.Reservation] = []
        cursor: str | None = None
        while True:
            query = requests.ReservationsQuery(day=day, limit=requests.PAGE_MAX, cursor=cursor)
            page = await self._get("/v1/reservations", answers.Reservations, query, signed=True)
            found += page.reservations
            cursor = page.next_cursor
            if cursor is None:
                return found

    async def kill(self) -> answers.Killed:
        """Cancels all orders and stops trading until the operator approves the account again."""
        return await self._send("POST", "/v1/account/kill", answers.Killed)

    # planning

    async def plan(self, new: planning.NewPlan) -> planning.PlanAnswer:
        """Posts workloads to be planned on the account's reservations and the book; the job waits or runs."""
        return await self._send("POST", "/v1/plans", planning.PlanAnswer, new)

    async def plans(self) -> list[planning.PlanJob]:
        """The account's plan jobs."""
        return (await self._get("/v1/plans", planning.Plans, signed=True)).plans

    async def planned(self, plan_id: str) -> planning.PlanAnswer:
        """A plan job and the best plan so far."""
        return await self._get(f"/v1/plans/{_segment(plan_id)}", planning.PlanAnswer, signed=True)

    async def cancel_plan(self, plan_id: str) -> planning.PlanAnswer:
        """Ends a plan job; the best plan so far stays its result."""
        return await self._send("DELETE", f"/v1/plans/{_segment(plan_id)}", planning.PlanAnswer)

    async def accept_plan(self, plan_id: str, orders: Sequence[int] | None = None) -> planning.Acceptance:
        """Places the plan's orders, those at these positions or all that are left; look at each result."""
        body = planning.AcceptPlan(orders=None if orders is None else list(orders))
        return await self._send("POST", f"/v1/plans/{_segment(plan_id)}/accept", planning.Acceptance, body)

    async def plan_events(self, plan_id: str) -> AsyncIterator[planning.PlanJob]:
        """The job now and after each change, until it ends."""
        if self.profile is None:
            raise ValueError("watching a plan needs a profile")
        path = f"/v1/plans/{_segment(plan_id)}/events"
        headers = signed_headers(self.profile.key_id, self.profile.secret_bytes, "GET", path, b"")
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._open().get(self.base_url + path, headers=headers, timeout=timeout) as answer:
            if answer.status != 200:
                raise _refused(answer.status, await answer.read())
            async for line in answer.content:
                if line.startswith(b"data: "):
                    yield msgspec.json.decode(line[6:], type=planning.PlanEvent).plan

    # a provider's side

    async def post_capacity(self, post: requests.PostCapacity) -> answers.CapacityPost:
        """Posts capacity."""
        return (await self._send("POST", "/v1/capacity", answers.CapacityAnswer, post)).capacity

    async def capacity(self) -> list[answers.CapacityPost]:
        """The account's posted capacity."""
        return (await self._get("/v1/capacity", answers.Capacity, signed=True)).capacity

    async def withdraw_capacity(self, capacity_id: str) -> answers.Done:
        """Takes back a capacity post."""
        return await self._send("DELETE", f"/v1/capacity/{_segment(capacity_id)}", answers.Done)

    async def send_readings(
        self, readings: Sequence[requests.Reading], signed: requests.SignedBy | None = None
    ) -> answers.ReadingsAnswer:
        """Sends meter readings; all are taken in or none. `signed`: see `client.metering`."""
        body = requests.Readings(readings=list(readings), signed=signed)
        return await self._send("POST", "/v1/deliveries/readings", answers.ReadingsAnswer, body)

    # a broker's side

    async def add_client(self, name: str) -> answers.Client:
        """Opens a sub-account for a client."""
        body = requests.AddClient(name=name)
        return (await self._send("POST", "/v1/clients", answers.ClientAnswer, body)).client

    async def clients(self) -> list[answers.Client]:
        """The broker's clients."""
        return (await self._get("/v1/clients", answers.Clients, signed=True)).clients

    # an operator's side

    async def add_member(
        self,
        name: str,
        kind: requests.MemberKind,
        scopes: Sequence[requests.Scope] | None = None,
        *,
        state: Literal["applied", "approved"] = "applied",
        roles: Sequence[requests.Role] = (),
    ) -> answers.MemberAnswer:
        """Takes in a member, as an applicant unless it is approved at once, and makes its first key."""
        wanted = None if scopes is None else list(scopes)
        body = requests.AddMember(name=name, kind=kind, state=state, scopes=wanted, roles=list(roles))
        return await self._send("POST", "/v1/operator/members", answers.MemberAnswer, body)

    async def set_member_state(self, name: str, state: Literal["approved", "suspended"]) -> answers.Done:
        """Approves an applicant, or suspends it and cancels its open orders."""
        body = requests.MemberState(state=state)
        return await self._send("POST", f"/v1/operator/members/{_segment(name)}/state", answers.Done, body)

    async def members(self) -> list[answers.Member]:
        """All members."""
        return (await self._get("/v1/operator/members", answers.Members, signed=True)).members

    async def set_password(self, member: str, password: str) -> answers.Done:
        """Sets the password that a member logs in to the screens with."""
        body = requests.SetPassword(member=member, password=password)
        return await self._send("POST", "/v1/operator/passwords", answers.Done, body)

    async def proposals(self) -> list[answers.Proposal]:
        """What operators proposed, newest first."""
        return (await self._get("/v1/operator/proposals", answers.Proposals, signed=True)).proposals

    async def propose_cash(self, member: str, amount_fen: int, reason: str) -> answers.Proposal:
        """Proposes a correction of cash for a second operator to decide."""
        body = requests.ProposeCash(member=member, amount_fen=amount_fen, reason=reason)
        return (await self._send("POST", f"{_PROPOSALS}/cash", answers.ProposalAnswer, body)).proposal

    async def propose_restore(self, member: str) -> answers.Proposal:
        """Proposes the end of a suspension for a second operator to decide."""
        body = requests.ProposeRestore(member=member)
        return (await self._send("POST", f"{_PROPOSALS}/restore", answers.ProposalAnswer, body)).proposal

    async def decide(self, proposal: answers.Proposal, approve: bool) -> answers.Proposal:
        """Approves or rejects what another operator proposed."""
        path = f"{_PROPOSALS}/{_segment(proposal.kind)}/{_segment(proposal.proposal_id)}"
        body = requests.DecideProposal(approve=approve)
        return (await self._send("POST", path, answers.ProposalAnswer, body)).proposal

    async def keys(self) -> list[answers.Key]:
        """All keys, without secrets."""
        return (await self._get("/v1/operator/keys", answers.Keys, signed=True)).keys

    async def add_key(
        self, member: str, scopes: Sequence[requests.Scope], networks: Sequence[str] = ()
    ) -> answers.KeyAnswer:
        """Makes another key for a member; with `networks` it is good only from there."""
        body = requests.AddKey(member=member, scopes=list(scopes), networks=list(networks))
        return await self._send("POST", "/v1/operator/keys", answers.KeyAnswer, body)

    async def revoke_key(self, key_id: str) -> answers.Done:
        """Ends a key at once."""
        return await self._send("DELETE", f"/v1/operator/keys/{_segment(key_id)}", answers.Done)

    async def all_margin_calls(self) -> list[answers.MarginCall]:
        """All margin calls that aren't met."""
        return (await self._get("/v1/operator/margin-calls", answers.MarginCalls, signed=True)).calls

    async def claims(self) -> list[answers.Claim]:
        """What defaulters owe to those who paid for them."""
        return (await self._get("/v1/operator/claims", answers.Claims, signed=True)).claims

    async def set_contribution(self, member: str | None, amount_fen: int) -> answers.Done:
        """Sets a member's contribution to the default fund, or the house's capital tranche."""
        body = requests.Contribution(member=member, amount_fen=amount_fen)
        return await self._send("POST", "/v1/operator/contributions", answers.Done, body)

    async def deposit(self, member: str, amount_fen: int) -> answers.Done:
        """Pays cash into a member's account."""
        body = requests.Deposit(member=member, amount_fen=amount_fen)
        return await self._send("POST", "/v1/operator/deposits", answers.Done, body)

    async def withdraw(self, member: str, amount_fen: int) -> answers.Done:
        """Pays cash out of a member's account."""
        body = requests.Withdrawal(member=member, amount_fen=amount_fen)
        return await self._send("POST", "/v1/operator/withdrawals", answers.Done, body)

    async def halt(
        self, halted: bool, *, symbol: str | None = None, hub: str | None = None
    ) -> answers.Halted:
        """Halts or resumes a contract, all contracts of a hub, or all."""
        body = requests.Halt(halted=halted, symbol=symbol, hub=hub)
        return await self._send("POST", "/v1/operator/halts", answers.Halted, body)

    async def kill_market(self, *, cancel_orders: bool = False) -> answers.MarketKilled:
        """Halts every contract, and cancels every order if asked."""
        body = requests.KillMarket(cancel_orders=cancel_orders)
        return await self._send("POST", "/v1/operator/kill", answers.MarketKilled, body)

    # how a request is made

    async def _get(
        self, path: str, answer: type[A], query: requests.Request | None = None, *, signed: bool = False
    ) -> A:
        target = path + _query_text(query)
        return await self._request("GET", target, b"", answer, signed=signed)

    async def _send(self, method: str, path: str, answer: type[A], body: requests.Request | None = None) -> A:
        return await self._request(method, path, b"" if body is None else msgspec.json.encode(body), answer)

    async def _request(
        self, method: str, target: str, body: bytes, answer: type[A], *, signed: bool = True
    ) -> A:
        if signed and self._client is not None:
            target += ("&" if "?" in target else "?") + urlencode({"client": self._client})
        for attempt in range(self._retries + 1):
            last = attempt == self._retries
            try:
                status, headers, payload = await self._once(method, target, body, signed)
            except (aiohttp.ClientError, TimeoutError) as error:
                if last or method != "GET":
                    raise _connection_failed(method, target, error) from error
                await asyncio.sleep(_backoff_s(attempt))
                continue
            if status < 400:
                return _decoded(method, target, status, payload, answer)
            refused = _refused(status, payload)
            if last or not _may_repeat(method, refused):
                raise refused
            await asyncio.sleep(_retry_after_s(headers, attempt))
        raise AssertionError("unreachable: the last attempt returns or raises")  # pragma: no cover

    async def _once(
        self, method: str, target: str, body: bytes, signed: bool
    ) -> tuple[int, Mapping[str, str], bytes]:
        headers = {"Content-Type": "application/json"} if body else {}
        if signed and self.profile is not None:
            headers |= signed_headers(self.profile.key_id, self.profile.secret_bytes, method, target, body)
        url = URL(self.base_url + target, encoded=True)
        async with self._open().request(method, url, data=body or None, headers=headers) as response:
            return response.status, response.headers, await response.read()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout, middlewares=(_sent_once,))
        return self._session


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


def _segment(text: str) -> str:
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


def _backoff_s(attempt: int) -> float:
    return min(0.1 * 2.0**attempt, RETRY_WAIT_S_MAX)


def _retry_after_s(headers: Mapping[str, str], attempt: int) -> float:
    try:
        return min(max(int(headers["Retry-After"]), 0), RETRY_WAIT_S_MAX)
    except (KeyError, ValueError):  # absent, or a date
        return _backoff_s(attempt)


def _refused(status: int, payload: bytes) -> ExchangeError:
    try:
        problem = msgspec.json.decode(payload, type=answers.ProblemAnswer).error
    except msgspec.DecodeError:
        return ExchangeError(f"HTTP_{status}", status, payload[:200].decode("utf-8", "replace"))
    return ExchangeError(problem.code, status, problem.message, problem.field)


def _decoded(method: str, target: str, status: int, payload: bytes, answer: type[A]) -> A:
    try:
        return msgspec.json.decode(payload, type=answer)
    except msgspec.DecodeError as error:
        sentence = f"{method} {target} got an answer that can't be read ({error}){_outcome(method)}."
        raise ExchangeError("UNREADABLE_ANSWER", status, sentence) from error


def _outcome(method: str) -> str:
    return "" if method == "GET" else "; the command's outcome is unknown until you look it up"


def _connection_failed(method: str, target: str, error: BaseException) -> ExchangeError:
    detail = str(error) or type(error).__name__
    return ExchangeError(
        "CONNECTION_FAILED", 0, f"{method} {target} got no answer ({detail}){_outcome(method)}."
    )
