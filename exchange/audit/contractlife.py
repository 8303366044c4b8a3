"""What happens to positions without an order: settlement, cascade, expiry, delivery, margin calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from exchange.api.formats import day_text, price_text
from exchange.audit.pen import Pen
from exchange.audit.records import Record
from exchange.audit.shares import Shares
from exchange.audit.subject import Scope
from exchange.audit.words import name_of
from exchange.clearing.ledger import LedgerKind
from exchange.clearing.settlement import PriceRule
from exchange.domain import brokerage as b
from exchange.domain import messages as m
from exchange.domain.calendar import date_of, epoch_day
from exchange.domain.contracts import Contract
from exchange.service.brokerstate import GiveUp
from exchange.service.state import State


class ContractLife:
    """Remembers how far the tables of the state were told."""

    def __init__(self, state: State, scope: Scope, pen: Pen) -> None:
        self._state, self._scope, self._pen = state, scope, pen
        self._shares = Shares()
        self._fills: set[tuple[int, int, bool]] = set()
        self._entries = len(state.ledger.rows)
        self._reserved = len(state.reservations)
        self._calls = self._calls_now()

    def fill(self, trade_id: int, account: int, contract: int, signed_lots: int, price: int) -> None:
        """Take in a traced fill."""
        self._fills.add((account, trade_id, signed_lots > 0))
        self._scope.pairs.add((account, contract))
        self._scope.markets.add((account, contract))
        self._shares.add(account, contract, signed_lots, price)

    def after(self, message: m.RareMessage) -> Iterator[Record]:
        """Yield what a rare message did beside events."""
        shares: Counter[tuple[int, int]] = Counter()
        if isinstance(message, m.SettleDay):
            shares = self._settle_shares()
            yield from self._settlements(message)
        if isinstance(message, b.AnswerGiveUp):
            yield from self._given_up(self._state.brokerage.give_ups[message.give_up_id - 1])
        yield from self._reservations()
        yield from self._new_entries(shares)
        yield from self._margin_calls()
        if isinstance(message, m.SettleDay | m.RunMargin):
            yield from self._margins()

    def _given_up(self, give_up: GiveUp) -> Iterator[Record]:
        """Follow lots of a traced fill to the account that took them (clause 8.15)."""
        offer, lots = give_up.offer, give_up.signed_lots
        contract = self._state.contracts_by_symbol[offer.symbol].index
        given = (offer.account, offer.trade_id, offer.side == "buy") in self._fills
        taken = self._scope.orders is None and give_up.taker in self._scope.accounts
        if give_up.state != "accepted" or not (given or taken):
            return
        if given:
            self._shares.add(offer.account, contract, -lots, offer.price_ticks)
        if given and self._scope.orders is not None:
            self._scope.accounts.add(give_up.taker)
        if give_up.taker in self._scope.accounts:
            self.fill(offer.trade_id, give_up.taker, contract, lots, offer.price_ticks)
        text = f"{offer.lots} lots of trade {offer.trade_id} given up to {offer.to_member}"
        yield self._pen.record(
            "give-up", text, offer.account, contract, margin=self._pen.margin(offer.account)
        )

    def _settle_shares(self) -> Counter[tuple[int, int]]:
        rows = self._state.contract_table.rows
        return self._shares.settle(
            self._state.contracts,
            lambda index: int(rows["reference"][index]),
            lambda index: not rows["active"][index],
            self._parts,
        )

    def _parts(self, contract: Contract) -> list[Contract]:
        """Return what a contract cascades into (clause 6.4)."""
        known = self._state.contracts_by_symbol
        return [known[str(part)] for part in contract.terms.parts() if str(part) in known]

    def _settlements(self, message: m.SettleDay) -> Iterator[Record]:
        """Yield the settlement price of each contract of the subject, and what became of those that ended."""
        rows = self._state.settlements.rows
        today = rows[rows["day"] == epoch_day(message.day)]
        told: set[int] = set()
        for row in today:
            index = int(row["contract"])
            if not any(self._holds(account, index) for account in self._scope.accounts):
                continue
            told.add(index)
            price, rule = price_text(int(row["price"])), PriceRule(int(row["rule"])).label
            text = f"settled at {price} ({rule}), {int(row['lots'])} lots traded"
            yield self._pen.record("settlement", text, contract=index)
        for index in sorted(told):
            yield from self._ended(index)

    def _holds(self, account: int, index: int) -> bool:
        """Whether an account of the subject has, or at this settlement had, something in a contract."""
        if self._scope.orders is not None:
            return (account, index) in self._scope.pairs
        return self._state.positions.lots(account, index) != 0 or (account, index) in self._scope.pairs

    def _ended(self, index: int) -> Iterator[Record]:
        """Tell the cascade of a contract that ended, and follow it."""
        if self._state.contract_row(index)["active"]:
            return
        contract = self._state.contracts[index]
        parts = self._parts(contract)
        if not parts:
            return
        for account in sorted(self._scope.accounts):
            if (account, index) in self._scope.pairs:
                self._scope.pairs |= {(account, part.index) for part in parts}
        names = ", ".join(part.symbol for part in parts)
        yield self._pen.record("cascade", f"becomes {names}", contract=index)
        for part in parts:
            yield from self._ended(part.index)

    def _reservations(self) -> Iterator[Record]:
        rows = self._state.reservations.rows
        for at in range(self._reserved, len(rows)):
            row, index = rows[at], int(rows[at]["contract"])
            sides = [int(row["buyer"]), int(row["provider"])]
            mine = [account for account in sides if self._scope.holds(account, index)]
            if mine:
                self._scope.reservations.add(at + 1)
                buyer, provider = (name_of(self._state, account) for account in sides)
                text = (
                    f"reservation {at + 1}: {provider} delivers {int(row['lots'])} lots to {buyer} "
                    f"on {day_text(date_of(int(row['day'])))} at {price_text(int(row['price']))}"
                )
                yield self._pen.record("expiry", text, mine[0], index)
        self._reserved = len(rows)

    def _new_entries(self, shares: Counter[tuple[int, int]]) -> Iterator[Record]:
        """Yield the new entries of the ledger, each of which is a line of a statement (clause 8.6)."""
        rows = self._state.ledger.rows
        for row in rows[self._entries :]:
            account, index, kind = int(row["account"]), int(row["contract"]), LedgerKind(int(row["kind"]))
            if not self._scope.holds(account, index):
                continue
            share = shares.get((account, index)) if kind is LedgerKind.VARIATION_MARGIN else None
            text = f"{kind.label}, on the statement of {day_text(date_of(int(row['day'])))}"
            yield self._pen.record(
                "statement", text, account, index, amount_fen=int(row["amount"]), share_fen=share
            )
        self._entries = len(rows)

    def _calls_now(self) -> dict[int, tuple[int, bool]]:
        calls = self._state.calls
        mine = sorted(self._scope.accounts & calls.keys())
        return {account: (calls[account].amount_fen, calls[account].restricted) for account in mine}

    def _margin_calls(self) -> Iterator[Record]:
        before, self._calls = self._calls, self._calls_now()
        for account in sorted(before.keys() | self._calls.keys()):
            was, now = before.get(account), self._calls.get(account)
            if was == now:
                continue
            if now is None:
                yield self._pen.record("margin call", "met", account)
            elif now[1]:
                yield self._pen.record("margin call", f"unmet, restricted: {now[0]:,} fen", account)
            else:
                yield self._pen.record("margin call", f"called for {now[0]:,} fen", account)

    def _margins(self) -> Iterator[Record]:
        """Yield how each account stands after clearing computed its margin."""
        for account in sorted(self._scope.accounts):
            margin = self._pen.margin(account)
            if margin.requirement_fen and self._in_market(account):
                text = (
                    f"needs {margin.requirement_fen - margin.offset_fen:,} fen "
                    f"of an equity of {margin.equity_fen:,}"
                )
                yield self._pen.record("margin", text, account, margin=margin)

    def _in_market(self, account: int) -> bool:
        """Return whether something that belongs to the subject still trades in the account."""
        active = self._state.contract_table.rows["active"]
        mine = [contract for holder, contract in self._scope.pairs if holder == account]
        return self._scope.orders is None or any(active[contract] for contract in mine)
