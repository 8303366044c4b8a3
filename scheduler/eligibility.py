"""Where workloads may go, and what moving their data there costs: by network and residency alone."""

from typing import Protocol

import numpy as np

from nodes.types import Residency
from scheduler.instance import Bools, Ints
from scheduler.integers import numbered, numbered_rows
from scheduler.types import Origin, Problem
from scheduler.workload_table import RESIDENCIES, Floats, WorkloadTable


class Eligibility:
    """The sites (S, in the order of the problem) for rows of a validated problem's workload table."""

    def __init__(self, problem: Problem, table: WorkloadTable) -> None:
        network = problem.network
        row = {city: i for i, city in enumerate(network.origins)}
        column = {code: i for i, code in enumerate(network.sites)}
        columns = np.array([column[site.code] for site in problem.sites], dtype=np.int64)
        rows = np.array([row[city] for city in table.cities], dtype=np.int64)
        origins = {origin.city: origin for origin in problem.origins}
        self.table = table
        self.rtt_ms: Floats = network.rtt_ms[rows][:, columns]
        """(cities of the table, S) ms."""
        prices = network.transfer_micro_cny_per_gb
        free = np.zeros(self.rtt_ms.shape, dtype=np.int64)
        self.prices: Ints = free if prices is None else prices[rows][:, columns].astype(np.int64)
        """(cities of the table, S) micro-CNY per GB."""
        shape = (len(RESIDENCIES), *self.rtt_ms.shape)
        self.allowed: Bools = np.zeros(shape, dtype=np.bool_)
        """(residencies, cities of the table, S) where data may go."""
        for r, residency in enumerate(RESIDENCIES):
            for c, city in enumerate(table.cities):
                self.allowed[r, c] = [may_go(origins[city], site, residency) for site in problem.sites]

    def near(self, rows: Ints) -> Bools:
        """(n, S) sites within the latency bound; a site that cannot be reached is never near."""
        rtt_ms = self.rtt_ms[self.table.origin[rows]]
        near: Bools = (rtt_ms <= self.table.latency_ms_max[rows][:, None]) & np.isfinite(rtt_ms)
        return near

    def resident(self, rows: Ints) -> Bools:
        """(n, S) sites where the data may go."""
        allowed: Bools = self.allowed[self.table.residency[rows], self.table.origin[rows], :]
        return allowed

    def sites(self, rows: Ints) -> Bools:
        """(n, S) sites that latency and residency allow."""
        return self.near(rows) & self.resident(rows)

    def transfer(self, rows: Ints) -> Ints:
        """(n, S) nano-CNY for moving the workload's data: micro-CNY per GB × GB × 1,000."""
        moved = self.table.data_gb[rows] * 1000
        cost: Ints = self.prices[self.table.origin[rows]] * moved[:, None]
        return cost

    def profiles(self) -> Ints:
        """(N,) the same number for workloads with the same origin, latency bound and residency."""
        table = self.table
        return numbered(table.origin, table.latency_ms_max, table.residency)

    def moves(self) -> Ints:
        """(N,) the same number only for workloads that cost the same to move to every site."""
        table = self.table
        tariff = numbered_rows(self.prices)[table.origin]
        paid = (self.prices.max(axis=1, initial=0)[table.origin] > 0) & (table.data_gb > 0)
        return numbered(np.where(paid, tariff, -1), np.where(paid, table.data_gb, 0))


class _Where(Protocol):
    """A site of either model."""

    @property
    def code(self) -> str: ...
    @property
    def city(self) -> str: ...
    @property
    def province(self) -> str: ...


def may_go(origin: Origin, site: _Where, residency: Residency) -> bool:
    """Whether data of this origin and residency may go to a site."""
    if residency == Residency.SITE:
        return site.code == origin.home_site
    if residency == Residency.CITY:
        return site.city == origin.city
    return residency == Residency.ANY or site.province == origin.province
