"""The state of the exchange: what the handlers of rare messages and the fold of trades work on.

Everything here is a function of the journal. The kernel holds orders and the margin gate; this holds the
rest.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from exchange.clearing.fees import FeeRates
from exchange.clearing.ledger import Ledger
from exchange.clearing.positions import CLOSING, Positions
from exchange.clearing.tables import CLAIM_ROW, CONTRACT_ROW, RESERVATION_ROW, SETTLEMENT_ROW, Table
from exchange.domain.calendar import NS_PER_HOUR, day_of, epoch_day, next_trading_day
from exchange.domain.contracts import Contract, PeriodKind
from exchange.domain.listing import SetListingRules
from exchange.domain.messages import MemberKind, Product, Role, SetMarginRules, SetRules
from exchange.domain.phases import MarketPhase
from exchange.domain.positions import SetPositionRules
from exchange.domain.profiles import LoadProfiles
from exchange.domain.proposals import ProposedAction
from exchange.domain.regimes import Regime
from exchange.domain.rejects import RejectCode
from exchange.domain.sessions import Sessions
from exchange.service.brokerstate import Brokerage, Rate
from exchange.service.clientorders import ClientOrders
from exchange.service.deliverystate import Delivering
from exchange.service.kernel import Kernel
from exchange.service.nonces import Nonces
from exchange.service.primarystate import Primary
from exchange.service.results import Data
from exchange.service.voucherstate import Vouchers
from matching.records import EVENT, Records
from matching.spec import AccountSpec

HOUSE = 0
"""The account of the exchange itself: it receives fees and belongs to no member."""

LOCK_STEPS_MAX = 3
"""How often limits widen in a row (clause 6.5)."""


class Member(msgspec.Struct):
    """A member; its account never changes."""

    name: str
    account: int
    kind: MemberKind | Literal["client"]
    state: Literal["applied", "approved", "suspended"]
    roles: tuple[Role, ...] = ()
    """An operator's."""
    broker: str | None = None
    """The member whose client this is; a client has no key."""


class MarginCall(msgspec.Struct):
    """An account that lacks margin (clauses 6.6 to 6.9)."""

    account: int
    amount_fen: int
    """What it lacked when that was last looked at."""
    issued: date
    """The trading day on which, or after which, it was issued."""
    due_ns: int = 0
    """Market time until which it may be met; 0: until the deadline of the trading day after `issued`."""
    restricted: bool = False
    """Whether its deadline passed unmet."""
    closed_out: date | None = None
    """When the exchange last closed positions of it in the market."""
    auctioned: date | None = None
    """When an auction of its positions last ended."""


class Bid(msgspec.Struct):
    """A bid for positions of a restricted account."""

    bidder: int
    restricted: int
    contract: int
    lots: int
    price_ticks: int


class Proposal(msgspec.Struct):
    """What an operator proposed; its id is its place in the list + 1."""

    proposal_id: int
    action: ProposedAction
    proposed_by: int
    expires_ns: int
    decided_by: int = 0
    """The account of the operator who decided; 0 while none has."""
    approved: bool = False


class Key(msgspec.Struct):
    """An API key; the secret only as ciphertext."""

    key_id: str
    member: str
    scopes: tuple[str, ...]
    ciphertext: bytes
    networks: tuple[str, ...]
    enabled: bool = True


class Day(msgspec.Struct):
    """Where the market's day stands."""

    phase: MarketPhase = MarketPhase.SETTLED
    trading_day: date | None = None
    """The open day, or the last one."""
    sessions: Sessions = Sessions()
    """The open day's, as they were when it was opened."""
    steps: int = 0
    """How many of its phases have begun."""
    settlement_window_ns: int = 0
    standing_placed: bool = False
    """Whether the open day's standing sales are in the book."""
    margin_runs: int = 0
    """The clock's runs of clause 5.11 since the day was opened."""
    delivered_day: date | None = None
    """The last delivery day that is finished; the first trading day to begin with."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a command stands in the sequence."""

    seq: int
    time_ns: int

    @property
    def day(self) -> int:
        """Calendar day in Asia/Shanghai, days since 1970-01-01."""
        return epoch_day(day_of(self.time_ns))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a handler did: nothing if `code` is set, else what it gives back and the kernel's events
    (copies).
    """

    code: RejectCode | None = None
    detail: str = ""
    data: Data | None = None
    events: Sequence[Records] = ()


DONE = Outcome()


def refused(code: RejectCode, detail: str = "") -> Outcome:
    """Return the outcome of a refusal; the handler has changed nothing."""
    return Outcome(code, detail)


class State:
    """All state besides the kernel's, and the kernel beside it."""

    def __init__(self, engine: Kernel) -> None:
        accounts = engine.limits.max_accounts
        self.engine = engine
        self.rules = SetRules(products=(), closed_days=(), calendar_end=date.min)
        self.sessions = Sessions()
        self.regimes: dict[tuple[str, str], Regime] = {}
        """By grade and hub; where there is none, the market's."""
        self.fee_rates: list[FeeRates] = []
        self.margin_rules = SetMarginRules()
        self.products: dict[tuple[str, str], Product] = {}
        self.hub_indices: dict[str, int] = {}
        self.grade_indices: dict[str, int] = {}
        self.group_indices: dict[str, int] = {}
        """By grade × hub, "H100.GUIAN"; all three are numbered in the order of registration."""
        self.members: dict[str, Member] = {}
        self.members_by_account: dict[int, Member] = {}
        self.keys: dict[str, Key] = {}
        self.passwords: dict[str, str] = {}
        self.proposals: list[Proposal] = []
        self.nonces = Nonces()
        self.client_orders = ClientOrders()
        self.primary = Primary()
        self.delivering = Delivering()
        self.vouchers = Vouchers()
        self.brokerage = Brokerage()
        self.position_rules = SetPositionRules()
        self.load_profiles = LoadProfiles()
        self.listing = SetListingRules()
        self.contracts: list[Contract] = []
        self.contracts_by_symbol: dict[str, Contract] = {}
        self.contract_table = Table(CONTRACT_ROW, reserve=1024)
        self.reservations = Table(RESERVATION_ROW)
        self.settlements = Table(SETTLEMENT_ROW, reserve=1024)
        self.sold_card_hours: dict[tuple[int, str, str], int] = {}
        self.cash: NDArray[np.int64] = np.zeros(accounts, np.int64)
        self.delivery_hold: NDArray[np.int64] = np.zeros(accounts, np.int64)
        self.netting: NDArray[np.int64] = np.zeros(accounts, np.int64)
        """What each portfolio earns by netting, fen (clause 5.11)."""
        self.add_on: NDArray[np.int64] = np.zeros(accounts, np.int64)
        """What concentration costs each account, fen (clause 5.10)."""
        self.fund: NDArray[np.int64] = np.zeros(accounts, np.int64)
        """Contributions to the default fund, fen; the house's is its capital tranche (clause 6.6)."""
        self.calls: dict[int, MarginCall] = {}
        """By account, in the order in which they were issued."""
        self.bids: dict[tuple[int, int, int], Bid] = {}
        """By bidder, restricted account and contract."""
        self.claims = Table(CLAIM_ROW)
        self.deposits_fen = 0
        self.withdrawals_fen = 0
        self.positions = Positions()
        self.ledger = Ledger()
        self.day = Day()

    @property
    def closed_days(self) -> frozenset[date]:
        """Weekdays without trading."""
        return frozenset(self.rules.closed_days)

    def fee_rates_at(self, seq: int) -> FeeRates:
        """Return the fee rates that held when the command `seq` was applied (clause 8.1)."""
        return self.fee_rates[bisect_right(self.fee_rates, seq, key=attrgetter("from_seq")) - 1]

    def active_contracts(self) -> NDArray[np.intp]:
        """Return the indices of the contracts that still trade, ascending."""
        return np.flatnonzero(self.contract_table.rows["active"])

    def contract_row(self, index: int) -> Any:
        """Return the row of a contract; a record that writes through."""
        return self.contract_table.rows[index]

    def next_day(self) -> date | None:
        """Return the trading day after the last one; None before the first."""
        last = self.day.trading_day
        return None if last is None else next_trading_day(last, self.closed_days)

    def account_spec(self, account: int) -> AccountSpec:
        """Return the kernel's terms of an account: equity is cash without what undelivered reservations
        will cost, and pledged certificates (clauses 5.2, 10.7).
        """
        return AccountSpec(
            enabled=self.may_trade(self.members_by_account[account]) and not self.restricted(account),
            equity_fen=int(self.cash[account] - self.delivery_hold[account])
            + self.primary.collateral_of(account),
            offset_fen=self.offset(account),
        )

    def restricted(self, account: int) -> bool:
        """Return whether the account left a margin call unmet (clause 6.7)."""
        return account in self.calls and self.calls[account].restricted

    def offset(self, account: int) -> int:
        """Return the account's offset against the sum of single margins, fen (clause 5.11)."""
        return int(self.netting[account] - self.add_on[account])

    def may_trade(self, member: Member) -> bool:
        """Return whether the member, and the broker whose client it is, are approved (clause 8.7)."""
        broker = member if member.broker is None else self.members[member.broker]
        return member.state == broker.state == "approved"

    def accounts_of(self, member: Member) -> list[int]:
        """Return the accounts of a member, its clients' included, ascending."""
        return sorted(of.account for of in self.members.values() if member.name in (of.name, of.broker))

    def limit_rate(self, lock_days: int) -> int:
        """Return the day's limit in basis points after so many days in a row at a limit (clause 6.5)."""
        steps = min(lock_days, LOCK_STEPS_MAX)
        return self.rules.limit_basis_points + steps * self.margin_rules.lock_limit_basis_points

    def price_limits(self, reference: int, lock_days: int = 0) -> tuple[int, int]:
        """Return the lowest and the highest price of the day around a reference price (clauses 4.5, 6.5)."""
        widest = (self.engine.limits.max_levels - 1) // 2
        width = min(widest, max(1, reference * self.limit_rate(lock_days) // 10_000))
        return max(1, reference - width), reference + width

    def day_limits(self, contract: Contract, reference: int, lock_days: int = 0) -> tuple[int, int]:
        """Return a contract's limits of the day, within its regime (clause 4.12)."""
        low, high = self.price_limits(reference, lock_days)
        regime = self.regimes.get((contract.grade, contract.hub))
        return (low, high) if regime is None else regime.limits(low, high, reference)

    def unsettled_fees(self) -> NDArray[np.int64]:
        """Return each account's fees since the last settlement, fen, shape (accounts,)."""
        fees = np.zeros(len(self.cash), np.int64)
        np.add.at(fees, self.positions.rows["account"], self.positions.rows["day_fees"])
        return fees

    def unsettled_charges(self) -> NDArray[np.int64]:
        """Return each account's fees and commission since the last settlement, fen, shape (accounts,)."""
        charges = self.unsettled_fees()
        if self.day.trading_day is None:
            return charges
        day, rows = epoch_day(self.day.trading_day), self.positions.rows
        rates = {agreed.account: agreed.on(day) for agreed in self.brokerage.commissions}
        for row in rows[(rows["gross_lots"] > 0) & np.isin(rows["account"], list(rates))]:
            charges[row["account"]] += self.commission_on(row, rates[int(row["account"])])
        return charges

    def unsettled_charges_of(self, account: int) -> int:
        """Return one account's fees and commission since the last settlement, fen."""
        rows = self.positions.rows
        fees = int(rows["day_fees"][rows["account"] == account].sum())
        return fees + self._unsettled_commission(account)

    def _unsettled_commission(self, account: int) -> int:
        agreed = self.brokerage.commission(account)
        if agreed is None or self.day.trading_day is None:
            return 0
        rows, rate = self.positions.rows, agreed.on(epoch_day(self.day.trading_day))
        traded = rows[(rows["account"] == account) & (rows["gross_lots"] > 0)]
        return sum(self.commission_on(row, rate) for row in traded)

    def commission_on(self, row: Any, rate: Rate) -> int:
        """Return the commission at a rate on what a row of the positions traded today, fen."""
        hours = self.contracts[int(row["contract"])].hours
        return rate.of(int(row["gross_value"]) * hours, int(row["gross_lots"]))

    def position_limit(self, contract: Contract) -> int:
        """Return the lots of a contract that one account may hold by the rules; 0: any (clause 5.13)."""
        rules = self.position_rules
        kind = PeriodKind.DAY if contract.kind is PeriodKind.HOUR else contract.kind
        cards: int = getattr(rules, f"{kind.value}_cards")
        cards = next((own.cards for own in rules.contracts if own.symbol == contract.symbol), cards)
        return max(1, cards // contract.cards_per_lot) if cards else 0

    @property
    def accounts(self) -> int:
        """How many accounts there are, the house's included."""
        return len(self.members_by_account) + 1

    def broker_of(self, account: int) -> int:
        """Return the account of the broker whose client an account is; the house's for any other."""
        member = self.members_by_account.get(account)
        return HOUSE if member is None or member.broker is None else self.members[member.broker].account

    def is_provider(self, account: int) -> bool:
        """Return whether an account is a provider's."""
        member = self.members_by_account.get(account)
        return member is not None and member.kind == "provider"

    def free_cash(self, account: int) -> int:
        """Return what the account could withdraw now, fen; may be negative (clause 8.4)."""
        exposure = self.engine.exposure(account)
        unsettled = self.unsettled_charges_of(account) + self.loss_since_settlement(account)
        settled = int(self.cash[account] - self.delivery_hold[account])
        return min(exposure.equity_fen - unsettled, settled) - exposure.requirement_fen + exposure.offset_fen

    def loss_since_settlement(self, account: int) -> int:
        """Return what an account's positions have lost together since the last settlement, fen; 0 or more."""
        rows = self.positions.rows
        return max(0, -int(self.gains_since_settlement(rows[rows["account"] == account]).sum()))

    def gains_since_settlement(self, positions: NDArray[Any]) -> NDArray[np.int64]:
        """Return what each position (POSITION_ROW) has gained since the last settlement, fen: from the
        reference price, to which the kernel has marked every trade, to the price last traded at.
        """
        terms = self.contract_table.rows[positions["contract"]]
        moved = np.where(terms["last_price"] > 0, terms["last_price"] - terms["reference"], 0)
        gains: NDArray[np.int64] = moved * terms["hours"] * positions["lots"]
        return gains

    def hour(self, time_ns: int) -> int:
        """Return the hour of continuous trading in which a moment lies: 0 the last, -1 the one before it …

        What trades as the day closes is the closing auction, `CLOSING`.
        """
        if self.day.phase is MarketPhase.CLOSED:
            return CLOSING
        return min(0, (time_ns - self.day.settlement_window_ns) // NS_PER_HOUR)

    def fold(self, events: Records, hour: int) -> None:
        """Enter the trades of `events`, of an hour as of `hour`, into positions and cash."""
        fees = (self.rules.maker_basis_points, self.rules.taker_basis_points)
        self.positions.fold(events, self.contract_table.rows, self.cash, fees, hour)

    def typed_parts(self) -> Iterator[tuple[str, Any]]:
        """Yield what isn't a table, named, for the state hash; the order of dictionaries is the journal's."""
        yield "fee rates", self.fee_rates
        yield "rules", (self.rules, self.margin_rules, self.sessions)
        yield "numbers", (self.hub_indices, self.grade_indices, self.group_indices)
        yield "regimes", list(self.regimes.values())
        yield "members", list(self.members.values())
        yield "keys", list(self.keys.values())
        yield "passwords", list(self.passwords.items())
        yield "proposals", self.proposals
        yield "client orders", list(self.client_orders.plain())
        yield "primary", self.primary
        yield "delivering", self.delivering
        yield "vouchers", self.vouchers
        yield "brokerage", self.brokerage
        yield "position rules", self.position_rules
        yield "load profiles", self.load_profiles
        yield "listing", self.listing
        yield "contracts", [(c.symbol, c.last_trading_day, c.delivery) for c in self.contracts]
        yield "sold", [(*key, hours) for key, hours in self.sold_card_hours.items()]
        yield "money", (self.deposits_fen, self.withdrawals_fen)
        yield "day", self.day
        yield "calls", list(self.calls.values())
        yield "bids", list(self.bids.values())

    def tables(self) -> Iterator[tuple[str, bytes]]:
        """Yield the bytes of each table, named, for the state hash."""
        used = len(self.members_by_account) + 1
        yield "cash", self.cash[:used].tobytes()
        yield "delivery hold", self.delivery_hold[:used].tobytes()
        yield "fund", self.fund[:used].tobytes()
        yield "claims", self.claims.state_bytes()
        yield "netting", self.netting[:used].tobytes()
        yield "add-on", self.add_on[:used].tobytes()
        yield "contract rows", self.contract_table.state_bytes()
        yield "slots", self.engine.state_bytes()
        yield "positions", self.positions.state_bytes()
        yield "reservations", self.reservations.state_bytes()
        yield "settlements", self.settlements.state_bytes()
        yield "nonces", self.nonces.state_bytes()
        yield "ledger", self.ledger.state_bytes()


def joined(parts: Iterable[Records], dtype: np.dtype[np.void] = EVENT) -> Records:
    """Return record arrays of one dtype as one new array.

    As bytes: numpy's own concatenation compares the fields of every structured array with the next one's.
    """
    return np.frombuffer(bytearray().join(part.tobytes() for part in parts), dtype)
