"""What is wrong with cities, sites and lines: tables that problems of one slot and of many share."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from scheduler.figures import repeated
from scheduler.types import Fault, Network, Origin

Rows = Iterator[Fault]


class _Coded(Protocol):
    """A site of either model."""

    @property
    def code(self) -> str: ...


def origin_faults(origins: Sequence[Origin], sites: Sequence[_Coded]) -> Rows:
    """Cities given twice, and homes that are no site."""
    yield from repeated("origins", "city", (origin.city for origin in origins))
    codes = {site.code for site in sites}
    for row, origin in enumerate(origins):
        if origin.home_site and origin.home_site not in codes:
            yield Fault("origins", row, origin.city, "home_site", f"unknown site {origin.home_site!r}")


def network_faults(
    network: Network, origins: Sequence[Origin], sites: Sequence[_Coded], price_max: int
) -> Rows:
    """Round trips that are no figures, cities and sites without any, and prices beyond ``price_max``."""
    shape = (len(network.origins), len(network.sites))
    if network.rtt_ms.shape != shape:
        yield Fault("network", 0, "", "rtt_ms", f"shape {network.rtt_ms.shape}, expected {shape}")
        return
    yield from repeated("network", "origins", network.origins)
    yield from repeated("network", "sites", network.sites)
    for origin in origins:
        if origin.city not in network.origins:
            yield Fault("network", 0, origin.city, "origins", "no row for this origin city")
    for site in sites:
        if site.code not in network.sites:
            yield Fault("network", 0, site.code, "sites", "no column for this site")
    # an infinite round trip is a missing line, NaN is a mistake
    for row, column in np.argwhere(~(network.rtt_ms >= 0)):
        field = f"rtt_ms[{network.sites[column]}]"
        yield Fault("network", int(row), network.origins[row], field, "not a figure ≥ 0")
    yield from _transfer_faults(network, shape, price_max)


def _transfer_faults(network: Network, shape: tuple[int, int], price_max: int) -> Rows:
    prices = network.transfer_micro_cny_per_gb
    if prices is None:
        return
    if prices.shape != shape or not np.issubdtype(prices.dtype, np.integer):
        message = f"{prices.dtype} of shape {prices.shape}, expected integers of shape {shape}"
        yield Fault("network", 0, "", "transfer_micro_cny_per_gb", message)
        return
    for row, column in np.argwhere((prices < 0) | (prices > price_max)):
        field = f"transfer_micro_cny_per_gb[{network.sites[column]}]"
        yield Fault("network", int(row), network.origins[row], field, f"outside 0 … {price_max}")
