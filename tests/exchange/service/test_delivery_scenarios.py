"""Hand-computed deliveries (clauses 7.4, 7.7 to 7.12, 10.6), told in tests/scenarios/delivery."""

from __future__ import annotations

import tomllib
from datetime import date, timedelta
from pathlib import Path

import pytest
from primary_market import Provider

from exchange.domain import delivering as d
from exchange.domain import messages as m
from exchange.domain import primary as p
from exchange.service.bootstrap import DELIVERY_RULES, MARGIN_RULES

SCENARIOS = Path(__file__).parents[2] / "scenarios" / "delivery"
ACCOUNTS = {"house": 0, "acme": 1, "blue": 2, "coral": 3}


class Story:
    """A market whose provider has 10 certified cards; each step does one thing."""

    def __init__(self, market) -> None:
        self.market = market
        market.do(DELIVERY_RULES)
        market.do(MARGIN_RULES)
        self.provider = Provider(market)
        self.provider.certified(10)
        market.open()
        self.cash = [0] * len(ACCOUNTS)

    def trade(self, symbol, seller, buyer, lots, price):
        self.market.trade(symbol, ACCOUNTS[seller], ACCOUNTS[buyer], lots, price)

    def settle(self, _):
        self.market.settle()
        self._note()

    def empty(self, name):
        balance = self.market.state.free_cash(ACCOUNTS[name])
        held = self.market.cash_of(ACCOUNTS[name])
        assert balance == held, "margin needs some of it"
        self.market.do(m.Withdraw(member=name, amount_fen=held))
        self._note()

    def deposit(self, name, amount):
        self.market.do(m.Deposit(member=name, amount_fen=amount))
        self._note()

    def meter(self, day, cards):
        """Half the hours a card more, if `cards` is a half."""
        day = date.fromisoformat(day)
        self.market.at(0, 30, day + timedelta(days=1))
        rows = self.market.state.reservations.rows
        (at,) = [i for i in range(len(rows)) if rows["day"][i] == (day - date(1970, 1, 1)).days]
        extra = round((cards - int(cards)) * 24)
        if extra:
            self.market.do(self.provider.readings(day, {at + 1: int(cards) + 1}, range(extra)))
        self.market.do(self.provider.readings(day, {at + 1: int(cards)}, range(extra, 24)))

    def finish(self, day):
        day = date.fromisoformat(day)
        self.market.at(1, 0, day + timedelta(days=1))
        return self.market.send(m.FinishDelivery(day=day))

    def at(self, day):
        self.market.at(1, 0, date.fromisoformat(day))

    def revoke(self, certificate_id):
        self.market.do(p.RevokeCertificate(certificate_id=certificate_id, reason="fire"))

    def dispute(self, name, reservation_id, card_hours):
        terms = {"reservation_id": reservation_id, "card_hours": card_hours, "reason": "own log"}
        return self.market.send(d.OpenDispute(account=ACCOUNTS[name], **terms))

    def decide(self, dispute_id, card_hours):
        return self.market.send(d.DecideDispute(dispute_id=dispute_id, card_hours=card_hours, reason="seen"))

    def nominate(self, name, reservation_id, use, cards, first_hour, hours):
        return self.market.send(
            d.NominateWorkload(
                account=ACCOUNTS[name],
                reservation_id=reservation_id,
                workload="job",
                use=use,
                cards=cards,
                first_hour=first_hour,
                hours=hours,
            )
        )

    def withdraw(self, name, nomination_id):
        return self.market.send(d.WithdrawNomination(account=ACCOUNTS[name], nomination_id=nomination_id))

    # what must hold

    def paid(self, amounts):
        """Cash that moved since the step before that looked."""
        for name, amount in amounts.items():
            account = ACCOUNTS[name]
            assert self.market.cash_of(account) - self.cash[account] == amount, name
        self._note()

    def fund(self, amount):
        assert self.market.state.delivering.fund_fen == amount

    def claims(self, wanted):
        found = [(c.creditor, c.open_fen) for c in self.market.state.delivering.claims if c.open_fen]
        assert found == [(ACCOUNTS[name], amount) for name, amount in wanted]

    def covered(self, wanted):
        contracts = self.market.state.contracts
        covered = self.market.state.primary.covered_lots()
        assert {contracts[contract].symbol: lots for (_, contract), lots in covered.items()} == wanted

    def _note(self):
        self.cash = [self.market.cash_of(account) for account in ACCOUNTS.values()]


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.toml")), ids=lambda path: path.stem)
def test_scenario(market, path):
    story = Story(market)
    for number, step in enumerate(tomllib.loads(path.read_text(encoding="utf-8"))["step"]):
        expected = step.pop("refused", None)
        for name, told in step.items():
            do = getattr(story, name)
            result = do(*told) if isinstance(told, list) and name != "claims" else do(told)
            if result is not None:
                got = None if result.ok else result.code.name
                assert got == expected, f"step {number}: {got}"
        market.core.check()
