"""Where a key may be used from: IPv4 and IPv6 networks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from exchange.api.codes import RequestCode, refuse

_MAPPED_PREFIX = 96
"""An IPv4 address may come as ::ffff:a.b.c.d; it is read as the IPv4 address."""


def parse_networks(texts: Sequence[str], field: str) -> tuple[str, ...]:
    """Return networks in their one spelling; an address alone is a network of one.

    Raises RequestRefused INVALID_FIELD, naming the place in `field`.
    """
    found = []
    for i, text in enumerate(texts):
        network = _network(text)
        if network is None:
            raise refuse(
                RequestCode.INVALID_FIELD,
                f"{text!r} is no IPv4 or IPv6 network; write 192.0.2.0/24, 2001:db8::/32 or an address.",
                f"{field}[{i}]",
            )
        found.append(str(network))
    return tuple(dict.fromkeys(found))


def allowed(networks: tuple[str, ...], peer: str | None) -> bool:
    """Return whether a request from the address `peer` lies in one of `networks`; none means anywhere."""
    if not networks:
        return True
    try:
        address = ip_address((peer or "").partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in _parsed(networks))


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        network = ip_network(text)
    except ValueError:
        return None
    if "%" in text:
        return None
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if mapped is None or network.prefixlen < _MAPPED_PREFIX:
        return network
    return ip_network((mapped, network.prefixlen - _MAPPED_PREFIX))


@lru_cache(maxsize=4_096)
def _parsed(networks: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(text) for text in networks)
