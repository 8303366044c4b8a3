"""Read-only views of the exchange, answered by the core itself.

The core applies a frame only once it is durable, so whatever a view shows survives a crash. Call them from
the event loop; each answer belongs to `seq`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from exchange.clearing.default import Layer
from exchange.clearing.ledger import LedgerKind
from exchange.clearing.portfolio.terms import margin_long, margin_short
from exchange.clearing.settlement import PriceRule
from exchange.domain.calendar import NS_PER_DAY, date_of, day_of, epoch_day
from exchange.domain.contracts import Contract, PeriodKind
from exchange.domain.listing import SetListingRules
from exchange.domain.messages import Product, SetMarginRules, SetRules
from exchange.domain.phases import MarketPhase
from exchange.domain.positions import SetPositionRules
from exchange.domain.profiles import LoadProfiles
from exchange.domain.regimes import Regime
from exchange.domain.sessions import Sessions
from exchange.service.brokerstate import Brokerage
from exchange.service.clientorders import ClientOrder
from exchange.service.conversion import conversion
from exchange.service.core import Core
from exchange.service.deliverystate import Delivering
from exchange.service.handle_default import in_default
from exchange.service.handle_positions import LargePosition, large_positions
from exchange.service.handle_settlement import open_interest
from exchange.service.margins import Explained, explained
from exchange.service.primarystate import Primary
from exchange.service.proposalviews import proposal_views
from exchange.service.state import HOUSE, Key, MarginCall, Member
from exchange.service.tape import Tape
from exchange.service.viewtypes import (
    BalanceView,
    BookView,
    CapacityView,
    ClaimView,
    ContractView,
    ConversionView,
    FillView,
    KeyView,
    LedgerLine,
    LevelView,
    Liquidity,
    MemberView,
    MoneyView,
    OrderView,
    PositionView,
    ProposalView,
    ReservationView,
    SettlementView,
    StatementView,
    StatusView,
    TradeView,
)
from exchange.service.voucherstate import Vouchers
from exchange.service.whatif import Trial, trial_of
from matching.records import OrderFlag, OrderType, Records, Side, StpMode, TimeInForce
from nodes.types import Profile

_SIDES: tuple[Literal["buy"], Literal["sell"]] = ("buy", "sell")


class Views:
    """What the exchange shows. Unknown symbols, names and accounts give None or an empty list."""

    def __init__(self, core: Core, tape: Tape) -> None:
        self._core = core
        self._state = core.state
        self._tape = tape
        self._hash = (-1, "")
        self._contract_views: dict[int, tuple[int, ContractView]] = {}
        self._interest: tuple[int, NDArray[np.int64]] = (-1, np.zeros(0, np.int64))

    @property
    def seq(self) -> int:
        """The last applied command: what `as_of_seq` of every answer is."""
        return self._core.seq

    def state_hash(self) -> str:
        """Return the state hash as hex; computed once a seq."""
        if self._hash[0] != self.seq:
            self._hash = (self.seq, self._core.state_hash().hex())
        return self._hash[1]

    def status(self, market_time_ns: int | None = None, acknowledging: bool = True) -> StatusView:
        """Return the market as a whole; `market_time_ns` is the last journaled time unless given."""
        state = self._state
        return StatusView(
            market_time_ns=self._core.time_ns if market_time_ns is None else market_time_ns,
            trading_day=state.day.trading_day,
            phase=state.day.phase,
            seq=self.seq,
            members=len(state.members),
            contracts_active=len(state.active_contracts()),
            acknowledging=acknowledging,
        )

    def money(self) -> MoneyView:
        """Return the exchange's money; its two sides are equal to the fen."""
        state = self._state
        return MoneyView(
            state.deposits_fen,
            state.withdrawals_fen,
            int(state.cash.sum()),
            int(state.cash[HOUSE]),
            int(state.fund.sum()),
        )

    def products(self) -> tuple[Product, ...]:
        """Return every grade × hub that is delivered."""
        return tuple(self._state.products.values())

    @property
    def closed_days(self) -> frozenset[date]:
        """Weekdays without trading."""
        return self._state.closed_days

    @property
    def rules(self) -> SetRules:
        """Products, calendar, margin, limits and fees as last set."""
        return self._state.rules

    @property
    def listing(self) -> SetListingRules:
        """What is listed when a trading day opens."""
        return self._state.listing

    @property
    def load_profiles(self) -> LoadProfiles:
        """Every hub's peak and valley hours; don't write."""
        return self._state.load_profiles

    @property
    def vouchers(self) -> Vouchers:
        """Voucher programmes, balances and their ledger; don't write."""
        return self._state.vouchers

    def regimes(self) -> list[Regime]:
        """Return the pricing regimes that were ever set, by grade and hub."""
        return [self._state.regimes[key] for key in sorted(self._state.regimes)]

    @property
    def sessions(self) -> Sessions:
        """The sessions of the days to come."""
        return self._state.sessions

    @property
    def day_sessions(self) -> Sessions:
        """The sessions of the open day, or of the last one."""
        return self._state.day.sessions

    @property
    def day_steps(self) -> int:
        """How many phases of the open day have begun."""
        return self._state.day.steps

    @property
    def day_window_ns(self) -> int:
        """When the open day's last hour of continuous trading begins (clause 6.1)."""
        return self._state.day.settlement_window_ns

    @property
    def standing_due(self) -> bool:
        """Whether the open day's standing sales aren't in the book yet (clause 10.8)."""
        return bool(self._state.primary.standing) and not self._state.day.standing_placed

    @property
    def margin_runs(self) -> int:
        """How many margin runs the open day has had (clause 5.11)."""
        return self._state.day.margin_runs

    @property
    def margin_rules(self) -> SetMarginRules:
        """What margin is computed from, as last set; the defaults if it never was."""
        return self._state.margin_rules

    @property
    def delivered_day(self) -> date | None:
        """The last delivery day that is finished; None before the first trading day."""
        return self._state.day.delivered_day

    def fee_fen(self, seq: int, index: int, tick_lots: int, liquidity: Liquidity) -> int:
        """Return what one side of a trade paid: of the command `seq`, price × quantity `tick_lots`, in the
        contract of an instrument index.
        """
        rates = self._state.fee_rates_at(seq)
        value = tick_lots * self._state.contracts[index].hours
        return rates.taker_fen(value) if liquidity == "taker" else rates.maker_fen(value)

    # -- contracts and the market

    def contracts(
        self,
        active: bool | None = True,
        *,
        grade: str | None = None,
        hub: str | None = None,
        kind: PeriodKind | None = None,
        profile: Profile | None = None,
        after: int = -1,
        limit: int | None = None,
    ) -> list[ContractView]:
        """Return contracts in order of listing: those that trade, those that ended (False), or all (None).

        Narrowed to a grade, a hub, a kind and a profile; at most `limit` of them, with an index above
        `after`.
        """
        state = self._state
        flags = state.contract_table.rows["active"]
        chosen = range(len(flags)) if active is None else np.flatnonzero(flags == active).tolist()
        wanted = (
            index
            for index in chosen
            if index > after
            and grade in (None, state.contracts[index].grade)
            and hub in (None, state.contracts[index].hub)
            and kind in (None, state.contracts[index].kind)
            and profile in (None, state.contracts[index].profile)
        )
        return [self._contract_view(index) for index in islice(wanted, limit)]

    def contract(self, symbol: str) -> ContractView | None:
        """Return one contract, ended ones included."""
        contract = self._state.contracts_by_symbol.get(symbol)
        return None if contract is None else self._contract_view(contract.index)

    def contract_at(self, index: int) -> Contract | None:
        """Return the contract of an instrument index."""
        return self._state.contracts[index] if 0 <= index < len(self._state.contracts) else None

    def symbol(self, index: int) -> str:
        """Return the symbol of an instrument index. Raises IndexError for an unknown one."""
        return self._state.contracts[index].symbol

    def hours(self, index: int) -> int:
        """Return the delivery hours of an instrument index. Raises IndexError for an unknown one."""
        return self._state.contracts[index].hours

    def index(self, symbol: str) -> int | None:
        """Return the instrument index of a contract that trades."""
        contract = self._state.contracts_by_symbol.get(symbol)
        if contract is None or not self._state.contract_row(contract.index)["active"]:
            return None
        return contract.index

    def hub_codes(self) -> list[str]:
        """Return the hubs by their numbers."""
        return list(self._state.hub_indices)

    def hub_index(self, hub: str) -> int | None:
        """Return a hub's number, the kernel's mass-cancel filter; None if no such hub is registered."""
        return self._state.hub_indices.get(hub)

    def book(self, symbol: str, depth: int = 10) -> BookView | None:
        """Return both sides of a book, at most `depth` levels each; an ended contract has an empty one."""
        contract = self._state.contracts_by_symbol.get(symbol)
        if contract is None:
            return None
        if not self._state.contract_row(contract.index)["active"]:
            return BookView(symbol, (), (), 0, 0, self.seq)
        indicative = self._state.engine.indicative(contract.index)
        bids, asks = (self._levels(contract.index, side, depth) for side in (Side.BUY, Side.SELL))
        return BookView(symbol, bids, asks, indicative.price, indicative.quantity, self.seq)

    def trades(self, symbol: str, limit: int = 100) -> list[TradeView]:
        """Return the latest trades of a contract, newest first, as far as the tape reaches."""
        contract = self._state.contracts_by_symbol.get(symbol)
        if contract is None:
            return []
        rows = self._tape.latest(self._tape.rows()["instrument"] == contract.index, limit)
        return [
            TradeView(
                int(row["trade_id"]),
                int(row["seq"]),
                int(row["time_ns"]),
                symbol,
                int(row["price"]),
                int(row["quantity"]),
                "auction" if row["auction"] else _SIDES[row["side"]],
            )
            for row in rows
        ]

    def settlements(self, day: date | None = None) -> list[SettlementView]:
        """Return the settlements of a trading day; of the latest settled one if None."""
        day = day or self.settled_day
        if day is None:
            return []
        rows = self._state.settlements.rows
        return [
            SettlementView(
                symbol=self.symbol(int(row["contract"])),
                day=day,
                price=int(row["price"]),
                rule=PriceRule(int(row["rule"])).label,
                volume_lots=int(row["lots"]),
                open_interest_lots=int(row["open_interest"]),
            )
            for row in rows[rows["day"] == epoch_day(day)]
        ]

    @property
    def settled_day(self) -> date | None:
        """The latest settled trading day."""
        rows = self._state.settlements.rows
        return date_of(int(rows["day"][-1])) if len(rows) else None

    # -- members

    def members(self) -> list[MemberView]:
        """Return all members in the order of their accounts."""
        return [self._member_view(member) for member in self._state.members.values()]

    def member(self, name: str) -> MemberView | None:
        """Return a member by name."""
        member = self._state.members.get(name)
        return None if member is None else self._member_view(member)

    def member_of(self, account: int) -> MemberView | None:
        """Return the member whose account this is; the house has none."""
        member = self._state.members_by_account.get(account)
        return None if member is None else self._member_view(member)

    def key(self, key_id: str) -> KeyView | None:
        """Return an API key; `enabled` is False for one that was revoked."""
        key = self._state.keys.get(key_id)
        return None if key is None else self._key_view(key)

    def api_keys(self) -> list[KeyView]:
        """Return all API keys in the order in which they were added."""
        return [self._key_view(key) for key in self._state.keys.values()]

    def password_hash(self, name: str) -> str | None:
        """Return the Argon2id hash of a member's password; None if it has none."""
        return self._state.passwords.get(name)

    def proposals(self) -> list[ProposalView]:
        """Return what operators proposed, oldest first."""
        return proposal_views(self._state)

    def nonces(self) -> list[tuple[bytes, int]]:
        """Return the journaled nonces that may still be replayed: (digest, wall-clock timestamp in ms)."""
        return list(self._state.nonces)

    # -- accounts

    def client_order(self, account: int, client_id: int) -> ClientOrder | None:
        """Return the order that was applied under a client order id; don't change it."""
        return self._state.client_orders.get(account, client_id)

    def trial(self, account: int, commands: Records) -> Trial:
        """Return order commands (dtype COMMAND, shape (n,)) of a member's account, ready to be tried on a
        copy of the books as they are now.
        """
        return trial_of(self._state, account, commands, self.seq + 1)

    def open_orders(self, account: int, symbol: str | None = None) -> list[OrderView]:
        """Return an account's open orders in acceptance order."""
        rows = self._state.engine.open_orders(account)
        orders = (self._order_view(row) for row in rows)
        return [order for order in orders if symbol is None or order.symbol == symbol]

    def fills(self, account: int, limit: int = 100, symbol: str | None = None) -> list[FillView]:
        """Return an account's latest fills, newest first, as far as the tape reaches."""
        rows = self._tape.latest(self._mask(account, symbol), limit)
        fills = [fill for row in rows for fill in self._fill_views(row, account)]
        return fills[:limit]

    def sides_of(self, trade_id: int, account: int) -> list[FillView]:
        """Return an account's side of a trade, both if it traded with itself; none beyond the tape."""
        rows = self._tape.latest(self._tape.rows()["trade_id"] == trade_id, 1)
        return [fill for row in rows for fill in self._fill_views(row, account)]

    def positions(self, account: int) -> list[PositionView]:
        """Return an account's positions other than 0, in the order in which they arose."""
        rows = self._state.positions.rows
        return [self._position_view(row) for row in rows[(rows["account"] == account) & (rows["lots"] != 0)]]

    def balance(self, account: int) -> BalanceView | None:
        """Return an account's cash and what holds it."""
        if account not in self._state.members_by_account:
            return None
        exposure = self._state.engine.exposure(account)
        fees = self._state.unsettled_charges_of(account)
        return BalanceView(
            account=account,
            cash_fen=int(self._state.cash[account]),
            delivery_hold_fen=int(self._state.delivery_hold[account]),
            equity_fen=exposure.equity_fen - fees,
            margin_fen=exposure.requirement_fen - exposure.offset_fen,
            available_fen=exposure.equity_fen - fees - exposure.requirement_fen + exposure.offset_fen,
            withdrawable_fen=max(0, self._state.free_cash(account)),
        )

    def margin(self, account: int) -> Explained:
        """Return where the margin of an account that is set up comes from, line by line."""
        return explained(self._state, account)

    def margin_calls(self) -> list[MarginCall]:
        """Return the margin calls that aren't met, in the order in which they were issued; don't change
        them.
        """
        return list(self._state.calls.values())

    def in_default(self) -> list[int]:
        """Return the accounts whose losses are to be shared (clause 6.10)."""
        return [account for account in self._state.calls if in_default(self._state, account)]

    def claims(self) -> list[ClaimView]:
        """Return what defaulters owe, in the order in which it arose."""
        return [
            ClaimView(
                seq=int(row["seq"]),
                debtor=int(row["debtor"]),
                creditor=int(row["creditor"]),
                layer=Layer(int(row["layer"])).label,
                amount_fen=int(row["amount"]),
                open_fen=int(row["open"]),
            )
            for row in self._state.claims.rows
        ]

    def contribution(self, account: int) -> int:
        """Return what an account has in the default fund, fen; the house's is its capital tranche."""
        return int(self._state.fund[account])

    def statement(self, account: int, day: date) -> StatementView:
        """Return an account's calendar day; today's fees are in it before settlement enters them (clause
        8.6).
        """
        number = epoch_day(day)
        ledger = self._state.ledger
        opening = ledger.before(account, number)
        lines = [
            LedgerLine(kind.label, None if contract < 0 else self.symbol(contract), amount)
            for kind, contract, amount in ledger.lines(account, number)
        ]
        if day == self._state.day.trading_day and self._state.day.phase is not MarketPhase.SETTLED:
            lines += self._unsettled_fee_lines(account)
        total = sum(line.amount_fen for line in lines)
        return StatementView(account, day, opening, tuple(lines), opening + total)

    # -- capacity and delivery

    @property
    def delivering(self) -> Delivering:
        """Insurance, claims, nominations and disputes; don't write."""
        return self._state.delivering

    @property
    def position_rules(self) -> SetPositionRules:
        """Return the position limits, and what is reported."""
        return self._state.position_rules

    def position_limit(self, contract: int) -> int:
        """Return the lots of a contract that one account may hold (clause 5.13); 0: any, or it has ended."""
        if not self._state.contract_row(contract)["active"]:
            return 0
        return self._state.engine.terms(contract).position_limit

    def large_positions(self) -> list[LargePosition]:
        """Return the positions that operators are told of, by contract and account (clause 5.14)."""
        return large_positions(self._state)

    @property
    def brokerage(self) -> Brokerage:
        """Return commissions, the revenue split and give-ups; don't write."""
        return self._state.brokerage

    @property
    def primary(self) -> Primary:
        """Sites, capacity, certificates and what they back; don't write."""
        return self._state.primary

    def reservations(self, account: int | None = None, day: date | None = None) -> list[ReservationView]:
        """Return reservations in order of id: an account's (as buyer or provider), a delivery day's, or
        all.
        """
        rows = self._state.reservations.rows
        wanted = np.ones(len(rows), np.bool_)
        if account is not None:
            wanted &= (rows["buyer"] == account) | (rows["provider"] == account)
        if day is not None:
            wanted &= rows["day"] == epoch_day(day)
        return [self._reservation_view(int(at)) for at in np.flatnonzero(wanted)]

    def reservation(self, reservation_id: int) -> ReservationView:
        """Return a reservation that exists."""
        return self._reservation_view(reservation_id - 1)

    def capacity(self, account: int | None = None) -> list[CapacityView]:
        """Return posted capacity in order of id, withdrawn posts included: an account's, or all."""
        return [
            CapacityView(
                capacity_id=item.capacity_id,
                account=item.post.account,
                grade=item.post.grade,
                hub=item.post.hub,
                cards=item.post.cards,
                first_day=item.post.first_day,
                last_day=item.post.last_day,
                reserve_price=item.post.reserve_price_ticks,
                withdrawn=item.withdrawn,
                site_id=item.post.site_id,
                attested=item.attestation is not None,
            )
            for item in self._state.primary.capacity
            if account is None or item.post.account == account
        ]

    def conversion(self) -> list[ConversionView]:
        """Return posted capacity and first sales by provider, grade and hub (clause 7.2)."""
        found = conversion(self._state).items()
        return [ConversionView(*key, posted, sold) for key, (sold, posted) in found]

    # -- rows to views

    def _contract_view(self, index: int) -> ContractView:
        built = self._contract_views.get(index)
        if built is None or built[0] < self._core.changes.last(index):
            built = self._contract_views[index] = (self.seq, self._build_contract_view(index))
        return built[1]

    def _build_contract_view(self, index: int) -> ContractView:
        state = self._state
        row = state.contract_row(index)
        active = bool(row["active"])
        top = state.engine.l1(index) if active else None
        return ContractView(
            contract=state.contracts[index],
            active=active,
            price_low=int(row["price_low"]),
            price_high=int(row["price_high"]),
            reference_price=int(row["reference"]),
            settled=bool(row["settled"]),
            margin_long_fen=margin_long(row),
            margin_short_fen=margin_short(row),
            last_price=int(row["last_price"]),
            bid_price=top.bid_price if top else 0,
            bid_lots=top.bid_quantity if top else 0,
            ask_price=top.ask_price if top else 0,
            ask_lots=top.ask_quantity if top else 0,
            volume_lots=int(row["day_lots"]),
            open_interest_lots=int(self._open_interest()[index]),
            halted=bool(row["halted"]),
        )

    def _open_interest(self) -> NDArray[np.int64]:
        if self._interest[0] != self.seq:
            self._interest = (self.seq, open_interest(self._state))
        return self._interest[1]

    def _levels(self, index: int, side: Side, depth: int) -> tuple[LevelView, ...]:
        rows = self._state.engine.depth(index, side, depth)
        return tuple(LevelView(int(row["price"]), int(row["quantity"]), int(row["orders"])) for row in rows)

    def _member_view(self, member: Member) -> MemberView:
        broker = member if member.broker is None else self._state.members[member.broker]
        standing = broker.state if member.state == "approved" else member.state
        cash = int(self._state.cash[member.account])
        return MemberView(
            member.name, member.account, member.kind, standing, member.roles, member.broker, cash
        )

    def _key_view(self, key: Key) -> KeyView:
        member = self._state.members[key.member]
        return KeyView(
            key.key_id,
            member.name,
            member.account,
            member.kind,
            member.roles if member.state == "approved" else (),
            key.scopes,
            key.ciphertext,
            key.networks,
            key.enabled,
        )

    def _order_view(self, row: Any) -> OrderView:
        return OrderView(
            order_id=int(row["order_id"]),
            arrival=int(row["arrival"]),
            client_id=int(row["client_id"]),
            symbol=self.symbol(int(row["instrument"])),
            side=_SIDES[row["side"]],
            price=int(row["price"]),
            lots=int(row["remaining"]) + int(row["executed"]),
            open_lots=int(row["remaining"]),
            shown_lots=int(row["visible"]),
            display_lots=int(row["display"]),
            order_type=OrderType(int(row["type"])),
            trigger=int(row["trigger"]),
            offset=int(row["offset"]),
            time_in_force=TimeInForce(int(row["tif"])).name.lower(),  # type: ignore[arg-type]
            expiry_day=day_of(int(row["expiry_day"]) * NS_PER_DAY) if row["expiry_day"] else None,
            flags=OrderFlag(int(row["flags"])),
            stp=StpMode(int(row["stp"])),
            group=int(row["group"]),
        )

    def _mask(self, account: int, symbol: str | None) -> NDArray[np.bool_]:
        rows = self._tape.rows()
        mask: NDArray[np.bool_] = (rows["account"] == account) | (rows["contra_account"] == account)
        if symbol is not None:
            contract = self._state.contracts_by_symbol.get(symbol)
            mask &= rows["instrument"] == (-1 if contract is None else contract.index)
        return mask

    def _fill_views(self, row: Any, account: int) -> Iterator[FillView]:
        """Yield the account's side of a trade, or both sides if it traded with itself."""
        if row["account"] == account:
            yield self._fill_view(row, int(row["order_id"]), int(row["side"]), "taker")
        if row["contra_account"] == account:
            yield self._fill_view(row, int(row["contra_id"]), 1 - int(row["side"]), "maker")

    def _fill_view(self, row: Any, order_id: int, side: int, role: Literal["maker", "taker"]) -> FillView:
        contract, price, lots = int(row["instrument"]), int(row["price"]), int(row["quantity"])
        liquidity: Liquidity = "auction" if row["auction"] else role
        return FillView(
            trade_id=int(row["trade_id"]),
            seq=int(row["seq"]),
            time_ns=int(row["time_ns"]),
            symbol=self.symbol(contract),
            order_id=order_id,
            side=_SIDES[side],
            price=price,
            lots=lots,
            liquidity=liquidity,
            fee_fen=self.fee_fen(int(row["seq"]), contract, price * lots, liquidity),
        )

    def _position_view(self, row: Any) -> PositionView:
        index = int(row["contract"])
        terms = self._state.contract_row(index)
        reference = int(terms["reference"])
        mark = int(terms["last_price"]) or reference
        result = (
            int(row["lots"]) * mark - int(row["settled_lots"]) * reference - int(row["day_value"])
        ) * int(terms["hours"])
        return PositionView(self.symbol(index), int(row["lots"]), reference, result)

    def _unsettled_fee_lines(self, account: int) -> list[LedgerLine]:
        """Return today's fees by contract; the house's are what all others paid."""
        rows = self._state.positions.rows
        mine = rows[(rows["day_fees"] != 0) & ((rows["account"] == account) | (account == HOUSE))]
        sign = 1 if account == HOUSE else -1
        sums: dict[int, int] = {}
        for row in mine:
            contract = int(row["contract"])
            sums[contract] = sums.get(contract, 0) + sign * int(row["day_fees"])
        label = LedgerKind.FEE.label
        return [LedgerLine(label, self.symbol(contract), amount) for contract, amount in sums.items()]

    def _reservation_view(self, at: int) -> ReservationView:
        row = self._state.reservations.rows[at]
        contract = self._state.contracts[int(row["contract"])]
        cards = int(row["lots"]) * contract.cards_per_lot
        hours = row["metered"]
        delivered = int(np.maximum(hours, 0).sum())
        finished = bool(row["finished"])
        return ReservationView(
            reservation_id=at + 1,
            buyer=int(row["buyer"]),
            provider=int(row["provider"]),
            symbol=contract.symbol,
            grade=contract.grade,
            hub=contract.hub,
            day=contract.period.first,
            cards=cards,
            lots=int(row["lots"]),
            start_ns=contract.delivery.start_ns,
            end_ns=contract.delivery.end_ns,
            hours=contract.delivery.of_day(int(row["day"])),
            price=int(row["price"]),
            delivered_card_hours=delivered,
            metered_hours=sum(1 << hour for hour in np.flatnonzero(hours >= 0).tolist()),
            finished=finished,
            invoiced_fen=int(row["invoiced"]),
            shortfall_card_hours=cards * contract.hours - delivered if finished else 0,
        )
