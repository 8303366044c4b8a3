"""Who is admitted to a simulated market, with which accounts and how much cash."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exchange.domain.brokerage import SetCommission
from exchange.domain.calendar import moment_ns
from exchange.domain.defaults import SetContribution
from exchange.domain.messages import AddClient, AddMember, Deposit, MemberKind
from exchange.domain.sessions import Sessions
from sims.engine.market import SimMarket
from sims.engine.world import BASIS
from sims.scenario.populations import Broker, Population
from sims.scenario.schema import Scenario

FEN_PER_CNY = 100


class Admitted(NamedTuple):
    """Accounts of a population, int32."""

    members: NDArray[np.int32]
    """Where each member's positions are."""
    desks: NDArray[np.int32]
    """Where each member's orders go from: the same account unless fills are given up."""
    hosts: NDArray[np.int32]
    """Own accounts of the brokers through whom they trade."""


def accounts_max(spec: Population) -> int:
    """Return the most accounts that a population takes."""
    return spec.count * (1 + 2 * spec.clients) if isinstance(spec, Broker) else spec.count


def begin_ns(scenario: Scenario) -> int:
    """Return when members are admitted: as the first day opens, and a day before if there are brokers, since
    a commission holds from the next calendar day on (clause 8.13).
    """
    ahead = any(isinstance(spec, Broker) for spec in scenario.population)
    return moment_ns(scenario.first_day - timedelta(days=ahead), Sessions().open_day)


def admit(market: SimMarket, name: str, kind: MemberKind, count: int, cash_cny: int) -> NDArray[np.int32]:
    """Admit so many members NAME-1, NAME-2 … with this cash each; return their accounts."""
    accounts = []
    for number in range(1, count + 1):
        member = f"{name}-{number}"
        accounts.append(int(market.done(AddMember(name=member, kind=kind))["account"]))
        _pay_in(market, member, cash_cny)
    return np.array(accounts, np.int32)


def admit_population(market: SimMarket, spec: Population, kind: MemberKind) -> Admitted:
    """Admit a population; of a broker's clients the first ones execute at the next broker."""
    accounts = admit(market, spec.name, kind, spec.count, spec.cash_cny)
    if not isinstance(spec, Broker):
        return Admitted(accounts, accounts, np.zeros(0, np.int32))
    clearing, desks = [], []
    away = spec.clients * spec.give_ups // BASIS if spec.count > 1 else 0
    for host in range(spec.count):
        for client in range(1, spec.clients + 1):
            account = _add_client(market, spec, accounts, host, f"client-{client}")
            clearing.append(account)
            if client <= away:
                account = _add_client(market, spec, accounts, (host + 1) % spec.count, f"desk-{client}")
            desks.append(account)
    return Admitted(np.array(clearing, np.int32), np.array(desks, np.int32), accounts)


def contribute(market: SimMarket, scenario: Scenario) -> None:
    """Let every member pay its contribution to the default fund."""
    amount = scenario.fund.member_cny * FEN_PER_CNY
    for member in list(market.core.state.members.values()) if amount else ():
        if member.broker is None:
            market.done(SetContribution(member=member.name, amount_fen=amount))


def _add_client(market: SimMarket, spec: Broker, hosts: NDArray[np.int32], host: int, name: str) -> int:
    """Open a client's account at a broker, with cash and the broker's commission."""
    broker = int(hosts[host])
    account = int(market.done(AddClient(broker=broker, name=name))["account"])
    _pay_in(market, f"{spec.name}-{host + 1}/{name}", spec.cash_cny)
    market.done(SetCommission(broker=broker, client=name, basis_points=spec.commission))
    return account


def _pay_in(market: SimMarket, member: str, cash_cny: int) -> None:
    if cash_cny:
        market.done(Deposit(member=member, amount_fen=cash_cny * FEN_PER_CNY))
